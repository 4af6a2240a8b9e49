//! The programs: any split, slices merged by bucket, and slice by slice.

use isocost_model::buckets::Buckets;
use isocost_solver::{Column, Milp, Row};

use super::incumbent::Incumbent;

/// How `x` is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any split: a share of the bucket, continuous.
    Split,
    /// How many of a bucket's `K` slices.
    Merged(u32),
    /// Each of a bucket's `K` slices by a binary.
    Slices(u32),
}

/// A program and the meaning of its columns.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The program.
    pub milp: Milp,
    form: Form,
    /// Columns of `x`, in order, from the first on.
    parts: Vec<Part>,
    /// Column of `n_g`, by GPU type.
    counts: Vec<usize>,
    /// Rows (load), with the term of `n_g` last.
    loads: Vec<usize>,
}

/// What a column of `x` places.
#[derive(Debug, Clone, Copy)]
struct Part {
    bucket: usize,
    /// Which of the bucket's slices, where each has a column.
    slice: u32,
    gpu: usize,
}

impl Statement {
    /// The program of `question`.
    pub fn new(question: &Buckets, form: Form) -> Self {
        // A bucket is `items` pieces of `size` slices each, out of `whole`.
        let (items, size, whole) = match form {
            Form::Split => (1, 1.0, 1.0),
            Form::Merged(k) => (1, f64::from(k), f64::from(k)),
            Form::Slices(k) => (k, 1.0, f64::from(k)),
        };
        let mut milp = Milp { name: "buckets".to_owned(), ..Milp::default() };
        let (gpus, mut parts) = (question.gpus.len(), Vec::new());
        let mut loads = vec![Vec::new(); gpus];
        let mut totals = vec![0.0; gpus];
        for bucket in question.asked() {
            for slice in 0..items {
                let mut served = Vec::new();
                for gpu in 0..gpus {
                    let Some(load) = question.load(bucket, gpu) else { continue };
                    let name = format!("x_{bucket}_{slice}_{gpu}");
                    let integer = form != Form::Split;
                    let x = milp.add_column(Column {
                        name,
                        cost: 0.0,
                        lower: 0.0,
                        upper: size,
                        integer,
                    });
                    parts.push(Part { bucket, slice, gpu });
                    served.push((x, 1.0));
                    loads[gpu].push((x, load));
                    totals[gpu] += load * size / whole;
                }
                milp.add_row(Row::equal(format!("serve_{bucket}_{slice}"), size, served));
            }
        }
        let counts = (0..gpus).map(|g| {
            let limit = question.most(g).map_or(f64::INFINITY, |most| most as f64);
            let most = totals[g].ceil().min(limit);
            let gpu = &question.gpus[g];
            milp.add_column(Column::integer(format!("n_{g}"), gpu.cost_per_h, 0.0, most))
        });
        let counts: Vec<usize> = counts.collect();
        let mut load_rows = Vec::new();
        for (g, mut terms) in loads.into_iter().enumerate().filter(|(_, terms)| !terms.is_empty()) {
            terms.push((counts[g], -whole));
            load_rows.push(milp.add_row(Row::at_most(format!("load_{g}"), 0.0, terms)));
        }
        for able in able(question) {
            let terms = able.into_iter().map(|g| (counts[g], 1.0)).collect();
            milp.add_row(Row::at_least("able", 1.0, terms));
        }
        for limit in &question.limits {
            let terms = limit.units.iter().map(|&(g, units)| (counts[g], units as f64)).collect();
            milp.add_row(Row::at_most(format!("limit_{}", limit.name), limit.most as f64, terms));
        }
        Self { milp, form, parts, counts, loads: load_rows }
    }

    /// Says that nothing is cheaper than `bound`.
    pub fn cost_at_least(&mut self, bound: f64) {
        let terms = self.counts.iter().map(|&j| (j, self.milp.columns[j].cost));
        let terms = terms.filter(|t| t.1 != 0.0).collect();
        // Below the bound by what the last digits of a sum may be off.
        self.milp.add_row(Row::at_least("bound", bound * (1.0 - 1e-9), terms));
    }

    /// Fixes the counts, and asks for the least busy GPUs, weighed by their counts: the most room.
    pub fn fix(&mut self, counts: &[u64]) {
        for (&j, &count) in self.counts.iter().zip(counts) {
            let column = &mut self.milp.columns[j];
            (column.lower, column.upper, column.cost) = (count as f64, count as f64, 0.0);
        }
        for row in self.loads.iter().map(|&i| &self.milp.rows[i]) {
            let Some((&(n, _), x)) = row.terms.split_last() else { continue };
            let weight = 1.0 / self.milp.columns[n].lower.max(1.0);
            for &(j, load) in x {
                self.milp.columns[j].cost = load * weight;
            }
        }
    }

    /// GPUs by type.
    pub fn counts(&self, values: &[f64]) -> Vec<u64> {
        self.counts.iter().map(|&j| values[j].round().max(0.0) as u64).collect()
    }

    /// Slices by bucket and GPU type; shares where any split may be, those within a solver's tolerance
    /// of nothing given to the largest.
    pub fn slices(&self, question: &Buckets, values: &[f64]) -> Vec<Vec<f64>> {
        let mut slices = vec![vec![0.0; question.gpus.len()]; question.buckets.len()];
        for (part, &x) in self.parts.iter().zip(values) {
            slices[part.bucket][part.gpu] += match self.form {
                Form::Split => x,
                Form::Merged(_) | Form::Slices(_) => x.round(),
            };
        }
        if self.form == Form::Split {
            question.asked().for_each(|b| make_whole(&mut slices[b]));
        }
        slices
    }

    /// The point of an incumbent.
    pub fn point(&self, question: &Buckets, incumbent: &Incumbent) -> Vec<f64> {
        let mut values = vec![0.0; self.milp.columns.len()];
        let mut left = incumbent.slices.clone();
        // Slices of a bucket go to the GPU types in order: the last that a slice may still have.
        let mut placed = None;
        for (value, part) in values.iter_mut().zip(&self.parts) {
            let rest = &mut left[part.bucket][part.gpu];
            *value = match self.form {
                Form::Slices(_) if placed == Some((part.bucket, part.slice)) => 0.0,
                Form::Slices(_) => rest.min(1.0),
                Form::Split | Form::Merged(_) => *rest,
            };
            *rest -= *value;
            if *value > 0.0 {
                placed = Some((part.bucket, part.slice));
            }
        }
        for (g, &j) in self.counts.iter().enumerate().take(question.gpus.len()) {
            values[j] = incumbent.counts[g] as f64;
        }
        values
    }
}

/// The distinct sets of GPU types that serve a bucket: there is at least one GPU of each set. The
/// program says so without these rows too, but not a solver's tolerance where a load is next to nothing.
fn able(question: &Buckets) -> Vec<Vec<usize>> {
    let of = |b: usize| (0..question.gpus.len()).filter(move |&g| question.load(b, g).is_some());
    let mut sets: Vec<Vec<usize>> = question.asked().map(|b| of(b).collect()).collect();
    sets.sort_unstable();
    sets.dedup();
    sets
}

/// Shares below this are a solver's tolerance.
const SPECK: f64 = 1e-7;

fn make_whole(row: &mut [f64]) {
    row.iter_mut().filter(|x| **x < SPECK).for_each(|x| *x = 0.0);
    let sum: f64 = row.iter().sum();
    if let Some(largest) = row.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *largest += 1.0 - sum;
    }
}
