//! Explanations against trying everything, on random tiny fleets.

mod fleet;

use fleet::{Fleet, Full, cheapest, fleets, plans};
use isocost_formulations::pattern::Shape;
use isocost_formulations::{Problem, ProblemOptions};
use isocost_model::plan::{Choice, Status};
use isocost_planner::Request;
use isocost_planner::explain::Known;
use isocost_planner::explain::conflict;
use isocost_planner::explain::entry;
use isocost_planner::explain::limits;
use isocost_planner::explain::probe::{Base, Effort, Probe};
use isocost_planner::explain::regret;
use isocost_planner::explain::repair::{self, Measure};
use isocost_planner::explain::rule::{self, Rule};
use isocost_planner::explain::source::Source;
use isocost_solver::{Backend, backend, backends, default_backend};
use proptest::prelude::*;

fn is(known: Known, expected: f64, what: &str) -> Result<(), TestCaseError> {
    match known {
        Known::Infeasible => prop_assert!(expected.is_infinite(), "{what}: none, not {expected}"),
        Known::Exact { value } => {
            prop_assert!((value - expected).abs() < 1e-6, "{what}: {value}, not {expected}");
        }
        Known::Between { .. } => prop_assert!(false, "{what}: {known:?}, not {expected}"),
    }
    Ok(())
}

struct Case<'a> {
    probe: Probe<'a>,
    fleet: &'a Fleet,
    plans: Vec<Full>,
    capacity: [f64; 2],
}

