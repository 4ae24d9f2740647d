//! Sums, differences, products and multiples of objectives.

use std::ops::{Add, Div, Mul, Neg, Sub};

use burn::tensor::Tensor;

use super::{Objective, Step, Term};
use crate::Error;

/// The algebra in the one form its operators make: factors are pulled out of products, sums and products grow on
/// their left. The text form relies on it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Constant(f64),
    Term(Box<Term>),
    /// Never of a constant or of another scaled expression, never by 1.
    Scaled(f64, Box<Expression>),
    /// Never of another absolute value.
    Absolute(Box<Expression>),
    /// Two or more; the first is no sum.
    Sum(Vec<Expression>),
    /// Two or more, none of them a constant or scaled; the first is no product.
    Product(Vec<Expression>),
}

impl Expression {
    pub(super) fn terms<'a>(&'a self, visit: &mut impl FnMut(&'a Term)) {
        match self {
            Self::Constant(_) => {}
            Self::Term(term) => visit(term),
            Self::Scaled(_, expression) | Self::Absolute(expression) => expression.terms(visit),
            Self::Sum(parts) | Self::Product(parts) => parts.iter().for_each(|part| part.terms(visit)),
        }
    }

    pub(super) fn for_each_term(&mut self, change: &mut impl FnMut(&mut Term)) {
        match self {
            Self::Constant(_) => {}
            Self::Term(term) => change(term),
            Self::Scaled(_, expression) | Self::Absolute(expression) => expression.for_each_term(change),
            Self::Sum(parts) | Self::Product(parts) => parts.iter_mut().for_each(|part| part.for_each_term(change)),
        }
    }

    pub(super) fn value(&self, step: &Step<'_>) -> Result<Tensor<1>, Error> {
        let all = |parts: &[Self], combine: fn(Tensor<1>, Tensor<1>) -> Tensor<1>| {
            let mut values = parts.iter().map(|part| part.value(step));
            let first = values.next().expect("sums and products are never empty")?;
            values.try_fold(first, |sum, value| Ok(combine(sum, value?)))
        };
        match self {
            Self::Constant(c) => Ok(Tensor::from_data([*c as f32], &step.device())),
            Self::Term(term) => term.value(step),
            Self::Scaled(factor, expression) => Ok(expression.value(step)?.mul_scalar(*factor)),
            Self::Absolute(expression) => Ok(expression.value(step)?.abs()),
            Self::Sum(parts) => all(parts, |a, b| a + b),
            Self::Product(parts) => all(parts, |a, b| a * b),
        }
    }

    /// Whether all its numbers are.
    pub(super) fn is_finite(&self) -> bool {
        match self {
            Self::Constant(c) => c.is_finite(),
            Self::Term(_) => true,
            Self::Scaled(factor, expression) => factor.is_finite() && expression.is_finite(),
            Self::Absolute(expression) => expression.is_finite(),
            Self::Sum(parts) | Self::Product(parts) => parts.iter().all(Self::is_finite),
        }
    }

    fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Constant(c) => Self::Constant(factor * c),
            Self::Scaled(own, expression) => expression.scaled(factor * own),
            expression if factor == 1.0 => expression,
            expression => Self::Scaled(factor, expression.into()),
        }
    }
}

impl Objective {
    /// The absolute value.
    ///
    /// Minus the distance of an activation from a level is an objective that wants it there, no higher and no lower:
    ///
    /// ```
    /// use entoptic::objective::{Objective, neuron};
    ///
    /// let level = -(neuron("fire5", 20) - 3.0).abs();
    /// assert_eq!(level.to_string(), "-abs(neuron(fire5, 20) - 3)");
    /// assert_eq!("-abs(neuron(fire5, 20) - 3)".parse::<Objective>()?, level);
    /// # Ok::<(), entoptic::Error>(())
    /// ```
    pub fn abs(self) -> Self {
        Self(match self.0 {
            Expression::Constant(c) => Expression::Constant(c.abs()),
            absolute @ Expression::Absolute(_) => absolute,
            expression => Expression::Absolute(expression.into()),
        })
    }
}

impl From<f64> for Objective {
    fn from(constant: f64) -> Self {
        Self(Expression::Constant(constant))
    }
}

impl Add for Objective {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Expression::Constant(a), Expression::Constant(b)) => Expression::Constant(a + b),
            (Expression::Sum(mut parts), other) => {
                parts.push(other);
                Expression::Sum(parts)
            }
            (first, other) => Expression::Sum(vec![first, other]),
        })
    }
}

impl Mul for Objective {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Expression::Constant(factor), other) | (other, Expression::Constant(factor)) => other.scaled(factor),
            (Expression::Scaled(a, x), Expression::Scaled(b, y)) => (Self(*x) * Self(*y)).0.scaled(a * b),
            (Expression::Scaled(a, x), y) => (Self(*x) * Self(y)).0.scaled(a),
            (x, Expression::Scaled(b, y)) => (Self(x) * Self(*y)).0.scaled(b),
            (Expression::Product(mut parts), other) => {
                parts.push(other);
                Expression::Product(parts)
            }
            (first, other) => Expression::Product(vec![first, other]),
        })
    }
}

impl Div<f64> for Objective {
    type Output = Self;

    fn div(self, divisor: f64) -> Self {
        Self(match self.0 {
            Expression::Constant(c) => Expression::Constant(c / divisor),
            expression => expression.scaled(divisor.recip()),
        })
    }
}

impl Neg for Objective {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.scaled(-1.0))
    }
}

impl Sub for Objective {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl std::iter::Sum for Objective {
    fn sum<I: Iterator<Item = Self>>(objectives: I) -> Self {
        objectives.reduce(Add::add).unwrap_or_else(|| 0.0.into())
    }
}

macro_rules! with_numbers {
    ($($operator:ident::$method:ident),*) => {$(
        impl $operator<f64> for Objective {
            type Output = Objective;

            fn $method(self, number: f64) -> Objective {
                self.$method(Objective::from(number))
            }
        }

        impl $operator<Objective> for f64 {
            type Output = Objective;

            fn $method(self, objective: Objective) -> Objective {
                Objective::from(self).$method(objective)
            }
        }
    )*};
}

with_numbers!(Add::add, Sub::sub, Mul::mul);
