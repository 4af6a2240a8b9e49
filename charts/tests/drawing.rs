//! Whatever the data, the drawing is well formed, the same each time, and says what it leaves out.

use isocost_charts::{Axis, Chart, Panels, Rule, Series, Theme};
use roxmltree::{Document, Node};

fn plain() -> Chart {
    Chart::new("Latency", Axis::linear("Rate", "req/s"), Axis::linear("Wait", "ms"))
}

fn bars(values: Vec<f64>) -> Chart {
    let names = (0..values.len()).map(|i| format!("server {i}"));
    Chart::new("Cost", Axis::categories("", names), Axis::linear("Cost", "cents/h"))
        .with(Series::bars("cost", values))
}

/// Parses what was drawn, and makes sure that every number in it is one.
fn drawn(chart: &Chart) -> String {
    let svg = chart.svg(&Theme::light());
    Document::parse(&svg).expect("well-formed XML");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    assert!(chart.png(&Theme::light(), 1.0).starts_with(b"\x89PNG\r\n\x1a\n"));
    svg
}

fn count(svg: &str, element: &str) -> usize {
    let document = Document::parse(svg).expect("well-formed XML");
    document.descendants().filter(|n| n.has_tag_name(element)).count()
}

fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).expect("well-formed XML");
    let text = |n: Node<'_, '_>| n.text().map(str::to_owned);
    document.descendants().filter(|n| n.has_tag_name("text")).filter_map(text).collect()
}

#[test]
fn an_image_has_a_name_a_description_and_units_on_its_axes() {
    let svg = drawn(&plain().with(Series::line("mean", vec![(1.0, 2.0), (3.0, 4.0)])));
    let document = Document::parse(&svg).expect("well-formed XML");
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let title = root.children().find(Node::is_element).expect("a first child");
    assert_eq!((title.tag_name().name(), title.text()), ("title", Some("Latency")));
    let label = root.attribute("aria-label").expect("a label");
    assert!(label.contains("Line chart of mean") && label.contains("Wait (ms)"), "{label}");
    let texts = texts(&svg);
    assert!(texts.contains(&"Rate (req/s)".into()) && texts.contains(&"Wait (ms)".into()));
}

#[test]
fn drawing_twice_gives_the_same_bytes() {
    let chart = plain().with(Series::line("a", (0..500).map(|i| (f64::from(i), 1.7)).collect()));
    assert_eq!(chart.svg(&Theme::light()), chart.svg(&Theme::light()));
    assert_eq!(chart.png(&Theme::light(), 2.0), chart.png(&Theme::light(), 2.0));
}

#[test]
fn empty_charts_say_so() {
    for series in [
        Series::line("a", vec![]),
        Series::points("a", vec![]),
        Series::steps("a", vec![]),
        Series::band("a", vec![]),
        Series::columns("a", vec![]),
        Series::heat("a", vec![]),
        Series::bars("a", vec![]),
    ] {
        assert!(texts(&drawn(&plain().with(series))).contains(&"No data".into()));
    }
    assert!(texts(&drawn(&plain())).contains(&"No data".into()));
    let nameless = Chart::new("", Axis::linear("", ""), Axis::categories("", Vec::<String>::new()));
    drawn(&nameless);
}

#[test]
fn values_without_a_place_break_the_line_and_are_counted() {
    let points = (0..60).map(|i| (f64::from(i), if i == 30 { f64::NAN } else { 1.0 })).collect();
    let svg = drawn(&plain().with(Series::line("a", points)));
    let lines = svg.lines().filter(|l| l.starts_with("<polyline") && l.contains("#19679d"));
    assert_eq!(lines.count(), 2);
    assert!(texts(&svg).contains(&"1 value has no place on these axes.".into()));
    let log = Chart::new("t", Axis::log("x", ""), Axis::log("y", ""))
        .with(Series::points("a", vec![(0.0, 1.0), (1.0, -1.0), (1.0, f64::INFINITY), (2.0, 2.0)]));
    let svg = drawn(&log);
    assert_eq!(count(&svg, "circle"), 1);
    assert!(texts(&svg).contains(&"3 values have no place on these axes.".into()));
}

#[test]
fn a_chart_has_its_own_words_for_values_without_a_place() {
    let chart = plain().absent("2 points have no plan");
    let line = |values: Vec<(f64, f64)>| drawn(&chart.clone().with(Series::line("a", values)));
    let none = f64::NAN;
    let some = texts(&line(vec![(1.0, 2.0), (2.0, none), (3.0, none)]));
    assert!(some.contains(&"2 points have no plan".into()), "{some:?}");
    assert!(some.iter().all(|text| !text.contains("no place")), "{some:?}");
    let all = texts(&line(vec![(1.0, 2.0), (2.0, 3.0)]));
    assert!(!all.contains(&"2 points have no plan".into()), "{all:?}");
}

#[test]
fn one_point_of_a_line_can_be_seen() {
    let svg = drawn(&plain().with(Series::line("a", vec![(5.0, 7.0)])));
    assert!(count(&svg, "circle") >= 1);
}

#[test]
fn ranges_of_any_size_are_drawn() {
    let extremes = [
        vec![(-1e300, -1e300), (1e300, 1e300)],
        vec![(1e-300, 1e-300), (2e-300, 2e-300)],
        vec![(1e15, 1e15), (1e15 + 1.0, 1e15 + 2.0)],
        vec![(f64::MAX, f64::MAX), (f64::MIN_POSITIVE, 0.0)],
        vec![(3.0, 3.0), (3.0, 3.0)],
    ];
    for points in extremes {
        for axis in [Axis::linear as fn(&'static str, &'static str) -> Axis, Axis::log] {
            let chart = Chart::new("t", axis("x", ""), axis("y", ""))
                .with(Series::line("a", points.clone()))
                .with(Series::points("b", points.clone()));
            assert!(texts(&drawn(&chart)).len() >= 4);
        }
        drawn(&plain().with(Series::steps("a", points)));
    }
    drawn(&bars(vec![1e300, 1e300, -1e300, 0.0, f64::NAN]).stacked());
    drawn(&plain().with(Series::line("a", vec![(1.0, 1.0)])).size(1, 1));
    drawn(&bars(vec![1.0; 2000]));
}

