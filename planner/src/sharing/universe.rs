//! What decisions are made of: every server that some way to be served has, sized like any other.
//!
//! A server, or those who share as one, may have its prompts and its answers in pools of their own: that is two
//! servers in its place, once for each way to divide its limits between them.
//!
//! Members that agree in everything are interchangeable. Every partition of a group is looked at where it
//! comes to no more than [`BLOCKS`] different blocks. Of a larger group those with the same needs stay
//! together or stand alone each, and beyond [`ATOMS`] different needs all share or only those with the same
//! needs do; a plan says so. For `mixed` nothing is lost where all needs are the same: what two mixes cover
//! apart, both of them cover together.

use isocost_formulations::sharing::{Block, Decided, Unit};
use isocost_model::Scenario;
use isocost_model::disaggregation::{self, Division};
use isocost_model::plan::Shape;
use isocost_model::queue::Objectives;
use isocost_model::scenario::{Load, Server};
use isocost_model::sharing::{self, Decision, Served};

/// Different blocks of a group up to which every partition is looked at.
const BLOCKS: usize = 127;
/// Different needs in a group up to which every partition of them is looked at.
const ATOMS: usize = 6;

/// Every server that some decision has, and what decisions are made of.
pub(super) struct Universe {
    pub scenario: Scenario,
    pub units: Vec<Unit>,
    /// By unit, its members by kind; those of a coarse unit come as one of each kind.
    members: Vec<Vec<Vec<usize>>>,
    /// By unit, whether a kind is all its members at once.
    whole: Vec<bool>,
    /// By unit and block, how limits are divided between pools.
    divisions: Vec<Vec<Option<Division>>>,
    /// Whether servers may have pools that also run somewhere now.
    moves_are_free: bool,
    pub alone: Decided,
    pub coarse: Vec<String>,
}

impl Universe {
    /// Of the `groups` in `scenario`, planned for in a shape. Where moves are charged or counted, no server that runs
    /// now gets pools: neither would be where it is.
    pub fn new(
        scenario: &Scenario,
        groups: &[Vec<usize>],
        shape: Shape,
        moves_are_free: bool,
    ) -> Self {
        // Where those with the same needs lose nothing by sharing.
        let together_is_best = shape == Shape::Mixed && moves_are_free;
        let mut universe = Self {
            scenario: Scenario { servers: Vec::new(), ..scenario.clone() },
            units: Vec::new(),
            members: Vec::new(),
            whole: Vec::new(),
            divisions: Vec::new(),
            moves_are_free,
            alone: Vec::new(),
            coarse: Vec::new(),
        };
        let mut order: Vec<usize> = (0..scenario.servers.len()).collect();
        order.sort_by(|&a, &b| scenario.servers[a].name.cmp(&scenario.servers[b].name));
        let group_of = |s: usize| groups.iter().position(|group| group.contains(&s));
        for &s in &order {
            let Some(g) = group_of(s) else {
                universe.solo(scenario, s);
                continue;
            };
            let mut members: Vec<usize> = groups[g].clone();
            members.sort_by(|&a, &b| scenario.servers[a].name.cmp(&scenario.servers[b].name));
            if members[0] == s {
                universe.group(scenario, &members, together_is_best);
            }
        }
        universe
    }

    fn solo(&mut self, scenario: &Scenario, s: usize) {
        let mut blocks = Blocks::default();
        self.together(scenario, scenario.servers[s].clone(), &[1], &mut blocks);
        self.units.push(Unit { members: vec![1], blocks: blocks.blocks });
        self.divisions.push(blocks.divisions);
        self.members.push(vec![vec![s]]);
        self.whole.push(true);
        self.alone.push(vec![0]);
    }

