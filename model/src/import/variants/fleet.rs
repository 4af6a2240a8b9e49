//! From what the objects say to a fleet, with a sentence for everything that they do not say.

use super::{Read, Variant};
use crate::import::write::{
    Accelerator, Allocation, Class, Load, Profile, Scenario, Server, Target,
};
use crate::import::{Assume, Object};
use crate::input::reading::{Report, figure};

/// The load of a server where nobody says: requests per minute, tokens of prompts and answers.
const LOAD: [f64; 3] = [60.0, 512.0, 256.0];

/// Price of a replica where nobody says, as the autoscaler's own default.
const COST: f64 = 10.0;

/// The class of servers whose model no class has objectives for.
const UNSTATED: &str = "unstated";

pub(super) fn build(
    read: Read,
    assume: &Assume,
    objects: &[Object<'_>],
    report: &mut Report,
) -> Option<(Scenario, Vec<String>)> {
    let mut assumed = Vec::new();
    let mut scenario = Scenario::default();
    scenario.model_data.models = profiles(&read.variants, &mut assumed);
    if scenario.model_data.models.is_empty() {
        let file = objects.first().map_or("", |object| object.file);
        let what =
            "no VariantAutoscaling has a profile (modelProfile or variantProfile)".to_owned();
        let remedy = "`isocost fit` makes one of a benchmark, for a scenario of your own";
        report.problem_in(file, what, remedy);
        return None;
    }
    scenario.accelerator_data.accelerators = accelerators(&read, &mut assumed);
    let groups = groups(&read.variants);
    let mut classes = read.classes;
    for group in &groups {
        scenario.server_data.servers.extend(server(
            group,
            &groups,
            &mut classes,
            assume,
            &mut assumed,
        ));
    }
    let models = &scenario.model_data.models;
    for (_, class) in &mut classes {
        // Targets of models that nobody deploys are of no use to a plan.
        class.model_targets.retain(|target| models.iter().any(|m| m.name == target.model));
    }
    scenario.service_class_data.service_classes =
        classes.into_iter().map(|(_, class)| class).collect();
    assumed.push(
        "no count of cards is known, and none limits the plan; add `capacityData` where there is one".to_owned(),
    );
    assumed.push(
        "prices are cents per hour, times milliseconds, arrival rates requests per minute"
            .to_owned(),
    );
    if scenario.model_data.models.iter().any(|profile| profile.at_tokens.is_none()) {
        assumed.push(
            "profiles say nothing of tokens: maxBatchSize holds whatever the lengths, and KV caches never run \
             short; add `kvTokens` where they may"
                .to_owned(),
        );
    }
    Some((scenario, assumed))
}

/// Every pair of model and accelerator once.
fn profiles(variants: &[Variant], assumed: &mut Vec<String>) -> Vec<Profile> {
    let mut found: Vec<Profile> = Vec::new();
    for variant in variants {
        if variant.profiles.is_empty() {
            assumed.push(format!("`{}` has no profile and is left out", variant.name));
        }
        for profile in &variant.profiles {
            let is_same = |known: &&Profile| known.name == profile.name && known.acc == profile.acc;
            match found.iter().find(is_same) {
                None => found.push(profile.clone()),
                Some(known) if known == profile => {}
                Some(_) => assumed.push(format!(
                    "`{}` has another profile of {} on {} than a variant before it, whose holds",
                    variant.name, profile.name, profile.acc
                )),
            }
        }
    }
    for profile in found.iter().filter(|profile| profile.max_batch_size == 0.0) {
        let pair = format!("{} on {}", profile.name, profile.acc);
        assumed.push(format!("{pair} states no maxBatchSize: at most 256 requests run at a time"));
    }
    found
}

/// The accelerators that profiles name, with the prices of ConfigMaps, else of variants.
fn accelerators(read: &Read, assumed: &mut Vec<String>) -> Vec<Accelerator> {
    let mut found: Vec<Accelerator> = Vec::new();
    let pairs =
        read.variants.iter().flat_map(|v| v.profiles.iter().map(move |profile| (v, profile)));
    for (variant, profile) in pairs {
        if found.iter().any(|known| known.name == profile.acc) {
            continue;
        }
        let name = profile.acc.clone();
        let listed = read.prices.iter().find(|(key, ..)| *key == name);
        let (cost, mem_size) = match (listed, variant.cost) {
            (Some((_, cost, memory)), _) => (*cost, *memory),
            (None, Some(cost)) => {
                let each = cost / profile.acc_count.max(1.0);
                assumed.push(format!(
                    "{name} costs {}, from the variantCost of `{}`",
                    figure(each),
                    variant.name
                ));
                (each, None)
            }
            (None, None) => {
                assumed.push(format!(
                    "{name} has no price: it costs {COST}, the autoscaler's default"
                ));
                (COST, None)
            }
        };
        found.push(Accelerator { name, cost, mem_size });
    }
    found
}

/// The variants of each model in a namespace, those with a profile.
fn groups(variants: &[Variant]) -> Vec<Vec<&Variant>> {
    let mut found: Vec<Vec<&Variant>> = Vec::new();
    for variant in variants.iter().filter(|variant| !variant.profiles.is_empty()) {
        let is_same = |group: &&mut Vec<&Variant>| {
            group.iter().any(|v| (&v.model, &v.namespace) == (&variant.model, &variant.namespace))
        };
        match found.iter_mut().find(is_same) {
            Some(group) => group.push(variant),
            None => found.push(vec![variant]),
        }
    }
    found
}

fn server(
    group: &[&Variant],
    all: &[Vec<&Variant>],
    classes: &mut Vec<(String, Class)>,
    assume: &Assume,
    assumed: &mut Vec<String>,
) -> Option<Server> {
    let first = *group.first()?;
    let model = first.model.clone();
    let name = match group {
        [one] => one.name.clone(),
        _ => {
            let names: Vec<&str> = group.iter().map(|v| v.name.as_str()).collect();
            assumed.push(format!("{} share one load, as server `{model}`", names.join(", ")));
            model.clone()
        }
    };
    let same = all.iter().filter(|other| match other.as_slice() {
        [one] => one.name == name,
        [several, ..] => several.model == name,
        [] => false,
    });
    let name = if same.count() > 1 { format!("{}/{name}", first.namespace) } else { name };
    let class = class(group, &name, classes, assumed);
    let loads: Vec<[f64; 3]> = group.iter().filter_map(|variant| variant.load).collect();
    let least: Vec<f64> = group.iter().filter_map(|variant| variant.least).collect();
    let now: Vec<&(String, f64)> =
        group.iter().filter_map(|variant| variant.now.as_ref()).collect();
    let (accelerator, num_replicas) = match (now.as_slice(), group.len()) {
        ([(on, replicas)], 1) => (Some(on.clone()), Some(*replicas)),
        _ => (None, None),
    };
    Some(Server {
        class,
        model,
        min_num_replicas: (!least.is_empty()).then(|| least.iter().sum()),
        max_num_replicas: first.most.filter(|most| group.len() == 1 && *most >= 1.0),
        current_alloc: Allocation {
            accelerator,
            num_replicas,
            load: load(&name, &loads, assume, assumed),
        },
        name,
    })
}

/// The loads of variants together, or what is taken in their place.
fn load(name: &str, loads: &[[f64; 3]], assume: &Assume, assumed: &mut Vec<String>) -> Load {
    let rate: f64 = loads.iter().map(|load| load[0]).sum();
    let mean = |at: usize| loads.iter().map(|load| load[0] * load[at]).sum::<f64>() / rate;
    let told = (rate > 0.0).then(|| [rate, mean(1), mean(2)]);
    let stated = [assume.rate_per_min, assume.input_tokens, assume.output_tokens];
    let from = |at: usize| stated[at].or(told.map(|told| told[at])).unwrap_or(LOAD[at]);
    let [arrival_rate, avg_in_tokens, avg_out_tokens] = [0, 1, 2].map(from);
    if told.is_none() && stated.iter().any(Option::is_none) {
        assumed.push(format!(
            "nobody says what arrives at `{name}`: {} requests/min of {} and {} tokens (--rate, --input and \
             --output say others)",
            figure(arrival_rate),
            figure(avg_in_tokens),
            figure(avg_out_tokens)
        ));
    }
    Load { arrival_rate, avg_in_tokens, avg_out_tokens }
}

/// The class of a server: the one that its variants name, else the first by priority that has
/// objectives for its model, else one without any.
fn class(
    group: &[&Variant],
    server: &str,
    classes: &mut Vec<(String, Class)>,
    assumed: &mut Vec<String>,
) -> String {
    let model = &group[0].model;
    let words: Vec<&String> = group.iter().flat_map(|variant| &variant.class).collect();
    let named = |(key, class): &(String, Class)| {
        let stem = key.rsplit_once('.').map_or(key.as_str(), |(stem, _)| stem);
        words
            .iter()
            .any(|word| [&class.name, key, stem].iter().any(|name| name.eq_ignore_ascii_case(word)))
    };
    let has = |(_, class): &&(String, Class)| class.model_targets.iter().any(|t| t.model == *model);
    let mut able: Vec<&(String, Class)> = classes.iter().filter(has).collect();
    able.sort_by(|a, b| a.1.priority.total_cmp(&b.1.priority));
    let told = able.iter().copied().find(|class| named(class));
    if let Some((_, class)) = told.or(able.first().copied()) {
        if told.is_none() && able.len() > 1 {
            assumed.push(format!(
                "{} classes have objectives for {model}: `{server}` is of `{}`, the first by priority",
                able.len(),
                class.name
            ));
        }
        return class.name.clone();
    }
    assumed.push(format!("no class has objectives for {model}: `{server}` is planned without any"));
    let target = Target { model: model.clone(), itl: None, ttft: None, tps: None };
    match classes.iter_mut().find(|(_, class)| class.name == UNSTATED) {
        Some((_, class)) if class.model_targets.iter().any(|t| t.model == *model) => {}
        Some((_, class)) => class.model_targets.push(target),
        None => {
            let class =
                Class { name: UNSTATED.to_owned(), priority: 100.0, model_targets: vec![target] };
            classes.push((UNSTATED.to_owned(), class));
        }
    }
    UNSTATED.to_owned()
}