impl Case<'_> {
    fn problem(&self) -> &Problem {
        &self.fleet.problem
    }

    /// Servers that can be served at all.
    fn servable(&self) -> Vec<usize> {
        (0..self.problem().servers.len()).filter(|&s| !self.problem().items(s).is_empty()).collect()
    }

    fn feasible(&self, choice: &Choice) -> Result<(), TestCaseError> {
        let (probe, problem) = (&self.probe, self.problem());
        let dual = probe.dual(problem).expect("it solves");
        let base = Base { probe, problem, cost: Known::objective(choice), dual };
        let cost = cheapest(&self.plans, self.capacity);
        is(base.cost, cost, "the plan")?;
        let used = limits::uses(problem, &choice.shares);
        for k in 0..2 {
            let (more, fewer) = limits::worth(&base, k, used[k], 1.0).expect("it solves");
            let with = |by: f64| {
                let mut capacity = self.capacity;
                capacity[k] += by;
                if capacity[k] < 0.0 { f64::INFINITY } else { cheapest(&self.plans, capacity) }
            };
            is(more, cost - with(1.0), "one more")?;
            is(fewer, with(-1.0) - cost, "one fewer")?;
            let enough = limits::enough(&base, k, used[k], 1.0).expect("it solves");
            let enough = enough.expect("it is proven");
            let saving = cost - with(1000.0);
            is(enough.saving, saving, "saves in all")?;
            let by = enough.capacity - self.capacity[k];
            prop_assert!((with(by) - with(1000.0)).abs() < 1e-6, "{enough:?} is not enough");
            if saving > 0.0 {
                prop_assert!(enough.fewest && with(by - 1.0) > with(1000.0) + 1e-6);
            }
        }
        for s in 0..problem.servers.len() {
            self.regrets(choice, &base, cost, s)?;
        }
        for a in 0..3 {
            self.break_even(choice, &base, cost, a)?;
        }
        Ok(())
    }

    fn regrets(
        &self,
        choice: &Choice,
        base: &Base<'_>,
        cost: f64,
        s: usize,
    ) -> Result<(), TestCaseError> {
        let problem = self.problem();
        let on = |c: usize| problem.items(s)[c].accelerator;
        let used: Vec<usize> = choice.shares[s].iter().map(|&(c, _)| on(c)).collect();
        let alone = if let [a] = used[..] { Some(a) } else { None };
        let forced = |keep: &dyn Fn(&[u64; 3]) -> bool| {
            cheapest(self.plans.iter().filter(|p| keep(&p.mixes[s])), self.capacity) - cost
        };
        let only = |a: usize| forced(&|mix| mix.iter().enumerate().all(|(b, n)| b == a || *n == 0));
        // Exact for all, then with bounds alone.
        for exact in [3, 0] {
            let options = regret::options(base, s, alone, exact).expect("it solves");
            prop_assert_eq!(options.len(), problem.items(s).len());
            for option in &options {
                let a = on(option.item);
                let expected = only(a);
                match option.regret {
                    Known::Between { at_least, at_most } => prop_assert!(
                        exact == 0 && at_least <= expected + 1e-6 && expected <= at_most + 1e-6,
                        "{option:?}: {expected}"
                    ),
                    regret => is(regret, expected, "regret")?,
                }
            }
            for &a in used.iter().filter(|_| exact > 0) {
                let off = regret::exclusion_cost(base, s, a, &options).expect("it solves");
                is(off, forced(&|mix| mix[a] == 0), "exclusion cost")?;
            }
        }
        Ok(())
    }

    fn break_even(
        &self,
        choice: &Choice,
        base: &Base<'_>,
        cost: f64,
        a: usize,
    ) -> Result<(), TestCaseError> {
        let problem = self.problem();
        let units = |p: &Full| p.mixes.iter().map(|mix| mix[a]).sum::<u64>() as f64;
        let used = choice
            .shares
            .iter()
            .enumerate()
            .any(|(s, share)| share.iter().any(|&(c, _)| problem.items(s)[c].accelerator == a));
        if used {
            return Ok(());
        }
        let price = self.fleet.scenario.accelerators[a].cost_cents_per_h;
        let fits = |p: &&Full| (0..2).all(|t| p.cards[t] <= self.capacity[t]) && units(p) > 0.0;
        let ratio = |p: &Full| (cost - (p.cost - units(p) * price)) / units(p);
        let expected = self.plans.iter().filter(fits).map(ratio).fold(f64::NEG_INFINITY, f64::max);
        for start in [0.0, price / 2.0, price] {
            let (found, users) =
                entry::price(base, &self.fleet.scenario, a, start).expect("it solves");
            if expected <= 1e-9 {
                prop_assert_eq!(found, Known::Infeasible);
            } else {
                is(found, expected.min(price), "break-even price")?;
                prop_assert!(!users.is_empty());
            }
        }
        Ok(())
    }

    fn infeasible(&self, shape: Shape) -> Result<(), TestCaseError> {
        let servable = self.servable();
        let kept: Vec<bool> =
            (0..self.problem().servers.len()).map(|s| servable.contains(&s)).collect();
        let rest = isocost_planner::explain::variant::with_servers(self.problem(), &kept);
        let fits = |servers: &[usize], capacity: [f64; 2]| {
            cheapest(&plans(&rest, shape, servers), capacity).is_finite()
        };
        if fits(&servable, self.capacity) {
            prop_assert_eq!(self.probe.fits(&rest, None).expect("it solves"), Some(true));
            return Ok(());
        }
        let subsets = || {
            (0_u32..1 << servable.len()).map(|bits| -> Vec<usize> {
                servable
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| bits >> i & 1 == 1)
                    .map(|(_, &s)| s)
                    .collect()
            })
        };
        self.iis(
            &rest,
            &fits,
            subsets().filter(|s| !fits(s, self.capacity)).map(|s| s.len()).min(),
        )?;
        self.cards(&rest, &|capacity| fits(&servable, capacity))?;

        let out = repair::leave_out(&self.probe, &rest).expect("it solves").expect("it is found");
        let stays = |out: &[usize]| -> Vec<usize> {
            servable.iter().copied().filter(|s| !out.contains(s)).collect()
        };
        let lost =
            |out: &[usize]| -> u32 { out.iter().map(|&s| 100 - rest.servers[s].priority).sum() };
        prop_assert!(fits(&stays(&out.servers), self.capacity));
        let enough = || subsets().filter(|out| fits(&stays(out), self.capacity));
        let least = enough().map(|out| (out.len(), lost(&out))).min().expect("all may leave");
        prop_assert_eq!((out.servers.len(), lost(&out.servers)), least);
        is(out.count, least.0 as f64, "servers left out")
    }

    fn iis(
        &self,
        rest: &Problem,
        fits: &dyn Fn(&[usize], [f64; 2]) -> bool,
        fewest: Option<usize>,
    ) -> Result<(), TestCaseError> {
        let members = conflict::find(&self.probe, rest).expect("it solves").expect("there is one");
        prop_assert!(members.irreducible && members.fewest_servers && !members.moves);
        let within = |limits: &[usize]| {
            let mut capacity = [f64::INFINITY; 2];
            limits.iter().for_each(|&k| capacity[k] = self.capacity[k]);
            capacity
        };
        prop_assert!(!fits(&members.servers, within(&members.limits)), "{members:?} fits");
        prop_assert_eq!(Some(members.servers.len()), fewest);
        let without = |all: &[usize], i: usize| [&all[..i], &all[i + 1..]].concat();
        for i in 0..members.servers.len() {
            let fewer = without(&members.servers, i);
            prop_assert!(fits(&fewer, within(&members.limits)), "{members:?} needs less");
        }
        for i in 0..members.limits.len() {
            let fewer = without(&members.limits, i);
            prop_assert!(fits(&members.servers, within(&fewer)), "{members:?} needs less");
        }
        Ok(())
    }

    fn cards(&self, rest: &Problem, fit: &dyn Fn([f64; 2]) -> bool) -> Result<(), TestCaseError> {
        let sources = [Source::Cards(0), Source::Cards(1)];
        let prices = repair::card_prices(&self.fleet.scenario);
        let plus =
            |more: [u64; 2]| [self.capacity[0] + more[0] as f64, self.capacity[1] + more[1] as f64];
        let each = || (0..50_u64).flat_map(|a| (0..50_u64).map(move |b| [a, b]));
        let enough: Vec<[u64; 2]> = each().filter(|more| fit(plus(*more))).collect();
        for measure in [Measure::Price, Measure::Count] {
            let price = |more: &[u64; 2]| -> f64 {
                let of = |t: usize| match measure {
                    Measure::Price => prices[t].expect("each type has an accelerator"),
                    Measure::Count => 1.0,
                };
                more[0] as f64 * of(0) + more[1] as f64 * of(1)
            };
            let expected = enough.iter().map(price).fold(f64::INFINITY, f64::min);
            let found = repair::cards(&self.probe, rest, &sources, &prices, measure)
                .expect("it solves")
                .expect("cards help");
            is(found.total, expected, "cards to add")?;
            let more = [found.more[0], found.more[1]];
            prop_assert!(fit(plus(more)), "{more:?} is not enough");
            prop_assert!((price(&more) - expected).abs() < 1e-6);
        }
        let alone = repair::alone(&self.probe, rest).expect("it solves");
        for (k, known) in alone.into_iter().enumerate() {
            let only = enough.iter().filter(|more| more[1 - k] == 0).map(|more| more[k] as f64);
            is(known, only.fold(f64::INFINITY, f64::min), "cards of one type")?;
        }
        Ok(())
    }
}

