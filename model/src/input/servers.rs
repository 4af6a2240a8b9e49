//! Servers, with their loads and current allocations.

use rustc_hash::FxHashSet;

use super::fields::Fields;
use super::fleet::{Names, names, resolve, unique};
use super::loads::{FEW, none_to_speak_of};
use super::problem::Report;
use super::{Section, entities};
use crate::scenario::{CurrentAllocation, Load, Scenario, Server};

/// Most replicas and waiting requests that make sense.
pub(super) const MANY: u32 = 100_000_000;

/// Most tokens of a request.
pub(super) const MAX_TOKENS: f64 = 1e8;

/// Names that servers refer to.
struct Known {
    classes: Names,
    models: Names,
    accelerators: Names,
    profiles: FxHashSet<(usize, usize)>,
}

/// Adds the servers.
pub(super) fn servers(section: Option<&Section>, scenario: &mut Scenario, report: &mut Report) {
    let Some(section) = section else { return };
    let known = Known {
        classes: names(scenario.classes.iter().map(|c| c.name.as_str())),
        models: names(scenario.models.iter().map(String::as_str)),
        accelerators: names(scenario.accelerators.iter().map(|a| a.name.as_str())),
        profiles: scenario.profiles.iter().map(|p| (p.model, p.accelerator)).collect(),
    };
    let list = entities(section, ("servers", "server"), report);
    if list.is_empty() && report.problems.is_empty() {
        let what = "there is no server".to_owned();
        report.problem_at(&section.file, section.node.at, "servers", what, "add at least one");
    }
    let mut seen = FxHashSet::default();
    for mut fields in list {
        let name = fields.name("name", report).to_owned();
        fields.entity = format!("server `{name}`");
        let again = !seen.insert(name.clone());
        unique(&fields, "name", "server", &name, again, report);
        let server = server(name, &mut fields, &known, report);
        if let Some(server) = server {
            check(&server, scenario, &known, &fields, report);
            scenario.servers.push(server);
        }
        fields.finish(report);
    }
}

fn server(
    name: String,
    fields: &mut Fields<'_>,
    known: &Known,
    report: &mut Report,
) -> Option<Server> {
    let class_name = fields.text("class", report).unwrap_or("Free");
    let class = resolve(fields, "class", "service class", class_name, &known.classes, report);
    let model_name = fields.name("model", report);
    let model = resolve(fields, "model", "model", model_name, &known.models, report);
    let min_replicas = fields.count("minnumreplicas", report).unwrap_or(0);
    let max_replicas = fields.count("maxnumreplicas", report);
    let max_batch = fields.count("maxbatchsize", report).filter(|b| *b > 0);
    let max_queue = fields.count("maxqueuesize", report);
    let keep_accelerator = fields.flag("keepaccelerator", report);
    let allow = listed(fields, "allow", known, report);
    let deny = listed(fields, "deny", known, report);
    let min_types = fields.count("mintypes", report).unwrap_or(0);
    let allocation = fields.inner("currentalloc", report);
    let entity = fields.entity.clone();
    let (load, current) = match allocation {
        Some(allocation) => current(allocation, &entity, known, report),
        None => (None, None),
    };
    let load = load.or_else(|| {
        let what = "there is no load".to_owned();
        let remedy = "give currentAlloc.load with arrivalRate, avgInTokens and avgOutTokens";
        fields.problem("", what, remedy, report);
        None
    });
    Some(Server {
        name,
        class: class?,
        model: model?,
        load: load?,
        min_replicas,
        max_replicas,
        max_batch,
        max_queue,
        keep_accelerator,
        allow,
        deny,
        min_types,
        current,
    })
}

/// Accelerators of a list of names.
fn listed(
    fields: &mut Fields<'_>,
    key: &'static str,
    known: &Known,
    report: &mut Report,
) -> Vec<usize> {
    let names = fields.names(key, report);
    let resolve =
        |name: &str| resolve(fields, key, "accelerator", name, &known.accelerators, report);
    let mut list: Vec<usize> = names.into_iter().filter_map(resolve).collect();
    list.sort_unstable();
    list.dedup();
    list
}

