//! How work is spread over threads.

use std::{ops::Range, sync::Mutex};

use crate::{
    Dims, Isa, MapMut, PassesMut,
    kernel::parallel::{self, share},
    passes::WORD,
};

/// Which threads a kernel may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The caller's alone: for many images, each on a thread of its own.
    One,
    /// All of rayon's current pool; see [`together`](crate::together) for many kernels one after the other.
    All,
}

/// The CPU as kernels use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// With which instructions.
    pub isa: Isa,
    /// On which threads.
    pub threads: Threads,
}

/// The least work worth handing to another thread, in floats read or written: about 10 µs. An interpreter that looks for
/// undefined behavior should see several threads soon.
const PART: usize = if cfg!(miri) { 1 << 8 } else { 1 << 16 };

impl Cpu {
    /// Deals `rows` out to the threads, each with its part of the outputs, if there is enough to do: `work` is about how
    /// many floats are read or written in all.
    pub(crate) fn spread<T: Rows>(self, rows: usize, work: usize, outputs: T, each: impl Fn(Range<usize>, T) + Sync) {
        let parts = match self.threads {
            Threads::One => 1,
            // More parts than threads, as a thread may be late.
            Threads::All => (work / PART).min(4 * rayon::current_num_threads()).min(rows),
        };
        if parts <= 1 {
            return each(0..rows, outputs);
        }
        let mut rest = Some(outputs);
        let outputs: Vec<_> = (0..parts)
            .map(|part| {
                let (part, others) = rest.take()?.split(share(rows, part, parts).len());
                rest = Some(others);
                Some(part)
            })
            .map(Mutex::new)
            .collect();
        parallel::run(self, parts, |part| {
            let outputs = outputs[part].lock().expect("nobody panics while holding it").take();
            each(share(rows, part, parts), outputs.expect("each part is run once"));
        });
    }

    /// The same on the caller's thread alone.
    pub(crate) fn alone(self) -> Self {
        Self { threads: Threads::One, ..self }
    }
}

/// What kernels write, in rows of pixels counted over all images.
pub(crate) trait Rows: Sized + Send {
    /// The first `rows`, as one image, and the others.
    fn split(self, rows: usize) -> (Self, Self);
}

impl Rows for MapMut<'_> {
    fn split(self, rows: usize) -> (Self, Self) {
        let Self { values, dims, pitch } = self;
        let (first, others) = dims.split(rows);
        // Behind the last pixel's channels the pitch need not be filled.
        let (before, behind) = values.split_at_mut((first.pixels() * pitch).min(values.len()));
        (Self { values: before, dims: first, pitch }, Self { values: behind, dims: others, pitch })
    }
}

impl Rows for PassesMut<'_> {
    fn split(self, rows: usize) -> (Self, Self) {
        let Self { words, dims } = self;
        let (first, others) = dims.split(rows);
        let (before, behind) = words.split_at_mut(first.pixels() * dims.c.div_ceil(WORD));
        (Self { words: before, dims: first }, Self { words: behind, dims: others })
    }
}

/// Rows of anything else, all of one length.
pub(crate) struct Chunks<'a, T> {
    pub(crate) values: &'a mut [T],
    pub(crate) row: usize,
}

impl<T: Send> Rows for Chunks<'_, T> {
    fn split(self, rows: usize) -> (Self, Self) {
        let (first, others) = self.values.split_at_mut(rows * self.row);
        (Self { values: first, ..self }, Self { values: others, ..self })
    }
}

impl<T: Rows> Rows for Option<T> {
    fn split(self, rows: usize) -> (Self, Self) {
        self.map(|some| some.split(rows)).unzip()
    }
}

impl<A: Rows, B: Rows> Rows for (A, B) {
    fn split(self, rows: usize) -> (Self, Self) {
        let ((first_a, other_a), (first_b, other_b)) = (self.0.split(rows), self.1.split(rows));
        ((first_a, first_b), (other_a, other_b))
    }
}

impl Dims {
    /// The first `rows`, and the others, each as one image.
    fn split(self, rows: usize) -> (Self, Self) {
        let image = |h| Self { n: 1, h, ..self };
        (image(rows), image(self.n * self.h - rows))
    }
}
