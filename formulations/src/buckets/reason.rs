//! Why nothing fits.
//!
//! Where the limits are to blame: the largest `theta` such that `theta` times every rate can be served,
//!
//! ```text
//! maximise    theta
//! subject to  sum_g y_bg = theta,  sum_b a_bg y_bg <= n_g,  sum_g u_lg n_g <= M_l,  y >= 0,  n in Z, >= 0
//! ```

use isocost_model::buckets::Buckets;
use isocost_solver::{Backend, Column, Deadline, Milp, Row, SolverError};

/// Buckets that no GPU type serves, in words.
pub fn unserved(question: &Buckets) -> Vec<String> {
    let there = |g: usize| question.most(g) != Some(0);
    let mut notes = Vec::new();
    for b in question.asked() {
        let able: Vec<usize> =
            (0..question.gpus.len()).filter(|&g| question.load(b, g).is_some()).collect();
        if able.iter().any(|&g| there(g)) {
            continue;
        }
        let bucket = &question.buckets[b];
        let place = format!("input {}, output {}", bucket.input, bucket.output);
        notes.push(match able.first() {
            None => format!(
                "no GPU type serves the bucket of {place}: its rate is 0 on each; add one that does, or \
                 take the bucket out"
            ),
            Some(&g) => format!(
                "no GPU type that there is serves the bucket of {place}: {} would; raise its limit of 0",
                question.gpus[g].name
            ),
        });
    }
    notes
}

/// How much of the rate the limits allow, in words.
///
/// # Errors
/// A failure inside the solver.
pub fn limits(
    question: &Buckets,
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<String, SolverError> {
    let mut options = clock.options.clone();
    (options.time_limit, options.progress) = (clock.left(), None);
    let solution = backend.solve(&most_served(question), &options)?;
    let Some(&theta) = solution.values.first() else {
        return Ok("the limits on GPUs do not allow it; raise one".to_owned());
    };
    if theta >= 1.0 - 1e-6 {
        return Ok(format!(
            "the limits on GPUs allow the rate, but not in {} slices a bucket; take a larger \
             --slice-factor, or inf",
            question.slices
        ));
    }
    let rate = question.rate_per_s();
    // Rounded down: what is said can be served.
    let shown = |x: f64, unit: f64| (x / unit * (1.0 + 1e-9)).floor() * unit;
    Ok(format!(
        "the limits on GPUs allow {:.1}% of the rate, {:.3} of {rate:.3} requests/s; raise a limit or lower \
         --rate",
        shown(theta * 100.0, 0.1),
        shown(rate * theta, 0.001),
    ))
}

/// The program above; its first column is `theta`.
fn most_served(question: &Buckets) -> Milp {
    let mut milp = Milp { name: "most served".to_owned(), ..Milp::default() };
    let theta = milp.add_column(Column::continuous("theta", -1.0, 0.0, 1.0));
    let gpus = question.gpus.len();
    let mut loads = vec![Vec::new(); gpus];
    for b in question.asked() {
        let mut served = vec![(theta, -1.0)];
        for (g, load) in (0..gpus).filter_map(|g| Some((g, question.load(b, g)?))) {
            let y = milp.add_column(Column::continuous(format!("y_{b}_{g}"), 0.0, 0.0, 1.0));
            served.push((y, 1.0));
            loads[g].push((y, load));
        }
        milp.add_row(Row::equal(format!("serve_{b}"), 0.0, served));
    }
    let mut counts = Vec::new();
    for (g, mut terms) in loads.into_iter().enumerate() {
        let total: f64 = terms.iter().map(|t| t.1).sum();
        let limit = question.most(g).map_or(f64::INFINITY, |most| most as f64);
        let most = total.ceil().min(limit);
        let n = milp.add_column(Column::integer(format!("n_{g}"), 0.0, 0.0, most));
        terms.push((n, -1.0));
        milp.add_row(Row::at_most(format!("load_{g}"), 0.0, terms));
        counts.push(n);
    }
    for limit in &question.limits {
        let terms = limit.units.iter().map(|&(g, units)| (counts[g], units as f64)).collect();
        milp.add_row(Row::at_most(format!("limit_{}", limit.name), limit.most as f64, terms));
    }
    milp
}
