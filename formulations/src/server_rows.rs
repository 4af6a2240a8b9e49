//! **server rows**: what one server asks of a program, stated once for every formulation.
//!
//! ```text
//! data        L_s, r_sj, c_sj, u_sjk, C_k, m_s, M_s    as in [`crate::problem`]
//!             T_s                                      fewest card types
//!             N_sj = min(max(ceil(L_s / r_sj), m_s, 1), M_s)    most replicas of any use
//! variables   n_sj in Z, 0 .. N_sj                     replicas of s on j
//!             a_st in {0, 1}                           s has a replica on type t
//!             k_s, q_s in {0, 1}                       s keeps its accelerator / uses another
//!
//! a mix       sum_j (r_sj / L_s) n_sj >= 1                       (cover)
//!             sum_j n_sj >= m_s                                  (floor)
//!             sum_j n_sj <= M_s                                  (ceiling)
//!             sum_t a_st >= T_s,  a_st <= sum_{j in t} n_sj      (spread, where T_s > 1)
//!             k_s <= sum_{j now(s)} n_sj                         (keep, where a move is charged)
//!             n_sj <= N_sj q_s  for each j not now(s)            (move, where moves are limited)
//! alone       sum_j y_sj = 1,  y_sj in {0, 1}: all replicas, max(ceil(L_s / r_sj), m_s), on j
//!
//! all         sum_s sum_j u_sjk n_sj <= C_k for each k           (limit)
//!             sum_s q_s <= moves                                 (moves, where limited)
//! ```
//!
//! Without load the ceiling is what floor and spread ask for. What cover, floor and spread ask for is
//! the whole of it, or less by a column of the program's own (`Ask`): that is how a server is left
//! out, or served in part.
//!
//! No row has room for rounding: sums are shares, of which a solver's own tolerance is enough, and a
//! number of replicas that covers the load within its tolerance is made to cover it exactly. Where a
//! row has a little more room than its tolerance, HiGHS 1.16 drops points that need it, and calls
//! what is left optimal.
//!
//! With `transition`, replicas off the current accelerator cost 1 + 0.1 of their price, giving the
//! current one up (`k_s = 0`) costs 0.1 of the old cost, and the old cost is taken off: for a plan on
//! one accelerator that is the change's value.

use isocost_model::plan::Approach;
use isocost_solver::{Column, Milp, Row};

use crate::pattern::column::Pattern;
use crate::problem::{Item, MOVE_PENALTY, Needs, Problem, ProblemOptions};
use crate::program::{Meaning, Program};

/// How much of an amount a row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ask {
    /// All of it.
    #[default]
    All,
    /// None where the column is 1, all where it is 0.
    Unless(usize),
    /// What the column says.
    UpTo(usize),
}

/// How much of its needs a server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asks {
    /// Of the load, as a share.
    pub load: Ask,
    /// Of its fewest replicas.
    pub floor: Ask,
    /// Of its fewest card types.
    pub types: Ask,
}

impl Asks {
    /// All or nothing, by one column.
    pub fn unless(left_out: Option<usize>) -> Self {
        let ask = left_out.map_or(Ask::All, Ask::Unless);
        Self { load: ask, floor: ask, types: ask }
    }
}

/// The columns of a server's mix.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mix {
    /// `n_sj` for each item.
    pub n: Vec<usize>,
    /// (card type, `a_st`), where spread is asked.
    pub types: Vec<(usize, usize)>,
    /// `k_s`, where giving the current accelerator up is charged.
    pub keep: Option<usize>,
    /// `q_s`, where moves are limited.
    pub moved: Option<usize>,
}

/// A program as it grows, server by server.
pub(crate) struct Rows<'a> {
    /// The program, its limits apart.
    pub milp: Milp,
    /// What each column places.
    pub meanings: Vec<Vec<Meaning>>,
    /// A row for each limit, the one for moves last.
    pub limits: Vec<Row>,
    /// What names of columns and rows begin with.
    pub prefix: String,
    /// Factor on costs.
    pub weight: f64,
    problem: &'a Problem,
    options: ProblemOptions,
}

