//! Keywords of Python as arguments of the command line, whose options, types and words they are.

use std::any::TypeId;
use std::ffi::OsString;

use clap::{Arg, ArgAction};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyTuple};

/// The arguments that keywords stand for: `gap=0.01` is `--gap=0.01`, `True` a flag, a list the option given again; `None` and `False` leave it out.
pub fn arguments(options: &Bound<'_, PyDict>) -> PyResult<Vec<OsString>> {
    let mut arguments = Vec::new();
    for (name, value) in options {
        // A word that Python keeps for itself, such as `class`, has an underscore behind it.
        let name = name.extract::<String>()?.trim_end_matches('_').replace('_', "-");
        let values = match value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            true => value.try_iter()?.collect::<PyResult<Vec<_>>>()?,
            false => vec![value],
        };
        for value in values {
            arguments.extend(argument(&name, &value)?);
        }
    }
    Ok(arguments)
}

fn argument(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<OsString>> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(flag.is_true().then(|| format!("--{name}").into()));
    }
    let mut argument = OsString::from(format!("--{name}="));
    match value.extract::<std::path::PathBuf>() {
        Ok(path) => argument.push(path),
        Err(_) => argument.push(value.str()?.to_string()),
    }
    Ok(Some(argument))
}

/// A message about options in Python's words: `--time-limit` is `time_limit`.
pub fn in_python(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("--") {
        let (before, option) = rest.split_at(start);
        said.push_str(before);
        let name = &option[2..];
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || c == '-');
        match begins && name.starts_with(|c: char| c.is_ascii_lowercase()) {
            true => said.push_str(&name[..end].replace('-', "_")),
            false => said.push_str(&option[..2 + end]),
        }
        rest = &name[end..];
    }
    said + rest
}

/// Options of a command, by Python's names and types, with what they are for.
pub fn of_command(command: &str) -> Vec<(String, String, String)> {
    let line = isocost::command_line();
    let Some(command) = line.find_subcommand(command) else { return Vec::new() };
    let options = command.get_arguments().filter_map(|arg| {
        let name = arg.get_long()?.replace('-', "_");
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        (name != "help").then(|| (name, type_of(arg), in_python(&help)))
    });
    options.collect()
}

fn type_of(arg: &Arg) -> String {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return "bool".to_owned();
    }
    let one = of_values(arg);
    match matches!(arg.get_action(), ArgAction::Append) {
        true => format!("{one} | Sequence[{one}]"),
        false => one,
    }
}

fn of_values(arg: &Arg) -> String {
    let names: Vec<String> =
        arg.get_possible_values().iter().map(|v| format!("{:?}", v.get_name())).collect();
    if !names.is_empty() {
        return format!("Literal[{}]", names.join(", "));
    }
    let id = arg.get_value_parser().type_id();
    let is = |types: &[TypeId]| types.iter().any(|t| id == *t);
    let whole =
        [TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<usize>(), TypeId::of::<u16>()];
    if is(&whole) {
        "int"
    } else if arg.get_value_names().is_some_and(|names| names.contains(&"TIME".into())) {
        // Seconds, or with a unit: 15min.
        "float | str"
    } else if is(&[TypeId::of::<f64>(), TypeId::of::<std::time::Duration>()]) {
        "float"
    } else if is(&[TypeId::of::<std::path::PathBuf>()]) {
        "str | PathLike[str]"
    } else {
        "str"
    }
    .to_owned()
}
