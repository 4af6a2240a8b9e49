//! What the path of a file tells of a load: people keep a directory each, and tools name them so, and
//! put their configuration beside the results.

use std::path::Path;

use isocost_model::input::reading::{Report, parse_foreign, read_text};

use super::inference_perf;

/// Variation of the gaps, from the `config.yaml` beside a stage of inference-perf.
pub(super) fn gap_scv(path: &Path) -> Option<f64> {
    let stage = path.file_name()?.to_str()?.starts_with("stage_");
    let text = read_text(&path.with_file_name("config.yaml")).ok().filter(|_| stage)?;
    let node = parse_foreign("config.yaml", &text, 1, &mut Report::default())?;
    inference_perf::gap_scv(&node)
}

/// Clients of a closed loop, from a path such as `artifacts/m-chat-concurrency8/profile_export.csv`.
pub(super) fn clients(path: &str) -> Option<u32> {
    let path = path.to_lowercase();
    let after = ["concurrency", "conc"].iter().find_map(|word| {
        let (_, after) = path.rsplit_once(word)?;
        let after = after.trim_start_matches(['-', '_', '=']);
        after.starts_with(|c: char| c.is_ascii_digit()).then_some(after)
    })?;
    let digits = after.chars().take_while(char::is_ascii_digit).collect::<String>();
    digits.parse().ok().filter(|clients| (1..=1_000_000).contains(clients))
}

#[cfg(test)]
mod tests {
    use super::clients;

    #[test]
    fn a_path_tells_its_clients() {
        for (path, wanted) in [
            ("artifacts/m-openai-chat-concurrency8/profile_export.csv", Some(8)),
            ("c/run1_concurrency_16/x.json", Some(16)),
            ("conc=4.csv", Some(4)),
            ("concurrency/x.csv", None),
            ("concurrency0.csv", None),
            ("bench.csv", None),
        ] {
            assert_eq!(clients(path), wanted, "{path}");
        }
    }
}
