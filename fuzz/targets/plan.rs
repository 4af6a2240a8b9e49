//! Small scenarios of any numbers, planned every way: each plan passes the checker, none beats a bound
//! of another, and nothing panics.
#![no_main]

use arbitrary::Arbitrary;
use isocost_model::candidates::{BatchChoice, SizingOptions};
use isocost_model::input::load_text;
use isocost_model::plan::Status;
use isocost_planner::{Formulation, PlanError, Planner};
use isocost_solver::backend;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Fleet {
    accelerators: [Accelerator; 2],
    servers: [Server; 2],
    max_queue: Option<u8>,
    largest_batch: bool,
    unlimited: bool,
}

#[derive(Debug, Arbitrary)]
struct Accelerator {
    cost: u16,
    multiplicity: u8,
    count: u8,
    alpha: u16,
    beta: u16,
    gamma: u8,
    max_batch: u8,
    linear: bool,
}

#[derive(Debug, Arbitrary)]
struct Server {
    itl: u16,
    ttft: u16,
    tps: u8,
    percentile: u8,
    rate: u16,
    input: u16,
    output: u16,
    min_replicas: u8,
    max_replicas: Option<u8>,
    min_types: u8,
    deny_first: bool,
}

impl Fleet {
    /// The scenario as a user would write it; every number is one that the reader takes or refuses.
    fn json(&self) -> String {
        let accelerator = |(i, a): (usize, &Accelerator)| {
            format!(r#"{{"name":"g{i}","type":"t{i}","multiplicity":{},"cost":{}}}"#, a.multiplicity % 5, a.cost)
        };
        let profile = |(i, a): (usize, &Accelerator)| {
            let (alpha, beta) = (f64::from(a.alpha) / 64.0, f64::from(a.beta) / 4096.0);
            let gamma = f64::from(a.gamma) / 65536.0;
            let times = match a.linear {
                true => format!(r#""decodeParms":{{"alpha":{alpha},"beta":{beta}}},"prefillParms":{{"gamma":{alpha},"delta":{gamma}}}"#),
                false => format!(r#""perfParms":{{"alpha":{alpha},"beta":{beta},"gamma":{gamma}}}"#),
            };
            format!(r#"{{"name":"m","acc":"g{i}","maxBatchSize":{},"atTokens":64,{times}}}"#, a.max_batch.max(1) % 65)
        };
        let class = |(i, s): (usize, &Server)| {
            format!(
                r#"{{"name":"c{i}","priority":{},"modelTargets":[{{"model":"m","slo-itl":{},"slo-ttft":{},"slo-tps":{},"percentile":{}}}]}}"#,
                i + 1, s.itl, s.ttft, s.tps, f64::from(s.percentile % 99) + 1.0
            )
        };
        let server = |(i, s): (usize, &Server)| {
            let most = s.max_replicas.map_or(String::new(), |m| format!(r#""maxNumReplicas":{m},"#));
            let deny = if s.deny_first { r#""deny":["g0"],"# } else { "" };
            format!(
                r#"{{"name":"s{i}","class":"c{i}","model":"m","minNumReplicas":{},{most}{deny}"minTypes":{},"currentAlloc":{{"load":{{"arrivalRate":{},"avgInTokens":{},"avgOutTokens":{}}}}}}}"#,
                s.min_replicas % 8, s.min_types % 4, f64::from(s.rate) / 8.0, s.input, s.output
            )
        };
        let count = |(i, a): (usize, &Accelerator)| format!(r#"{{"type":"t{i}","count":{}}}"#, a.count);
        let join = |list: Vec<String>| list.join(",");
        format!(
            r#"{{"acceleratorData":{{"accelerators":[{}]}},"modelData":{{"models":[{}]}},"serviceClassData":{{"serviceClasses":[{}]}},"serverData":{{"servers":[{}]}},"capacityData":{{"count":[{}]}},"optimizerData":{{"optimizer":{{"unlimited":{}}}}}}}"#,
            join(self.accelerators.iter().enumerate().map(accelerator).collect()),
            join(self.accelerators.iter().enumerate().map(profile).collect()),
            join(self.servers.iter().enumerate().map(class).collect()),
            join(self.servers.iter().enumerate().map(server).collect()),
            join(self.accelerators.iter().enumerate().map(count).collect()),
            self.unlimited,
        )
    }
}

fuzz_target!(|fleet: Fleet| {
    let Ok(loaded) = load_text("fleet.json", &fleet.json()) else { return };
    let scenario = loaded.scenario;
    let mut planner = Planner::new(backend("microlp").expect("built"));
    planner.sizing = SizingOptions {
        max_queue: fleet.max_queue.map(u32::from),
        batch: if fleet.largest_batch { BatchChoice::Max } else { SizingOptions::default().batch },
        ..SizingOptions::default()
    };
    planner.request.solve.time_limit = Some(std::time::Duration::from_millis(200));
    let sized = planner.fleet(scenario);
    let mut best = f64::INFINITY;
    let mut bounds = Vec::new();
    for formulation in [Formulation::GREEDY, Formulation::SINGLE, Formulation::MIXED] {
        planner.request.formulation = formulation;
        match planner.plan(&sized) {
            Ok(plan) if plan.has_plan() => {
                best = best.min(plan.objective);
                bounds.push((formulation, plan.bound));
            }
            Ok(plan) => {
                let mixed = formulation == Formulation::MIXED && plan.status == Status::Infeasible;
                assert!(!mixed || best == f64::INFINITY, "mixed calls infeasible what another plans");
            }
            Err(PlanError::Rules(violations)) => panic!("{formulation:?}: {violations:?}\n{}", fleet.json()),
            Err(PlanError::Solver(_)) => {}
        }
    }
    for (formulation, bound) in bounds {
        let whole = formulation == Formulation::MIXED;
        assert!(!whole || bound <= best * (1.0 + 1e-9) + 1e-9, "a plan of {best} below the bound {bound}");
    }
});