impl<'a> Rows<'a> {
    /// A program without servers.
    pub fn new(name: &str, problem: &'a Problem, options: &ProblemOptions) -> Self {
        let limit = |limit: &crate::problem::Limit| {
            Row::at_most(format!("limit_{}", limit.name), limit.capacity, Vec::new())
        };
        let mut limits: Vec<Row> = problem.limits.iter().map(limit).collect();
        limits.extend(options.max_moves.map(|most| Row::at_most("moves", most as f64, Vec::new())));
        let milp = Milp { name: name.to_owned(), ..Milp::default() };
        let (meanings, prefix) = (Vec::new(), String::new());
        Self { milp, meanings, limits, prefix, weight: 1.0, problem, options: *options }
    }

    /// Adds the limits, and is done.
    pub fn program(mut self, approach: Approach) -> Program {
        self.add_limits();
        Program { approach, milp: self.milp, meanings: self.meanings }
    }

    /// Adds the rows of the limits to the program.
    pub fn add_limits(&mut self) {
        for row in std::mem::take(&mut self.limits) {
            self.milp.add_row(row);
        }
    }

    /// Adds a column that places nothing.
    pub fn column(&mut self, column: Column) -> usize {
        self.place(column, Vec::new())
    }

    /// Adds a column that is 0 or 1, and places nothing.
    pub fn binary(&mut self, name: std::fmt::Arguments<'_>, cost: f64) -> usize {
        let name = self.name(name);
        self.column(Column::integer(name, cost, 0.0, 1.0))
    }

    /// Adds what is proven of the prices of a server's mixes, `lower <= sum <= upper`.
    pub fn price(&mut self, s: usize, mut row: Row) {
        let scale = row.lower.abs().max(1.0);
        row.name = self.name(format_args!("price_{s}_{}", row.name));
        row.terms.iter_mut().for_each(|term| term.1 /= scale);
        (row.lower, row.upper) = (row.lower / scale - 1e-12, row.upper / scale + 1e-12);
        self.row(row);
    }

    /// Adds a row.
    pub fn row(&mut self, row: Row) {
        self.milp.add_row(row);
    }

