//! What is to be said where no plan serves every server.

use isocost_model::plan::Status;
use isocost_solver::SolverError;
use rayon::prelude::*;
use serde::Serialize;

use super::conflict::{self, Members};
use super::known::Known;
use super::probe::Probe;
use super::relax::{self, Relaxation, Sizer};
use super::repair::{self, Cards, Measure};
use super::rule::{self, Rule};
use super::source::{Named, Source, sources};
use super::variant::with_servers;
use super::{Explanation, Subject, unmet};
use isocost_formulations::problem::Problem;

/// An irreducible infeasible subsystem: servers and limits that cannot go together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Iis {
    /// The servers.
    pub servers: Vec<String>,
    /// The limits, and how much more of each alone would let these servers fit.
    pub limits: Vec<LimitRepair>,
    /// Where it is one server, its `minNumReplicas`, if the limits would let it have fewer.
    pub rule: Option<Rule>,
    /// The number of moves that is a member, if it is.
    pub max_moves: Option<u64>,
    /// Whether it is proven that the rest fits without any one member.
    pub irreducible: bool,
    /// Whether it is proven that no IIS has fewer servers.
    pub fewest_servers: bool,
}

/// More of one limit alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitRepair {
    /// The limit.
    #[serde(flatten)]
    pub name: Named,
    /// What there is of it.
    pub capacity: f64,
    /// Units more of it alone that are enough; infeasible where no number is.
    pub more: Known,
}

/// What makes the servers fit that can be served at all.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repairs {
    /// Cards to add, of the least price in all, a card counted at the least price of its type.
    pub cheapest: Option<CardRepair>,
    /// The fewest cards to add.
    pub fewest: Option<CardRepair>,
    /// One limit raised alone, for each.
    pub alone: Vec<LimitRepair>,
    /// One server's latency objectives relaxed, the smallest factor first.
    pub relaxations: Vec<Relaxation>,
    /// The fewest servers to leave out.
    pub leave_out: Option<Left>,
}

/// Cards to add.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CardRepair {
    /// What to add.
    pub add: Vec<Added>,
    /// Price of the added cards, cents/h. Exact in the cheapest repair alone: what others cost is
    /// what their cards cost.
    pub price: Known,
    /// How many cards that is.
    pub cards: Known,
    /// The cheapest plan with them, cents/h.
    pub plan: Known,
}

impl CardRepair {
    /// Whether cards are added at all, and not only budgets raised.
    pub fn buys_cards(&self) -> bool {
        self.add.iter().any(|added| added.name.budget.is_none())
    }
}

/// Units added to one limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Added {
    /// The limit.
    #[serde(flatten)]
    pub name: Named,
    /// Units to add.
    pub more: u64,
    /// Least price of a card of the type, cents/h; `None` for a budget.
    pub price_each: Option<f64>,
}

/// Servers to leave out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The servers, those of a low priority first among equally many.
    pub servers: Vec<String>,
    /// How many have to be left out.
    pub count: Known,
    /// The cheapest plan of the others, cents/h.
    pub plan: Known,
}

/// Fills in what concerns an infeasible scenario.
pub fn explain(
    probe: &Probe<'_>,
    subject: Subject<'_>,
    problem: &Problem,
    explanation: &mut Explanation,
) -> Result<(), SolverError> {
    let Subject { scenario, sizing, candidates, request, .. } = subject;
    let sizer = Sizer { scenario, sizing };
    probe.begin("servers that no accelerator serves");
    let without = unmet::find(scenario, problem, probe.shape);
    let described: Result<Vec<_>, _> = without
        .par_iter()
        .map(|&s| unmet::describe(probe, &sizer, candidates, problem, s))
        .collect();
    explanation.unmet = described?;

    let kept: Vec<bool> = (0..problem.servers.len()).map(|s| !without.contains(&s)).collect();
    let rest = with_servers(problem, &kept);
    explanation.others_fit = if subject.plan.status == Status::Infeasible && without.is_empty() {
        Some(false)
    } else {
        probe.fits(&rest, probe.asked().max_moves)?
    };
    if explanation.others_fit == Some(true) {
        probe.begin("objectives to relax");
        let fits: Result<Vec<Vec<Relaxation>>, SolverError> =
            without.par_iter().map(|&s| beside(probe, &sizer, problem, &kept, s)).collect();
        explanation.unmet.iter_mut().zip(fits?).for_each(|(unmet, fits)| unmet.fits = fits);
    }
    if explanation.others_fit != Some(false) {
        return Ok(());
    }
    let sources = sources(scenario, &rest, request.problem.unlimited);
    let at = Site { probe, sizer, sources, problem: &rest };
    probe.begin("an irreducible infeasible subsystem");
    let members = conflict::find(probe, &rest)?;
    explanation.iis = members.as_ref().map(|members| at.iis(members)).transpose()?;
    explanation.repairs = Some(at.repairs(members.as_ref())?);
    Ok(())
}

