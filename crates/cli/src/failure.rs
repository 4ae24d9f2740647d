//! What the user reads when something does not work.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use entoptic::{
    Error,
    network::{self, model, zoo::Origin},
};

use crate::watch::INTERRUPTED;

/// The exit code for bad input, as clap has it.
const BAD_INPUT: u8 = 2;

/// Why a command ended early.
pub enum Failure {
    /// The library's reason.
    Error(Error),
    /// A reason of the program's own, one line, and perhaps a hint.
    Message(String, Option<String>),
    /// Output that nobody reads any more, or that cannot be written.
    Output(io::Error),
}

impl Failure {
    /// A reason without a hint.
    pub fn message(reason: impl Into<String>) -> Self {
        Self::Message(reason.into(), None)
    }

    /// Tells the user, and gives the exit code.
    pub fn report(self) -> ExitCode {
        let (error, hint) = match self {
            // Whoever read our output has read enough, as `head` does.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Output(error) => (format!("cannot write to stdout: {error}"), None),
            Self::Error(Error::Ended) => {
                tell("interrupted before there was anything to show");
                return ExitCode::from(INTERRUPTED);
            }
            Self::Message(reason, hint) => (reason, hint),
            Self::Error(Error::Syntax(error)) => (format!("{error}\n  {}", error.caret().replace('\n', "\n  ")), None),
            Self::Error(error) => (error.to_string(), hint(&error)),
        };
        tell(&format!("error: {error}"));
        if let Some(hint) = hint {
            tell(&format!("hint: {hint}"));
        }
        ExitCode::from(BAD_INPUT)
    }
}

/// A line on stderr, if anybody is there to read it.
pub fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Network(network::Error::Model(model::Error::NoSuchLayer { .. })) => {
            Some("`entoptic layers MODEL` lists a model's layers".into())
        }
        Error::Network(network::Error::Model(model::Error::NoSuchModel { .. })) => {
            Some("`entoptic models` lists the models known by name; a weights file works too".into())
        }
        Error::Network(network::Error::Model(model::Error::WeightsNotFound { name, .. })) => {
            let entry = network::zoo::find(name).ok()?;
            let how = match &entry.origin {
                Origin::ByHand(how) => how.clone(),
                _ => format!("`entoptic pull {name}` downloads it"),
            };
            Some(format!("{how}; --models-dir or $ENTOPTIC_MODELS says where to look"))
        }
        Error::NoSuchDevice { .. } => {
            Some("`entoptic devices` lists those there are, and says how to build the program with others".into())
        }
        Error::Network(network::Error::NotAnImage { found: [_, 4, _, _], .. }) => Some(
            "opacity wants transforms that end with collapse_alpha_random, as 'standard collapse_alpha_random'".into(),
        ),
        _ => None,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<model::Error> for Failure {
    fn from(error: model::Error) -> Self {
        Self::Error(error.into())
    }
}

impl From<network::Error> for Failure {
    fn from(error: network::Error) -> Self {
        Self::Error(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
