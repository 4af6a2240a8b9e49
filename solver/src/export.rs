//! Programs as text, for outside solvers: free MPS and the LP format.

use std::io::{self, Write};

use crate::milp::{Milp, Row};

/// The name under which column `j` is written, and read back.
pub(crate) fn column_name(j: usize) -> String {
    format!("x{j}")
}

/// Writes `milp` in free MPS. Columns are named `x0, x1, ...` after their place, rows `r0, ...`,
/// with the program's own names in comments: formats differ in the characters they allow.
///
/// # Errors
/// What `out` reports.
pub fn write_mps(milp: &Milp, mut out: impl Write) -> io::Result<()> {
    comments(milp, "*", &mut out)?;
    writeln!(out, "NAME {}", if milp.name.is_empty() { "isocost" } else { &milp.name })?;
    writeln!(out, "ROWS\n N cost")?;
    for (i, row) in milp.rows.iter().enumerate() {
        writeln!(out, " {} r{i}", sense(row))?;
    }
    writeln!(out, "COLUMNS")?;
    for (j, (column, terms)) in milp.columns.iter().zip(milp.by_column()).enumerate() {
        let x = column_name(j);
        if column.integer {
            writeln!(out, " M{j}a 'MARKER' 'INTORG'")?;
        }
        writeln!(out, " {x} cost {}", column.cost)?;
        for (i, a) in terms {
            writeln!(out, " {x} r{i} {a}")?;
        }
        if column.integer {
            writeln!(out, " M{j}b 'MARKER' 'INTEND'")?;
        }
    }
    writeln!(out, "RHS")?;
    if milp.offset != 0.0 {
        writeln!(out, " rhs cost {}", -milp.offset)?;
    }
    for (i, row) in milp.rows.iter().enumerate() {
        let side = if row.upper.is_finite() { row.upper } else { row.lower };
        if side.is_finite() {
            writeln!(out, " rhs r{i} {side}")?;
        }
    }
    writeln!(out, "RANGES")?;
    for (i, row) in milp.rows.iter().enumerate().filter(|(_, row)| is_range(row)) {
        writeln!(out, " range r{i} {}", row.upper - row.lower)?;
    }
    writeln!(out, "BOUNDS")?;
    for (j, column) in milp.columns.iter().enumerate() {
        let x = column_name(j);
        if column.lower == f64::NEG_INFINITY && column.upper == f64::INFINITY {
            writeln!(out, " FR bound {x}")?;
            continue;
        }
        match column.lower {
            f64::NEG_INFINITY => writeln!(out, " MI bound {x}")?,
            lower => writeln!(out, " LO bound {x} {lower}")?,
        }
        match column.upper {
            f64::INFINITY => writeln!(out, " PL bound {x}")?,
            upper => writeln!(out, " UP bound {x} {upper}")?,
        }
    }
    writeln!(out, "ENDATA")
}

/// Writes `milp` in the LP format, with names as [`write_mps`] gives them.
///
/// # Errors
/// What `out` reports.
pub fn write_lp(milp: &Milp, mut out: impl Write) -> io::Result<()> {
    comments(milp, "\\", &mut out)?;
    write!(out, "Minimize\n cost:")?;
    for (j, column) in milp.columns.iter().enumerate() {
        term(&mut out, j, column.cost)?;
    }
    if milp.offset != 0.0 {
        write!(out, "\n  {} {}", if milp.offset < 0.0 { '-' } else { '+' }, milp.offset.abs())?;
    }
    writeln!(out, "\nSubject To")?;
    for (i, row) in milp.rows.iter().enumerate().filter(|(_, row)| !row.terms.is_empty()) {
        let sides = [
            (row.lower == row.upper, "", "=", row.lower),
            (row.lower != row.upper && row.upper.is_finite(), "u", "<=", row.upper),
            (row.lower != row.upper && row.lower.is_finite(), "l", ">=", row.lower),
        ];
        for (_, suffix, relation, side) in sides.into_iter().filter(|side| side.0) {
            write!(out, " r{i}{suffix}:")?;
            for &(j, a) in &row.terms {
                term(&mut out, j, a)?;
            }
            writeln!(out, " {relation} {side}")?;
        }
    }
    writeln!(out, "Bounds")?;
    for (j, column) in milp.columns.iter().enumerate() {
        let (lower, upper) = (side(column.lower), side(column.upper));
        writeln!(out, " {lower} <= {} <= {upper}", column_name(j))?;
    }
    writeln!(out, "General")?;
    for (j, _) in milp.columns.iter().enumerate().filter(|(_, column)| column.integer) {
        writeln!(out, " {}", column_name(j))?;
    }
    writeln!(out, "End")
}

/// A bound as the LP format writes it.
fn side(bound: f64) -> String {
    match bound {
        f64::INFINITY => "+inf".to_owned(),
        f64::NEG_INFINITY => "-inf".to_owned(),
        bound => bound.to_string(),
    }
}

fn comments(milp: &Milp, mark: &str, out: &mut impl Write) -> io::Result<()> {
    for (j, column) in milp.columns.iter().enumerate() {
        writeln!(out, "{mark} {} = {}", column_name(j), one_line(&column.name))?;
    }
    for (i, row) in milp.rows.iter().enumerate() {
        writeln!(out, "{mark} r{i} = {}", one_line(&row.name))?;
    }
    Ok(())
}

fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

/// One term, on a line of its own: some readers limit the length of a line.
fn term(out: &mut impl Write, j: usize, a: f64) -> io::Result<()> {
    let sign = if a < 0.0 { '-' } else { '+' };
    write!(out, "\n  {sign} {} {}", a.abs(), column_name(j))
}

fn is_range(row: &Row) -> bool {
    row.lower.is_finite() && row.upper.is_finite() && row.lower != row.upper
}

fn sense(row: &Row) -> char {
    match (row.lower, row.upper) {
        (lower, upper) if lower == upper => 'E',
        (_, upper) if upper.is_finite() => 'L',
        (lower, _) if lower.is_finite() => 'G',
        _ => 'N',
    }
}
