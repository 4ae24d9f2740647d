//! Where a plan keeps its maps: each in a buffer, and buffers that are not needed at the same time in one place.

use std::mem;

use entoptic_kernels::{Dims, Map, MapMut, Passes, PassesMut, words};

use super::step::Step;

/// Channels of a map in a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub buffer: Buffer,
    /// The first of its channels there.
    pub offset: usize,
    /// How many channels a pixel of the buffer has.
    pub pitch: usize,
    pub h: usize,
    pub w: usize,
    pub c: usize,
}

/// Where a buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buffer {
    /// Not said yet: the number of the buffer.
    Anywhere(usize),
    /// In memory that is free again after one direction.
    Scratch(usize),
    /// In memory that is kept from the forward to the backward direction.
    Saved(usize),
}

impl View {
    /// Some rows of it, as a map that is dense from row to row.
    pub fn rows(self, first: usize, h: usize) -> Self {
        Self { offset: self.offset + first * self.w * self.pitch, h, ..self }
    }

    /// Its pixels one below the other.
    pub fn in_one_column(self) -> Self {
        Self { h: self.h * self.w, w: 1, ..self }
    }

    pub fn dims(&self, n: usize) -> Dims {
        Dims { n, h: self.h, w: self.w, c: self.c }
    }
}

/// How much memory a plan takes for each image: floats, words and bytes of each buffer.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    pub scratch: Vec<usize>,
    pub saved: Vec<usize>,
    pub passes: Vec<usize>,
    pub winners: Vec<usize>,
}

impl Sizes {
    /// The bytes that are kept of an image from the forward to the backward direction.
    pub fn saved_bytes(&self) -> u64 {
        let [floats, words, bytes] =
            [&self.saved, &self.passes, &self.winners].map(|sizes| sizes.iter().sum::<usize>());
        (floats * size_of::<f32>() + words * size_of::<u16>() + bytes) as u64
    }
}

/// Says where each of the buffers, of so many floats, is: what both directions touch is saved, the rest share memory.
pub(super) fn assign(buffers: &[usize], directions: [&mut [Step]; 2], sizes: &mut Sizes) {
    let mut lives = vec![[None; 2]; buffers.len()];
    for (direction, steps) in directions.iter().enumerate() {
        for (time, step) in steps.iter().enumerate() {
            for buffer in step.views().filter_map(View::anywhere) {
                let (_, last) = lives[buffer][direction].get_or_insert((time, time));
                *last = time;
            }
        }
    }
    let mut places = vec![None; buffers.len()];
    for (buffer, life) in lives.iter().enumerate() {
        if let [Some(_), Some(_)] = life {
            places[buffer] = Some(Buffer::Saved(sizes.saved.len()));
            sizes.saved.push(buffers[buffer]);
        }
    }
    for direction in [0, 1] {
        let mut ends: Vec<usize> = vec![0; sizes.scratch.len()];
        let mut scratch: Vec<(usize, (usize, usize))> = lives
            .iter()
            .map(|life| life[direction])
            .enumerate()
            .filter_map(|(buffer, life)| life.filter(|_| places[buffer].is_none()).map(|life| (buffer, life)))
            .collect();
        scratch.sort_by_key(|&(_, (first, _))| first);
        for (buffer, (first, last)) in scratch {
            let size = buffers[buffer];
            let free = (0..ends.len()).filter(|&slot| ends[slot] <= first);
            // The smallest that is large enough, else the one that has to grow least.
            let slot = free.min_by_key(|&slot| match sizes.scratch[slot] {
                room if room >= size => (false, room - size),
                room => (true, size - room),
            });
            let slot = slot.unwrap_or_else(|| {
                sizes.scratch.push(0);
                ends.push(0);
                ends.len() - 1
            });
            sizes.scratch[slot] = sizes.scratch[slot].max(size);
            ends[slot] = last + 1;
            places[buffer] = Some(Buffer::Scratch(slot));
        }
    }
    for view in directions.into_iter().flatten().flat_map(Step::views_mut) {
        if let Some(buffer) = view.anywhere() {
            view.buffer = places[buffer].expect("every buffer of a step has a place");
        }
    }
}

