//! The attributes of a node, with TensorFlow's defaults where it leaves them out.

use super::message::{Attr, NodeDef, Tensor, TensorShape};

/// Which axis of a map holds its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[n, h, w, c]`.
    Nhwc,
    /// `[n, c, h, w]`.
    Nchw,
}

impl Layout {
    /// Where the channels are.
    pub fn channels(self) -> usize {
        match self {
            Self::Nhwc => 3,
            Self::Nchw => 1,
        }
    }

    /// Of four numbers, one for each axis, those of rows and columns; the others have to be `rest`.
    pub fn spatial<T: Copy + PartialEq>(self, axes: [T; 4], rest: T) -> Option<[T; 2]> {
        let ([n, c], spatial) = match self {
            Self::Nhwc => ([axes[0], axes[3]], [axes[1], axes[2]]),
            Self::Nchw => ([axes[0], axes[1]], [axes[2], axes[3]]),
        };
        (n == rest && c == rest).then_some(spatial)
    }
}

impl NodeDef {
    fn value(&self, name: &str) -> Option<&Attr> {
        self.attr.get(name)?.value.as_ref()
    }

    /// A yes or no.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.value(name) {
            Some(&Attr::Bool(flag)) => flag,
            _ => default,
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str, default: i64) -> i64 {
        match self.value(name) {
            Some(&Attr::Integer(integer)) => integer,
            _ => default,
        }
    }

    /// A number.
    pub fn float(&self, name: &str, default: f32) -> f32 {
        match self.value(name) {
            Some(&Attr::Float(float)) => float,
            _ => default,
        }
    }

    /// A word.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Attr::String(text)) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// A list of whole numbers; nothing where it is empty.
    pub fn integers(&self, name: &str) -> Option<&[i64]> {
        match self.value(name) {
            Some(Attr::List(list)) if !list.integers.is_empty() => Some(&list.integers),
            _ => None,
        }
    }

    /// A type of numbers, by its number.
    pub fn data_type(&self, name: &str) -> Option<i32> {
        match self.value(name) {
            Some(&Attr::Type(data_type)) => Some(data_type),
            _ => None,
        }
    }

    /// The shape of a placeholder.
    pub fn shape(&self, name: &str) -> Option<&TensorShape> {
        match self.value(name) {
            Some(Attr::Shape(shape)) => Some(shape),
            _ => None,
        }
    }

    /// The tensor of a constant, which is no longer there afterwards.
    pub fn take_tensor(&mut self) -> Option<Tensor> {
        match self.attr.remove("value")?.value? {
            Attr::Tensor(tensor) => Some(*tensor),
            _ => None,
        }
    }

    /// How its maps lie in memory.
    pub fn layout(&self) -> Result<Layout, String> {
        match self.text("data_format") {
            None | Some("" | "NHWC") => Ok(Layout::Nhwc),
            Some("NCHW") => Ok(Layout::Nchw),
            Some(other) => Err(format!("its maps are {other}; NHWC and NCHW can be read")),
        }
    }

    /// Four numbers, one for each axis, of which only those of rows and columns may differ from 1; those two.
    pub fn spatial(&self, name: &str) -> Result<[usize; 2], String> {
        let Some(axes) = self.integers(name) else { return Ok([1, 1]) };
        let two = <[i64; 4]>::try_from(axes).ok().and_then(|axes| self.layout().ok()?.spatial(axes, 1));
        match two.map(|two| two.map(usize::try_from)) {
            Some([Ok(rows @ 1..), Ok(columns @ 1..)]) => Ok([rows, columns]),
            _ => Err(format!("its {name} are {axes:?}")),
        }
    }
}