    /// A name with the program's prefix.
    pub fn name(&self, name: std::fmt::Arguments<'_>) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Adds a server on one of its items alone, or left out where that column is 1: the columns
    /// `y_sj`, with their items.
    pub fn alone(&mut self, s: usize, left_out: Option<usize>) -> Vec<(usize, usize)> {
        let Some(needs) = self.begin(s) else { return Vec::new() };
        let mut columns = Vec::new();
        for (j, item) in self.problem.items(s).iter().enumerate() {
            let Some(replicas) = needs.replicas(item).filter(|_| needs.min_types <= 1) else {
                continue;
            };
            let n = replicas as f64;
            let mut cost = item.cost * n;
            if self.options.transition {
                cost += needs.move_charge(item.accelerator, cost);
            }
            let name = self.name(format_args!("y_{s}_{j}"));
            let column = Column::integer(name, cost * self.weight, 0.0, 1.0);
            let y = self.place(column, vec![Meaning { server: s, item: j, replicas }]);
            self.uses(y, item.uses.iter().map(|&(k, amount)| (k, amount * n)));
            if self.options.max_moves.is_some() && needs.is_off(item) {
                self.moves(y);
            }
            columns.push((j, y));
        }
        let terms = columns.iter().map(|&(_, y)| (y, 1.0));
        let terms = terms.chain(left_out.map(|z| (z, 1.0))).collect();
        self.row(Row::equal(self.name(format_args!("serve_{s}")), 1.0, terms));
        columns
    }

    /// Adds a server on any mix of its items; `None` if it needs nothing.
    pub fn mix(&mut self, s: usize, asks: Asks) -> Option<Mix> {
        let needs = self.begin(s)?;
        let items = self.problem.items(s);
        let n: Vec<usize> = (0..items.len()).map(|j| self.replicas(s, j)).collect();
        let all = || n.iter().map(|&n| (n, 1.0)).collect::<Vec<_>>();
        if needs.demand > 0.0 {
            let shares = n.iter().zip(items).map(|(&n, item)| (n, needs.part(item))).collect();
            let name = self.name(format_args!("cover_{s}"));
            self.ask(Row::at_least(name, 1.0, shares), asks.load);
        }
        if needs.min_replicas > 0 {
            let name = self.name(format_args!("floor_{s}"));
            self.ask(Row::at_least(name, needs.min_replicas as f64, all()), asks.floor);
        }
        if let Some(most) = needs.ceiling() {
            let name = self.name(format_args!("ceiling_{s}"));
            self.row(Row::at_most(name, most as f64, all()));
        }
        let types = if needs.min_types > 1 { self.spread(s, &n, asks.types) } else { Vec::new() };
        let (mut keep, mut moved) = (None, None);
        if let Some((_, old)) = needs.current {
            keep = self.options.transition.then(|| self.keep(s, &n, old));
            moved = self.options.max_moves.map(|_| self.moved(s, &n));
        }
        Some(Mix { n, types, keep, moved })
    }

    /// Adds a server by the list of its patterns.
    pub fn listed(&mut self, s: usize, patterns: &[Pattern]) {
        let mut terms = Vec::with_capacity(patterns.len());
        for (p, pattern) in patterns.iter().enumerate() {
            let x = self.binary(format_args!("x_{s}_{p}"), pattern.cost * self.weight);
            terms.push((x, 1.0));
            let uses = pattern.uses.iter().copied().enumerate();
            self.uses(x, uses.filter(|&(_, amount)| amount > 0.0));
        }
        self.row(Row::equal(self.name(format_args!("one_{s}")), 1.0, terms));
    }

    /// The needs of server `s`, its old cost taken off; `None` if it needs nothing.
    fn begin(&mut self, s: usize) -> Option<&'a Needs> {
        let needs = &self.problem.servers[s];
        if self.options.transition {
            self.milp.offset -= self.weight * needs.current.map_or(0.0, |(_, old)| old);
        }
        (!needs.is_idle()).then_some(needs)
    }

    fn place(&mut self, column: Column, meaning: Vec<Meaning>) -> usize {
        self.meanings.push(meaning);
        self.milp.add_column(column)
    }

    fn uses(&mut self, column: usize, uses: impl Iterator<Item = (usize, f64)>) {
        uses.for_each(|(k, amount)| self.limits[k].terms.push((column, amount)));
    }

    /// Counts a column as a move.
    fn moves(&mut self, column: usize) {
        self.limits[self.problem.limits.len()].terms.push((column, 1.0));
    }

    /// Adds a row `sum >= amount`, of which so much is asked for.
    fn ask(&mut self, mut row: Row, ask: Ask) {
        match ask {
            Ask::All => {}
            Ask::Unless(column) => row.terms.push((column, row.lower)),
            Ask::UpTo(column) => {
                row.terms.push((column, -1.0));
                row.lower = 0.0;
            }
        }
        self.row(row);
    }

    /// The column `n_sj`.
    fn replicas(&mut self, s: usize, j: usize) -> usize {
        let (needs, item) = (&self.problem.servers[s], &self.problem.items(s)[j]);
        let is_charged = self.options.transition && needs.is_off(item);
        let charge = if is_charged { 1.0 + MOVE_PENALTY } else { 1.0 };
        let (name, cost) = (self.name(format_args!("n_{s}_{j}")), item.cost * charge * self.weight);
        let column = Column::integer(name, cost, 0.0, needs.most(item) as f64);
        let n = self.place(column, vec![Meaning { server: s, item: j, replicas: 1 }]);
        self.uses(n, item.uses.iter().copied());
        n
    }

