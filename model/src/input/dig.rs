//! Values of documents that other tools wrote, by the paths of their keys.
//!
//! A path is keys with points between them, `latency.request_latency.mean`, as the document was read: in
//! lower case or as they are written. What is
//! not there, is null or of another kind is nothing, and so is a number that is not finite: whether
//! it had to be there is the reader's affair.

use super::node::{Node, Value};

/// What stands at `path` under `node`; null is nothing.
pub fn at<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    let found = path.split('.').try_fold(node, entry)?;
    (found.value != Value::Null).then_some(found)
}

/// The value of a key, which may have points in it.
pub fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Object(entries) => entries.iter().find(|e| e.0 == key).map(|e| &e.1),
        _ => None,
    }
}

/// The entries of an object at `path`; none where there is none.
pub fn entries<'a>(node: &'a Node, path: &str) -> &'a [(String, Node)] {
    match at(node, path).map(|node| &node.value) {
        Some(Value::Object(entries)) => entries,
        _ => &[],
    }
}

/// Whether something stands at `path`.
pub fn has(node: &Node, path: &str) -> bool {
    at(node, path).is_some()
}

/// The number at `path`; also where it stands in quotes.
pub fn number(node: &Node, path: &str) -> Option<f64> {
    value(node, path).filter(|x| x.is_finite())
}

/// The same above 0, which stands for what was not measured.
pub fn positive(node: &Node, path: &str) -> Option<f64> {
    number(node, path).filter(|x| *x > 0.0)
}

/// A whole number from 1 on at `path`.
pub fn count(node: &Node, path: &str) -> Option<u32> {
    let number = number(node, path).filter(|x| (1.0..=1e6).contains(x) && x.fract() == 0.0);
    number.map(|x| x as u32)
}

/// Whether infinity stands at `path`, as JSON of Python, YAML or words have it.
pub fn is_infinite(node: &Node, path: &str) -> bool {
    value(node, path).is_some_and(|x| x == f64::INFINITY)
}

/// The text at `path`, where it is not empty.
pub fn text<'a>(node: &'a Node, path: &str) -> Option<&'a str> {
    match &at(node, path)?.value {
        Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// The items of the list at `path`; nothing where there is none.
pub fn items<'a>(node: &'a Node, path: &str) -> &'a [Node] {
    match at(node, path).map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// The numbers of the list at `path`; what is no number counts as 0.
pub fn numbers(node: &Node, path: &str) -> Vec<f64> {
    items(node, path).iter().map(|node| parsed(node).unwrap_or(0.0)).collect()
}

fn value(node: &Node, path: &str) -> Option<f64> {
    parsed(at(node, path)?)
}

fn parsed(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Number(text) => text.parse().ok(),
        // YAML writes infinity with a point before it.
        Value::Text(text) => text.trim().trim_start_matches('.').parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::reading::{Report, parse_foreign};

    #[test]
    fn values_are_found_by_their_paths() {
        let text = r#"{"a": {"b": "4.5", "c": null, "d": Infinity, "e": NaN, "f": [1, "x"]},
            "g": ".inf", "h": "inf", "i": -Infinity, "j": 0}"#;
        let node = parse_foreign("x.json", text, 1, &mut Report::default()).expect("it is sound");
        assert_eq!(number(&node, "a.b"), Some(4.5));
        assert!(!has(&node, "a.c") && !has(&node, "a.b.c") && !has(&node, "z"));
        assert_eq!((number(&node, "a.d"), number(&node, "a.e")), (None, None));
        assert!(["a.d", "g", "h"].iter().all(|path| is_infinite(&node, path)));
        assert!(!["a.e", "i", "j"].iter().any(|path| is_infinite(&node, path)));
        assert_eq!(numbers(&node, "a.f"), [1.0, 0.0]);
        assert_eq!(
            (number(&node, "j"), positive(&node, "j"), count(&node, "j")),
            (Some(0.0), None, None)
        );
    }
}
