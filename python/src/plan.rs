//! Plans.

use std::path::PathBuf;

use isocost::{Failure, Planned};
use isocost_model::export::{
    Export, Table, budgets_table, candidates_table, nodes_table, plan_json, plan_table, usage_table,
};
use isocost_solver::Interrupt;
use pyo3::prelude::*;

use crate::error;
use crate::table::PyTable;
use crate::wait::{Heard, run};

/// A plan, or that there is none.
#[pyclass(frozen, module = "isocost._isocost", name = "Plan")]
pub struct PyPlan {
    planned: Planned,
    name: String,
}

impl PyPlan {
    /// A plan of a scenario.
    pub fn new(planned: Planned, name: &str) -> Self {
        Self { planned, name: name.to_owned() }
    }

    fn table(&self, table: fn(&Export<'_>) -> Table) -> PyTable {
        table(&self.planned.export()).into()
    }
}

#[pymethods]
impl PyPlan {
    /// `optimal`, `feasible`, `infeasible` or `unknown`.
    #[getter]
    fn status(&self) -> &'static str {
        self.planned.plan.status.word()
    }

    /// Cents per hour; `None` where there is no plan.
    #[getter]
    fn total_cost(&self) -> Option<f64> {
        let plan = &self.planned.plan;
        plan.has_plan().then_some(plan.total_cost)
    }

    /// Cents per hour below which no plan lies; `None` where nothing is proven.
    #[getter]
    fn bound(&self) -> Option<f64> {
        Some(self.planned.plan.bound).filter(|bound| bound.is_finite())
    }

    /// What may still be saved, as a share of the cost; `None` where there is no plan.
    #[getter]
    fn gap(&self) -> Option<f64> {
        let plan = &self.planned.plan;
        plan.has_plan().then(|| plan.gap()).filter(|gap| gap.is_finite())
    }

    /// How the plan was found, and what stands in its way.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.planned.plan.notes.clone()
    }

    /// Seconds of sizing and of solving.
    #[getter]
    fn seconds(&self) -> (f64, f64) {
        (self.planned.job.fleet.sizing_s, self.planned.solving_s)
    }

    /// One row for each part of a server's placement.
    fn servers(&self) -> PyTable {
        self.table(plan_table)
    }

    /// One row for each type of card.
    fn usage(&self) -> PyTable {
        self.table(usage_table)
    }

    /// One row for each server and accelerator: what it would give, or why it cannot.
    fn candidates(&self) -> PyTable {
        self.table(candidates_table)
    }

    /// One row for each limit of a budget.
    fn budgets(&self) -> PyTable {
        self.table(budgets_table)
    }

    /// One row for what each server has in nodes that are filled alike.
    fn nodes(&self) -> PyTable {
        self.table(nodes_table)
    }

    /// `plan.json`.
    fn to_json(&self) -> String {
        plan_json(&self.planned.export())
    }

    /// Writes what `isocost plan --out` writes: files into a directory, or a workbook.
    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let written = py.detach(|| self.planned.write(&path));
        written.map_err(|failure| error::failed(py, &failure))
    }

    /// Why the plan is as it is, or why there is none, as JSON; `None` of a heuristic's plan.
    fn explain(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.heard(py, Planned::explanation_json)
    }

    /// The report: one HTML file.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        self.heard(py, |planned, interrupt| planned.report(&self.name, interrupt))
    }

    /// The report's charts: name, SVG.
    fn charts(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.heard(py, Planned::charts)
    }
}

impl PyPlan {
    /// What takes solves of its own.
    fn heard<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Planned, &Interrupt) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let planned = &self.planned;
        let done =
            run(py, Vec::new(), Heard(None), move |caller| work(planned, &caller.interrupt))?;
        done.map_err(|failure| error::failed(py, &failure))
    }
}
