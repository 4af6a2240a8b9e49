//! **elastic**: the least that has to give for all servers to fit.
//!
//! ```text
//! data        as in `single` and `mixed`, without costs
//!             w_k   price of a unit more of limit k (card, watt); none: the limit stands
//!             v_s   price of leaving server s out; none: it has to be served
//! variables   e_k in Z, >= 0                          units added to limit k
//!             z_s in {0, 1}                           s is left out
//!             y_sj in {0, 1} (single),  n_sj in Z, >= 0 (mixed)
//!
//! minimise    sum_k w_k e_k + sum_s v_s z_s
//! subject to  sum_j y_sj + z_s = 1                    for each s       (single: serve)
//!             sum_j r_sj n_sj + L_s z_s >= L_s        for each s       (mixed: cover)
//!             sum_j n_sj + m_s z_s >= m_s,  sum_j n_sj <= M_s          (mixed: replicas)
//!             sum_t a_st + T_s z_s >= T_s,  a_st <= sum_{j in t} n_sj  (mixed: spread, where asked)
//!             sum_s sum_j u_sjk n_sj - e_k <= C_k     for each k       (limit)
//!             n_sj <= n_max q_s (j not now(s)), sum_s q_s <= moves     (moves, where limited)
//! ```
//!
//! At 0 the servers fit as they are. It proves the cheapest repair, the fewest servers to leave out,
//! and, with nothing that may give, whether all fit. An item that takes no less of any limit than
//! another of the same server, and gives no more, is left out.

use isocost_model::plan::OPTIMAL_GAP;
use isocost_solver::{Backend, Column, Milp, Row, SolveOptions, SolverError, Status};

use super::known::Known;
use isocost_formulations::mixed::most_replicas;
use isocost_formulations::pattern::Shape;
use isocost_formulations::problem::{COVER_TOLERANCE, Item, Needs, Problem};

/// What may give, and at what price.
#[derive(Debug, Clone, PartialEq)]
pub struct Give {
    /// `w_k` for each limit.
    pub more: Vec<Option<f64>>,
    /// `v_s` for each server.
    pub out: Vec<Option<f64>>,
}

impl Give {
    /// Nothing gives.
    pub fn nothing(problem: &Problem) -> Self {
        Self { more: vec![None; problem.limits.len()], out: vec![None; problem.servers.len()] }
    }
}

/// The least that has to give.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Price of it all.
    pub price: Known,
    /// `e_k`, where a solution was found.
    pub more: Vec<u64>,
    /// Servers that are left out.
    pub out: Vec<usize>,
}

impl Given {
    /// Whether all servers fit as they are: `None` where that was neither found nor excluded.
    pub fn fits(&self) -> Option<bool> {
        if self.price.at_most() <= 0.0 {
            Some(true)
        } else if self.price.at_least() > 0.0 {
            Some(false)
        } else {
            None
        }
    }
}

/// Solves the program above; `moves` limits how many servers may leave their accelerator.
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    problem: &Problem,
    shape: Shape,
    moves: Option<u64>,
    give: &Give,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Given, SolverError> {
    let statement = Statement::new(problem, shape, moves, give);
    let solution = backend.solve(&statement.milp, options)?;
    let none = Given { price: Known::Infeasible, more: Vec::new(), out: Vec::new() };
    if solution.status == Status::Infeasible {
        return Ok(none);
    }
    // A program without columns has an empty point.
    if !matches!(solution.status, Status::Optimal | Status::Feasible) {
        let at_least = solution.bound.max(0.0);
        return Ok(Given { price: Known::between(at_least, f64::INFINITY), ..none });
    }
    let value = |c: &Option<usize>| c.map_or(0.0, |c| solution.values[c]);
    let priced = |price: &Option<f64>, c: &Option<usize>| price.unwrap_or(0.0) * value(c);
    // Summed anew from whole units: the solver's own sum carries its rounding.
    let price: f64 = give.more.iter().zip(&statement.more).map(|(w, c)| priced(w, c)).sum::<f64>()
        + give.out.iter().zip(&statement.out).map(|(v, c)| priced(v, c)).sum::<f64>();
    let proven = solution.bound >= price - OPTIMAL_GAP * price.abs();
    Ok(Given {
        price: if proven {
            Known::exact(price)
        } else {
            Known::between(solution.bound.clamp(0.0, price), price)
        },
        more: statement.more.iter().map(|c| value(c) as u64).collect(),
        out: (0..give.out.len()).filter(|&s| value(&statement.out[s]) > 0.5).collect(),
    })
}

