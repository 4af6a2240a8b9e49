//! Problems of the input: where, what, and what to do.

use std::fmt;

use super::text::with_remedy;
use super::visible::visible;

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct At {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// One thing that is wrong, or odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: file, with line and column where they are known.
    pub place: String,
    /// Entity and field, e.g. ``server `a`, model``; empty for a whole file.
    pub entity: String,
    /// What is wrong, and what was expected.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.entity.is_empty() {
            write!(f, "{}: ", self.entity)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// Every problem of an input that cannot be planned for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// The problems, in the order of the files.
    pub problems: Vec<Problem>,
}

/// More problems than this are counted, not printed.
const SHOWN: usize = 50;

/// So many problems are kept, and as many warnings: whoever mends these finds the rest by reading anew.
pub const KEPT: usize = 1_000;

/// Bytes of each part of a problem.
const LONGEST: usize = 1_000;

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.problems.iter().take(SHOWN) {
            writeln!(f, "{problem}")?;
        }
        match self.problems.len() {
            1 => write!(f, "1 problem in the input"),
            n if n >= KEPT => {
                let more = n - SHOWN;
                write!(
                    f,
                    "... {more} more; {n} problems in the input, and no further ones are kept"
                )
            }
            n if n > SHOWN => write!(f, "... {} more; {n} problems in the input", n - SHOWN),
            n => write!(f, "{n} problems in the input"),
        }
    }
}

impl std::error::Error for InputError {}

/// Problems and warnings as they are found.
#[derive(Default)]
pub struct Report {
    /// What is wrong: the input cannot be used.
    pub problems: Vec<Problem>,
    /// What is odd.
    pub warnings: Vec<Problem>,
    /// Problems found, those that are not kept among them.
    found: usize,
}

impl Report {
    /// A problem of a whole file.
    pub fn problem_in(&mut self, file: &str, what: String, remedy: &str) {
        let (what, remedy) = with_remedy(&what, remedy);
        let what = what.to_owned();
        let (place, remedy) = (file.to_owned(), remedy.to_owned());
        self.problem(|| Problem { place, entity: String::new(), what, remedy });
    }

    /// What to do about an unknown name among many, as [`known_names`] has it. To look for the nearest
    /// takes time: it is done for the problems that are shown, not for those that are counted.
    pub fn known_names<'a>(
        &self,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> String {
        match self.problems.len() < SHOWN {
            true => known_names(name, known),
            false => "give a name that is defined".to_owned(),
        }
    }

    /// A problem at a place.
    pub fn problem_at(&mut self, file: &str, at: At, entity: &str, what: String, remedy: &str) {
        self.problem(|| problem(file, at, entity, what, remedy));
    }

    fn problem(&mut self, problem: impl FnOnce() -> Problem) {
        self.found += 1;
        keep(&mut self.problems, problem);
    }

    /// Problems found so far: whoever looks whether something was wrong compares it.
    pub fn found(&self) -> usize {
        self.found
    }

    /// A warning at a place.
    pub fn warning_at(&mut self, file: &str, at: At, entity: &str, what: String, remedy: &str) {
        keep(&mut self.warnings, || problem(file, at, entity, what, remedy));
        if self.warnings.len() == KEPT {
            let last = "warnings of which no further ones are kept";
            self.warnings[KEPT - 1] = Problem {
                place: file.to_owned(),
                entity: String::new(),
                what: format!("this is the last of {KEPT} {last}"),
                remedy: "mend those above to see the rest".to_owned(),
            };
        }
    }
}

/// Keeps what was found, up to [`KEPT`].
fn keep(found: &mut Vec<Problem>, problem: impl FnOnce() -> Problem) {
    if found.len() < KEPT {
        let Problem { place, entity, what, remedy } = problem();
        let [place, entity, what, remedy] = [place, entity, what, remedy].map(cut);
        found.push(Problem { place, entity, what, remedy });
    }
}

/// Words of a problem are few and can be seen, whatever names it quotes.
fn cut(text: String) -> String {
    let mut text = visible(&text).into_owned();
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&i| text.is_char_boundary(i));
        text.truncate(end.unwrap_or(0));
        text.push_str(" ...");
        text.shrink_to_fit();
    }
    text
}

fn problem(file: &str, at: At, entity: &str, what: String, remedy: &str) -> Problem {
    Problem {
        place: format!("{file}:{}:{}", at.line, at.column),
        entity: entity.to_owned(),
        what,
        remedy: remedy.to_owned(),
    }
}

/// Names longer than this are near none: to compare takes the product of both lengths.
const LONGEST_MEANT: usize = 256;

/// The name nearest to `name`, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_MEANT {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |k: &str| strsim::damerau_levenshtein(&lower, &k.to_lowercase());
    known
        .filter(|k| k.len() <= 2 * LONGEST_MEANT)
        .map(|k| (distance(k), k))
        .filter(|(d, k)| *d <= 1 + k.chars().count() / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// What to do about an unknown name: take the nearest, or one of those there are.
pub fn known_names<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut some: Vec<String> = known.clone().take(8).map(|k| format!("`{k}`")).collect();
    if known.count() > some.len() {
        some.push("...".to_owned());
    }
    if some.is_empty() {
        "none is defined".to_owned()
    } else {
        format!("known: {}", some.join(", "))
    }
}
