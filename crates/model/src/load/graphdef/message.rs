//! The messages of a GraphDef, as far as they are read here.
//!
//! # Reference
//! TensorFlow's `graph.proto`, `versions.proto`, `node_def.proto`, `attr_value.proto`, `tensor.proto`, `tensor_shape.proto`, `types.proto`.

use std::collections::HashMap;

use prost::bytes::Bytes;

/// One operation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NodeDef {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub op: String,
    /// `node`, `node:output`, or `^node` for what only has to come before.
    #[prost(string, repeated, tag = "3")]
    pub input: Vec<String>,
    #[prost(map = "string, message", tag = "5")]
    pub attr: HashMap<String, AttrValue>,
}

/// What wrote a graph.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Versions {
    #[prost(int32, tag = "1")]
    pub producer: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AttrValue {
    #[prost(oneof = "Attr", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub value: Option<Attr>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Attr {
    #[prost(message, tag = "1")]
    List(AttrList),
    #[prost(bytes = "bytes", tag = "2")]
    String(Bytes),
    #[prost(int64, tag = "3")]
    Integer(i64),
    #[prost(float, tag = "4")]
    Float(f32),
    #[prost(bool, tag = "5")]
    Bool(bool),
    #[prost(int32, tag = "6")]
    Type(i32),
    #[prost(message, tag = "7")]
    Shape(TensorShape),
    #[prost(message, boxed, tag = "8")]
    Tensor(Box<Tensor>),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AttrList {
    #[prost(int64, repeated, tag = "3")]
    pub integers: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorShape {
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dim>,
    #[prost(bool, tag = "3")]
    pub unknown_rank: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Dim {
    /// -1 where nobody knows.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Tensor {
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShape>,
    /// All numbers in little-endian order; where it is empty they are in the field of their type.
    #[prost(bytes = "bytes", tag = "4")]
    pub content: Bytes,
    #[prost(float, repeated, tag = "5")]
    pub floats: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    pub doubles: Vec<f64>,
    /// Of all integers up to 32 bits.
    #[prost(int32, repeated, tag = "7")]
    pub ints: Vec<i32>,
    /// Text, of which a constant that is read here has one.
    #[prost(bytes = "bytes", tag = "8")]
    pub text: Bytes,
    #[prost(int64, repeated, tag = "10")]
    pub longs: Vec<i64>,
    #[prost(bool, repeated, tag = "11")]
    pub bools: Vec<bool>,
    /// The bits of half and bfloat16 numbers.
    #[prost(int32, repeated, tag = "13")]
    pub halves: Vec<i32>,
}

/// TensorFlow's types of numbers, those that are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum DataType {
    Invalid = 0,
    Float = 1,
    Double = 2,
    Int32 = 3,
    Uint8 = 4,
    Int16 = 5,
    Int8 = 6,
    String = 7,
    Int64 = 9,
    Bool = 10,
    Bfloat16 = 14,
    Uint16 = 17,
    Half = 19,
}
