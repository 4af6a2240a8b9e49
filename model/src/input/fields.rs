//! The fields of one entity, read by name and checked as they are read.

use std::ops::RangeInclusive;

use super::advice::number_remedy;
use super::figure::{as_written, between, figure};
use super::node::{Node, Value};
use super::notation::comma_remedy;
use super::problem::{At, Report, nearest};
use super::reference::{Entity, Field, Form, entity};
use crate::queue::stop::pause;

/// Numbers above this are no price, size or rate.
pub const ABSURD: f64 = 1e9;

/// An object whose fields are read one by one.
pub struct Fields<'a> {
    /// File it stands in.
    pub file: &'a str,
    /// Where it starts.
    pub at: At,
    /// What it is in messages, e.g. ``server `a` ``.
    pub entity: String,
    entries: &'a [(String, Node)],
    asked: Vec<&'static str>,
    /// Where the input reference lists what it may have; `None` for inputs of other kinds.
    listed: Option<&'static Entity>,
}

impl<'a> Fields<'a> {
    /// The fields of `node`, or a problem where it is no object.
    pub fn new(file: &'a str, node: &'a Node, entity: &str, report: &mut Report) -> Option<Self> {
        pause();
        let Value::Object(entries) = &node.value else {
            let what = format!("expected an object, found {}", node.value.kind());
            report.problem_at(file, node.at, entity, what, "write it as { ... }");
            return None;
        };
        let entity = entity.to_owned();
        Some(Self { file, at: node.at, entity, entries, asked: Vec::new(), listed: None })
    }

    /// The same as an entity of the input reference, which knows the forms of its fields.
    pub(super) fn listed(self, name: &str) -> Self {
        Self { listed: entity(name), ..self }
    }

