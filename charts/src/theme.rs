//! Colours. Those of the series keep a contrast of 3 to 1 from their background and stay apart for
//! readers who see fewer colours; tests below measure both.

use crate::scene::Ink;

/// The colours of a chart, each as `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// What the chart stands on.
    pub background: String,
    /// Titles and numbers.
    pub text: String,
    /// Axis labels and remarks.
    pub muted: String,
    /// Grid lines.
    pub grid: String,
    /// Reference lines.
    pub rule: String,
    /// Series, in this order; the ninth starts over.
    pub series: [String; 8],
    /// Whether SVG names colours as custom properties (`--chart-text`, `--chart-1` ...), so that
    /// the page around it decides by its own style; [`css`] defines them.
    pub follows_page: bool,
}

impl Theme {
    /// Dark on white.
    pub fn light() -> Self {
        let series = [
            "#19679d", "#bf4b1f", "#5d907a", "#98125a", "#c58500", "#5116c5", "#6b6e78", "#2d98f6",
        ];
        Self::new("#ffffff", "#1d2430", "#586172", "#e3e7ed", "#b3261e", series)
    }

    /// Light on near black: what [`css`] gives readers who prefer it.
    fn dark() -> Self {
        let series = [
            "#6683cb", "#ff6e14", "#0cb679", "#ee93bf", "#cfc82a", "#b495ff", "#8f8ca5", "#5cebff",
        ];
        Self::new("#14181f", "#e8ebf0", "#a3adbb", "#2c343f", "#ff7b72", series)
    }

    /// For SVG inside a page that includes [`css`]: follows the reader's choice of light or dark.
    pub fn embedded() -> Self {
        Self { follows_page: true, ..Self::light() }
    }

    fn new(
        background: &str,
        text: &str,
        muted: &str,
        grid: &str,
        rule: &str,
        series: [&str; 8],
    ) -> Self {
        Self {
            background: background.into(),
            text: text.into(),
            muted: muted.into(),
            grid: grid.into(),
            rule: rule.into(),
            series: series.map(Into::into),
            follows_page: false,
        }
    }

    pub(crate) fn hex(&self, ink: Ink) -> &str {
        match ink {
            Ink::Background => &self.background,
            Ink::Text => &self.text,
            Ink::Muted => &self.muted,
            Ink::Grid => &self.grid,
            Ink::Rule => &self.rule,
            Ink::Series(i) => &self.series[i % self.series.len()],
        }
    }

    /// The value of a `fill` or `stroke` attribute.
    pub(crate) fn value(&self, ink: Ink) -> String {
        if !self.follows_page {
            return self.hex(ink).to_owned();
        }
        format!("var(--chart-{})", property(ink))
    }

    fn properties(&self) -> String {
        let inks = [Ink::Background, Ink::Text, Ink::Muted, Ink::Grid, Ink::Rule];
        let all = inks.into_iter().chain((0..self.series.len()).map(Ink::Series));
        all.map(|ink| format!("--chart-{}:{};", property(ink), self.hex(ink))).collect()
    }
}

fn property(ink: Ink) -> String {
    match ink {
        Ink::Background => "background".into(),
        Ink::Text => "text".into(),
        Ink::Muted => "muted".into(),
        Ink::Grid => "grid".into(),
        Ink::Rule => "rule".into(),
        Ink::Series(i) => (i % 8 + 1).to_string(),
    }
}

/// Style for a page with charts drawn in [`Theme::embedded`]: light, dark where the reader prefers
/// it, light in print; and charts no wider than the page.
pub fn css() -> String {
    let (light, dark) = (Theme::light().properties(), Theme::dark().properties());
    format!(
        ":root{{{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n\
         svg.chart{{max-width:100%;height:auto;overflow:visible}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::contrast::{Vision, distance, ratio};
    use crate::color::parse;

    #[test]
    fn series_stand_out_from_the_background_and_text_can_be_read() {
        for theme in [Theme::light(), Theme::dark()] {
            let background = parse(&theme.background);
            for color in theme.series.iter().chain([&theme.rule]) {
                assert!(ratio(parse(color), background) >= 3.0, "{color}");
            }
            for color in [&theme.text, &theme.muted, &theme.rule] {
                assert!(ratio(parse(color), background) >= 4.5, "{color}");
            }
        }
    }

    #[test]
    fn series_differ_for_readers_who_see_fewer_colours() {
        use Vision::{Deuteranopia, Full, Protanopia, Tritanopia};
        for theme in [Theme::light(), Theme::dark()] {
            for vision in [Full, Protanopia, Deuteranopia, Tritanopia] {
                for (i, a) in theme.series.iter().enumerate() {
                    for b in &theme.series[..i] {
                        let apart = distance(parse(a), parse(b), vision);
                        // The seventh is for what stands back, the eighth seldom needed.
                        let least = if i < 6 { 9.0 } else { 7.0 };
                        assert!(apart >= least, "{a} and {b} under {vision:?}: {apart:.1}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_page_gets_every_colour_for_light_and_dark() {
        let css = css();
        for name in ["background", "text", "muted", "grid", "rule", "1", "8"] {
            assert_eq!(css.matches(&format!("--chart-{name}:#")).count(), 2, "{name}");
        }
    }
}
