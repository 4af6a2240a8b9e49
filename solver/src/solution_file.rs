//! Solutions as outside solvers write them, by the names of the columns.
//!
//! | solver | a column's line |
//! |---|---|
//! | HiGHS, Gurobi | `name value`, lines of other kinds between |
//! | SCIP | `name value (obj:1.5)`, columns at 0 left out |
//! | CBC | `index name value reduced_cost` |
//! | CPLEX | `<variable name="name" ... value="1"/>` |
//!
//! A column that the file does not name is 0.

use std::collections::HashMap;

use crate::milp::Milp;

/// A solution file that cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolutionFileError {
    /// No line names a column.
    #[error(
        "no line names a column of the program; expected a solution of the file that \
         --write-model wrote, with lines `name value`"
    )]
    NoColumn,
    /// A value that is no number.
    #[error("line {line}: the value of `{column}` is `{value}`; expected a finite number")]
    Value {
        /// Line, from 1.
        line: usize,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// A column that is named twice with two values.
    #[error("line {line}: `{column}` is given a second value; keep one solution in the file")]
    Twice {
        /// Line, from 1.
        line: usize,
        /// The column.
        column: String,
    },
}

/// The value of each column of `milp` in the solution file `text`.
///
/// # Errors
/// [`SolutionFileError`].
pub fn read_solution(text: &str, milp: &Milp) -> Result<Vec<f64>, SolutionFileError> {
    let index: HashMap<&str, usize> =
        milp.columns.iter().enumerate().map(|(j, c)| (c.name.as_str(), j)).collect();
    let mut values: Vec<Option<f64>> = vec![None; milp.columns.len()];
    for (line, content) in (1..).zip(text.lines()) {
        let Some((j, value)) = pair(content, &index) else { continue };
        let column = || milp.columns[j].name.clone();
        let number = value.parse::<f64>().ok().filter(|v| v.is_finite());
        let Some(number) = number else {
            let value = value.to_owned();
            return Err(SolutionFileError::Value { line, column: column(), value });
        };
        if values[j].is_some_and(|before| before != number) {
            return Err(SolutionFileError::Twice { line, column: column() });
        }
        values[j] = Some(number);
    }
    if values.iter().all(Option::is_none) && !milp.columns.is_empty() {
        return Err(SolutionFileError::NoColumn);
    }
    Ok(values.into_iter().map(|v| v.unwrap_or(0.0)).collect())
}

/// The column and the value on a line, if it names a column.
fn pair<'t>(line: &'t str, index: &HashMap<&str, usize>) -> Option<(usize, &'t str)> {
    let line = line.trim();
    if line.starts_with('<') {
        let name = attribute(line, "name")?;
        return Some((*index.get(name)?, attribute(line, "value")?));
    }
    // CBC marks columns off their bounds by `**`.
    let mut words = line.split_whitespace().filter(|w| *w != "**");
    let first = words.next()?;
    if let Some(&j) = index.get(first) {
        return Some((j, words.next()?));
    }
    first.parse::<usize>().ok()?;
    Some((*index.get(words.next()?)?, words.next()?))
}

/// The value of an attribute of an XML element on one line.
fn attribute<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let from = line.find(&format!(" {name}=\""))? + name.len() + 3;
    line[from..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milp::Column;

    fn milp() -> Milp {
        let mut milp = Milp::default();
        for name in ["y_0_0", "y_0_1", "n_1_0"] {
            milp.add_column(Column::integer(name, 1.0, 0.0, 9.0));
        }
        milp
    }

    #[test]
    fn every_solver_is_understood() {
        let files = [
            "Model status\nOptimal\n\n# Columns 3\ny_0_0 1\ny_0_1 0\nn_1_0 4\n# Rows 1\nserve_0 1\n",
            "# Objective value = 5\ny_0_0 1\ny_0_1 0\nn_1_0 4\n",
            "solution status: optimal\nobjective value: 5\ny_0_0   1 \t(obj:1)\nn_1_0   4 (obj:1)\n",
            "Optimal - objective value 5\n      0 y_0_0    1    0\n **   2 n_1_0    4   0\n",
            "<variables>\n <variable name=\"y_0_0\" index=\"0\" value=\"1\"/>\n\
             <variable name=\"n_1_0\" index=\"2\" value=\"4\"/>\n</variables>\n",
        ];
        for file in files {
            assert_eq!(read_solution(file, &milp()), Ok(vec![1.0, 0.0, 4.0]), "{file}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read_solution("hello\n", &milp()), Err(SolutionFileError::NoColumn));
        let twice = read_solution("y_0_0 1\ny_0_0 2\n", &milp());
        assert_eq!(twice, Err(SolutionFileError::Twice { line: 2, column: "y_0_0".into() }));
        assert!(matches!(
            read_solution("n_1_0 nan\n", &milp()),
            Err(SolutionFileError::Value { line: 1, .. })
        ));
    }
}
