//! Labels of a pod as the downward API mounts them: a file of lines `key="value"`.

use super::Assignment;
use crate::cluster::LabelLoad;
use crate::labels;

/// What the labels in `text` tell a replica, or what is missing or makes no sense.
pub fn assignment(text: &str) -> Result<Assignment, String> {
    let label = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(|v| v.trim().trim_matches('"')).filter(|v| !v.is_empty())
    };
    let needed = |name: &str| {
        label(name).map(str::to_owned).ok_or_else(|| format!("the pod has no label {name}"))
    };
    let number = |name: &str| match label(name) {
        None => Ok(None),
        Some(value) => match value.parse::<f64>() {
            Ok(x) if (0.0..=1e9).contains(&x) => Ok(Some(x)),
            _ => Err(format!("label {name}: `{value}` is no number from 0 to 1e9")),
        },
    };
    let rpm = number(labels::LOAD_RPM)?;
    let tokens = (number(labels::LOAD_IN_TOKENS)?, number(labels::LOAD_OUT_TOKENS)?);
    let load = match (rpm, tokens) {
        (Some(rpm), (Some(in_tokens), Some(out_tokens))) => {
            Some(LabelLoad { rpm, in_tokens, out_tokens })
        }
        _ => None,
    };
    Ok(Assignment {
        model: needed(labels::MODEL)?,
        accelerator: needed(labels::ACCELERATOR)?,
        max_batch: number(labels::MAX_BATCH_SIZE)?.map(|n| n as u32).filter(|n| *n > 0),
        load,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_what_a_replica_serves() {
        let text = "app=\"vllm\"\ninferno.server.allocation.accelerator=\"A100\"\n\
                    inferno.server.allocation.maxbatchsize=\"16\"\ninferno.server.load.rpm=\"30.5\"\n\
                    inferno.server.load.intokens=\"128\"\ninferno.server.load.outtokens=\"512\"\n\
                    inferno.server.model=\"llama_13b\"\n";
        let told = assignment(text).expect("an assignment");
        assert_eq!((told.model.as_str(), told.accelerator.as_str()), ("llama_13b", "A100"));
        assert_eq!(told.max_batch, Some(16));
        let load = LabelLoad { rpm: 30.5, in_tokens: 128.0, out_tokens: 512.0 };
        assert_eq!(told.load, Some(load));

        let idle = "inferno.server.model=\"m\"\ninferno.server.allocation.accelerator=\"G2\"";
        assert_eq!(assignment(idle).expect("an assignment").load, None);
    }

    #[test]
    fn labels_that_are_missing_or_make_no_sense_are_named() {
        let of = |text: &str| assignment(text).expect_err("a problem");
        assert_eq!(of(""), "the pod has no label inferno.server.model");
        let rate = "inferno.server.model=\"m\"\ninferno.server.allocation.accelerator=\"G2\"\n\
                    inferno.server.load.rpm=\"-3\"";
        assert_eq!(of(rate), "label inferno.server.load.rpm: `-3` is no number from 0 to 1e9");
    }
}
