//! Solutions as outside solvers write them, by the names that [`write_mps`](crate::write_mps) and
//! [`write_lp`](crate::write_lp) give the columns.
//!
//! | solver | a column's line |
//! |---|---|
//! | HiGHS, Gurobi, lp_solve | `name value`, lines of other kinds between |
//! | SCIP | `name value (obj:1.5)`, columns at 0 left out |
//! | CBC | `index name value reduced_cost`, `**` before what is out of bounds, columns at 0 left out |
//! | GLPK | `index name * value lower upper` |
//! | CPLEX | `<variable name="name" ... value="1"/>` |
//!
//! A column that the file does not name is 0. Where dual values begin (HiGHS, lp_solve) nothing more
//! is read: they stand under the columns' names too.

use crate::export::column_name;
use crate::milp::Milp;

/// A solution file that cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolutionFileError {
    /// No line names a column.
    #[error(
        "no line names a column of the program (`x0`, `x1`, ...); expected a solution of the file \
         that --write-model wrote, with lines `x0 1`"
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
    let mut values: Vec<Option<f64>> = vec![None; milp.columns.len()];
    for (line, content) in (1..).zip(text.lines()) {
        if content.starts_with("# Dual") || content.starts_with("Dual value") {
            break;
        }
        for (column, value) in named(content) {
            let Some(j) = place(column).filter(|j| *j < values.len()) else { continue };
            let column = column.to_owned();
            let Some(number) = value.parse::<f64>().ok().filter(|v| v.is_finite()) else {
                return Err(SolutionFileError::Value { line, column, value: value.to_owned() });
            };
            if values[j].is_some_and(|before| before != number) {
                return Err(SolutionFileError::Twice { line, column });
            }
            values[j] = Some(number);
        }
    }
    if values.iter().all(Option::is_none) && !milp.columns.is_empty() {
        return Err(SolutionFileError::NoColumn);
    }
    Ok(values.into_iter().map(|v| v.unwrap_or(0.0)).collect())
}

/// The place of the column that is written under `name`.
fn place(name: &str) -> Option<usize> {
    let j = name.strip_prefix('x')?.parse().ok()?;
    (column_name(j) == name).then_some(j)
}

/// What may be a column's name and its value on a line.
fn named(line: &str) -> Vec<(&str, &str)> {
    if line.trim_start().starts_with('<') {
        let elements = line.split("<variable ").skip(1);
        return elements
            .filter_map(|e| Some((attribute(e, "name")?, attribute(e, "value")?)))
            .collect();
    }
    let mut words = line.split_whitespace().filter(|w| !matches!(*w, "*" | "**")).peekable();
    words.next_if(|word| word.bytes().all(|b| b.is_ascii_digit()));
    words.next().zip(words.next()).into_iter().collect()
}

/// The value of an attribute of an XML element.
fn attribute<'t>(element: &'t str, name: &str) -> Option<&'t str> {
    let from = element.find(&format!("{name}=\""))? + name.len() + 2;
    element[from..].split('"').next()
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
            // HiGHS, of a relaxation: its reduced costs stand under the same names.
            "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 5\n# Columns 3\n\
             x0 1\nx1 0\nx2 4\n# Rows 1\nr0 1\n\n# Dual solution values\nFeasible\n# Columns 3\nx0 7\n",
            // Gurobi
            "# Solution for model isocost\n# Objective value = 5\nx0 1\nx1 0\nx2 4\n",
            // SCIP
            "solution status: optimal solution found\nobjective value:     5\n\
             x0          1 \t(obj:1)\nx2          4 \t(obj:1)\n",
            // CBC
            "Optimal - objective value 5.00000000\n      0 x0    1    0\n**    2 x2    4   0\n",
            // GLPK
            "   No. Column name       Activity     Lower bound   Upper bound\n\
             ------ ------------    ------------- ------------- -------------\n\
                  1 x0           *              1             0             9 \n\
                  2 x1           *              0             0             9 \n\
                  3 x2           *              4             0             9 \n",
            // lp_solve -S4
            "\nValue of objective function: 5.00000000\n\nActual values of the variables:\n\
             x0                              1\nx1                              0\n\
             x2                              4\n\nActual values of the constraints:\n\
             r0                              1\n\nDual values with upper and lower limits:\n\
             x0                              7\n",
            // CPLEX
            "<variables>\n <variable name=\"x0\" index=\"0\" value=\"1\"/>\
             <variable name=\"x2\" index=\"2\" value=\"4\"/>\n</variables>\n",
        ];
        for file in files {
            assert_eq!(read_solution(file, &milp()), Ok(vec![1.0, 0.0, 4.0]), "{file}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for text in ["hello\n", "", "x3 1\nx+1 1\nx01 1\n", "r0 1\n", "x0"] {
            assert_eq!(read_solution(text, &milp()), Err(SolutionFileError::NoColumn), "{text}");
        }
        let twice = read_solution("x0 1\nx0 2\n", &milp());
        assert_eq!(twice, Err(SolutionFileError::Twice { line: 2, column: "x0".into() }));
        assert!(matches!(
            read_solution("x2 nan\n", &milp()),
            Err(SolutionFileError::Value { line: 1, .. })
        ));
    }
}
