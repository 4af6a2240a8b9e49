//! A mixed-integer linear program, as plain data.

use crate::backend::{Solution, Status};

/// `minimise offset + sum_j cost_j x_j` over the columns, subject to the rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Milp {
    /// Name, for exports.
    pub name: String,
    /// Variables.
    pub columns: Vec<Column>,
    /// Constraints.
    pub rows: Vec<Row>,
    /// Constant part of the objective.
    pub offset: f64,
}

/// `lower <= x <= upper`, integer or continuous.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name, for exports.
    pub name: String,
    /// Coefficient in the objective.
    pub cost: f64,
    /// Lower bound; may be `-inf`.
    pub lower: f64,
    /// Upper bound; may be `inf`.
    pub upper: f64,
    /// Whether `x` has to be a whole number.
    pub integer: bool,
}

/// `lower <= sum of coefficient * x <= upper`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name, for exports.
    pub name: String,
    /// Lower limit; may be `-inf`.
    pub lower: f64,
    /// Upper limit; may be `inf`.
    pub upper: f64,
    /// (index of column, coefficient).
    pub terms: Vec<(usize, f64)>,
}

impl Column {
    /// A whole-number column.
    pub fn integer(name: impl Into<String>, cost: f64, lower: f64, upper: f64) -> Self {
        Self { name: name.into(), cost, lower, upper, integer: true }
    }

    /// A continuous column.
    pub fn continuous(name: impl Into<String>, cost: f64, lower: f64, upper: f64) -> Self {
        Self { name: name.into(), cost, lower, upper, integer: false }
    }
}

impl Row {
    /// `sum <= upper`.
    pub fn at_most(name: impl Into<String>, upper: f64, terms: Vec<(usize, f64)>) -> Self {
        Self { name: name.into(), lower: f64::NEG_INFINITY, upper, terms }
    }

    /// `sum >= lower`.
    pub fn at_least(name: impl Into<String>, lower: f64, terms: Vec<(usize, f64)>) -> Self {
        Self { name: name.into(), lower, upper: f64::INFINITY, terms }
    }

    /// `sum = value`.
    pub fn equal(name: impl Into<String>, value: f64, terms: Vec<(usize, f64)>) -> Self {
        Self { name: name.into(), lower: value, upper: value, terms }
    }
}

impl Milp {
    /// Adds a column and returns its index.
    pub fn add_column(&mut self, column: Column) -> usize {
        self.columns.push(column);
        self.columns.len() - 1
    }

    /// Adds a row and returns its index.
    pub fn add_row(&mut self, row: Row) -> usize {
        self.rows.push(row);
        self.rows.len() - 1
    }

    /// Objective at `values`, one for each column.
    pub fn objective(&self, values: &[f64]) -> f64 {
        self.offset + self.columns.iter().zip(values).map(|(c, x)| c.cost * x).sum::<f64>()
    }

    /// Largest amount by which `values` miss a bound, a row or integrality; 0 if they keep all.
    pub fn max_violation(&self, values: &[f64]) -> f64 {
        let outside = |x: f64, lower: f64, upper: f64| (lower - x).max(x - upper).max(0.0);
        let columns = self.columns.iter().zip(values).map(|(c, &x)| {
            let whole = if c.integer { (x - x.round()).abs() } else { 0.0 };
            outside(x, c.lower, c.upper).max(whole)
        });
        let rows = self.rows.iter().map(|row| {
            let sum = row.terms.iter().map(|&(j, a)| a * values[j]).sum();
            outside(sum, row.lower, row.upper)
        });
        columns.chain(rows).fold(0.0, f64::max)
    }

    /// For each column its terms, (index of row, coefficient), in the order of the rows; several of
    /// one row are summed.
    pub(crate) fn by_column(&self) -> Vec<Vec<(usize, f64)>> {
        let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.columns.len()];
        for (i, row) in self.rows.iter().enumerate() {
            for &(j, a) in &row.terms {
                match columns[j].last_mut() {
                    Some((last, sum)) if *last == i => *sum += a,
                    _ => columns[j].push((i, a)),
                }
            }
        }
        columns.iter_mut().for_each(|terms| terms.retain(|t| t.1 != 0.0));
        columns
    }

    /// The solution of a program without columns: each row's sum is 0, within its limits or not.
    pub(crate) fn without_columns(&self) -> Option<Solution> {
        if !self.columns.is_empty() {
            return None;
        }
        let kept = self.rows.iter().all(|row| row.lower <= 0.0 && row.upper >= 0.0);
        Some(if kept {
            Solution::point(self, Vec::new(), true, self.offset)
        } else {
            Solution::none(Status::Infeasible, f64::INFINITY)
        })
    }

    /// What is wrong with the numbers, if anything: a NaN, or a term beyond the columns.
    pub(crate) fn defect(&self) -> Option<String> {
        let column = self
            .columns
            .iter()
            .find(|c| c.lower.is_nan() || c.upper.is_nan() || !c.cost.is_finite());
        if let Some(column) = column {
            return Some(format!("column `{}` has a number that is not finite", column.name));
        }
        let row = self.rows.iter().find(|r| {
            let term = |&(j, a): &(usize, f64)| j >= self.columns.len() || !a.is_finite();
            r.lower.is_nan() || r.upper.is_nan() || r.terms.iter().any(term)
        });
        row.map(|row| {
            format!("row `{}` has a number that is not finite or an unknown column", row.name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_by_column_are_those_by_row() {
        let mut milp = Milp::default();
        for name in ["a", "b", "c"] {
            milp.add_column(Column::integer(name, 1.0, 0.0, 1.0));
        }
        milp.add_row(Row::at_least("first", 1.0, vec![(2, 1.0), (0, 3.0), (2, 4.0), (1, 0.0)]));
        milp.add_row(Row::at_least("second", 1.0, vec![(0, 2.0), (0, -2.0), (2, 6.0)]));
        assert_eq!(milp.by_column(), [vec![(0, 3.0)], vec![], vec![(0, 5.0), (1, 6.0)]]);
    }
}
