//! The checker: proves a plan anew, rule by rule, from the scenario alone.
//!
//! It shares nothing with the solver, the formulations or the candidate table: batch limits,
//! demands, cards and costs are derived a second time here, and the objectives are put to the
//! queueing model at the split that the plan carries out. One function a rule.

use std::fmt;

use crate::candidates::SizingOptions;
use crate::plan::{OPTIMAL_GAP, Part, Placement, Plan, Status, relative_gap};
use crate::queue::{Objective, Objectives, Station};
use crate::scenario::{Profile, Scenario, Server};

/// Relative rounding that sums and limits are allowed.
const ROUNDING: f64 = 1e-9;

/// What a plan was made for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CheckOptions {
    /// Card counts and budgets do not bind.
    pub unlimited: bool,
    /// Servers may be served in part (a plan under shortage).
    pub partial: bool,
    /// The objective is the change's value, not the cost.
    pub transition: bool,
    /// Most servers that may leave their current accelerator.
    pub max_moves: Option<u64>,
}

/// A rule that a plan has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Every server has its placement.
    Complete,
    /// The accelerator runs the model, and the server may use it.
    Accelerator,
    /// The batch size is within the pair's limit.
    Batch,
    /// Fewest and most replicas.
    Replicas,
    /// The replicas cover the load.
    Cover,
    /// The split over the replicas adds up to the load.
    Split,
    /// Every objective is met at the split.
    Objective,
    /// Cards are counted right.
    Cards,
    /// Costs are summed right.
    Cost,
    /// No type has more cards in use than exist.
    Capacity,
    /// Budgets are kept.
    Budget,
    /// Replicas are spread over enough types.
    Spread,
    /// No more servers move than may.
    Moves,
    /// Status, bound and objective agree.
    Proof,
}

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The server or card type.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}: {}", self.rule, self.place, self.what)
    }
}

/// Every rule that `plan` breaks; none if it may be carried out.
pub fn check(
    scenario: &Scenario,
    sizing: &SizingOptions,
    options: &CheckOptions,
    plan: &Plan,
) -> Vec<Violation> {
    let mut found = Found(Vec::new());
    complete(scenario, plan, &mut found);
    proof(plan, options, &mut found);
    if plan.placements.len() != scenario.servers.len() || !plan.has_plan() {
        return found.0;
    }
    for (server, placement) in scenario.servers.iter().zip(&plan.placements) {
        let at = Site { scenario, sizing, options, server, placement };
        at.accelerators(&mut found);
        at.batches(&mut found);
        at.replicas(&mut found);
        at.cover(&mut found);
        at.split(&mut found);
        at.objectives(&mut found);
        at.cards_and_costs(&mut found);
        at.spread(&mut found);
    }
    usage(scenario, options, plan, &mut found);
    budgets(scenario, options, plan, &mut found);
    moves(scenario, options, plan, &mut found);
    if options.transition && !options.partial {
        let value = scenario.servers.iter().zip(&plan.placements).map(|(s, p)| change(s, p)).sum();
        found.unless(close(plan.objective, value), Rule::Proof, "plan", || {
            format!("the objective {} is not the change's value {value}", plan.objective)
        });
    }
    found.0
}

/// Violations as they are found.
struct Found(Vec<Violation>);

impl Found {
    fn unless(&mut self, kept: bool, rule: Rule, place: &str, what: impl FnOnce() -> String) {
        if !kept {
            self.0.push(Violation { rule, place: place.to_owned(), what: what() });
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    a.is_finite() && b.is_finite() && (a - b).abs() <= ROUNDING * a.abs().max(b.abs()).max(1.0)
}

fn complete(scenario: &Scenario, plan: &Plan, found: &mut Found) {
    let (servers, placements) = (scenario.servers.len(), plan.placements.len());
    found.unless(servers == placements, Rule::Complete, "plan", || {
        format!("{placements} placements for {servers} servers")
    });
    let placed = plan.placements.iter().any(|p| !p.parts.is_empty());
    found.unless(plan.has_plan() || !placed, Rule::Complete, "plan", || {
        format!("a plan that is {} places replicas", plan.status.word())
    });
}

fn proof(plan: &Plan, options: &CheckOptions, found: &mut Found) {
    if !plan.has_plan() {
        return;
    }
    let (objective, bound) = (plan.objective, plan.bound);
    // A change's value is a difference of costs, and as exact as they are.
    let rounding = ROUNDING * objective.abs().max(plan.total_cost);
    found.unless(bound <= objective + rounding, Rule::Proof, "plan", || {
        format!("the bound {bound} is above the objective {objective}")
    });
    let gap = relative_gap(objective, bound);
    found.unless(plan.status != Status::Optimal || gap <= OPTIMAL_GAP, Rule::Proof, "plan", || {
        format!("called optimal at a gap of {gap:e}")
    });
    found.unless(
        options.transition || close(objective, plan.total_cost),
        Rule::Proof,
        "plan",
        || format!("the objective {objective} is not the cost {}", plan.total_cost),
    );
}

/// One server, with what is planned for it.
struct Site<'a> {
    scenario: &'a Scenario,
    sizing: &'a SizingOptions,
    options: &'a CheckOptions,
    server: &'a Server,
    placement: &'a Placement,
}

impl Site<'_> {
    fn profile(&self, part: &Part) -> Option<&Profile> {
        let fits = |p: &&Profile| p.model == self.server.model && p.accelerator == part.accelerator;
        self.scenario.profiles.iter().find(fits)
    }

