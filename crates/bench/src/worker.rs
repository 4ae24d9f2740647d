//! Processes that measure, and what is said to them.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::case::{Case, Mode};

/// The first line a worker writes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Who it is, such as `PyTorch 2.15.0`.
    pub ready: String,
}

/// Asks for the times of some steps, after one that is not timed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    #[serde(flatten)]
    pub case: Case,
    pub mode: Mode,
    pub steps: usize,
}

/// The times of steps.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Milliseconds of each step.
    pub ms: Vec<f64>,
    /// The most memory the process ever held, in megabytes, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_mb: Option<f64>,
}

/// A line from a worker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer<T> {
    Failed { error: String },
    Good(T),
}

/// A process that measures.
pub struct Worker {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// Who it says it is.
    pub name: String,
}

impl Worker {
    /// This program once more.
    pub fn entoptic(threads: usize) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
        Self::start(Command::new(program).arg("worker"), threads)
    }

    /// Starts a worker that computes with so many threads, and waits until it is ready.
    pub fn start(command: &mut Command, threads: usize) -> Result<Self, String> {
        for variable in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS"] {
            command.env(variable, threads.to_string());
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start `{program}`: {error}"))?;
        let requests = child.stdin.take().expect("stdin is piped");
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut worker = Self { child, requests, answers, name: program };
        worker.name = worker.answer::<Ready>()?.ready;
        Ok(worker)
    }

    /// The times of some steps.
    pub fn measure(&mut self, request: &Request) -> Result<Measured, String> {
        let line = serde_json::to_string(request).expect("a request is JSON");
        writeln!(self.requests, "{line}").map_err(|_| self.ended())?;
        self.answer().map_err(|error| format!("{}, {}: {error}", request.mode, request.case.name()))
    }

    fn ended(&mut self) -> String {
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        format!("{} ended early: {status}", self.name)
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let Some(line) = self.answers.next() else { return Err(self.ended()) };
        let line = line.map_err(|error| format!("{}: {error}", self.name))?;
        match serde_json::from_str(&line) {
            Ok(Answer::Good(answer)) => Ok(answer),
            Ok(Answer::Failed { error }) => Err(error),
            Err(_) => Err(format!("{} answers `{line}`", self.name)),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It waits for requests and has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_flat_object() {
        let request =
            Request { case: Case::network("squeezenet_v1_1", "fire5", 128, 4), mode: Mode::ChannelsLast, steps: 3 };
        let line = r#"{"what":"network","model":"squeezenet_v1_1","layer":"fire5","size":128,"batch":4,"mode":"channels_last","steps":3}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), line);
        assert_eq!(serde_json::from_str::<Request>(line).unwrap(), request);
    }

    #[test]
    fn an_answer_is_times_or_an_error() {
        let parse = |line| serde_json::from_str::<Answer<Measured>>(line).unwrap();
        assert_eq!(parse(r#"{"ms": [2.5, 3]}"#), Answer::Good(Measured { ms: vec![2.5, 3.0], peak_mb: None }));
        assert_eq!(parse(r#"{"error": "no"}"#), Answer::Failed { error: "no".into() });
        assert!(serde_json::from_str::<Answer<Measured>>("{}").is_err());
    }
}
