//! Programs as text, for outside solvers: free MPS and the LP format.

use std::io::{self, Write};

use crate::milp::{Milp, Row};

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
    let mut terms = vec![Vec::new(); milp.columns.len()];
    for (i, row) in milp.rows.iter().enumerate() {
        row.terms.iter().for_each(|&(j, a)| terms[j].push((i, a)));
    }
    for (j, column) in milp.columns.iter().enumerate() {
        if column.integer {
            writeln!(out, " M{j}a 'MARKER' 'INTORG'")?;
        }
        writeln!(out, " x{j} cost {}", column.cost)?;
        for (i, a) in &terms[j] {
            writeln!(out, " x{j} r{i} {a}")?;
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
        match (column.lower, column.upper) {
            (f64::NEG_INFINITY, f64::INFINITY) => writeln!(out, " FR bound x{j}")?,
            (lower, upper) => {
                match lower {
                    f64::NEG_INFINITY => writeln!(out, " MI bound x{j}")?,
                    _ => writeln!(out, " LO bound x{j} {lower}")?,
                }
                match upper {
                    f64::INFINITY => writeln!(out, " PL bound x{j}")?,
                    _ => writeln!(out, " UP bound x{j} {upper}")?,
                }
            }
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
        let side = |x: f64| match x {
            f64::INFINITY => "+inf".to_owned(),
            f64::NEG_INFINITY => "-inf".to_owned(),
            x => x.to_string(),
        };
        writeln!(out, " {} <= x{j} <= {}", side(column.lower), side(column.upper))?;
    }
    writeln!(out, "General")?;
    for (j, _) in milp.columns.iter().enumerate().filter(|(_, column)| column.integer) {
        writeln!(out, " x{j}")?;
    }
    writeln!(out, "End")
}

fn comments(milp: &Milp, mark: &str, out: &mut impl Write) -> io::Result<()> {
    let clean = |name: &str| name.replace(char::is_control, " ");
    for (j, column) in milp.columns.iter().enumerate() {
        writeln!(out, "{mark} x{j} = {}", clean(&column.name))?;
    }
    for (i, row) in milp.rows.iter().enumerate() {
        writeln!(out, "{mark} r{i} = {}", clean(&row.name))?;
    }
    Ok(())
}

/// One term, on a line of its own: some readers limit the length of a line.
fn term(out: &mut impl Write, j: usize, a: f64) -> io::Result<()> {
    write!(out, "\n  {} {} x{j}", if a < 0.0 { '-' } else { '+' }, a.abs())
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