    fn targets(&self) -> Option<Objectives> {
        self.scenario.classes[self.server.class].targets[self.server.model]
    }

    /// Requests per second to cover.
    fn demand_per_s(&self) -> f64 {
        let load = &self.server.load;
        let tokens = self.targets().and_then(|t| t.tokens_per_s);
        match tokens {
            _ if load.arrival_rate_per_min == 0.0 => 0.0,
            Some(tokens) => tokens / load.output_tokens,
            None => load.arrival_rate_per_min / 60.0,
        }
    }

    fn station(&self, profile: &Profile) -> Station {
        let load = &self.server.load;
        Station {
            service: profile.service,
            input_tokens: load.input_tokens,
            output_tokens: load.output_tokens.max(1.0),
            queue_limit: self.server.max_queue.or(self.sizing.max_queue),
            arrival_scv: load.arrival_scv,
            token_scv: load.token_scv,
        }
    }

    fn accelerators(&self, found: &mut Found) {
        let server = self.server;
        for part in &self.placement.parts {
            let a = part.accelerator;
            let Some(accelerator) = self.scenario.accelerators.get(a) else {
                found.unless(false, Rule::Accelerator, &server.name, || "it does not exist".into());
                continue;
            };
            let listed = server.allow.is_empty() || server.allow.contains(&a);
            let kept = server.current.as_ref().filter(|_| server.keep_accelerator);
            let may =
                listed && !server.deny.contains(&a) && kept.is_none_or(|c| c.accelerator == a);
            found.unless(may, Rule::Accelerator, &server.name, || {
                format!("it may not use {}", accelerator.name)
            });
            found.unless(self.profile(part).is_some(), Rule::Accelerator, &server.name, || {
                format!("its model has no profile on {}", accelerator.name)
            });
        }
    }

    fn batches(&self, found: &mut Found) {
        for part in &self.placement.parts {
            let Some(profile) = self.profile(part) else { continue };
            let tokens = f64::from(profile.max_batch) * f64::from(profile.at_tokens);
            let by_tokens = (tokens / self.server.load.output_tokens.max(1.0)).floor().max(1.0);
            let most = self.server.max_batch.map_or(by_tokens, f64::from);
            let batch = f64::from(part.batch);
            found.unless(batch >= 1.0 && batch <= most, Rule::Batch, &self.server.name, || {
                format!("batch size {batch} is outside 1 to {most}")
            });
        }
    }

    fn replicas(&self, found: &mut Found) {
        let (server, n) = (self.server, self.placement.replicas());
        let enough = n >= u64::from(server.min_replicas) || self.options.partial;
        found.unless(enough, Rule::Replicas, &server.name, || {
            format!("{n} replicas, at least {} are asked for", server.min_replicas)
        });
        found.unless(
            server.max_replicas.is_none_or(|m| n <= m.into()),
            Rule::Replicas,
            &server.name,
            || format!("{n} replicas are more than it may have"),
        );
        let idle = self.demand_per_s() == 0.0;
        let spread = if server.min_replicas > 0 { server.min_types } else { 0 };
        let least = u64::from(server.min_replicas).max(u64::from(spread));
        found.unless(!idle || n <= least, Rule::Replicas, &server.name, || {
            format!("{n} replicas without load, {least} would do")
        });
        let empty = self.placement.parts.iter().any(|p| p.replicas == 0);
        found.unless(!empty, Rule::Replicas, &server.name, || "a part has no replica".into());
    }

