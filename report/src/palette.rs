//! One colour for one thing: a type of card has the same colour in every chart of a report, whatever
//! the chart is about. Types beyond the colours there are, free cards and other limits share grey.

use isocost_model::plan::Usage;

/// Grey, for what stands back.
pub(crate) const GREY: usize = 6;
/// The theme's other colours, the clearest first.
const COLORS: [usize; 7] = [0, 1, 2, 3, 4, 5, 7];

/// The colour of each type of card, by its place in the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Palette(Vec<usize>);

impl Palette {
    /// Colours for the types of a plan: those in use first, in the scenario's order.
    pub fn of(usage: &[Usage]) -> Self {
        let mut order: Vec<usize> = (0..usage.len()).collect();
        order.sort_by_key(|&t| usage[t].cards == 0);
        let mut colors = vec![GREY; order.len()];
        for (&t, color) in order.iter().zip(COLORS) {
            colors[t] = color;
        }
        Self(colors)
    }

    /// The colour of a type, or of what is none.
    pub fn color(&self, card_type: usize) -> usize {
        self.0.get(card_type).copied().unwrap_or(GREY)
    }

    /// Whether the type has a colour to itself.
    pub fn is_own(&self, card_type: usize) -> bool {
        self.color(card_type) != GREY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_in_use_have_colours_of_their_own() {
        let usage = |cards| Usage { cards, available: None, cost: 0.0 };
        let palette = Palette::of(&(0..12).map(|t| usage(t % 2)).collect::<Vec<_>>());
        let mut own: Vec<usize> =
            (0..12).filter(|t| t % 2 == 1).map(|t| palette.color(t)).collect();
        assert!(!own.contains(&GREY));
        own.sort_unstable();
        own.dedup();
        assert_eq!(own.len(), 6);
        assert_eq!((palette.color(10), palette.color(99)), (GREY, GREY));
    }
}
