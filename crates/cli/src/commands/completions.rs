use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use clap::CommandFactory;

use crate::{
    args::{Args, CompletionsArgs},
    failure::Failure,
};

pub fn run(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "entoptic", &mut script);
    stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