fn current(
    mut fields: Fields<'_>,
    entity: &str,
    known: &Known,
    report: &mut Report,
) -> (Option<Load>, Option<CurrentAllocation>) {
    fields.entity = format!("{entity}, currentAlloc");
    let on = fields.text("accelerator", report).unwrap_or("");
    let accelerator =
        resolve(&fields, "accelerator", "accelerator", on, &known.accelerators, report);
    let replicas = fields.count("numreplicas", report).unwrap_or(0);
    let cost_cents_per_h = fields.quantity("cost", report).unwrap_or(0.0);
    // What the reference keeps beside it; a plan predicts these anew.
    fields.ignore(&[
        "maxbatch",
        "itlaverage",
        "ttftaverage",
        "waitaverage",
        "servtime",
        "waittime",
    ]);
    let load = fields.inner("load", report).map(|mut load| {
        load.entity = format!("{entity}, load");
        let read = read_load(&mut load, report);
        load.finish(report);
        read
    });
    fields.finish(report);
    let current = accelerator.map(|accelerator| CurrentAllocation {
        accelerator,
        replicas,
        cost_cents_per_h,
    });
    (load, current)
}

fn read_load(fields: &mut Fields<'_>, report: &mut Report) -> Load {
    let rate = fields.quantity("arrivalrate", report);
    let input = fields.quantity("avgintokens", report);
    let output = fields.quantity("avgouttokens", report);
    let mut scv = |key| fields.quantity(key, report).unwrap_or(1.0);
    let (arrival_scv, token_scv) = (scv("arrivalscv"), scv("tokenscv"));
    fields.ignore(&["arrivalcov", "servicecov"]);
    let mut load = Load {
        arrival_rate_per_min: rate.unwrap_or(0.0),
        input_tokens: input.unwrap_or(0.0),
        output_tokens: output.unwrap_or(0.0),
        arrival_scv,
        token_scv,
    };
    if let Some(what) = none_to_speak_of(&mut load) {
        fields.warning("arrivalrate", what, FEW, report);
    }
    let output = load.output_tokens;
    if load.arrival_rate_per_min > 0.0 && output < 1.0 && report.problems.is_empty() {
        let what = format!("requests arrive, and their mean output is {output} tokens");
        fields.problem("avgouttokens", what, "expected at least 1", report);
    }
    load
}

/// What a server asks for has to be possible at all.
fn check(
    server: &Server,
    scenario: &Scenario,
    known: &Known,
    fields: &Fields<'_>,
    report: &mut Report,
) {
    let class = &scenario.classes[server.class];
    let model = &scenario.models[server.model];
    if class.targets[server.model].is_none() {
        let what = format!("service class `{}` has no target for model `{model}`", class.name);
        fields.problem("class", what, "add one to its modelTargets", report);
    }
    if server.max_replicas.is_some_and(|most| most < server.min_replicas) {
        let what = "minNumReplicas is above maxNumReplicas".to_owned();
        fields.problem("minnumreplicas", what, "swap or mend them", report);
    }
    let usable = |&a: &usize| {
        known.profiles.contains(&(server.model, a))
            && (server.allow.is_empty() || server.allow.contains(&a))
            && !server.deny.contains(&a)
    };
    if !(0..scenario.accelerators.len()).any(|a| usable(&a)) {
        let what = format!("model `{model}` has no profile on an accelerator that it may use");
        fields.problem("model", what, "add one to the model data, or relax allow and deny", report);
    }
    if server.keep_accelerator && server.current.is_none() {
        let what = "there is no current accelerator to keep".to_owned();
        fields.warning("keepaccelerator", what, "give currentAlloc.accelerator", report);
    }
}
