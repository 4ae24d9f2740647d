//! The text form of objectives, printed so that it parses back.

use std::fmt;

use super::{Channel, Kind, Neuron, Objective, Term, algebra::Expression};

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(c) => write!(f, "{c}"),
            Self::Term(term) => term.fmt(f),
            Self::Scaled(-1.0, expression) => write!(f, "-{}", Factor(expression)),
            Self::Scaled(factor, expression) => write!(f, "{factor}*{}", Factor(expression)),
            Self::Sum(parts) => {
                parts[0].fmt(f)?;
                for part in &parts[1..] {
                    match part {
                        Self::Constant(c) if *c < 0.0 => write!(f, " - {}", -c)?,
                        Self::Scaled(-1.0, expression) => write!(f, " - {}", Factor(expression))?,
                        Self::Scaled(c, expression) if *c < 0.0 => write!(f, " - {}*{}", -c, Factor(expression))?,
                        Self::Sum(_) => write!(f, " + ({part})")?,
                        part => write!(f, " + {part}")?,
                    }
                }
                Ok(())
            }
            Self::Product(parts) => {
                write!(f, "{}", Factor(&parts[0]))?;
                parts[1..].iter().try_for_each(|part| match part {
                    Self::Product(_) => write!(f, "*({part})"),
                    part => write!(f, "*{}", Factor(part)),
                })
            }
        }
    }
}

/// An expression where a factor is expected: a sum stands in parentheses.
struct Factor<'a>(&'a Expression);

impl fmt::Display for Factor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sum @ Expression::Sum(_) => write!(f, "({sum})"),
            other => other.fmt(f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Channel(Channel { layer, channel }) => write!(f, "channel({}, {channel}", Name(layer))?,
            Kind::Neuron(Neuron { layer, channel, position }) => {
                write!(f, "neuron({}, {channel}", Name(layer))?;
                if let Some([y, x]) = position {
                    write!(f, ", [{y}, {x}]")?;
                }
            }
            Kind::Custom(custom) => write!(f, "custom({}", Name(&custom.name))?,
        }
        if let Some(image) = self.batch {
            write!(f, ", batch={image}")?;
        }
        write!(f, ")")
    }
}

/// A name as it is, or quoted where it needs to be.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        if name.starts_with(starts_name) && name.chars().all(in_name) {
            return f.write_str(name);
        }
        write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

pub(super) fn in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '/' | '.')
}

pub(super) fn starts_name(c: char) -> bool {
    in_name(c) && !c.is_ascii_digit() && c != '.'
}