    /// How the input reference lists a field.
    fn reference(&self, key: &str) -> Option<&'static Field> {
        self.listed?.fields.iter().find(|field| field.name.eq_ignore_ascii_case(key))
    }

    /// A problem of a field, or of the whole entity where the field is not there.
    pub fn problem(&self, key: &str, what: String, remedy: &str, report: &mut Report) {
        report.problem_at(self.file, self.place(key), &self.field(key), what, remedy);
    }

    /// A warning, likewise.
    pub fn warning(&self, key: &str, what: String, remedy: &str, report: &mut Report) {
        report.warning_at(self.file, self.place(key), &self.field(key), what, remedy);
    }

    fn place(&self, key: &str) -> At {
        self.entries.iter().find(|e| e.0 == key).map_or(self.at, |e| e.1.at)
    }

    fn field(&self, key: &str) -> String {
        if key.is_empty() {
            self.entity.clone()
        } else {
            format!("{}, {}", self.entity, self.spelled(key))
        }
    }

    /// A field's name as the input reference writes it.
    fn spelled<'b>(&self, key: &'b str) -> &'b str {
        self.reference(key).map_or(key, |field| field.name)
    }

    /// The value of a field; `null` counts as absent.
    fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.push(key));
        let node = self.entries.iter().find(|e| e.0 == key).map(|e| &e.1);
        node.filter(|n| n.value != Value::Null)
    }

    /// The value of a field, to be read by other means.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.get(key)
    }

    /// Whether the field is there.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.0 == key && e.1.value != Value::Null)
    }

    /// Whether the field is a text.
    pub fn is_text(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.0 == key && matches!(e.1.value, Value::Text(_)))
    }

    /// The number of a field, if it is one.
    pub(super) fn stated(&self, key: &str) -> Option<f64> {
        let node = self.entries.iter().find(|e| e.0 == key).map(|e| &e.1.value);
        let Some(Value::Number(text)) = node else { return None };
        text.parse().ok()
    }

    /// Marks fields that are known and not used.
    pub fn ignore(&mut self, keys: &[&'static str]) {
        self.asked.extend(keys);
    }

    /// A text; empty counts as absent.
    pub fn text(&mut self, key: &'static str, report: &mut Report) -> Option<&'a str> {
        let node = self.get(key)?;
        match &node.value {
            Value::Text(text) => Some(text.trim()).filter(|t| !t.is_empty()),
            other => {
                let what = format!("expected a text, found {}", other.kind());
                self.problem(key, what, "put it in quotes", report);
                None
            }
        }
    }

    /// A text that has to be there.
    pub fn name(&mut self, key: &'static str, report: &mut Report) -> &'a str {
        let before = report.found();
        let name = self.text(key, report);
        if name.is_none() && report.found() == before {
            self.problem(key, format!("`{key}` is missing or empty"), "give it a name", report);
        }
        name.unwrap_or("")
    }

    /// true or false.
    pub fn flag(&mut self, key: &'static str, report: &mut Report) -> bool {
        match self.get(key).map(|n| &n.value) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let what = format!("expected true or false, found {}", other.kind());
                self.problem(key, what, "write true or false", report);
                false
            }
        }
    }

    /// A number within `range`.
    pub fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        report: &mut Report,
    ) -> Option<f64> {
        let node = self.get(key)?;
        let (low, high) = (*range.start(), *range.end());
        let Value::Number(text) = &node.value else {
            let found = match &node.value {
                Value::Text(text) => format!("`{text}`"),
                other => other.kind().to_owned(),
            };
            let expected =
                self.reference(key).map_or_else(|| between(low, high), |f| f.form.words());
            let remedy = number_remedy(&node.value, &expected);
            self.problem(key, format!("expected a number, found {found}"), &remedy, report);
            return None;
        };
        let number = text.parse::<f64>().unwrap_or(f64::NAN);
        if range.contains(&number) {
            return Some(number);
        }
        let what = format!("{} is out of range", as_written(text));
        self.problem(key, what, &format!("expected {}", between(low, high)), report);
        None
    }

    /// A number within the range that the input reference lists, and there if it says so.
    pub(super) fn quantity(&mut self, key: &'static str, report: &mut Report) -> Option<f64> {
        let (low, high) = match self.needed(key, report)?.form {
            Form::Number(_, low, high) => (low, high),
            Form::Whole(_, low, high) => (low.into(), high.into()),
            _ => return None,
        };
        self.number(key, low..=high, report)
    }

    /// A whole number, likewise.
    pub(super) fn count(&mut self, key: &'static str, report: &mut Report) -> Option<u32> {
        let Form::Whole(_, low, high) = self.needed(key, report)?.form else { return None };
        self.whole(key, low..=high, report)
    }

    /// One of the words that the input reference lists, case aside.
    pub(super) fn word(&mut self, key: &'static str, report: &mut Report) -> Option<&'static str> {
        let field = self.needed(key, report)?;
        let Form::Word(words) = field.form else { return None };
        let text = self.text(key, report)?;
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
        if found.is_none() {
            let remedy = format!("expected one of {}", words.join(", "));
            self.problem(key, format!("unknown {} `{text}`", field.name), &remedy, report);
        }
        found
    }

    /// How a field is listed; a problem where it has to be there and is not.
    fn needed(&mut self, key: &'static str, report: &mut Report) -> Option<&'static Field> {
        let field = self.reference(key)?;
        if field.default.is_none() && !self.has(key) {
            let remedy = format!("give {} ({})", field.form.words(), field.meaning);
            self.problem(key, format!("`{}` is missing", field.name), &remedy, report);
        }
        Some(field)
    }

    /// Fields of `kind` that nobody asked for are problems: they say what must not be dropped.
    pub(super) fn refuse(&mut self, kind: fn(&str) -> bool, known: &str, report: &mut Report) {
        for (key, node) in self.entries {
            if !kind(key) || self.asked.contains(&key.as_str()) {
                continue;
            }
            let what = format!("unknown field `{key}`");
            let remedy = format!("known are {known}");
            report.problem_at(self.file, node.at, &self.entity, what, &remedy);
        }
    }

    /// A whole number within `range`.
    pub fn whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        report: &mut Report,
    ) -> Option<u32> {
        let range = f64::from(*range.start())..=f64::from(*range.end());
        let number = self.number(key, range, report)?;
        if number.fract() != 0.0 {
            let what = format!("{} is not a whole number", figure(number));
            self.problem(key, what, "round it", report);
            return None;
        }
        Some(number as u32)
    }

    /// The fields of an object within.
    pub fn inner(&mut self, key: &'static str, report: &mut Report) -> Option<Fields<'a>> {
        let node = self.get(key)?;
        let listed = self.within(key);
        let fields = Fields::new(self.file, node, &self.field(key), report)?;
        Some(Fields { listed, ..fields })
    }

    /// The entity of the objects in a field, where the input reference lists it.
    fn within(&self, key: &str) -> Option<&'static Entity> {
        match self.reference(key)?.form {
            Form::Object(name) | Form::List(name) => entity(name),
            _ => None,
        }
    }

    /// The objects of a list within.
    pub fn list(&mut self, key: &'static str, report: &mut Report) -> Vec<Fields<'a>> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            let what = format!("expected a list, found {}", node.value.kind());
            self.problem(key, what, "put it in [ ]", report);
            return Vec::new();
        };
        let (field, listed) = (self.field(key), self.within(key));
        let each = items.iter().filter_map(|n| Fields::new(self.file, n, &field, report));
        each.map(|fields| Fields { listed, ..fields }).collect()
    }

    /// The texts of a list within.
    pub fn names(&mut self, key: &'static str, report: &mut Report) -> Vec<&'a str> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            let what = format!("expected a list of names, found {}", node.value.kind());
            self.problem(key, what, "put it in [ ]", report);
            return Vec::new();
        };
        let mut names = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(name) => names.push(name.trim()),
                other => {
                    let what = format!("expected a name, found {}", other.kind());
                    self.problem(key, what, "put it in quotes", report);
                }
            }
        }
        names
    }

    /// Warns of fields that nobody asked for.
    pub fn finish(self, report: &mut Report) {
        let cut = self.cut_numbers(report);
        for (key, node) in self.entries {
            if cut.contains(&key.as_str()) {
                continue;
            }
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let remedy = match nearest(key, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{}`?", self.spelled(near)),
                None => "remove it if it is not for another tool".to_owned(),
            };
            let what = format!("unknown field `{key}` is ignored");
            report.warning_at(self.file, node.at, &self.entity, what, &remedy);
        }
    }
}

impl Fields<'_> {
    /// Numbers that a comma cut in two, as YAML does in `{rate: 1,900}`: what is behind it reads as a field of
    /// that name, without a value. Returns those.
    fn cut_numbers(&self, report: &mut Report) -> Vec<&str> {
        let mut cut = Vec::new();
        for pair in self.entries.windows(2) {
            let [(key, Node { value: Value::Number(start), at }), (rest, node)] = pair else {
                continue;
            };
            if node.value != Value::Null || !rest.bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            let written = format!("{start},{rest}");
            let what = format!("`{written}` is not one number here: a comma ends a value");
            let remedy =
                comma_remedy(&written).unwrap_or_else(|| "write it without commas".to_owned());
            report.problem_at(self.file, *at, &self.field(key), what, &remedy);
            cut.push(rest.as_str());
        }
        cut
    }
}

#[cfg(test)]
thread_local! {
    static ASKED: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Every key that was asked for on this thread since the last call.
#[cfg(test)]
pub(super) fn asked_here() -> Vec<&'static str> {
    ASKED.take()
}
