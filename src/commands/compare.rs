//! `isocost compare`: what several scenarios come to, in one table.

use isocost_model::Scenario;
use isocost_model::export::{json_text, write_file};
use isocost_planner::purchase::Purchase;

use crate::args::{CompareArgs, Format};
use crate::job::{planner, read};
use crate::output::style::Bar;
use crate::output::{compare as text, print};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &CompareArgs) -> Result<u8, Failure> {
    let mut planner = planner(&args.sizing, &args.solve)?;
    planner.request.margin = args.margin.margin();
    let scenarios = scenarios(args)?;
    if scenarios.len() < 2 {
        let text = "there is one scenario and nothing beside it: give another, or --growth";
        return Err(Failure::input(text));
    }
    let mut purchases: Vec<Purchase> = Vec::with_capacity(scenarios.len());
    let (bar, all) = (Bar::start("planning"), scenarios.len());
    for (name, scenario) in scenarios {
        purchases.push(planner.purchase(&name, scenario).map_err(Failure::failed)?);
        bar.advance(1, all);
    }
    drop(bar);
    if let Some(path) = &args.report {
        let page = isocost_report::comparison(&purchases);
        write_file(path, page.as_bytes()).map_err(Failure::failed)?;
    }
    match args.format {
        Format::Table => text::print(&purchases),
        Format::Json => print(json_text(&purchases).as_bytes())?,
        Format::Csv => print(&text::csv(&purchases).map_err(Failure::failed)?)?,
    }
    Ok(exit::OK)
}

/// Every scenario, and as it is grown, with its name; all that is wrong with them at once.
fn scenarios(args: &CompareArgs) -> Result<Vec<(String, Scenario)>, Failure> {
    let (mut scenarios, mut faults) = (Vec::new(), Vec::new());
    for path in &args.scenarios {
        let name = path.display().to_string();
        match read(&args.scenario(path)) {
            Ok(scenario) => {
                for &growth in &args.growth {
                    let mut grown = scenario.clone();
                    let loads = grown.servers.iter_mut().map(|server| &mut server.load);
                    loads.for_each(|load| load.arrival_rate_per_min *= growth);
                    scenarios.push((format!("{name} x {growth}"), grown));
                }
                let at = scenarios.len() - args.growth.len();
                scenarios.insert(at, (name, scenario));
            }
            Err(fault) => faults.push(fault.text),
        }
    }
    if faults.is_empty() { Ok(scenarios) } else { Err(Failure::input(faults.join("\n"))) }
}
