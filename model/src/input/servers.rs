//! Servers, with their loads and current allocations.

use rustc_hash::FxHashSet;

use super::fields::{ABSURD, Fields};
use super::fleet::{Names, Pairs, names, resolve, unique};
use super::loads::{FEW, none_to_speak_of};
use super::problem::{Report, known_names};
use super::{Section, entities, zones};
use crate::scenario::{Accelerator, CurrentAllocation, Load, Scenario, Server};

/// Most replicas and waiting requests that make sense.
pub(super) const MANY: u32 = 100_000_000;

/// Most tokens of a request.
pub(super) const MAX_TOKENS: f64 = 1e8;

/// Names that servers refer to.
struct Known {
    classes: Names,
    models: Names,
    accelerators: Names,
    pairs: Pairs,
}

/// Adds the servers.
pub(super) fn servers(
    section: Option<&Section>,
    pairs: Pairs,
    scenario: &mut Scenario,
    report: &mut Report,
) {
    let Some(section) = section else { return };
    let known = Known {
        classes: names(scenario.classes.iter().map(|c| c.name.as_str())),
        models: names(scenario.models.iter().map(String::as_str)),
        accelerators: names(scenario.accelerators.iter().map(|a| a.name.as_str())),
        pairs,
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
        let server = server(name, &mut fields, &known, &scenario.accelerators, report);
        if let Some(server) = server {
            check(&server, scenario, &known, &fields, report);
            scenario.servers.push(server);
        }
        fields.finish(report);
    }
    lonely(section, scenario, report);
}

/// Groups that nobody else of the model names.
fn lonely(section: &Section, scenario: &Scenario, report: &mut Report) {
    for server in &scenario.servers {
        let Some(group) = &server.share else { continue };
        let is_mate = |other: &&Server| other.share == server.share && other.model == server.model;
        if scenario.servers.iter().filter(is_mate).count() < 2 {
            let what = format!("no other server of its model shares in `{group}`");
            let remedy = "name the group at the servers that may share replicas with it";
            let entity = format!("server `{}`, share", server.name);
            report.warning_at(&section.file, section.node.at, &entity, what, remedy);
        }
    }
}

fn server(
    name: String,
    fields: &mut Fields<'_>,
    known: &Known,
    accelerators: &[Accelerator],
    report: &mut Report,
) -> Option<Server> {
    let class = class(fields, known, report);
    let model_name = fields.name("model", report);
    let model = resolve(fields, "model", "model", model_name, &known.models, report);
    let min_replicas = fields.count("minnumreplicas", report).unwrap_or(0);
    let max_replicas = fields.count("maxnumreplicas", report);
    let min_tokens_per_s = fields.quantity("mintokenspersecond", report).unwrap_or(0.0);
    let max_batch = fields.count("maxbatchsize", report).filter(|b| *b > 0);
    let max_queue = fields.count("maxqueuesize", report);
    let keep_accelerator = fields.flag("keepaccelerator", report);
    let allow = listed(fields, "allow", known, report);
    let mut deny = listed(fields, "deny", known, report);
    let network = zones::network(fields, accelerators, &mut deny, report);
    let min_types = fields.count("mintypes", report).unwrap_or(0);
    let share = fields.text("share", report).map(str::to_owned);
    let disaggregate = fields.flag("disaggregate", report);
    // What a plan wanted of it before.
    fields.ignore(&["desiredalloc"]);
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
        min_tokens_per_s,
        max_replicas,
        max_batch,
        max_queue,
        keep_accelerator,
        allow,
        deny,
        network,
        min_types,
        current,
        share,
        members: Vec::new(),
        disaggregate,
        pool: None,
    })
}

/// The service class of those that name none, as the reference has it.
const UNNAMED: &str = "Free";

/// The service class that is named, else the one of that name.
fn class(fields: &mut Fields<'_>, known: &Known, report: &mut Report) -> Option<usize> {
    let named = fields.text("class", report);
    if named.is_none() && !known.classes.contains_key(UNNAMED) {
        let mut names: Vec<&str> = known.classes.keys().map(String::as_str).collect();
        names.sort_unstable();
        let what =
            format!("`class` is missing, and there is no service class `{UNNAMED}` in its place");
        fields.problem("", what, &known_names("", names.into_iter()), report);
        return None;
    }
    let name = named.unwrap_or(UNNAMED);
    resolve(fields, "class", "service class", name, &known.classes, report)
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
        "avgconcurrency",
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
    let input_scv = fields.quantity("inputscv", report).unwrap_or(0.0);
    let prefix_hit_share = fields.quantity("prefixhitshare", report).unwrap_or(0.0);
    // What the reference keeps beside it: the demand is what arrives, not what is served.
    fields.ignore(&["arrivalcov", "servicecov", "throughput"]);
    let mut load = Load {
        arrival_rate_per_min: rate.unwrap_or(0.0),
        input_tokens: input.unwrap_or(0.0),
        output_tokens: output.unwrap_or(0.0),
        arrival_scv,
        token_scv,
        input_scv,
        prefix_hit_share,
    };
    if let Some(what) = none_to_speak_of(&mut load) {
        fields.warning("arrivalrate", what, FEW, report);
    }
    let fault = load_fault(&load).filter(|_| report.problems.is_empty());
    if let Some(Fault { field, what, remedy }) = fault {
        fields.problem(field, what, remedy, report);
    }
    load
}