    fn group(&mut self, scenario: &Scenario, members: &[usize], together_is_best: bool) {
        let servers = &scenario.servers;
        let atoms = kinds(members, |a, b| same_needs(&servers[a], &servers[b]));
        let free = |s: &usize| servers[*s].max_replicas.is_none() && servers[*s].min_types < 2;
        if atoms.len() == 1 && together_is_best && members.iter().all(free) {
            return self.coarse(scenario, atoms, |_| true);
        }
        let kinds = kinds(members, |a, b| same(&servers[a], &servers[b]));
        let blocks = kinds.iter().map(|kind| kind.len() + 1).try_fold(1, usize::checked_mul);
        if blocks.is_some_and(|blocks| blocks - 1 <= BLOCKS) {
            return self.every(scenario, kinds);
        }
        self.coarse.extend(servers[members[0]].share.clone());
        let all = atoms.len();
        if all <= ATOMS {
            self.coarse(scenario, atoms, |_| true);
        } else {
            self.coarse(scenario, atoms, |n| n == 1 || n == all);
        }
    }

    /// Every partition.
    fn every(&mut self, scenario: &Scenario, kinds: Vec<Vec<usize>>) {
        let mut made = Blocks::default();
        for takes in counts(&kinds.iter().map(|kind| kind.len() as u32).collect::<Vec<_>>()) {
            let of_kind = |(kind, n): (&Vec<usize>, &u32)| kind[..*n as usize].to_vec();
            let members: Vec<usize> = kinds.iter().zip(&takes).flat_map(of_kind).collect();
            if let Some(server) = self.stand_in(scenario, &members) {
                self.together(scenario, server, &takes, &mut made);
            }
        }
        let Blocks { blocks, divisions } = made;
        let alone = kinds.iter().enumerate().flat_map(|(k, kind)| {
            let is_one =
                |block: &Block| block.takes[k] == 1 && block.takes.iter().sum::<u32>() == 1;
            let at = blocks.iter().position(is_one);
            at.into_iter().flat_map(|at| std::iter::repeat_n(at, kind.len()))
        });
        let mut alone: Vec<usize> = alone.collect();
        alone.sort_unstable();
        self.alone.push(alone);
        let members = kinds.iter().map(|kind| kind.len() as u32).collect();
        self.units.push(Unit { members, blocks });
        self.divisions.push(divisions);
        self.members.push(kinds);
        self.whole.push(false);
    }

    /// Partitions of `atoms`, as far as blocks of so many of them are looked at; those of an atom together
    /// or each alone.
    fn coarse(
        &mut self,
        scenario: &Scenario,
        atoms: Vec<Vec<usize>>,
        is_looked_at: impl Fn(usize) -> bool,
    ) {
        let mut made = Blocks::default();
        for (a, atom) in atoms.iter().enumerate() {
            let servers = atom.iter().map(|&s| self.add(scenario.servers[s].clone())).collect();
            let takes = (0..atoms.len()).map(|other| u32::from(a == other)).collect();
            made.push(Block { servers, takes }, None);
        }
        for size in 1..=atoms.len() {
            if !is_looked_at(size) {
                continue;
            }
            for set in sets(atoms.len(), size) {
                let members: Vec<usize> = set.iter().flat_map(|&a| atoms[a].clone()).collect();
                let Some(server) = self.stand_in(scenario, &members).filter(|_| members.len() > 1)
                else {
                    continue;
                };
                let takes: Vec<u32> =
                    (0..atoms.len()).map(|a| u32::from(set.contains(&a))).collect();
                self.together(scenario, server, &takes, &mut made);
            }
        }
        self.alone.push((0..atoms.len()).collect());
        self.units.push(Unit { members: vec![1; atoms.len()], blocks: made.blocks });
        self.divisions.push(made.divisions);
        self.members.push(atoms);
        self.whole.push(true);
    }

    fn add(&mut self, server: Server) -> usize {
        self.scenario.servers.push(server);
        self.scenario.servers.len() - 1
    }