/// The smallest relaxations of server `s`, which no accelerator serves, at which it fits beside those
/// that are kept.
fn beside(
    probe: &Probe<'_>,
    sizer: &Sizer<'_>,
    problem: &Problem,
    kept: &[bool],
    s: usize,
) -> Result<Vec<Relaxation>, SolverError> {
    let mut with = kept.to_vec();
    with[s] = true;
    relax::to_fit(sizer, probe, &with_servers(problem, &with), s)
}

/// The servers that can be served at all, which do not fit.
struct Site<'a> {
    probe: &'a Probe<'a>,
    sizer: Sizer<'a>,
    sources: Vec<Source>,
    problem: &'a Problem,
}

impl Site<'_> {
    fn names(&self, servers: &[usize]) -> Vec<String> {
        servers.iter().map(|&s| self.sizer.scenario.servers[s].name.clone()).collect()
    }

    fn limit(&self, k: usize, more: Known) -> LimitRepair {
        LimitRepair { name: self.named(k), capacity: self.problem.limits[k].capacity, more }
    }

    fn named(&self, k: usize) -> Named {
        self.sources[k].named(self.sizer.scenario, &self.problem.limits[k].name)
    }

    fn iis(&self, members: &Members) -> Result<Iis, SolverError> {
        let kept: Vec<bool> =
            (0..self.problem.servers.len()).map(|s| members.servers.contains(&s)).collect();
        let more = repair::alone(self.probe, &with_servers(self.problem, &kept))?;
        let rule = match members.servers[..] {
            [s] => rule::floor(self.probe, self.problem, s)?,
            _ => None,
        };
        Ok(Iis {
            servers: self.names(&members.servers),
            limits: members.limits.iter().map(|&k| self.limit(k, more[k])).collect(),
            rule,
            max_moves: self.probe.asked().max_moves.filter(|_| members.moves),
            irreducible: members.irreducible,
            fewest_servers: members.fewest_servers,
        })
    }

    fn repairs(&self, members: Option<&Members>) -> Result<Repairs, SolverError> {
        let (probe, problem) = (self.probe, self.problem);
        probe.begin("cards to add");
        let cheapest = self.cards(Measure::Price)?;
        let fewest = self.cards(Measure::Count)?;
        let alone = repair::alone(probe, problem)?;
        probe.begin("servers to leave out");
        let leave_out = self.leave_out()?;
        probe.begin("objectives to relax");
        // Unless it is of a member, no relaxation makes the IIS fit.
        let servers = members.map_or(&[][..], |members| &members.servers);
        let relaxed: Result<Vec<Vec<Relaxation>>, SolverError> =
            servers.par_iter().map(|&s| relax::to_fit(&self.sizer, probe, problem, s)).collect();
        let mut relaxations: Vec<Relaxation> = relaxed?.into_iter().flatten().collect();
        relaxations.sort_by(|a, b| a.factor.total_cmp(&b.factor));
        let alone = alone.into_iter().enumerate().map(|(k, more)| self.limit(k, more)).collect();
        Ok(Repairs { cheapest, fewest, alone, relaxations, leave_out })
    }

    fn cards(&self, measure: Measure) -> Result<Option<CardRepair>, SolverError> {
        let prices = repair::card_prices(self.sizer.scenario);
        let found = repair::cards(self.probe, self.problem, &self.sources, &prices, measure)?;
        let Some(Cards { total, more }) = found else { return Ok(None) };
        let price_each = |k: usize| match self.sources[k] {
            Source::Cards(t) => prices[t],
            _ => None,
        };
        let added = (0..more.len()).filter(|&k| more[k] > 0);
        let add: Vec<Added> = added
            .map(|k| Added { name: self.named(k), more: more[k], price_each: price_each(k) })
            .collect();
        let mut mended = self.problem.clone();
        mended.limits.iter_mut().zip(&more).for_each(|(l, more)| l.capacity += *more as f64);
        let plan = Known::objective(&self.probe.solve(&mended)?);
        let bought = || add.iter().filter_map(|a| Some((a.price_each?, a.more as f64)));
        let price = Known::exact(bought().map(|(each, n)| each * n).sum());
        let cards = Known::exact(bought().map(|(_, n)| n).sum());
        Ok(Some(match measure {
            Measure::Price => CardRepair { add, price: total, cards, plan },
            Measure::Count => CardRepair { add, price, cards: total, plan },
        }))
    }

    fn leave_out(&self) -> Result<Option<Left>, SolverError> {
        let Some(out) = repair::leave_out(self.probe, self.problem)? else { return Ok(None) };
        let plan = self.probe.solve(&repair::rest(self.problem, &out.servers))?;
        Ok(Some(Left {
            servers: self.names(&out.servers),
            count: out.count,
            plan: Known::objective(&plan),
        }))
    }
}
