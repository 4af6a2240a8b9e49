//! A planning problem in whole numbers, and how it is put to the crate.

use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::{Problem, ProblemOptions};

/// A planning problem.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Case {
    /// What prices are counted in, cents/h.
    pub cents: f64,
    /// What rates are counted in, requests/min.
    pub per_min: f64,
    pub accelerators: Vec<Accelerator>,
    /// Cards that exist of each type; `None` without a limit.
    pub cards: Vec<Option<u64>>,
    pub budgets: Vec<Budget>,
    /// Machines in which cards come, with a price all of them or none.
    pub nodes: Vec<NodeKind>,
    /// Replicas that no node holds may take several.
    pub multi_node: bool,
    /// Neither cards nor budgets bind.
    pub unlimited: bool,
    /// What servers choose from: servers of one model share a list.
    pub models: Vec<Vec<Profile>>,
    pub servers: Vec<Server>,
    /// Several accelerators may serve a server.
    pub mixed: bool,
    /// Minimise the change's value.
    pub transition: bool,
    pub max_moves: Option<u64>,
    /// Who is served when not all can be: 0 to 3 for None, PriorityExhaustive, PriorityRoundRobin and
    /// RoundRobin; and whether best effort is delayed.
    pub policy: (u8, bool),
    /// Means of the pattern method that are switched off, a bit each.
    pub without: u8,
}

/// One or several cards of a type, rented as a unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accelerator {
    pub card_type: usize,
    pub multiplicity: u64,
    pub watts: u64,
    pub price: u64,
}

impl Accelerator {
    /// Share of the time that a replica on it is there: half of it on some.
    fn availability(&self) -> f64 {
        if self.price % 3 == 1 { 0.5 } else { 1.0 }
    }
}

/// How a model runs on an accelerator.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    pub accelerator: usize,
    /// Accelerators of a replica.
    pub units: u64,
    /// Rate of a replica.
    pub rate: u64,
}

/// A limit that card types share, on cards or on watts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budget {
    pub types: Vec<usize>,
    pub cards: Option<u64>,
    pub watts: Option<u64>,
}

/// A kind of node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeKind {
    /// (card type, cards).
    pub cards: Vec<(usize, u64)>,
    pub price: Option<u64>,
    pub count: Option<u64>,
    /// Ways in which its cards are cut; any where there are none.
    pub cuts: Vec<Vec<u64>>,
}

impl NodeKind {
    pub fn cards_of(&self, card_type: usize) -> u64 {
        self.cards.iter().filter(|c| c.0 == card_type).map(|c| c.1).sum()
    }

    /// Whether a node holds replicas, ((card type, cards), how many), together.
    pub fn holds(&self, replicas: &[((usize, u64), u64)]) -> bool {
        let taken =
            |t: usize| replicas.iter().filter(|r| r.0.0 == t).map(|r| r.0.1 * r.1).sum::<u64>();
        let within = replicas.iter().all(|r| r.1 == 0 || taken(r.0.0) <= self.cards_of(r.0.0));
        let cut = |cut: &Vec<u64>| {
            let of_size = |cards: u64| cut.iter().filter(|c| **c == cards).count() as u64;
            replicas.iter().all(|r| r.1 <= of_size(r.0.1))
        };
        within && (self.cuts.is_empty() || self.cuts.iter().any(cut))
    }
}

/// A server.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Server {
    pub model: usize,
    /// Load, in tenths of what rates are counted in.
    pub load: u64,
    pub least: u64,
    pub most: Option<u64>,
    pub types: u64,
    /// Where it runs now, and what that costs.
    pub now: Option<(usize, u64)>,
    pub priority: u32,
}

impl Case {
    /// Whether what runs now is looked at.
    fn looks_at_now(&self) -> bool {
        self.transition || self.max_moves.is_some()
    }

    /// What to plan for.
    pub fn options(&self) -> ProblemOptions {
        ProblemOptions {
            unlimited: self.unlimited,
            transition: self.transition,
            max_moves: self.max_moves,
        }
    }