/// The program as it grows, server by server.
struct Statement {
    milp: Milp,
    more: Vec<Option<usize>>,
    out: Vec<Option<usize>>,
    limits: Vec<Row>,
    moves: Vec<(usize, f64)>,
}

impl Statement {
    fn new(problem: &Problem, shape: Shape, moves: Option<u64>, give: &Give) -> Self {
        let mut milp = Milp { name: "elastic".to_owned(), ..Milp::default() };
        let mut more = Vec::new();
        let mut limits = Vec::new();
        for (k, (limit, price)) in problem.limits.iter().zip(&give.more).enumerate() {
            let most = most_more(problem, k);
            let column =
                price.map(|w| milp.add_column(Column::integer(format!("e_{k}"), w, 0.0, most)));
            let terms = column.map(|e| (e, -1.0)).into_iter().collect();
            limits.push(Row::at_most(format!("limit_{k}"), limit.capacity, terms));
            more.push(column);
        }
        let mut statement = Self { milp, more, out: Vec::new(), limits, moves: Vec::new() };
        for s in 0..problem.servers.len() {
            statement.server(problem, shape, moves.is_some(), s, give.out[s]);
        }
        std::mem::take(&mut statement.limits).into_iter().for_each(|row| {
            statement.milp.add_row(row);
        });
        if let Some(most) = moves {
            let terms = std::mem::take(&mut statement.moves);
            statement.milp.add_row(Row::at_most("moves", most as f64, terms));
        }
        statement
    }

    fn binary(&mut self, name: String, price: f64) -> usize {
        self.milp.add_column(Column::integer(name, price, 0.0, 1.0))
    }

    fn server(
        &mut self,
        problem: &Problem,
        shape: Shape,
        counted: bool,
        s: usize,
        price: Option<f64>,
    ) {
        let needs = &problem.servers[s];
        let price = price.filter(|_| !needs.is_idle());
        let z = price.map(|v| self.binary(format!("z_{s}"), v));
        self.out.push(z);
        if needs.is_idle() {
            return;
        }
        let items = problem.items(s);
        let kept: Vec<&Item> = match counted || needs.min_types > 1 {
            true => items.iter().collect(),
            false => undominated(needs, items, shape),
        };
        match shape {
            Shape::Single => self.alone(needs, &kept, s, z),
            Shape::Mixed => self.mix(needs, &kept, s, z, counted),
        }
    }

    /// One accelerator for the server.
    fn alone(&mut self, needs: &Needs, items: &[&Item], s: usize, z: Option<usize>) {
        let mut serve: Vec<(usize, f64)> = z.map(|z| (z, 1.0)).into_iter().collect();
        for (j, item) in items.iter().enumerate() {
            let Some(n) = needs.replicas(item).filter(|_| needs.min_types <= 1) else { continue };
            let y = self.binary(format!("y_{s}_{j}"), 0.0);
            serve.push((y, 1.0));
            for &(k, amount) in &item.uses {
                self.limits[k].terms.push((y, amount * n as f64));
            }
            if needs.current.is_some_and(|(now, _)| now != item.accelerator) {
                self.moves.push((y, 1.0));
            }
        }
        self.milp.add_row(Row::equal(format!("serve_{s}"), 1.0, serve));
    }

