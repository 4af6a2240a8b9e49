//! The load of a server: what was measured, and the labels where nothing was.

use std::collections::BTreeMap;

use super::{LeftAlone, Measured, Observed};
use crate::cluster::{Key, LabelLoad, Listing, Managed};

/// A server, its replicas and the load that it is under.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The Deployment.
    pub managed: Managed,
    /// The load.
    pub load: LabelLoad,
    /// Where the load comes from.
    pub source: Source,
    /// What was measured beside it.
    pub measured: Measured,
}

/// Where a load comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// All of it was measured.
    Measured,
    /// The rate was measured, tokens are the labels'.
    RateMeasured,
    /// The labels.
    Labels,
}

const NO_LOAD: &str = "no load is known: Prometheus has no data for it, and the labels \
                       inferno.server.load.rpm, .intokens and .outtokens are not all there";

/// Puts Deployments and measurements together.
pub fn observe(listing: Listing, measured: &BTreeMap<Key, Measured>) -> Observed {
    let mut observed = Observed::default();
    for rejected in listing.rejected {
        let reasons: Vec<String> = rejected.problems.iter().map(ToString::to_string).collect();
        observed
            .left_alone
            .push(LeftAlone { name: rejected.key.to_string(), reason: reasons.join("; ") });
    }
    for managed in listing.managed {
        let measured = measured.get(&managed.key).cloned().unwrap_or_default();
        let known = match measured.impossible.clone() {
            Some(reason) => Err(reason),
            None => load(&measured, managed.load).ok_or_else(|| NO_LOAD.to_owned()),
        };
        match known {
            Ok((load, source)) => {
                observed.servers.push(Observation { managed, load, source, measured });
            }
            Err(reason) => {
                observed.left_alone.push(LeftAlone { name: managed.key.to_string(), reason });
                observed.standing.push(managed);
            }
        }
    }
    observed
}

/// The load, measured as far as it was. A rate of 0 needs no tokens.
fn load(measured: &Measured, labels: Option<LabelLoad>) -> Option<(LabelLoad, Source)> {
    let Some(rpm) = measured.rpm else { return labels.map(|load| (load, Source::Labels)) };
    let or_label = |value: Option<f64>, label: fn(LabelLoad) -> f64| {
        value.or(labels.map(label)).or((rpm == 0.0).then_some(0.0))
    };
    let load = LabelLoad {
        rpm,
        in_tokens: or_label(measured.in_tokens, |l| l.in_tokens)?,
        out_tokens: or_label(measured.out_tokens, |l| l.out_tokens)?,
    };
    let all = measured.in_tokens.is_some() && measured.out_tokens.is_some();
    Some((load, if all { Source::Measured } else { Source::RateMeasured }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: LabelLoad = LabelLoad { rpm: 60.0, in_tokens: 100.0, out_tokens: 200.0 };

    #[test]
    fn what_was_measured_goes_before_the_labels() {
        let nothing = Measured::default();
        assert_eq!(load(&nothing, Some(LABELS)), Some((LABELS, Source::Labels)));
        assert_eq!(load(&nothing, None), None);

        let rate = Measured { rpm: Some(90.0), in_tokens: Some(50.0), ..nothing.clone() };
        let (found, source) = load(&rate, Some(LABELS)).unwrap();
        assert_eq!(found, LabelLoad { rpm: 90.0, in_tokens: 50.0, out_tokens: 200.0 });
        assert_eq!(source, Source::RateMeasured);
        assert_eq!(load(&rate, None), None, "requests arrive, and nobody knows how long they are");

        let idle = Measured { rpm: Some(0.0), ..nothing };
        assert_eq!(load(&idle, None).unwrap().0, LabelLoad::default());
        let all = Measured { out_tokens: Some(70.0), ..rate };
        assert_eq!(load(&all, None).unwrap().1, Source::Measured);
    }
}