    /// The problem as the formulations take it.
    pub fn problem(&self) -> Problem {
        let limits = self.limits();
        let limit = |(k, l): (usize, &Counted)| Limit {
            name: format!("limit {k}"),
            capacity: l.there as f64,
        };
        let group =
            |m: usize| (0..self.models[m].len()).map(|j| self.item(&limits, m, j)).collect();
        let needs = |s: &Server| Needs {
            group: s.model,
            demand: s.load as f64 / 10.0 * self.per_min / 60.0,
            min_replicas: s.least,
            max_replicas: s.most,
            min_types: s.types as u32,
            current: s
                .now
                .filter(|_| self.looks_at_now())
                .map(|(a, cost)| (a, cost as f64 * self.cents)),
            priority: s.priority,
            weight: 1.0,
        };
        Problem {
            pools: Vec::new(),
            sold: Vec::new(),
            limits: limits.iter().enumerate().map(limit).collect(),
            groups: (0..self.models.len()).map(group).collect(),
            servers: self.servers.iter().map(needs).collect(),
        }
    }

    fn item(&self, limits: &[Counted], model: usize, j: usize) -> Item {
        let profile = &self.models[model][j];
        let unit = &self.accelerators[profile.accelerator];
        let takes = |l: &Counted| l.of(unit) * profile.units;
        let uses = limits.iter().map(takes).enumerate().filter(|(_, n)| *n > 0);
        // Without load no rate is asked, and candidates say so.
        let idle = self.servers.iter().all(|s| s.model != model || s.load == 0);
        Item {
            candidate: j,
            rate: if idle { f64::INFINITY } else { profile.rate as f64 * self.per_min / 60.0 },
            cost: profile.units as f64 * (unit.price as f64 * self.cents),
            uses: uses.map(|(k, n)| (k, n as f64)).collect(),
            cards: unit.multiplicity * profile.units,
            accelerator: profile.accelerator,
            card_type: unit.card_type,
        }
    }

    /// Every limit on cards or watts.
    pub fn limits(&self) -> Vec<Counted> {
        if self.unlimited {
            return Vec::new();
        }
        let mut limits = Vec::new();
        for (t, cards) in self.cards.iter().enumerate() {
            limits.extend(cards.map(|there| Counted { there, types: vec![t], watts: false }));
        }
        for budget in &self.budgets {
            let types = || budget.types.clone();
            limits.extend(budget.cards.map(|there| Counted {
                there,
                types: types(),
                watts: false,
            }));
            limits.extend(budget.watts.map(|there| Counted { there, types: types(), watts: true }));
        }
        limits
    }

