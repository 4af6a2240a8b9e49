//! The program `isocost`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(isocost::main(std::env::args_os()))
}
