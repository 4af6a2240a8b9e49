//! The tables that are compiled in: sound, large enough, and each figure with its source.

use isocost_catalogue::{
    Catalogue, Estimate, Placement, Precision, PriceKind, least_tp_of_request,
};

#[test]
fn every_entry_says_where_it_comes_from() {
    let catalogue = Catalogue::builtin();
    assert!(catalogue.cards.len() >= 25, "{} cards", catalogue.cards.len());
    assert!(catalogue.models.len() >= 30, "{} models", catalogue.models.len());
    for card in &catalogue.cards {
        assert!(!card.source.is_empty() && is_day(&card.checked), "{}", card.name);
        assert!(card.prices.iter().all(|p| !p.source.is_empty() && p.cents_per_h > 0.0));
    }
    for model in &catalogue.models {
        assert!(!model.source.is_empty() && is_day(&model.checked), "{}", model.name);
        assert!(!model.licence.is_empty() && model.repository.contains('/'), "{}", model.name);
    }
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

/// Parameters counted from the sizes are those that the publisher states.
#[test]
fn counted_parameters_are_the_stated_ones() {
    for model in Catalogue::builtin().models {
        let counted = model.architecture.parameters() / 1e9;
        let off = counted / model.parameters_billion - 1.0;
        assert!(
            off.abs() < 0.02,
            "{}: {counted:.2}, stated {}",
            model.name,
            model.parameters_billion
        );
    }
}

#[test]
fn names_are_met_as_people_write_them() {
    let catalogue = Catalogue::builtin();
    let model = |name: &str| catalogue.model(name).map(|m| m.name);
    assert_eq!(model("Llama_3.1_8B").as_deref(), Ok("llama-3.1-8b"));
    assert_eq!(model("meta-llama/Llama-3.1-70B-Instruct").as_deref(), Ok("llama-3.1-70b"));
    assert_eq!(model("Qwen/Qwen3-32B").as_deref(), Ok("qwen3-32b"));
    let unknown = model("qwen3-23b").expect_err("no such model");
    assert!(unknown.contains("did you mean `qwen3-32b`"), "{unknown}");
    assert_eq!(catalogue.card("h100-sxm").map(|c| c.name.as_str()), Ok("H100"));
    let unknown = catalogue.card("H10").expect_err("no such card");
    assert!(unknown.contains("did you mean"), "{unknown}");
    assert!(model("none.json").expect_err("no such file").contains("none.json"));
}

/// Every name, alias and repository of the tables means its own entry, however near another is.
#[test]
fn every_name_means_its_own_entry() {
    let catalogue = Catalogue::builtin();
    for card in &catalogue.cards {
        for name in card.aliases.iter().chain([&card.name]) {
            let maker = format!("{} {}", card.vendor, name.replace('-', " "));
            assert_eq!(catalogue.card(name).map(|c| &c.name), Ok(&card.name), "{name}");
            assert_eq!(catalogue.card(&maker).map(|c| &c.name), Ok(&card.name), "{maker}");
        }
    }
    for model in &catalogue.models {
        for name in model.aliases.iter().chain([&model.name, &model.repository]) {
            assert_eq!(catalogue.model(name).map(|m| m.name).as_ref(), Ok(&model.name), "{name}");
        }
        for repository in &model.same_sizes {
            let other = catalogue.model(repository).expect("a known repository");
            assert_eq!(other.repository, *repository);
            assert_ne!(other.name, model.name);
            assert_eq!(catalogue.model(&other.name).as_ref(), Ok(&other), "{repository}");
        }
    }
}

/// What is another checkpoint is not mistaken for its sizes' first, and keeps how it is stored.
#[test]
fn checkpoints_keep_their_names_and_weights() {
    let catalogue = Catalogue::builtin();
    let model = |name: &str| catalogue.model(name).expect("a known model");
    let distilled = model("deepseek-ai/DeepSeek-R1-Distill-Llama-70B");
    assert_eq!(distilled.name, "deepseek-r1-distill-llama-70b");
    assert_eq!(distilled.architecture, model("llama-3.1-70b").architecture);
    let stored = model("RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8-dynamic");
    assert_eq!(stored.name, "llama-3.1-70b-fp8");
    assert_eq!(stored.quantization.precision, Precision::Fp8);
    assert_eq!(model("Qwen/Qwen2.5-72B-Instruct-AWQ").quantization.precision, Precision::Int4);
    // Published so: the name says nothing new.
    assert_eq!(model("deepseek-ai/DeepSeek-R1-FP8").name, "deepseek-r1");
    assert_eq!(model("qwen3:32b").name, "qwen3-32b");
    assert!(catalogue.known_model("codellama-34b").is_none());
}

/// No pair of the tables makes an estimate that a scenario would refuse.
#[test]
fn every_pair_is_estimated_or_told_what_holds_it() {
    let catalogue = Catalogue::builtin();
    let (mut estimated, mut refused) = (0, 0);
    for model in &catalogue.models {
        for card in &catalogue.cards {
            for tp in [1, 2, 8] {
                let placement = Placement::new(model, tp);
                match Estimate::new(model, card, &placement) {
                    Ok(estimate) => {
                        estimated += 1;
                        let s = estimate.service;
                        let all = [s.alpha_ms, s.beta_ms, s.gamma_ms, s.delta_ms, s.overhead_ms];
                        assert!(all.iter().all(|x| x.is_finite() && *x > 0.0), "{estimate:?}");
                        assert!(s.delta_ms * s.hidden_tokens < s.alpha_ms, "{estimate:?}");
                        assert!(estimate.kv_tokens() >= 2048);
                    }
                    Err(error) => {
                        refused += 1;
                        assert!(error.to_string().contains(&model.name), "{error}");
                    }
                }
            }
        }
    }
    assert!(estimated > 1500 && refused > 200, "{estimated} and {refused}");
}

#[test]
fn what_does_not_fit_is_told_the_least_that_does() {
    let catalogue = Catalogue::builtin();
    let model = catalogue.model("llama-3.1-70b").expect("is there");
    let card = catalogue.card("L4").expect("is there");
    let one = Placement::new(&model, 1);
    let error = Estimate::new(&model, card, &one).expect_err("141 GB on 24").to_string();
    for part in ["141.1 GB", "--tp 8 in bf16", "--tp 4 in fp8", "--tp 4 in int4"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    for precision in [Precision::Bf16, Precision::Fp8, Precision::Int4] {
        let quantization = model.quantization.or(Some(precision));
        let one = Placement { quantization, ..one };
        let least = least_tp_of_request(&model, card, &one).expect("some number holds it");
        let at = |tp| Estimate::new(&model, card, &Placement { tp, ..one }).is_ok();
        assert!(at(least) && !at(least / 2), "{precision}: {least}");
    }
}

/// More cards are never slower a pass, and hold more.
#[test]
fn more_cards_read_faster_and_hold_more() {
    let catalogue = Catalogue::builtin();
    let card = catalogue.card("H100").expect("is there");
    for name in ["llama-3.1-8b", "qwen3-32b", "qwen3-30b-a3b", "gpt-oss-20b"] {
        let model = catalogue.model(name).expect("is there");
        let at = |tp| Estimate::new(&model, card, &Placement::new(&model, tp)).expect("it fits");
        let estimates: Vec<Estimate> = [1, 2, 4, 8].map(at).into_iter().collect();
        for pair in estimates.windows(2) {
            assert!(pair[1].pass.weights_ms < pair[0].pass.weights_ms, "{name}");
            assert!(pair[1].kv_tokens() > pair[0].kv_tokens(), "{name}");
        }
    }
}

#[test]
fn prices_are_of_the_kind_that_is_asked_for() {
    let catalogue = Catalogue::builtin();
    let card = catalogue.card("H100").expect("is there");
    let price = |kind| card.price(kind).map(|p| p.cents_per_h);
    let [demand, reserved, spot] =
        [PriceKind::OnDemand, PriceKind::Reserved, PriceKind::Spot].map(price);
    assert!(spot < reserved && reserved < demand, "{spot:?} {reserved:?} {demand:?}");
}
