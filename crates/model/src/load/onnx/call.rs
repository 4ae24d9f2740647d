//! One node and what it reads, asked for by the words of its operator's page.

use std::collections::HashMap;

use super::message::{Attribute, Node, Tensor};
use crate::load::lift::{Cannot, Constant, Value, axis_of, cannot};

/// A node, its inputs and its attributes.
pub(super) struct Call<'a> {
    prefix: &'a str,
    /// What its layer is called.
    pub name: String,
    /// The node.
    pub node: &'a Node,
    /// The version of the set of operations.
    pub opset: i64,
    inputs: Vec<Option<Value>>,
    attributes: HashMap<&'a str, &'a Attribute>,
}

impl<'a> Call<'a> {
    /// A node whose layer is called `prefix` and `name`, in a function that was called with the attributes `given`.
    pub fn new(
        prefix: &'a str,
        name: &str,
        node: &'a Node,
        inputs: Vec<Option<Value>>,
        given: &'a HashMap<String, Attribute>,
        opset: i64,
    ) -> Self {
        let attributes = node.attribute.iter().filter_map(|attribute| match attribute.ref_attr_name.as_str() {
            "" => Some((attribute.name.as_str(), attribute)),
            outer => given.get(outer).map(|given| (attribute.name.as_str(), given)),
        });
        Self { prefix, name: format!("{prefix}{name}"), node, opset, inputs, attributes: attributes.collect() }
    }

    /// What the layer of another output is called.
    pub fn sibling(&self, output: &str) -> String {
        format!("{}{output}", self.prefix)
    }

    /// Input `i`.
    pub fn input(&self, i: usize) -> Result<&Value, Cannot> {
        self.optional(i).ok_or_else(|| cannot(format!("it has no input {i}")))
    }

    /// Input `i`, if it is there.
    pub fn optional(&self, i: usize) -> Option<&Value> {
        self.inputs.get(i)?.as_ref()
    }

    /// All inputs.
    pub fn inputs(&self) -> Result<Vec<Value>, Cannot> {
        (0..self.inputs.len()).map(|i| self.input(i).cloned()).collect()
    }

    /// Input `i`, which is constant.
    pub fn constant(&self, i: usize) -> Result<&Constant, Cannot> {
        self.input(i)?.constant()
    }

    /// Input `i`, if it is there, which is constant.
    pub fn optional_constant(&self, i: usize) -> Result<Option<&Constant>, Cannot> {
        self.optional(i).map(Value::constant).transpose()
    }

    /// Whole numbers that newer files have as input `i`, and older ones as an attribute.
    pub fn integers(&self, name: &str, i: usize) -> Result<Option<Vec<i64>>, Cannot> {
        match self.optional_constant(i)? {
            Some(constant) => constant.to_integers().map(Some),
            None => Ok(self.attributes.get(name).map(|attribute| attribute.ints.clone())),
        }
    }

    /// Whole numbers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attributes.get(name).map(|attribute| &attribute.ints[..])
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.attributes.get(name).map(|attribute| attribute.i)
    }

    /// A real number.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.attributes.get(name).map(|attribute| attribute.f)
    }

    /// Real numbers.
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attributes.get(name).map(|attribute| &attribute.floats[..])
    }

    /// A word; nothing where it is not said, or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.attributes.get(name).map(|attribute| &attribute.s[..])?;
        std::str::from_utf8(text).ok().filter(|text| !text.is_empty())
    }

    /// A tensor.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.attributes.get(name)?.t.as_ref()
    }

    /// An axis of a tensor with `rank` axes.
    pub fn axis(&self, default: i64, rank: usize) -> Result<usize, Cannot> {
        axis_of(self.int("axis").unwrap_or(default), rank)
    }

    /// A number of elements.
    pub fn count(&self, name: &str) -> Result<Option<usize>, Cannot> {
        let whole = |n: i64| usize::try_from(n).map_err(|_| cannot(format!("{name} is {n}")));
        self.int(name).map(whole).transpose()
    }
}
