//! **families**: kinds of instances that defeat a solver, each beside the compact statement in its peers.

use isocost_charts::{Axis, Chart, Series};

use crate::data::{Data, Row};
use crate::experiment::{Experiment, Scope, Summary, repeated};
use crate::markdown::{percent, spread, table, time};
use crate::measure::Task;
use crate::statistics::Spread;

mod draw;
mod peer;

pub use draw::{Family, Member};
pub use peer::{Peer, Said, ask};

/// The experiment.
pub struct Families;

/// Instances of a family.
const INSTANCES: u64 = 20;
/// Name of the arm that is this program.
const OURS: &str = "isocost";

impl Experiment for Families {
    fn name(&self) -> &'static str {
        "families"
    }

    fn about(&self) -> &'static str {
        "Six families of hard instances, `mixed`, each solve with a time limit on one thread; with `--peer`, \
         the compact statement of the same instance in a solver from PyPI (under shortage there is none)."
    }

    fn tasks(&self, scope: &Scope) -> Vec<Task> {
        let Some(backend) = scope.backends.first() else { return Vec::new() };
        let (instances, time_limit_s) = if scope.quick { (1, 2.0) } else { (INSTANCES, 60.0) };
        let mut tasks = Vec::new();
        for family in Family::ALL {
            for seed in scope.seed..scope.seed + instances {
                let member = Member { family, seed };
                let shortage = family == Family::Shortage;
                let ours = Task::new(OURS, member.clone(), "mixed", backend);
                tasks.push(Task { shortage, time_limit_s, ..ours });
                for &peer in scope.peers.iter().filter(|_| !shortage) {
                    let task = Task::new(peer.name(), member.clone(), "mixed", backend);
                    tasks.push(Task { peer: Some(peer), time_limit_s, ..task });
                }
            }
        }
        repeated(&tasks, 1)
    }

    fn summary(&self, measured: &Data, _: &Data) -> Summary {
        let mut summary = Summary::default();
        let limit = measured.distinct("time_limit_s").join(", ");
        summary.say(format!(
            "Closed: proven optimal or infeasible within {limit} s. Time is processor time of the solve, median \
             and quartiles over the instances; one that is not closed counts with what it took."
        ));
        summary.say(closed(measured));
        summary.plot("closed", &profile(measured));
        summary.say("## Left open here\n\nEach with what is left of the gap, and who closes it.");
        summary.say(left_open(measured));
        summary.say("## Agreement");
        summary.say(agreement(measured));
        summary
    }
}

fn is_closed(row: &Row<'_>) -> bool {
    matches!(row.text("status"), "optimal" | "infeasible")
        || row.text("instance") == Family::Shortage.name() && row.number("gap") == Some(0.0)
}

fn closed(data: &Data) -> String {
    let arms = data.distinct("arm");
    let rows = data.distinct("instance").into_iter().map(|family| {
        let cells = arms.iter().flat_map(|arm| {
            let rows = || data.only(&[("instance", family), ("arm", arm)]);
            let (closed, all) = (rows().filter(is_closed).count(), rows().count());
            let took = Spread::of(rows().filter_map(|row| row.number("cpu_s")));
            [if all == 0 { "-".to_owned() } else { format!("{closed}/{all}") }, spread(took, time)]
        });
        [family.to_owned()].into_iter().chain(cells).collect()
    });
    let header = arms.iter().flat_map(|arm| [format!("{arm}: closed"), format!("{arm}: time")]);
    let header: Vec<String> = ["family".to_owned()].into_iter().chain(header).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, &rows.collect::<Vec<_>>())
}

/// How many instances each closes within a time: a performance profile (Dolan and More 2002).
fn profile(data: &Data) -> Chart {
    let (x, y) = (Axis::log("Processor time", "s"), Axis::counts("Instances closed", ""));
    let mut chart = Chart::new("Instances closed within a time", x, y);
    for arm in data.distinct("arm") {
        let rows = data.only(&[("arm", arm)]).filter(is_closed);
        let mut times: Vec<f64> = rows.filter_map(|row| row.number("cpu_s")).collect();
        times.sort_by(f64::total_cmp);
        let closed = times.iter().enumerate().map(|(i, time)| (time.max(1e-4), (i + 1) as f64));
        chart = chart.with(Series::steps(arm, closed.collect()));
    }
    chart
}

fn left_open(data: &Data) -> String {
    let open = data.only(&[("arm", OURS)]).filter(|row| !is_closed(row));
    let rows: Vec<Vec<String>> = open
        .map(|row| {
            let (family, seed) = (row.text("instance"), row.text("seed"));
            let others = data.only(&[("instance", family), ("seed", seed)]);
            let who = others.filter(is_closed).map(|row| row.text("arm")).collect::<Vec<_>>();
            let gap = row.number("gap").map_or(row.text("status").to_owned(), percent);
            let who = if who.is_empty() { "nobody".to_owned() } else { who.join(", ") };
            vec![family.to_owned(), seed.to_owned(), gap, who]
        })
        .collect();
    if rows.is_empty() {
        return "None.".to_owned();
    }
    table(&["family", "seed", "gap", "closed by"], &rows)
}

/// Whether all who close an instance say the same of it.
fn agreement(data: &Data) -> String {
    let (mut both, mut differ) = (0, Vec::new());
    for row in data.only(&[("arm", OURS)]).filter(is_closed) {
        let same = [("instance", row.text("instance")), ("seed", row.text("seed"))];
        for other in data.only(&same).filter(|other| other.text("arm") != OURS && is_closed(other))
        {
            both += 1;
            let (a, b) =
                (row.number("objective_cents_per_h"), other.number("objective_cents_per_h"));
            let agree = match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(1.0),
                _ => row.text("status") == other.text("status"),
            };
            if !agree {
                differ.push(format!(
                    "{} {} ({})",
                    row.text("instance"),
                    row.text("seed"),
                    other.text("arm")
                ));
            }
        }
    }
    match differ.len() {
        0 => format!("Of {both} instances that a peer closes too, all have the same cost."),
        n => format!(
            "Of {both} instances that a peer closes too, {n} differ: {}.",
            differ.join(", ")
        ),
    }
}