fn check(fleet: &Fleet, shape: Shape, backend: &dyn Backend) -> Result<(), TestCaseError> {
    let request = Request::default();
    let effort = Effort { stage: std::time::Duration::from_secs(600), ..Effort::default() };
    let probe = Probe::new(shape, &request, effort, backend);
    let choice = probe.solve(&fleet.problem).expect("it solves");
    let everyone: Vec<usize> = (0..fleet.problem.servers.len()).collect();
    let plans = plans(&fleet.problem, shape, &everyone);
    let capacity = [fleet.problem.limits[0].capacity, fleet.problem.limits[1].capacity];
    let case = Case { probe, fleet, plans, capacity };
    match choice.status {
        Status::Optimal => case.feasible(&choice),
        status => {
            prop_assert_eq!(status, Status::Infeasible);
            case.infeasible(shape)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn explanations_are_what_trying_everything_says(fleet in fleets()) {
        for name in backends() {
            let backend = backend(name).expect("it was built");
            for shape in [Shape::Single, Shape::Mixed] {
                check(&fleet, shape, &*backend)?;
            }
        }
    }

    /// A server alone, without limits: what its rules allow, by trying everything.
    #[test]
    fn a_rule_is_named_where_no_mix_keeps_it_and_says_what_would(
        fleet in fleets(),
        most in proptest::option::of(0_u64..=7),
        types in 0_u32..=3,
    ) {
        let Fleet { scenario, mut problem } = fleet;
        for needs in &mut problem.servers {
            needs.min_replicas = needs.min_replicas.min(most.unwrap_or(2));
            (needs.max_replicas, needs.min_types) = (most, types);
        }
        for s in 0..problem.servers.len() {
            let is_empty = problem.items(s).is_empty();
            for shape in [Shape::Single, Shape::Mixed] {
                let found = rule::of(&scenario, &problem, shape, s);
                prop_assert_eq!(found.is_none(), is_empty || kept(&problem, shape, s), "{:?}", found);
                match found {
                    Some(Rule::MaxNumReplicas { needs, serves_per_min, .. }) => {
                        let mut changed = problem.clone();
                        for (most, enough) in [(needs, true), (needs - 1, false)] {
                            changed.servers[s].max_replicas = Some(most);
                            prop_assert_eq!(kept(&changed, shape, s), enough, "{} replicas", most);
                        }
                        changed.servers[s].max_replicas = most;
                        changed.servers[s].demand = serves_per_min / 60.0;
                        prop_assert!(serves_per_min <= 0.0 || kept(&changed, shape, s));
                        changed.servers[s].demand = serves_per_min / 60.0 + 1e-3;
                        prop_assert!(!kept(&changed, shape, s));
                    }
                    Some(Rule::MinTypes { on, spreads, .. }) => {
                        let mut changed = problem.clone();
                        changed.servers[s].min_types = if spreads { on.len() as u32 } else { 1 };
                        changed.servers[s].max_replicas = None;
                        prop_assert!(kept(&changed, shape, s));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Prices know moves, the change's value and spread: their bounds are below what solves say.
    #[test]
    fn bounds_by_prices_hold_whatever_a_pattern_is_charged(
        fleet in fleets(),
        now in [0_usize..3, 0..3, 0..3],
        (transition, moves, types) in (any::<bool>(), proptest::option::of(0_u64..=3), 0_u32..=2),
    ) {
        let mut problem = fleet.problem;
        for (needs, now) in problem.servers.iter_mut().zip(now) {
            needs.current = (transition || moves.is_some()).then_some((now, 3.0));
            needs.min_types = types;
        }
        let asked = ProblemOptions { transition, max_moves: moves, ..ProblemOptions::default() };
        let request = Request { problem: asked, ..Request::default() };
        let backend = default_backend().expect("one is built");
        for shape in [Shape::Single, Shape::Mixed] {
            let effort = Effort { stage: std::time::Duration::from_secs(600), ..Effort::default() };
            let probe = Probe::new(shape, &request, effort, &*backend);
            let choice = probe.solve(&problem).expect("it solves");
            if choice.status != Status::Optimal {
                continue;
            }
            let dual = probe.dual(&problem).expect("it solves").expect("there is a plan");
            prop_assert!(dual.bound <= choice.objective + 1e-6, "{shape:?}");
            let (cost, dual) = (Known::objective(&choice), Some(dual));
            let base = Base { probe: &probe, problem: &problem, cost, dual };
            for s in 0..problem.servers.len() {
                let on = |c: usize| problem.items(s)[c].accelerator;
                let used: Vec<usize> = choice.shares[s].iter().map(|&(c, _)| on(c)).collect();
                let alone = if let [a] = used[..] { Some(a) } else { None };
                let options = |exact| {
                    let mut options =
                        regret::options(&base, s, alone, exact)
                            .expect("it solves");
                    options.sort_by_key(|option| option.item);
                    options
                };
                for (bound, solved) in options(0).into_iter().zip(options(3)) {
                    let (bound, regret) = (bound.regret.at_least(), solved.regret.at_most());
                    prop_assert!(bound <= regret + 1e-6, "{shape:?}: {bound} above {regret}");
                }
            }
        }
    }
}

/// Whether some mix of server `s` keeps its rules and covers its load, however many cards there are.
fn kept(problem: &Problem, shape: Shape, s: usize) -> bool {
    let (needs, items) = (&problem.servers[s], problem.items(s));
    if needs.is_idle() {
        return true;
    }
    let most = needs.max_replicas.unwrap_or(20);
    let mut mixes = vec![vec![]];
    for _ in items {
        let longer = |mix: Vec<u64>| (0..=most).map(move |n| [&mix[..], &[n]].concat());
        mixes =
            mixes.into_iter().flat_map(longer).filter(|m| m.iter().sum::<u64>() <= most).collect();
    }
    mixes.iter().any(|mix| {
        let used = || items.iter().zip(mix).filter(|(_, n)| **n > 0);
        let rate: f64 = used().map(|(item, n)| item.rate * *n as f64).sum();
        let types: std::collections::BTreeSet<usize> =
            used().map(|(item, _)| item.card_type).collect();
        let least = if shape == Shape::Single {
            needs.min_types <= 1
        } else {
            types.len() >= needs.min_types as usize
        };
        mix.iter().sum::<u64>() >= needs.min_replicas
            && rate >= needs.demand * (1.0 - 1e-9)
            && least
            && (shape == Shape::Mixed || used().count() <= 1)
    })
}