/// Something that a server asks for and that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Field of the server.
    pub field: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What a server asks for and cannot have, its names resolved: the rules that every server is held to,
/// whether it was read from a file or put together by a program.
pub fn server_faults(server: &Server, scenario: &Scenario) -> Vec<Fault> {
    let own = scenario.profiles.iter().filter(|p| p.model == server.model);
    let pairs = own.map(|p| (p.model, p.accelerator)).collect();
    load_fault(&server.load).into_iter().chain(faults(server, scenario, &pairs)).collect()
}

fn load_fault(load: &Load) -> Option<Fault> {
    let Load { arrival_rate_per_min: rate, input_tokens: input, output_tokens: output, .. } = *load;
    let limits = [
        ("arrivalrate", "arrivalRate", rate, ABSURD),
        ("avgintokens", "avgInTokens", input, MAX_TOKENS),
        ("avgouttokens", "avgOutTokens", output, MAX_TOKENS),
    ];
    for (field, name, value, most) in limits {
        if !(0.0..=most).contains(&value) {
            let what = format!("{name} is {value}, which is out of range");
            return Some(Fault {
                field,
                what,
                remedy: "give what is measured, 0 where nothing is",
            });
        }
    }
    let what = || format!("requests arrive, and their mean output is {output} tokens");
    let silent = rate > 0.0 && output < 1.0;
    silent.then(|| Fault { field: "avgouttokens", what: what(), remedy: "expected at least 1" })
}

fn faults(server: &Server, scenario: &Scenario, pairs: &Pairs) -> Vec<Fault> {
    let mut faults = Vec::new();
    if server.min_tokens_per_s > 0.0 && server.load.output_tokens < 1.0 {
        let what =
            "minTokensPerSecond asks for tokens, and the mean output is below one".to_owned();
        faults.push(Fault { field: "mintokenspersecond", what, remedy: "give avgOutTokens" });
    }
    let class = &scenario.classes[server.class];
    let model = &scenario.models[server.model];
    if class.targets[server.model].is_none() {
        let what = format!("service class `{}` has no target for model `{model}`", class.name);
        faults.push(Fault { field: "class", what, remedy: "add one to its modelTargets" });
    }
    if server.max_replicas.is_some_and(|most| most < server.min_replicas) {
        let what = "minNumReplicas is above maxNumReplicas".to_owned();
        faults.push(Fault { field: "minnumreplicas", what, remedy: "swap or mend them" });
    }
    let usable = |&a: &usize| {
        pairs.contains(&(server.model, a))
            && (server.allow.is_empty() || server.allow.contains(&a))
            && !server.deny.contains(&a)
    };
    if !(0..scenario.accelerators.len()).any(|a| usable(&a)) {
        let what = format!("model `{model}` has no profile on an accelerator that it may use");
        let remedy = "add one to the model data, or relax allow and deny";
        faults.push(Fault { field: "model", what, remedy });
    }
    faults
}

/// What a server asks for has to be possible at all.
fn check(
    server: &Server,
    scenario: &Scenario,
    known: &Known,
    fields: &Fields<'_>,
    report: &mut Report,
) {
    for Fault { field, what, remedy } in faults(server, scenario, &known.pairs) {
        fields.problem(field, what, remedy, report);
    }
    if server.keep_accelerator && server.current.is_none() {
        let what = "there is no current accelerator to keep".to_owned();
        fields.warning("keepaccelerator", what, "give currentAlloc.accelerator", report);
    }
}

#[cfg(test)]
mod tests {
    use crate::input::load_text;

    /// The example with another rate of its first server.
    fn rate(rate: &str) -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/quickstart.yaml");
        let text = std::fs::read_to_string(path).expect("the example is there");
        text.replacen("arrivalRate: 120", &format!("arrivalRate: {rate}"), 1)
    }

    #[test]
    fn next_to_no_load_is_none() {
        for none in ["1e-320", "1e-300", "2.3e-10", "0"] {
            let scenario = load_text("x.yaml", &rate(none)).expect("it is sound").scenario;
            assert_eq!(scenario.servers[0].load.arrival_rate_per_min, 0.0, "{none}");
        }
        let scenario = load_text("x.yaml", &rate("0.001")).expect("it is sound").scenario;
        assert_eq!(scenario.servers[0].load.arrival_rate_per_min, 0.001);
    }

    #[test]
    fn servers_that_programs_make_are_held_to_the_same_rules() {
        let scenario = load_text("x.yaml", &rate("60")).expect("it is sound").scenario;
        let mut server = scenario.servers[0].clone();
        let faults = |server: &crate::scenario::Server| -> Vec<&'static str> {
            super::server_faults(server, &scenario).iter().map(|f| f.field).collect()
        };
        assert_eq!(faults(&server), Vec::<&str>::new());
        (server.min_replicas, server.max_replicas) = (3, Some(2));
        server.deny = (0..scenario.accelerators.len()).collect();
        server.load.output_tokens = 0.5;
        assert_eq!(faults(&server), ["avgouttokens", "minnumreplicas", "model"]);
        for odd in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            server.load.arrival_rate_per_min = odd;
            assert_eq!(faults(&server)[0], "arrivalrate", "{odd}");
        }
    }
}
