//! Cards of each type, counted from the nodes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::ListParams;

use super::client::{Cluster, ClusterError, pages};

const RESOURCE: &str = "nvidia.com/gpu";
const PRODUCT: &str = "nvidia.com/gpu.product";

/// Which type of card a GPU product is, e.g. `NVIDIA-A100-SXM4-80GB` -> `A100`. A product that is
/// not listed counts as a type of its own name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Products(pub BTreeMap<String, String>);

impl Products {
    /// Type of a product.
    pub fn card_type<'a>(&'a self, product: &'a str) -> &'a str {
        self.0.get(product).map_or(product, String::as_str)
    }

    /// A product of a type, the first by name; the type's own name where none is listed.
    pub fn product<'a>(&'a self, card_type: &'a str) -> &'a str {
        let found = self.0.iter().find(|(_, t)| t.eq_ignore_ascii_case(card_type));
        found.map_or(card_type, |(product, _)| product.as_str())
    }
}

/// Cards by type.
pub type Cards = BTreeMap<String, u64>;

impl Cluster {
    /// Allocatable cards of the nodes that are ready and take new pods, by type. Whatever else runs
    /// on them is not taken off.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn cards(&self, products: &Products) -> Result<Cards, ClusterError> {
        let api: Api<Node> = Api::all(self.client());
        let nodes = pages(&api, &ListParams::default(), "list nodes").await?;
        Ok(count(&nodes, products))
    }
}

fn count(nodes: &[Node], products: &Products) -> Cards {
    let mut cards = Cards::new();
    for node in nodes.iter().filter(|node| takes_pods(node)) {
        let allocatable = node.status.as_ref().and_then(|s| s.allocatable.as_ref());
        let count = allocatable.and_then(|a| a.get(RESOURCE)).and_then(|q| q.0.parse::<u64>().ok());
        let product = node.metadata.labels.as_ref().and_then(|labels| labels.get(PRODUCT));
        if let (Some(count), Some(product)) = (count, product) {
            *cards.entry(products.card_type(product).to_owned()).or_default() += count;
        }
    }
    cards
}

/// Whether a node is ready and not cordoned.
fn takes_pods(node: &Node) -> bool {
    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false);
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready =
        conditions.is_none_or(|all| all.iter().all(|c| c.type_ != "Ready" || c.status == "True"));
    ready && !cordoned
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cards_are_counted_on_nodes_that_take_pods() {
        let node = |product: &str, count: &str, ready: &str, cordoned: bool| -> Node {
            serde_json::from_value(json!({
                "metadata": { "labels": { "nvidia.com/gpu.product": product } },
                "spec": { "unschedulable": cordoned },
                "status": {
                    "allocatable": { "nvidia.com/gpu": count, "cpu": "8" },
                    "conditions": [{ "type": "Ready", "status": ready }],
                },
            }))
            .unwrap()
        };
        let nodes = [
            node("NVIDIA-A100-SXM4-80GB", "8", "True", false),
            node("NVIDIA-A100-SXM4-80GB", "4", "True", false),
            node("NVIDIA-A100-SXM4-80GB", "16", "False", false),
            node("NVIDIA-A100-SXM4-80GB", "32", "True", true),
            node("L4", "2", "True", false),
            Node::default(),
        ];
        let map = [("NVIDIA-A100-SXM4-80GB".to_owned(), "A100".to_owned())];
        let products = Products(map.into());
        let expected = [("A100".to_owned(), 12), ("L4".to_owned(), 2)];
        assert_eq!(count(&nodes, &products), Cards::from(expected));
        assert_eq!(products.product("a100"), "NVIDIA-A100-SXM4-80GB");
        assert_eq!(products.product("L4"), "L4");
    }
}
