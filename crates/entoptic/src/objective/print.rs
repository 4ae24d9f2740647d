//! The text form of objectives, printed so that it parses back.

use std::fmt;

use super::{Objective, Term, algebra::Expression, common};
use crate::notation::Number;

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(c) => Number(*c).fmt(f),
            Self::Term(term) => term.fmt(f),
            Self::Scaled(-1.0, expression) => write!(f, "-{}", Factor(expression)),
            Self::Scaled(factor, expression) => write!(f, "{}*{}", Number(*factor), Factor(expression)),
            Self::Absolute(expression) => write!(f, "abs({expression})"),
            Self::Sum(parts) => {
                parts[0].fmt(f)?;
                for part in &parts[1..] {
                    match part {
                        Self::Constant(c) if *c < 0.0 => write!(f, " - {}", Number(-c))?,
                        Self::Scaled(-1.0, expression) => write!(f, " - {}", Factor(expression))?,
                        Self::Scaled(c, expression) if *c < 0.0 => {
                            write!(f, " - {}*{}", Number(-c), Factor(expression))?
                        }
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
        common::write(self, self.kind.measure().write()).fmt(f)
    }
}
