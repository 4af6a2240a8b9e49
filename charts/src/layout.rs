//! From a chart to its drawing: margins first, then axes, marks and remarks.

use crate::chart::{Chart, Mark, Series};
use crate::domain::domain;
use crate::frame;
use crate::heading::{self, Colors};
use crate::marks;
use crate::number::number;
use crate::scene::{Ink, Scene, Text};
use crate::{font, margins, rules};

/// Space at each side of a chart, pixels.
pub(crate) const PAD: f64 = 16.0;

/// How a chart is drawn: alone, or as one of several.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub width: f64,
    pub height: f64,
    pub title_size: f64,
    pub legend: bool,
    pub colors: Colors,
}

pub(crate) fn draw(chart: &Chart) -> Scene {
    let setting = Setting {
        width: f64::from(chart.width.clamp(160, 4000)),
        height: f64::from(chart.height.clamp(120, 4000)),
        title_size: 16.0,
        legend: true,
        colors: Colors::of([chart]),
    };
    draw_in(chart, &setting)
}

pub(crate) fn draw_in(chart: &Chart, setting: &Setting) -> Scene {
    let mut keyed = Vec::new();
    loop {
        let (scene, crowded) = attempt(chart, setting, &keyed);
        if crowded.is_empty() {
            return scene;
        }
        // The legend takes room from the plot, so that other labels may lose their place in turn.
        keyed.extend(crowded);
    }
}

/// Draws the chart with the labels of the rules `keyed` in the legend; tells which others find no
/// place beside their lines.
fn attempt(chart: &Chart, setting: &Setting, keyed: &[usize]) -> (Scene, Vec<usize>) {
    let mut scene = Scene {
        width: setting.width,
        height: setting.height,
        title: chart.title.clone(),
        description: describe(chart),
        items: Vec::new(),
    };
    let top = above(&mut scene, chart, setting, keyed);
    let rows = margins::rows(setting.height - top);
    let steps = if chart.y.names().is_some() { (setting.width / 100.0) as usize } else { rows };
    let domain = domain(chart, steps.clamp(2, 8));
    let (plot, labels) = margins::plan(chart, setting, &domain, top);
    frame::grid(&mut scene, chart, &plot, &labels);
    let mut crowded = Vec::new();
    if plot.right - plot.left >= 10.0 && plot.bottom - plot.top >= 10.0 {
        marks::draw(&mut scene, chart, &plot, &setting.colors);
        crowded = rules::draw(&mut scene, chart, &plot, keyed);
    }
    frame::labels(&mut scene, chart, &plot, &labels);
    remark(&mut scene, chart, domain.skipped);
    (scene, crowded)
}

/// Title, legend and the caption of y; returns where the plot may begin.
fn above(scene: &mut Scene, chart: &Chart, setting: &Setting, keyed: &[usize]) -> f64 {
    let room = setting.width - 2.0 * PAD;
    let size = setting.title_size;
    let mut y = heading::titles(scene, &chart.title, &chart.subtitle, size, (PAD, PAD - 2.0), room);
    let series: &[Series] = if setting.legend { &chart.series } else { &[] };
    let mut entries = heading::entries(series, &setting.colors);
    entries.extend(keyed.iter().map(|&rule| heading::Entry::rule(&chart.rules[rule])));
    y = heading::legend(scene, &entries, (PAD, y), room);
    let caption = font::shorten(&chart.y.caption(), room, 12.0, false);
    if !caption.is_empty() {
        y += 22.0;
        scene.text(Text::new((PAD, y - 2.0), caption), Ink::Muted);
    }
    y + 12.0
}

/// Says below the axes what is not drawn: in the chart's words, or how many values.
fn remark(scene: &mut Scene, chart: &Chart, skipped: usize) {
    if skipped == 0 {
        return;
    }
    let values = if skipped == 1 { "value has" } else { "values have" };
    let text = match chart.absent.as_str() {
        "" => format!("{} {values} no place on these axes.", number(skipped as f64)),
        words => words.to_owned(),
    };
    let text = font::shorten(&text, scene.width - 2.0 * PAD, 11.0, false);
    let at = (PAD, scene.height - 8.0);
    scene.text(Text::new(at, text).size(11.0), Ink::Muted);
}

/// What a reader hears who cannot see the picture.
pub(crate) fn describe(chart: &Chart) -> String {
    let kind = match chart.series.first().map(|s| &s.mark) {
        None => "Empty chart",
        Some(Mark::Line(_) | Mark::Steps(_) | Mark::Band(_)) => "Line chart",
        Some(Mark::Points(_)) => "Dot chart",
        Some(Mark::Bars(_)) => "Bar chart",
        Some(Mark::Columns(_)) => "Histogram",
        Some(Mark::Heat(_)) => "Heat map",
    };
    let mut names: Vec<&str> =
        chart.series.iter().map(|s| s.name.as_str()).filter(|n| !n.is_empty()).collect();
    names.dedup();
    let of = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
    let axes = [("Across", &chart.x), ("Up", &chart.y)]
        .into_iter()
        .filter(|(_, axis)| !axis.caption().is_empty())
        .map(|(way, axis)| format!(" {way}: {}.", axis.caption()));
    let rules = chart.rules.iter().filter(|r| !r.label.is_empty());
    let lines: String = rules.map(|r| format!(" Line: {}.", r.label)).collect();
    format!("{kind}{of}.{}{lines}", axes.collect::<String>())
}