    /// Rows `sum_t a_st >= T_s` and `a_st <= sum_{j in t} n_sj`, and the columns `a_st` by type.
    fn spread(&mut self, s: usize, n: &[usize], ask: Ask) -> Vec<(usize, usize)> {
        let items = self.problem.items(s);
        let mut used = Vec::new();
        for t in card_types(items) {
            let a = self.binary(format_args!("a_{s}_{t}"), 0.0);
            let name = self.name(format_args!("on_{s}_{t}"));
            self.at_most_sum(name, a, on(items, n, |item| item.card_type == t));
            used.push((t, a));
        }
        let sum = used.iter().map(|&(_, a)| (a, 1.0)).collect();
        let least = f64::from(self.problem.servers[s].min_types);
        self.ask(Row::at_least(self.name(format_args!("spread_{s}")), least, sum), ask);
        used
    }

    /// The column `k_s`: giving the current accelerator up costs a tenth of the old cost.
    fn keep(&mut self, s: usize, n: &[usize], old: f64) -> usize {
        let (needs, saved) = (&self.problem.servers[s], MOVE_PENALTY * old * self.weight);
        self.milp.offset += saved;
        let k = self.binary(format_args!("k_{s}"), -saved);
        let name = self.name(format_args!("keep_{s}"));
        self.at_most_sum(name, k, on(self.problem.items(s), n, |item| !needs.is_off(item)));
        k
    }

    /// The column `q_s`: a replica off the current accelerator is a move.
    fn moved(&mut self, s: usize, n: &[usize]) -> usize {
        let needs = &self.problem.servers[s];
        let q = self.binary(format_args!("q_{s}"), 0.0);
        self.moves(q);
        for n in on(self.problem.items(s), n, |item| needs.is_off(item)) {
            let terms = vec![(n, 1.0), (q, -self.milp.columns[n].upper)];
            self.row(Row::at_most(self.name(format_args!("move_{s}_{n}")), 0.0, terms));
        }
        q
    }

    /// The row `column <= sum`.
    fn at_most_sum(&mut self, name: String, column: usize, sum: Vec<usize>) {
        let terms = sum.into_iter().map(|n| (n, 1.0)).chain([(column, -1.0)]).collect();
        self.row(Row::at_least(name, 0.0, terms));
    }
}

/// The columns `n` of the items that are meant.
fn on(items: &[Item], n: &[usize], is_meant: impl Fn(&Item) -> bool) -> Vec<usize> {
    items.iter().zip(n).filter(|(item, _)| is_meant(item)).map(|(_, &n)| n).collect()
}

/// Card types of `items`, each once.
pub(crate) fn card_types<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<usize> {
    let mut types: Vec<usize> = items.into_iter().map(|item| item.card_type).collect();
    types.sort_unstable();
    types.dedup();
    types
}

/// Units of limit `k` that no useful plan goes beyond: each server on the item that takes most of it
/// for the load or the floor alone, and beside that one replica for what the last one covers too
/// much, and one for each type to be spread over.
pub(crate) fn most_used(problem: &Problem, k: usize) -> f64 {
    let mut all = 0.0;
    for (s, needs) in problem.servers.iter().enumerate().filter(|(_, needs)| !needs.is_idle()) {
        // A ceiling binds a mix of items otherwise than each alone.
        let free = Needs { max_replicas: None, ..needs.clone() };
        let (mut alone, mut one): (f64, f64) = (0.0, 0.0);
        for item in problem.items(s) {
            let taken: f64 = item.uses.iter().filter(|u| u.0 == k).map(|u| u.1).sum();
            alone = alone.max(taken * free.most(item) as f64);
            one = one.max(taken);
        }
        let types = if needs.min_types > 1 { f64::from(needs.min_types) } else { 0.0 };
        all += alone + one * (1.0 + types);
    }
    all
}