    /// Several accelerators for the server.
    fn mix(&mut self, needs: &Needs, items: &[&Item], s: usize, z: Option<usize>, counted: bool) {
        let columns: Vec<usize> = items
            .iter()
            .enumerate()
            .map(|(j, item)| {
                let most = most_replicas(needs, item);
                let n = self.milp.add_column(Column::integer(format!("n_{s}_{j}"), 0.0, 0.0, most));
                item.uses.iter().for_each(|&(k, amount)| self.limits[k].terms.push((n, amount)));
                n
            })
            .collect();
        let sum = |of: &dyn Fn(&Item) -> f64| -> Vec<(usize, f64)> {
            columns.iter().zip(items).map(|(&n, item)| (n, of(item))).collect()
        };
        let with = |mut terms: Vec<(usize, f64)>, lower: f64| {
            terms.extend(z.map(|z| (z, lower)));
            terms
        };
        if needs.demand > 0.0 {
            let cover = needs.demand * (1.0 - COVER_TOLERANCE);
            let terms = with(sum(&|item| item.rate), cover);
            self.milp.add_row(Row::at_least(format!("cover_{s}"), cover, terms));
        }
        if needs.min_replicas > 0 {
            let least = needs.min_replicas as f64;
            let terms = with(sum(&|_| 1.0), least);
            self.milp.add_row(Row::at_least(format!("least_{s}"), least, terms));
        }
        if let Some(most) = needs.max_replicas {
            self.milp.add_row(Row::at_most(format!("most_{s}"), most as f64, sum(&|_| 1.0)));
        }
        if needs.min_types > 1 {
            let mut used: Vec<(usize, f64)> = Vec::new();
            let mut types: Vec<usize> = items.iter().map(|item| item.card_type).collect();
            types.sort_unstable();
            types.dedup();
            for t in types {
                let a = self.binary(format!("a_{s}_{t}"), 0.0);
                let of_type = columns.iter().zip(items).filter(|(_, item)| item.card_type == t);
                let mut terms: Vec<(usize, f64)> = of_type.map(|(&n, _)| (n, 1.0)).collect();
                terms.push((a, -1.0));
                self.milp.add_row(Row::at_least(format!("on_{s}_{t}"), 0.0, terms));
                used.push((a, 1.0));
            }
            let least = f64::from(needs.min_types);
            used.extend(z.map(|z| (z, least)));
            self.milp.add_row(Row::at_least(format!("spread_{s}"), least, used));
        }
        if let Some((now, _)) = needs.current.filter(|_| counted) {
            let q = self.binary(format!("q_{s}"), 0.0);
            self.moves.push((q, 1.0));
            for (&n, _) in columns.iter().zip(items).filter(|(_, item)| item.accelerator != now) {
                let terms = vec![(n, 1.0), (q, -self.milp.columns[n].upper)];
                self.milp.add_row(Row::at_most(format!("move_{s}_{n}"), 0.0, terms));
            }
        }
    }
}

/// Units of limit `k` that serve every server that can use it on it alone: no repair adds more.
fn most_more(problem: &Problem, k: usize) -> f64 {
    let of_server = |s: usize| {
        let needs = &problem.servers[s];
        // A mix of several items may overshoot by one replica of the largest.
        let spread = 1.0 + f64::from(needs.min_types);
        let on_k = problem.items(s).iter().filter_map(|item| {
            let taken = item.uses.iter().find(|u| u.0 == k)?.1;
            Some(taken * (most_replicas(needs, item) + spread))
        });
        if needs.is_idle() { 0.0 } else { on_k.fold(0.0, f64::max) }
    };
    (0..problem.servers.len()).map(of_server).sum::<f64>().ceil()
}

/// Items that no other one beats: it takes no more of any limit and covers no less.
fn undominated<'a>(needs: &Needs, items: &'a [Item], shape: Shape) -> Vec<&'a Item> {
    let value = |item: &Item| match shape {
        Shape::Single => needs.replicas(item).map(|n| (n as f64, 0.0)),
        Shape::Mixed => Some((1.0, item.rate)),
    };
    let beats = |a: (usize, &Item), b: (usize, &Item)| {
        let (Some((n, rate)), Some((m, other))) = (value(a.1), value(b.1)) else {
            return value(b.1).is_none();
        };
        let taken =
            |item: &Item, k: usize| item.uses.iter().filter(|u| u.0 == k).map(|u| u.1).sum::<f64>();
        let less = a.1.uses.iter().all(|&(k, amount)| amount * n <= taken(b.1, k) * m);
        let strictly =
            rate > other || b.1.uses.iter().any(|&(k, amount)| amount * m > taken(a.1, k) * n);
        less && rate >= other && (strictly || a.0 < b.0)
    };
    let each = || items.iter().enumerate();
    each().filter(|&b| !each().any(|a| a.0 != b.0 && beats(a, b))).map(|b| b.1).collect()
}