impl View {
    fn anywhere(&self) -> Option<usize> {
        match self.buffer {
            Buffer::Anywhere(buffer) => Some(buffer),
            _ => None,
        }
    }
}

/// Memory that holds nothing between two directions; it grows to what the largest plan takes.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<Floats>);

/// What one plan keeps of some images from the forward to the backward direction.
#[derive(Debug, Default)]
pub(super) struct Saved {
    floats: Vec<Floats>,
    passes: Vec<Vec<u16>>,
    winners: Vec<Vec<u8>>,
}

/// The memory of one direction of a plan for `n` images.
pub(super) struct Memory<'a> {
    pub n: usize,
    scratch: &'a mut Scratch,
    saved: &'a mut Saved,
}

impl<'a> Memory<'a> {
    pub fn new(n: usize, sizes: &Sizes, scratch: &'a mut Scratch, saved: &'a mut Saved) -> Self {
        grow(&mut scratch.0, sizes.scratch.iter().map(|size| n * size), |floats, size| floats.grow(size));
        grow(&mut saved.floats, sizes.saved.iter().map(|size| n * size), |floats, size| floats.grow(size));
        grow(&mut saved.passes, sizes.passes.iter().map(|size| n * size), |words, size| words.resize(size, 0));
        grow(&mut saved.winners, sizes.winners.iter().map(|size| n * size), |bytes, size| bytes.resize(size, 0));
        Self { n, scratch, saved }
    }

    pub fn map(&self, view: &View) -> Map<'_> {
        let floats = match view.buffer {
            Buffer::Scratch(i) => &self.scratch.0[i],
            Buffer::Saved(i) => &self.saved.floats[i],
            Buffer::Anywhere(_) => unreachable!("every buffer has a place"),
        };
        Map::new(&floats.as_slice()[view.offset..], view.dims(self.n), view.pitch)
    }

    /// Runs `write` with a map to write to, and the rest of the memory to read from.
    pub fn write<T>(&mut self, view: &View, write: impl FnOnce(&mut Self, MapMut<'_>) -> T) -> T {
        let mut floats = mem::take(self.floats(view.buffer));
        let result = write(self, MapMut::new(&mut floats.as_mut_slice()[view.offset..], view.dims(self.n), view.pitch));
        *self.floats(view.buffer) = floats;
        result
    }

    fn floats(&mut self, buffer: Buffer) -> &mut Floats {
        match buffer {
            Buffer::Scratch(i) => &mut self.scratch.0[i],
            Buffer::Saved(i) => &mut self.saved.floats[i],
            Buffer::Anywhere(_) => unreachable!("every buffer has a place"),
        }
    }

    pub fn passes(&self, id: usize, dims: Dims) -> Passes<'_> {
        Passes::new(&self.saved.passes[id][..words(dims)], dims)
    }

    /// Runs `write` with bits to write to, if there are any, and the rest of the memory to read from.
    pub fn write_passes<T>(
        &mut self,
        id: Option<usize>,
        dims: Dims,
        write: impl FnOnce(&mut Self, Option<PassesMut<'_>>) -> T,
    ) -> T {
        let Some(id) = id else { return write(self, None) };
        let mut bits = mem::take(&mut self.saved.passes[id]);
        let result = write(self, Some(PassesMut::new(&mut bits[..words(dims)], dims)));
        self.saved.passes[id] = bits;
        result
    }

    pub fn winners(&self, id: usize, dims: Dims) -> &[u8] {
        &self.saved.winners[id][..dims.len()]
    }

    /// As [`write_passes`](Self::write_passes), for the winners of a max pool.
    pub fn write_winners<T>(
        &mut self,
        id: Option<usize>,
        dims: Dims,
        write: impl FnOnce(&mut Self, Option<&mut [u8]>) -> T,
    ) -> T {
        let Some(id) = id else { return write(self, None) };
        let mut winners = mem::take(&mut self.saved.winners[id]);
        let result = write(self, Some(&mut winners[..dims.len()]));
        self.saved.winners[id] = winners;
        result
    }
}

