//! The program `entoptic`: arguments in, pictures and progress out.

mod args;
mod commands;
mod failure;
mod machine;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    let folder = args.models_dir.unwrap_or_else(entoptic::network::zoo::default_folder);
    let result = match args.command {
        Command::Render(args) => commands::render::run(args, &folder),
        Command::InteractionGrid(args) => commands::interaction_grid::run(&args, &folder),
        Command::ActivationGrid(args) => commands::activation_grid::run(&args, &folder),
        Command::Interpolate(args) => commands::interpolate::run(&args, &folder),
        Command::Transparent(args) => commands::transparent::run(&args, &folder),
        Command::Caricature(args) => commands::caricature::run(&args, &folder),
        Command::Study(args) => commands::study::run(&args, &folder),
        Command::Spritemap(args) => commands::spritemap::run(&args, &folder),
        Command::Dictionary(args) => commands::dictionary::run(&args, &folder),
        Command::Attribute(args) => commands::attribute::run(&args, &folder),
        Command::NeuronGroups(args) => commands::neuron_groups::run(&args, &folder),
        Command::Atlas(args) => commands::atlas::run(&args, &folder),
        Command::Deepdream(args) => commands::deepdream::run(&args, &folder),
        Command::Style(args) => commands::style::run(&args, &folder),
        Command::Models(args) => commands::models::run(&args, &folder),
        Command::Inspect(args) => commands::inspect::run(&args, &folder),
        Command::Import(args) => commands::import::run(&args),
        Command::Pull(args) => commands::pull::run(&args, &folder),
        Command::Layers(args) => commands::layers::run(&args, &folder),
        Command::Objectives(args) => commands::catalog::objectives(&args),
        Command::Params(args) => commands::catalog::params(&args),
        Command::Transforms(args) => commands::catalog::transforms(&args),
        Command::Optimizers(args) => commands::catalog::optimizers(&args),
        Command::Doctor(args) => commands::doctor::run(&args, &folder),
        Command::Classify(args) => commands::classify::run(&args, &folder),
        Command::Devices(args) => commands::devices::run(&args),
        Command::Show(args) => commands::show::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
