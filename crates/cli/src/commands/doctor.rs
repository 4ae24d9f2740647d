use std::{
    io::{self, Write},
    ops::ControlFlow,
    path::Path,
    process::ExitCode,
};

use entoptic::{
    doctor::{self, DoctorConfig, Examination, Finding, Photo, Severity},
    network::zoo,
};

use super::print_json;
use crate::{args::DoctorArgs, failure::Failure, machine, watch::Watch};

/// The exit code where something is wrong with the model; bad input has another.
const WRONG: u8 = 1;

pub fn run(args: &DoctorArgs, folder: &Path) -> Result<ExitCode, Failure> {
    machine::set_threads(args.threads)?;
    let device = machine::device(&args.device)?;
    let network = zoo::open(&args.model, folder)?;
    let mut photos = doctor::photos(&network, &device)?;
    for path in &args.photos {
        photos.push(Photo::load(path, &network, args.class.as_ref(), &device)?);
    }
    let watch = Watch::start(args.json);
    let config = DoctorConfig::new().with_seed(args.seed);
    let examination = doctor::examine(&network, &device, &photos, &config, |moment| {
        watch.step(moment.done, moment.expected, moment.value);
        if watch.is_interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    watch.end();
    let examination = examination?;
    match args.json {
        true => print_json(&examination)?,
        false => report(&examination)?,
    }
    Ok(match examination.severity() {
        Severity::Wrong => ExitCode::from(WRONG),
        _ => ExitCode::SUCCESS,
    })
}

/// A line for each finding, then what to change.
fn report(examination: &Examination) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", examination.model)?;
    for Finding { check, severity, measured, .. } in &examination.findings {
        let start = format!("  {severity:<9}{check:<12}");
        writeln!(out, "{start}{}", wrapped(measured, start.len()))?;
    }
    let advised = examination.findings.iter().filter_map(|finding| Some((finding.check, finding.advice.as_ref()?)));
    for (i, (check, advice)) in advised.enumerate() {
        if i == 0 {
            writeln!(out, "\nWhat to do:")?;
        }
        let start = format!("  {check:<12}");
        writeln!(out, "{start}{}", wrapped(advice, start.len()))?;
    }
    writeln!(
        out,
        "\n{}",
        match examination.severity() {
            Severity::Wrong => "Something is wrong: pictures will show little.",
            Severity::Warning => "Some pictures will show little.",
            Severity::Fine | Severity::Remark => "It is ready to be looked into.",
        }
    )
}

/// How long lines are.
const WIDTH: usize = 100;

/// Text in lines that all start at a column.
fn wrapped(text: &str, column: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        lines.push(String::new());
        for word in paragraph.split(' ') {
            let line = lines.last_mut().expect("one was just begun");
            if line.is_empty() {
                *line = word.to_owned();
            } else if column + line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(word.to_owned());
            } else {
                *line += &format!(" {word}");
            }
        }
    }
    lines.join(&format!("\n{}", " ".repeat(column)))
}