    /// Adds a server that serves so many of each kind, and the pools that may stand in its place.
    fn together(&mut self, scenario: &Scenario, server: Server, takes: &[u32], into: &mut Blocks) {
        let one = Block { servers: vec![self.add(server.clone())], takes: takes.to_vec() };
        into.push(one, None);
        let stays = !self.moves_are_free && server.current.is_some();
        if !disaggregation::may_be_apart(&server) || stays {
            return;
        }
        let limits = self.scenario.classes[server.class].targets[server.model];
        let limits = limits.unwrap_or_else(Objectives::none);
        for division in Division::all(&limits) {
            let pools =
                disaggregation::pools(scenario, &mut self.scenario.classes, &server, division);
            let servers = pools.map(|pool| self.add(pool)).to_vec();
            into.push(Block { servers, takes: takes.to_vec() }, Some(division));
        }
    }

    /// The server that stands for members, where they can share.
    fn stand_in(&mut self, scenario: &Scenario, members: &[usize]) -> Option<Server> {
        match members {
            [alone] => Some(scenario.servers[*alone].clone()),
            _ => sharing::together(scenario, &mut self.scenario.classes, members).ok(),
        }
    }

    /// How servers are served where units are as decided.
    pub fn decision(&self, decided: &Decided) -> Decision {
        let mut decision = Decision::new();
        for (g, chosen) in decided.iter().enumerate() {
            let mut left = self.members[g].clone();
            for &b in chosen {
                let block = &self.units[g].blocks[b];
                let mut members: Vec<usize> = Vec::new();
                for (kind, takes) in left.iter_mut().zip(&block.takes) {
                    let n =
                        if self.whole[g] { kind.len() * *takes as usize } else { *takes as usize };
                    members.extend(kind.drain(..n));
                }
                let division = self.divisions[g][b];
                let shared = block.servers.len() == 1 && members.len() > 1;
                if shared || division.is_some() {
                    decision.push(Served { members, division });
                }
            }
        }
        decision
    }
}

/// Blocks of a unit, each with how limits are divided between its pools.
#[derive(Default)]
struct Blocks {
    blocks: Vec<Block>,
    divisions: Vec<Option<Division>>,
}

impl Blocks {
    fn push(&mut self, block: Block, division: Option<Division>) {
        self.blocks.push(block);
        self.divisions.push(division);
    }
}

/// Members by kind, in their order.
fn kinds(members: &[usize], alike: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut kinds: Vec<Vec<usize>> = Vec::new();
    for &s in members {
        match kinds.iter_mut().find(|kind| alike(kind[0], s)) {
            Some(kind) => kind.push(s),
            None => kinds.push(vec![s]),
        }
    }
    kinds
}

/// Whether servers agree in all but their names.
fn same(a: &Server, b: &Server) -> bool {
    *a == Server { name: a.name.clone(), ..b.clone() }
}

/// Whether a replica does the same for both, whatever they need of it.
fn same_needs(a: &Server, b: &Server) -> bool {
    let load = Load { arrival_rate_per_min: a.load.arrival_rate_per_min, ..b.load };
    let of_a =
        Server { min_replicas: a.min_replicas, current: a.current.clone(), load, ..b.clone() };
    same(a, &of_a) && (a.load.rate_per_s() > 0.0) == (b.load.rate_per_s() > 0.0)
}

/// Every count of members from none of each kind, but that itself, to all.
fn counts(all: &[u32]) -> Vec<Vec<u32>> {
    let mut counts = vec![Vec::new()];
    for &most in all {
        let with = |count: Vec<u32>| (0..=most).map(move |n| [&count[..], &[n]].concat());
        counts = counts.into_iter().flat_map(with).collect();
    }
    counts.retain(|count: &Vec<u32>| count.iter().any(|n| *n > 0));
    counts
}

/// Every set of `size` of the first `of` numbers.
fn sets(of: usize, size: usize) -> Vec<Vec<usize>> {
    let mut sets = vec![Vec::new()];
    for _ in 0..size {
        let grown = |set: Vec<usize>| {
            let from = set.last().map_or(0, |last| last + 1);
            (from..of).map(move |next| [&set[..], &[next]].concat())
        };
        sets = sets.into_iter().flat_map(grown).collect();
    }
    sets
}