    /// The scenario that states the same problem: a request is one long answer, a batch holds one, and
    /// the time of a step makes the rate.
    pub fn scenario(&self) -> String {
        let optimizer = format!(
            r#"{{"unlimited":{},"budgets":[{}]}}"#,
            self.unlimited,
            list(&self.budgets, budget)
        );
        let counts = |(t, cards): (usize, &Option<u64>)| {
            // One is kept free, and more than can be used are as good as no limit.
            format!(r#"{{"type":"t{t}","count":{},"spare":1}}"#, cards.unwrap_or(1_000_000) + 1)
        };
        let limited = self.cards.iter().any(Option::is_some);
        let nodes = join(self.nodes.iter().enumerate().map(|kind| node(kind, self.cents)));
        let capacity = match (limited, self.nodes.is_empty()) {
            (true, _) => format!(
                r#""capacityData":{{"count":[{}],"nodes":[{nodes}]}},"#,
                join(self.cards.iter().enumerate().map(counts))
            ),
            (false, false) => format!(
                r#""capacityData":{{"nodes":[{nodes}],"count":[{}]}},"#,
                join(self.cards.iter().enumerate().map(counts))
            ),
            (false, true) => String::new(),
        };
        let models = (0..self.models.len())
            .flat_map(|m| self.models[m].iter().map(move |p| self.profile(m, p)));
        let mut priorities: Vec<u32> = self.servers.iter().map(|s| s.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        let accelerator = |(a, unit): (usize, &Accelerator)| {
            format!(
                r#"{{"name":"a{a}","type":"t{}","multiplicity":{},"cost":{},"power":{{"full":{}}},"zone":"z{}","availability":{}}}"#,
                unit.card_type,
                unit.multiplicity,
                unit.price as f64 * self.cents,
                unit.watts,
                a % 2,
                unit.availability(),
            )
        };
        let server = |(s, server): (usize, &Server)| self.server(s, server);
        format!(
            r#"{{"acceleratorData":{{"accelerators":[{}]}},"modelData":{{"models":[{}]}},"serviceClassData":{{"serviceClasses":[{}]}},"serverData":{{"servers":[{}]}},{capacity}"optimizerData":{{"optimizer":{optimizer}}}}}"#,
            join(self.accelerators.iter().enumerate().map(accelerator)),
            join(models),
            join(priorities.iter().map(|q| self.class(*q))),
            join(self.servers.iter().enumerate().map(server)),
        )
    }

    fn profile(&self, model: usize, profile: &Profile) -> String {
        // 1,000 steps a request at 0.999 of the service rate, for the share of the time that it is there.
        let there = self.accelerators[profile.accelerator].availability();
        let alpha = 59.94 / (profile.rate as f64 * self.per_min) * there;
        format!(
            r#"{{"name":"m{model}","acc":"a{}","accCount":{},"multiNode":{},"maxBatchSize":1,"atTokens":1001,"decodeParms":{{"alpha":{alpha},"beta":0}}}}"#,
            profile.accelerator, profile.units, self.multi_node
        )
    }

    fn class(&self, priority: u32) -> String {
        let target = |m: usize| format!(r#"{{"model":"m{m}","slo-itl":1000000}}"#);
        let runs = |m: &usize| !self.models[*m].is_empty();
        let targets = join((0..self.models.len()).filter(runs).map(target));
        format!(r#"{{"name":"c{priority}","priority":{priority},"modelTargets":[{targets}]}}"#)
    }

    fn server(&self, s: usize, server: &Server) -> String {
        let most = server.most.map_or(String::new(), |m| format!(r#""maxNumReplicas":{m},"#));
        let now = server.now.map_or(String::new(), |(a, cost)| {
            format!(r#""accelerator":"a{a}","numReplicas":1,"cost":{},"#, cost as f64 * self.cents)
        });
        // What is asked for arrives, or is a floor of tokens above what does.
        let per_min = server.load as f64 / 10.0 * self.per_min;
        let (arrives, floor) = match (server.load + s as u64) % 4 {
            1 => (0.0, per_min / 60.0 * 1001.0),
            2 => (per_min / 2.0, per_min / 60.0 * 1001.0),
            _ => (per_min, 0.0),
        };
        let zones = if s % 2 == 1 && self.accelerators.len() > 1 {
            r#""zones":{"z0":5,"z1":40},"#
        } else {
            ""
        };
        format!(
            r#"{{"name":"s{s}","class":"c{}","model":"m{}","minNumReplicas":{},{most}"minTypes":{},{zones}"minTokensPerSecond":{floor},"currentAlloc":{{{now}"load":{{"arrivalRate":{arrives},"avgInTokens":0,"avgOutTokens":1001}}}}}}"#,
            server.priority, server.model, server.least, server.types,
        )
    }
}

fn budget((b, budget): (usize, &Budget)) -> String {
    let types = join(budget.types.iter().map(|t| format!(r#""t{t}""#)));
    let cards = budget.cards.map_or(String::new(), |n| format!(r#","cards":{n}"#));
    let watts = budget.watts.map_or(String::new(), |n| format!(r#","watts":{n}"#));
    format!(r#"{{"name":"b{b}","types":[{types}]{cards}{watts}}}"#)
}

fn node((i, kind): (usize, &NodeKind), cents: f64) -> String {
    let cards = join(kind.cards.iter().map(|(t, n)| format!(r#""t{t}":{n}"#)));
    let price = kind.price;
    let price = price.map_or(String::new(), |p| format!(r#","price":{}"#, p as f64 * cents));
    let count = kind.count.map_or(String::new(), |n| format!(r#","count":{},"spare":2"#, n + 2));
    let cut = |cut: &Vec<u64>| format!("[{}]", join(cut.iter().map(u64::to_string)));
    let cuts = match kind.cuts.is_empty() {
        true => String::new(),
        false => format!(r#","geometries":[{}]"#, join(kind.cuts.iter().map(cut))),
    };
    format!(r#"{{"name":"n{i}","cards":{{{cards}}}{price}{count}{cuts}}}"#)
}

fn list<T>(of: &[T], text: fn((usize, &T)) -> String) -> String {
    join(of.iter().enumerate().map(text))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// A limit: how much there is of what some card types take.
pub struct Counted {
    pub there: u64,
    types: Vec<usize>,
    watts: bool,
}

impl Counted {
    /// What an accelerator takes of it.
    pub fn of(&self, unit: &Accelerator) -> u64 {
        let counts = self.types.contains(&unit.card_type);
        match (counts, self.watts) {
            (false, _) => 0,
            (true, true) => unit.watts,
            (true, false) => unit.multiplicity,
        }
    }
}