    fn cover(&self, found: &mut Found) {
        let (demand, share) = (self.demand_per_s(), self.placement.served_share);
        found.unless(
            close(demand, self.placement.demand_per_s),
            Rule::Cover,
            &self.server.name,
            || format!("planned for {} requests/s, {demand} arrive", self.placement.demand_per_s),
        );
        let whole = share >= 1.0 - ROUNDING || self.options.partial;
        found.unless(whole && share <= 1.0, Rule::Cover, &self.server.name, || {
            format!("a share of {share} is served")
        });
        if demand > 0.0 {
            let parts = self.placement.parts.iter();
            let credited: f64 = parts.map(|p| p.credited_rate_per_s * p.replicas as f64).sum();
            let wanted = demand * share * (1.0 - 2.0 * ROUNDING);
            found.unless(credited >= wanted, Rule::Cover, &self.server.name, || {
                format!("its replicas serve {credited} requests/s of {demand}")
            });
        }
    }

    fn split(&self, found: &mut Found) {
        let parts = self.placement.parts.iter();
        let sum: f64 = parts.map(|p| p.rate_per_s * p.replicas as f64).sum();
        let load = self.demand_per_s() * self.placement.served_share;
        found.unless(close(sum, load), Rule::Split, &self.server.name, || {
            format!("the replicas get {sum} requests/s of {load}")
        });
    }

    /// What each replica sees at its share of the load has to keep every objective.
    fn objectives(&self, found: &mut Found) {
        let Some(targets) = self.targets() else { return };
        for part in self.placement.parts.iter().filter(|p| p.rate_per_s > 0.0) {
            let Some(profile) = self.profile(part) else { continue };
            let station = self.station(profile);
            let on = &self.scenario.accelerators[part.accelerator].name;
            let mut keep = |kept: bool, what: String| {
                let text = || format!("on {on} at {} requests/s: {what}", part.rate_per_s);
                found.unless(kept, Rule::Objective, &self.server.name, text);
            };
            let analysis = match station.analyze(part.batch, part.rate_per_s) {
                Ok(analysis) => analysis,
                Err(error) => {
                    keep(false, error.to_string());
                    continue;
                }
            };
            let kept = |value: f64, o: Objective| value <= o.limit_ms * (1.0 + ROUNDING);
            if let Some(o) = targets.itl {
                let itl = o.percentile.map_or(analysis.itl_ms, |p| analysis.itl_percentile_ms(p));
                keep(kept(itl, o), format!("ITL {itl} ms, limit {} ms", o.limit_ms));
            }
            if let Some(o) = targets.ttft {
                let ttft =
                    o.percentile.map_or(analysis.ttft_ms, |p| analysis.ttft_percentile_ms(p));
                keep(kept(ttft, o), format!("TTFT {ttft} ms, limit {} ms", o.limit_ms));
            }
            let most = match targets.tokens_per_s {
                Some(_) => 0.9 * 0.999 * analysis.capacity_per_s,
                None => 0.999 * analysis.capacity_per_s,
            };
            let least = 0.001 * station.service_rate_per_s(1);
            let steady = part.rate_per_s <= most.max(least) * (1.0 + ROUNDING);
            keep(steady, format!("above its sustainable rate {most}"));
            if station.queue_limit.is_some() && self.sizing.max_loss < 1.0 {
                let loss = analysis.loss_probability;
                keep(loss <= self.sizing.max_loss * (1.0 + ROUNDING), format!("loses {loss}"));
            }
        }
    }

    fn cards_and_costs(&self, found: &mut Found) {
        for part in &self.placement.parts {
            let Some(profile) = self.profile(part) else { continue };
            let accelerator = &self.scenario.accelerators[part.accelerator];
            let units = u64::from(profile.units_per_replica) * part.replicas;
            let cards = units * u64::from(accelerator.multiplicity);
            found.unless(cards == part.cards, Rule::Cards, &self.server.name, || {
                format!("{} cards are planned for, {cards} are taken", part.cards)
            });
            let rent = units as f64 * accelerator.cost_cents_per_h;
            // Energy is added at the sized rate, between an idle and a full unit.
            let price = self.sizing.energy_cents_per_kwh / 1000.0 * units as f64;
            let power = &accelerator.power;
            let watts = [power.idle_w, power.mid_w, power.full_w];
            let most = rent + price * watts.iter().copied().fold(0.0, f64::max);
            let rounding = ROUNDING * most.max(1.0);
            let right = part.cost >= rent - rounding && part.cost <= most + rounding;
            found.unless(right, Rule::Cost, &self.server.name, || {
                format!("{} cents/h are planned for, the rent is {rent}", part.cost)
            });
        }
    }

