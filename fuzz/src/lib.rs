//! What the targets share: the quickstart scenario, and a setting of it.

use std::sync::LazyLock;

use isocost_experiments::sweep::Setting;
use isocost_planner::Request;
use isocost_model::Scenario;
use isocost_model::candidates::SizingOptions;
use isocost_model::input::load_text;

/// `data/quickstart.yaml`.
pub static QUICKSTART: LazyLock<Scenario> = LazyLock::new(|| {
    let text = include_str!("../../data/quickstart.yaml");
    load_text("quickstart.yaml", text).expect("it is sound").scenario
});

/// The quickstart as a sweep starts from it.
pub fn setting() -> Setting {
    Setting::new(QUICKSTART.clone(), SizingOptions::default(), Request::default())
}
