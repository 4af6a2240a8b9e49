//! **buckets**: requests by size, spread over GPU types.
//!
//! ```text
//! sets        b in B buckets that requests fall into,  g in G GPU types,  l in L limits
//! data        lambda_b  rate of b, requests/s;   t_bg  rate of b that one g keeps up with, requests/s,
//!                       0 where it cannot serve b
//!             a_bg = lambda_b / t_bg   GPUs of type g that the whole of b keeps busy
//!             c_g       price of a g, an hour;   K  slices that a bucket is cut into
//!             u_lg      units of l that a g takes;   M_l  units there are
//! variables   x_bg in {0, ..., K}, only where t_bg > 0     slices of b on g
//!             n_g in Z, >= 0                               GPUs of type g
//!
//! minimise    sum_g c_g n_g
//! subject to  sum_g x_bg = K                     for each b     (serve)
//!             sum_b a_bg x_bg <= K n_g           for each g     (load)
//!             sum_g u_lg n_g <= M_l              for each l     (limit)
//! ```
//!
//! The statement that it comes from gives each slice a binary for each GPU type. The slices of a bucket
//! are alike: their loads are `a_bg / K`, whichever slice it is, so that two assignments with the same
//! counts `x_bg` have the same load on every GPU type and the same cost. Each assignment has such counts,
//! and each `x` that serves has an assignment (the first `x_b1` slices to the first type, the next `x_b2`
//! to the second, ...). Hence the optima are equal, with `|B||G|` integers instead of `K|B||G|` binaries,
//! and without the `K! / prod_g x_bg!` assignments of a bucket that differ in name alone.
//!
//! With `K` infinite the split is any: `x_bg` is continuous in [0, 1] with `K = 1`. Every `x` of a
//! finite `K`, over that `K`, is such a split, so that its optimum is a lower bound for all `K`; and
//! only `|G|` integers are left in it. That is the way to a proof ([`Formulation::Staged`]):
//!
//! 1. [`reduce`]: GPU types that another one beats everywhere, at no higher price, are left out.
//! 2. Any split: counts `n` and the bound.
//! 3. The split rounded to slices ([`incumbent`]); where it does not fit into `n`, a program that looks
//!    for slices that do. If there are any, they cost what the bound says: a proof.
//! 4. Else the whole program, with the bound as a row.
//!
//! Where nothing fits, [`reason`] says which bucket no GPU serves, or how much of the rate the limits
//! allow. It proves the cheapest counts under the model of [`isocost_model::buckets`], whose source is
//! Griggs et al. (arXiv 2404.14527, 2024).

pub mod incumbent;
pub mod reason;
pub mod reduce;
pub mod statement;

use isocost_model::buckets::{Buckets, SliceFactor, Spread};
use isocost_model::plan::{OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, Deadline, Solution, SolveOptions, SolverError, Status as Solved};

use incumbent::Incumbent;
use statement::{Form, Statement};

/// How the question is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formulation {
    /// Counts by any split first, then slices.
    #[default]
    Staged,
    /// The program above, in one piece.
    Merged,
    /// A binary for each slice and GPU type, as the statement that it comes from.
    Slices,
}

impl Formulation {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staged => "buckets",
            Self::Merged => "buckets, merged",
            Self::Slices => "buckets, slice by slice",
        }
    }
}

/// Spreads the buckets at least cost.
///
/// # Errors
/// What the backend reports of a program that it cannot take.
pub fn solve(
    question: &Buckets,
    formulation: Formulation,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Spread, SolverError> {
    let reduced = reduce::reduced(question);
    let mut search = Search {
        question: &reduced,
        backend,
        clock: Deadline::new(options),
        best: None,
        bound: 0.0,
        infeasible: false,
    };
    let unserved = reason::unserved(question);
    let mut notes = Vec::new();
    if unserved.is_empty() {
        search.offer_all(incumbent::singles(&reduced));
        match (formulation, question.slices) {
            // Such as nothing to serve.
            _ if search.is_proven() => {}
            (Formulation::Slices, SliceFactor::Whole(k)) => search.whole(Form::Slices(k))?,
            (Formulation::Merged, SliceFactor::Whole(k)) => search.whole(Form::Merged(k))?,
            (Formulation::Staged, SliceFactor::Whole(k)) => search.staged(k)?,
            (_, SliceFactor::Infinite) => search.whole(Form::Split)?,
        }
        if search.infeasible && search.best.is_none() {
            notes.push(reason::limits(question, backend, &search.clock)?);
        }
    } else {
        search.infeasible = true;
        notes = unserved;
    }
    Ok(search.spread(formulation, notes))
}

/// What is known on the way.
struct Search<'a> {
    question: &'a Buckets,
    backend: &'a dyn Backend,
    clock: Deadline,
    best: Option<Incumbent>,
    /// Proven lower bound on the cost.
    bound: f64,
    infeasible: bool,
}

