//! A mixed-integer program of the planning problem, with the meaning of its columns.

use isocost_model::plan::{Approach, Choice, OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, Milp, Solution, SolveOptions, SolverError};
use rustc_hash::FxHashMap;

use crate::problem::Problem;

/// Share of what is summed that a sum may be off by.
const ROUNDING: f64 = 1e-9;

/// Replicas that one unit of a column places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meaning {
    /// Index of the server.
    pub server: usize,
    /// Index into the server's items.
    pub item: usize,
    /// Replicas for each unit of the column.
    pub replicas: u64,
}

/// A program and what its columns place.
#[derive(Debug, Clone)]
pub struct Program {
    /// What a choice read off it is.
    pub approach: Approach,
    /// The program.
    pub milp: Milp,
    /// For each column what it places; several meanings for a pattern, none for an auxiliary.
    pub meanings: Vec<Vec<Meaning>>,
}

impl Program {
    /// Replicas by server that the columns' `values` place: (index of candidate, replicas).
    pub fn decode(&self, problem: &Problem, values: &[f64]) -> Vec<Vec<(usize, u64)>> {
        let mut shares: Vec<FxHashMap<usize, u64>> =
            vec![FxHashMap::default(); problem.servers.len()];
        for (meanings, &value) in self.meanings.iter().zip(values) {
            let units = value.round().max(0.0) as u64;
            for meaning in meanings.iter().filter(|_| units > 0) {
                let candidate = problem.items(meaning.server)[meaning.item].candidate;
                *shares[meaning.server].entry(candidate).or_default() += units * meaning.replicas;
            }
        }
        let sorted = |share: FxHashMap<usize, u64>| {
            let mut share: Vec<(usize, u64)> = share.into_iter().collect();
            share.sort_unstable();
            share
        };
        shares.into_iter().map(sorted).collect()
    }

    /// Solves the program by `backend` and reads the choice off its solution.
    ///
    /// # Errors
    /// What the backend reports of a program that it cannot take.
    pub fn solve(
        &self,
        problem: &Problem,
        backend: &dyn Backend,
        options: &SolveOptions,
    ) -> Result<Choice, SolverError> {
        let solution = backend.solve(&self.milp, options)?;
        Ok(self.choice(problem, &solution, backend.name()))
    }

    /// The choice that a solution of the program stands for. A bound that misses its objective by the
    /// rounding of the costs alone is met: a change's value is their difference, and may be near nothing.
    pub fn choice(&self, problem: &Problem, solution: &Solution, backend: &str) -> Choice {
        let (objective, mut bound) = (solution.objective, solution.bound);
        if objective - bound <= ROUNDING * self.summed(&solution.values) {
            bound = bound.max(objective);
        }
        let status = match solution.status {
            isocost_solver::Status::Infeasible => Status::Infeasible,
            isocost_solver::Status::Unknown | isocost_solver::Status::Unbounded => Status::Unknown,
            _ if relative_gap(objective, bound) <= OPTIMAL_GAP => Status::Optimal,
            _ => Status::Feasible,
        };
        Choice {
            status,
            shares: self.decode(problem, &solution.values),
            objective,
            bound,
            approach: self.approach,
            backend: backend.to_owned(),
            notes: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// What the objective sums at `values`, each part by its size.
    fn summed(&self, values: &[f64]) -> f64 {
        let parts = self.milp.columns.iter().zip(values).map(|(c, x)| (c.cost * x).abs());
        self.milp.offset.abs() + parts.sum::<f64>()
    }
}