    fn spread(&self, found: &mut Found) {
        let parts = self.placement.parts.iter();
        let accelerators = &self.scenario.accelerators;
        let types = parts.filter_map(|p| accelerators.get(p.accelerator)).map(|a| a.card_type);
        let mut types: Vec<usize> = types.collect();
        types.sort_unstable();
        types.dedup();
        // Without load and without replicas asked for there is nothing to spread.
        let idle = self.demand_per_s() == 0.0 && self.server.min_replicas == 0;
        let enough = types.len() >= self.server.min_types as usize;
        let spread = enough || idle || self.options.partial;
        found.unless(spread, Rule::Spread, &self.server.name, || {
            format!("on {} card types of {}", types.len(), self.server.min_types)
        });
    }
}

/// Cards in use by type, counted anew, against what exists and what the plan says.
fn usage(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    let (mut cards, mut total) = (vec![0_u64; scenario.card_types.len()], 0.0);
    for part in plan.placements.iter().flat_map(|p| &p.parts) {
        if let Some(accelerator) = scenario.accelerators.get(part.accelerator) {
            cards[accelerator.card_type] += part.cards;
        }
        total += part.cost;
    }
    found.unless(close(total, plan.total_cost), Rule::Cost, "plan", || {
        format!("the total is {}, the parts sum to {total}", plan.total_cost)
    });
    for (t, card) in scenario.card_types.iter().enumerate() {
        let used = cards[t];
        let counted = plan.usage.get(t).is_some_and(|u| u.cards == used);
        found.unless(counted, Rule::Cards, &card.name, || format!("{used} cards are in use"));
        let there = card.count.map(|c| c.saturating_sub(card.spare));
        let within = options.unlimited || there.is_none_or(|most| used <= most);
        found.unless(within, Rule::Capacity, &card.name, || {
            format!("{used} cards are in use, {} exist", there.unwrap_or(0))
        });
    }
}

fn budgets(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    for budget in scenario.budgets.iter().filter(|_| !options.unlimited) {
        let (mut cards, mut watts) = (0, 0.0);
        for part in plan.placements.iter().flat_map(|p| &p.parts) {
            let Some(unit) = scenario.accelerators.get(part.accelerator) else { continue };
            if budget.card_types.is_empty() || budget.card_types.contains(&unit.card_type) {
                cards += part.cards;
                watts += part.cards as f64 / f64::from(unit.multiplicity) * unit.power.full_w;
            }
        }
        found.unless(budget.cards.is_none_or(|m| cards <= m), Rule::Budget, &budget.name, || {
            format!("{cards} cards are in use")
        });
        let within = budget.watts.is_none_or(|m| watts <= m * (1.0 + ROUNDING));
        found.unless(within, Rule::Budget, &budget.name, || {
            format!("{watts} W are drawn at full load")
        });
    }
}

/// Value of a server's change, cents/h: what it costs more than now, and a tenth of what is given up
/// and of what is placed elsewhere.
fn change(server: &Server, placement: &Placement) -> f64 {
    let cost: f64 = placement.parts.iter().map(|part| part.cost).sum();
    let Some(current) = &server.current else { return cost };
    let stays = |part: &&Part| part.accelerator == current.accelerator;
    let kept: f64 = placement.parts.iter().filter(stays).map(|part| part.cost).sum();
    let is_given_up = !placement.parts.is_empty() && !placement.parts.iter().any(|p| stays(&p));
    let given_up = if is_given_up { current.cost_cents_per_h } else { 0.0 };
    cost - current.cost_cents_per_h + 0.1 * (cost - kept + given_up)
}

/// A server moves if it has a replica off its current accelerator.
fn moves(scenario: &Scenario, options: &CheckOptions, plan: &Plan, found: &mut Found) {
    let Some(most) = options.max_moves else { return };
    let moved = |(server, placement): &(&Server, &Placement)| {
        let now = server.current.as_ref().map(|c| c.accelerator);
        now.is_some_and(|now| placement.parts.iter().any(|p| p.accelerator != now))
    };
    let count = scenario.servers.iter().zip(&plan.placements).filter(moved).count() as u64;
    found.unless(count <= most, Rule::Moves, "plan", || {
        format!("{count} servers move, at most {most} may")
    });
}