impl Search<'_> {
    fn offer_all(&mut self, offers: impl IntoIterator<Item = Incumbent>) {
        for offer in offers {
            if self.best.as_ref().is_none_or(|best| offer.cost_per_h < best.cost_per_h) {
                self.best = Some(offer);
            }
        }
    }

    fn is_proven(&self) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| relative_gap(best.cost_per_h, self.bound) <= OPTIMAL_GAP)
    }

    /// Options with the time that is left.
    fn options(&self, start: Option<Vec<f64>>) -> SolveOptions {
        SolveOptions { time_limit: self.clock.left(), start, ..self.clock.options.clone() }
    }

    /// Takes what a program over all choices found and proved.
    fn take(&mut self, statement: &Statement, solution: &Solution) {
        match solution.status {
            Solved::Infeasible => self.infeasible = true,
            _ => self.bound = self.bound.max(solution.bound),
        }
        if !solution.values.is_empty() {
            let slices = statement.slices(self.question, &solution.values);
            self.offer_all(Incumbent::new(self.question, slices));
        }
    }

    /// One program, in one piece.
    fn whole(&mut self, form: Form) -> Result<(), SolverError> {
        let mut statement = Statement::new(self.question, form);
        if self.bound > 0.0 {
            statement.cost_at_least(self.bound);
        }
        let start = self.best.as_ref().map(|best| statement.point(self.question, best));
        let solution = self.backend.solve(&statement.milp, &self.options(start))?;
        self.take(&statement, &solution);
        Ok(())
    }

    /// Counts by any split first, then slices.
    fn staged(&mut self, k: u32) -> Result<(), SolverError> {
        let mut split = Statement::new(self.question, Form::Split);
        let solution = self.backend.solve(&split.milp, &self.options(None))?;
        if solution.status == Solved::Infeasible {
            self.infeasible = true;
            return Ok(());
        }
        self.bound = self.bound.max(solution.bound);
        if !solution.values.is_empty() {
            let counts = split.counts(&solution.values);
            let shares = split.slices(self.question, &solution.values);
            self.offer_all(incumbent::rounded(self.question, &shares, k));
            if !self.is_proven() {
                self.fit(&mut split, &counts, k)?;
            }
        }
        if self.is_proven() || self.clock.is_over() {
            return Ok(());
        }
        self.whole(Form::Merged(k))
    }

    /// Looks for slices that fit into these counts: first by a split that leaves the most room, rounded,
    /// then by a program.
    fn fit(&mut self, split: &mut Statement, counts: &[u64], k: u32) -> Result<(), SolverError> {
        split.fix(counts);
        let roomy = self.backend.solve(&split.milp, &self.options(None))?;
        if !roomy.values.is_empty() {
            let shares = split.slices(self.question, &roomy.values);
            self.offer_all(incumbent::rounded(self.question, &shares, k));
        }
        if self.is_proven() || self.clock.is_over() {
            return Ok(());
        }
        let mut merged = Statement::new(self.question, Form::Merged(k));
        merged.fix(counts);
        // The first point will do.
        let options = SolveOptions { relative_gap: 1.0, ..self.options(None) };
        let solution = self.backend.solve(&merged.milp, &options)?;
        if !solution.values.is_empty() {
            let slices = merged.slices(self.question, &solution.values);
            self.offer_all(Incumbent::new(self.question, slices));
        }
        Ok(())
    }

    fn spread(self, formulation: Formulation, notes: Vec<String>) -> Spread {
        let proven = self.is_proven();
        let (status, slices, counts, cost_per_h, bound_per_h) = match self.best {
            Some(best) => {
                let status = if proven { Status::Optimal } else { Status::Feasible };
                let bound = self.bound.min(best.cost_per_h);
                (status, best.slices, best.counts, best.cost_per_h, bound)
            }
            None if self.infeasible => {
                (Status::Infeasible, Vec::new(), Vec::new(), f64::INFINITY, f64::INFINITY)
            }
            None => (Status::Unknown, Vec::new(), Vec::new(), f64::INFINITY, self.bound),
        };
        let (formulation, backend) = (formulation.name(), self.backend.name());
        Spread { status, slices, counts, cost_per_h, bound_per_h, formulation, backend, notes }
    }
}