#[test]
fn bars_start_at_zero_and_lie_where_y_has_names() {
    let svg = drawn(&bars(vec![100.0, 101.0]));
    let document = Document::parse(&svg).expect("well-formed XML");
    let heights: Vec<f64> = document
        .descendants()
        .filter(|n| n.has_tag_name("rect") && n.has_children())
        .map(|n| n.attribute("height").and_then(|h| h.parse().ok()).expect("a height"))
        .collect();
    assert_eq!(heights.len(), 2);
    assert!((heights[0] / heights[1] - 100.0 / 101.0).abs() < 0.005, "{heights:?}");
    let lying = Chart::new("t", Axis::linear("Cards", ""), Axis::categories("", ["A100", "H100"]))
        .with(Series::bars("used", vec![10.0, 20.0]))
        .with(Series::bars("free", vec![5.0, 0.0]))
        .stacked();
    let texts = texts(&drawn(&lying));
    assert!(texts.contains(&"15".into()) && texts.contains(&"A100".into()), "{texts:?}");
}

#[test]
fn every_name_is_escaped_and_long_ones_are_shortened() {
    let hostile = "<script>alert(\"1\" & '2')</script>\u{0}\n";
    let long = "a-name-of-a-server-that-goes-on-and-on-".repeat(20);
    for name in [hostile, &long, "模型", "\u{202e}"] {
        let chart = Chart::new(name, Axis::linear(name, name), Axis::categories(name, [name, "b"]))
            .subtitle(name)
            .with(Series::bars(name, vec![1.0, 2.0]))
            .with(Series::bars("other", vec![1.0, 2.0]))
            .rule(Rule::x(1.5, name));
        let svg = drawn(&chart);
        assert!(!svg.contains("<script"), "{svg}");
        assert!(texts(&svg).iter().all(|t| t.chars().count() < 130));
        drawn(&bars(vec![1.0; 40]).subtitle(name));
    }
}

#[test]
fn what_lies_beyond_a_given_range_is_cut() {
    let chart = Chart::new(
        "t",
        Axis::linear("x", "").range(0.0, 10.0),
        Axis::linear("y", "").range(0.0, 1.0),
    )
    .with(Series::line("a", vec![(-100.0, 0.5), (100.0, 0.5)]))
    .with(Series::points("b", vec![(50.0, 0.5), (5.0, 0.5)]))
    .rule(Rule::y(2.0, "beyond"))
    .size(400, 300);
    let svg = drawn(&chart);
    assert!(!texts(&svg).contains(&"beyond".into()));
    let document = Document::parse(&svg).expect("well-formed XML");
    let far = |n: Node<'_, '_>| {
        let points = n.attribute("points").unwrap_or_default();
        points
            .split([' ', ','])
            .filter_map(|v| v.parse::<f64>().ok())
            .any(|v| !(0.0..=400.0).contains(&v))
    };
    assert!(!document.descendants().any(far));
}

#[test]
fn embedded_charts_take_every_colour_from_the_page() {
    let chart = plain()
        .with(Series::line("a", vec![(1.0, 2.0), (2.0, 3.0)]))
        .with(Series::band("b", vec![(1.0, 1.0, 2.0), (2.0, 2.0, 3.0)]))
        .rule(Rule::y(2.5, "objective"));
    let svg = chart.svg(&Theme::embedded());
    Document::parse(&svg).expect("well-formed XML");
    assert!(svg.contains("var(--chart-1)") && !svg.contains("\"#"), "{svg}");
}

#[test]
fn panels_share_a_legend_and_colours() {
    let chart = |title: &str, name: &str, top: f64| {
        Chart::new(title, Axis::linear("x", ""), Axis::linear("y", ""))
            .with(Series::line(name, vec![(0.0, 0.0), (1.0, top)]))
    };
    let charts = vec![chart("one", "a", 10.0), chart("two", "b", 95.0), chart("three", "a", 1.0)];
    let svg = Panels::new("All", charts).svg(&Theme::light());
    let texts = texts(&svg);
    assert_eq!(texts.iter().filter(|t| *t == "a").count(), 1);
    assert!(Panels::new("none", vec![]).svg(&Theme::light()).ends_with("</svg>\n"));
}

#[test]
fn lines_that_coincide_can_be_told_apart() {
    let line = |top: f64| vec![(0.0, 0.0), (1.0, 10.0), (2.0, 20.0), (3.0, top)];
    let chart = plain()
        .with(Series::line("first", line(30.0)))
        .with(Series::line("second", line(30.0)))
        .with(Series::line("third", line(25.0)))
        .with(Series::line("apart", vec![(0.0, 3.0), (3.0, 12.0)]));
    let svg = drawn(&chart);
    let count = |dashes: &str| svg.matches(&format!("stroke-dasharray=\"{dashes}\"")).count();
    assert_eq!(count("7 14"), 3, "all three share two stretches");
    assert_eq!(count("7 7"), 2, "two share the last as well");
    // Each begins where the one before leaves off.
    for offset in ["7", "14", "21"] {
        assert!(svg.contains(&format!("stroke-dashoffset=\"{offset}\"")), "{offset}");
    }
}