fn grow<T: Default>(buffers: &mut Vec<T>, sizes: impl Iterator<Item = usize>, grow: impl Fn(&mut T, usize)) {
    for (i, size) in sizes.enumerate() {
        if i == buffers.len() {
            buffers.push(T::default());
        }
        grow(&mut buffers[i], size);
    }
}

/// Floats that start where a cache line does.
#[derive(Debug, Default)]
struct Floats {
    values: Vec<f32>,
    start: usize,
}

/// The bytes of a cache line, of today's CPUs.
const LINE: usize = 64;

impl Floats {
    /// Makes room for `len` floats; what they are is nobody's concern.
    fn grow(&mut self, len: usize) {
        if self.values.len() < len + LINE / size_of::<f32>() {
            self.values = vec![0.0; len + LINE / size_of::<f32>()];
            self.start = self.values.as_ptr().align_offset(LINE);
        }
    }

    fn as_slice(&self) -> &[f32] {
        &self.values[self.start..]
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.values[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step::Kernel;

    fn step(reads: &[usize], writes: usize) -> Step {
        let view = |&buffer: &usize| {
            let buffer = Buffer::Anywhere(buffer);
            View { buffer, offset: 0, pitch: 1, h: 1, w: 1, c: 1 }
        };
        Step { kernel: Kernel::Copy, reads: reads.iter().map(view).collect(), writes: Some(view(&writes)), add: false }
    }

    #[test]
    fn buffers_share_memory_unless_they_are_needed_at_once_or_in_both_directions() {
        // 0 → 1 → 2 → 3, and back through 4 and 5; the way back reads 1.
        let mut forward = [step(&[], 0), step(&[0], 1), step(&[1], 2), step(&[2], 3)];
        let mut backward = [step(&[], 4), step(&[4, 1], 5)];
        let mut sizes = Sizes::default();
        assign(&[10, 20, 30, 40, 50, 60], [&mut forward, &mut backward], &mut sizes);
        let place = |step: &Step| step.writes.unwrap().buffer;
        assert_eq!(place(&forward[1]), Buffer::Saved(0));
        assert_eq!(sizes.saved, [20]);
        assert_eq!(place(&forward[0]), Buffer::Scratch(0));
        assert_eq!(place(&forward[2]), Buffer::Scratch(0), "what 0 held is read by then");
        assert_eq!(place(&forward[3]), Buffer::Scratch(1), "2 is read while 3 is written");
        assert_ne!(place(&backward[0]), place(&backward[1]));
        assert_eq!(sizes.scratch.len(), 2);
        assert_eq!(sizes.scratch.iter().sum::<usize>(), 110, "as much as the two that are alive at once");
    }

    #[test]
    fn maps_start_at_cache_lines_and_memory_grows() {
        let (mut scratch, mut saved) = (Scratch::default(), Saved::default());
        for size in [100, 7, 300] {
            let sizes = Sizes { scratch: vec![size, 1], ..Sizes::default() };
            let mut memory = Memory::new(1, &sizes, &mut scratch, &mut saved);
            let view = View { buffer: Buffer::Scratch(0), offset: 0, pitch: 1, h: 1, w: size, c: 1 };
            memory.write(&view, |_, mut map| map.pixel(size - 1)[0] = 5.0);
            assert_eq!(memory.map(&view).pixel(size - 1), [5.0]);
            assert_eq!(memory.map(&view).pixel(0).as_ptr() as usize % LINE, 0);
        }
    }
}
