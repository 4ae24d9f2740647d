//! Pools and their gradients.

use super::{
    channels::Channels,
    gather::{Connections, Gather, Pixel, Rows},
    simd::Simd,
};
use crate::{Cpu, Map, MapMut, Place, Window, pool::Shares, threads::Chunks};

pub(crate) fn max_pool(
    cpu: Cpu,
    window: Window,
    place: Place,
    input: Map<'_>,
    output: MapMut<'_>,
    winners: Option<&mut [u8]>,
) {
    let dims = output.dims;
    let connections = Connections::forward(window, place, input.dims, dims);
    let winners = winners.map(|values| Chunks { values, row: dims.w * dims.c });
    cpu.spread(dims.n * dims.h, dims.len() * window.area(), (output, winners), |rows, (output, winners)| {
        let gather = Largest { input, output, winners };
        cpu.isa.run(Rows { connections: &connections, rows, gather });
    });
}

struct Largest<'a> {
    input: Map<'a>,
    output: MapMut<'a>,
    winners: Option<Chunks<'a, u8>>,
}

impl Gather for Largest<'_> {
    /// The largest, and the element it is under as a float: whole numbers to 256 are exact.
    type Sum<S: Simd> = (S::Floats, S::Floats);

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, _: Pixel, element: usize, _: Channels) -> Self::Sum<S> {
        (simd.splat(f32::NEG_INFINITY), simd.splat(element as f32))
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        (largest, winner): Self::Sum<S>,
        from: Pixel,
        element: usize,
        channels: Channels,
    ) -> Self::Sum<S> {
        // SAFETY: the caller's.
        let x = unsafe { self.input.load(simd, from.index, channels) };
        let wins = simd.beats(x, largest);
        (simd.select(wins, x, largest), simd.select(wins, simd.splat(element as f32), winner))
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, (largest, winner): Self::Sum<S>, pixel: Pixel, channels: Channels) {
        // SAFETY: the caller's; a pixel has as many winners as channels.
        unsafe {
            self.output.store(simd, largest, pixel.index, channels);
            if let Some(winners) = &mut self.winners {
                let at = pixel.index * self.output.dims.c + channels.first;
                simd.store_bytes(winners.values.as_mut_ptr().add(at), winner, channels.bits);
            }
        }
    }
}

pub(crate) fn max_pool_gradient(
    cpu: Cpu,
    window: Window,
    place: Place,
    winners: &[u8],
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = input_gradient.dims;
    let connections = Connections::gradient(window, place, dims, output_gradient.dims);
    let work = output_gradient.dims.len() * window.area() + dims.len();
    cpu.spread(dims.n * dims.h, work, input_gradient, |rows, input_gradient| {
        let gather = Won { winners, output_gradient, input_gradient, add };
        cpu.isa.run(Rows { connections: &connections, rows, gather });
    });
}

struct Won<'a> {
    winners: &'a [u8],
    output_gradient: Map<'a>,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Gather for Won<'_> {
    type Sum<S: Simd> = S::Floats;

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, pixel: Pixel, _: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's.
        unsafe { self.input_gradient.before(simd, pixel.index, channels, self.add) }
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        sum: S::Floats,
        from: Pixel,
        element: usize,
        channels: Channels,
    ) -> S::Floats {
        // SAFETY: the caller's; a pixel has as many winners as channels.
        unsafe {
            let gradient = self.output_gradient.load(simd, from.index, channels);
            let winners = self.winners.as_ptr().add(from.index * self.output_gradient.dims.c + channels.first);
            let won = simd.bytes_equal(winners, element as u8, channels.bits);
            simd.add(sum, simd.select(won, gradient, simd.splat(0.0)))
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, sum: S::Floats, pixel: Pixel, channels: Channels) {
        // SAFETY: the caller's.
        unsafe { self.input_gradient.store(simd, sum, pixel.index, channels) }
    }
}

pub(crate) fn average_pool(
    cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    input: Map<'_>,
    output: MapMut<'_>,
) {
    let dims = output.dims;
    let connections = Connections::forward(window, place, input.dims, dims);
    cpu.spread(dims.n * dims.h, dims.len() * window.area(), output, |rows, output| {
        let gather = Mean { shares, input, output };
        cpu.isa.run(Rows { connections: &connections, rows, gather });
    });
}

struct Mean<'a> {
    shares: Shares<'a>,
    input: Map<'a>,
    output: MapMut<'a>,
}

impl Gather for Mean<'_> {
    type Sum<S: Simd> = S::Floats;

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, _: Pixel, _: usize, _: Channels) -> S::Floats {
        simd.splat(0.0)
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(&self, simd: S, sum: S::Floats, from: Pixel, _: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's.
        simd.add(sum, unsafe { self.input.load(simd, from.index, channels) })
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, sum: S::Floats, pixel: Pixel, channels: Channels) {
        let mean = simd.mul(sum, simd.splat(self.shares.of(pixel.position)));
        // SAFETY: the caller's.
        unsafe { self.output.store(simd, mean, pixel.index, channels) }
    }
}

pub(crate) fn average_pool_gradient(
    cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = input_gradient.dims;
    let connections = Connections::gradient(window, place, dims, output_gradient.dims);
    let work = output_gradient.dims.len() * window.area() + dims.len();
    cpu.spread(dims.n * dims.h, work, input_gradient, |rows, input_gradient| {
        let gather = MeanGradient { shares, output_gradient, input_gradient, add };
        cpu.isa.run(Rows { connections: &connections, rows, gather });
    });
}

struct MeanGradient<'a> {
    shares: Shares<'a>,
    output_gradient: Map<'a>,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Gather for MeanGradient<'_> {
    type Sum<S: Simd> = S::Floats;

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, pixel: Pixel, _: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's.
        unsafe { self.input_gradient.before(simd, pixel.index, channels, self.add) }
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(&self, simd: S, sum: S::Floats, from: Pixel, _: usize, channels: Channels) -> S::Floats {
        // SAFETY: the caller's.
        let gradient = unsafe { self.output_gradient.load(simd, from.index, channels) };
        simd.mul_add(gradient, simd.splat(self.shares.of(from.position)), sum)
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, sum: S::Floats, pixel: Pixel, channels: Channels) {
        // SAFETY: the caller's.
        unsafe { self.input_gradient.store(simd, sum, pixel.index, channels) }
    }
}

/// With `q = mean(x²)` and `a = mean(|x|) + epsilon` of a window, its gradient at each `x` in it is
/// `share * (2 x / a - sign(x) q / a²)` times the output's. Summed over windows: `x Σ 2 share g / a - sign(x) Σ share g q / a²`,
/// two gradients of sums. Their terms come first.
#[allow(clippy::too_many_arguments, reason = "as the public function")]
pub(crate) fn l2_pool_gradient(
    cpu: Cpu,
    window: Window,
    place: Place,
    shares: Shares<'_>,
    epsilon: f32,
    input: Map<'_>,
    output_gradient: Map<'_>,
    input_gradient: MapMut<'_>,
    add: bool,
) {
    let dims = output_gradient.dims;
    let [mut times_x, mut times_sign] = [(); 2].map(|()| vec![0.0; dims.len()]);
    let work = dims.len() * window.area() * 2;
    let connections = Connections::forward(window, place, input.dims, dims);
    let terms = (MapMut::dense(&mut times_x, dims), MapMut::dense(&mut times_sign, dims));
    cpu.spread(dims.n * dims.h, work, terms, |rows, (times_x, times_sign)| {
        let first = rows.start * dims.w;
        let gather = L2Terms { shares, epsilon, input, output_gradient, first, times_x, times_sign };
        cpu.isa.run(Rows { connections: &connections, rows, gather });
    });

    let connections = Connections::gradient(window, place, input.dims, dims);
    let (times_x, times_sign) = (Map::dense(&times_x, dims), Map::dense(&times_sign, dims));
    let dims = input.dims;
    cpu.spread(dims.n * dims.h, work, input_gradient, |rows, input_gradient| {
        let first = rows.start * dims.w;
        let gather = L2Gradient { times_x, times_sign, input, first, input_gradient, add };
        cpu.isa.run(Rows { connections: &connections, rows, gather });
    });
}

struct L2Terms<'a> {
    shares: Shares<'a>,
    epsilon: f32,
    input: Map<'a>,
    output_gradient: Map<'a>,
    /// The first pixel that is written, in the whole map.
    first: usize,
    times_x: MapMut<'a>,
    times_sign: MapMut<'a>,
}

impl Gather for L2Terms<'_> {
    /// Of the squares and of the sizes.
    type Sum<S: Simd> = (S::Floats, S::Floats);

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, _: Pixel, _: usize, _: Channels) -> Self::Sum<S> {
        (simd.splat(0.0), simd.splat(0.0))
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        (squares, sizes): Self::Sum<S>,
        from: Pixel,
        _: usize,
        channels: Channels,
    ) -> Self::Sum<S> {
        // SAFETY: the caller's.
        let x = unsafe { self.input.load(simd, from.index, channels) };
        (simd.mul_add(x, x, squares), simd.mul_add(x, sign(simd, x), sizes))
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, simd: S, (squares, sizes): Self::Sum<S>, pixel: Pixel, channels: Channels) {
        let share = simd.splat(self.shares.of(pixel.position));
        let squares = simd.mul(share, squares);
        let sizes = simd.add(simd.mul(share, sizes), simd.splat(self.epsilon));
        let whole = self.first + pixel.index;
        // SAFETY: the caller's.
        unsafe {
            let gradient = simd.mul(self.output_gradient.load(simd, whole, channels), share);
            let ratio = simd.div(gradient, sizes);
            self.times_x.store(simd, simd.add(ratio, ratio), pixel.index, channels);
            self.times_sign.store(simd, simd.mul(ratio, simd.div(squares, sizes)), pixel.index, channels);
        }
    }
}

struct L2Gradient<'a> {
    times_x: Map<'a>,
    times_sign: Map<'a>,
    input: Map<'a>,
    /// The first pixel that is written, in the whole map.
    first: usize,
    input_gradient: MapMut<'a>,
    add: bool,
}

impl Gather for L2Gradient<'_> {
    type Sum<S: Simd> = (S::Floats, S::Floats);

    #[inline(always)]
    unsafe fn start<S: Simd>(&self, simd: S, _: Pixel, _: usize, _: Channels) -> Self::Sum<S> {
        (simd.splat(0.0), simd.splat(0.0))
    }

    #[inline(always)]
    unsafe fn take<S: Simd>(
        &self,
        simd: S,
        (times_x, times_sign): Self::Sum<S>,
        from: Pixel,
        _: usize,
        channels: Channels,
    ) -> Self::Sum<S> {
        // SAFETY: the caller's.
        unsafe {
            let times_x = simd.add(times_x, self.times_x.load(simd, from.index, channels));
            (times_x, simd.add(times_sign, self.times_sign.load(simd, from.index, channels)))
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(
        &mut self,
        simd: S,
        (times_x, times_sign): Self::Sum<S>,
        pixel: Pixel,
        channels: Channels,
    ) {
        let whole = self.first + pixel.index;
        // SAFETY: the caller's.
        unsafe {
            let x = self.input.load(simd, whole, channels);
            let before = self.input_gradient.before(simd, pixel.index, channels, self.add);
            let gradient = simd.sub(simd.mul(x, times_x), simd.mul(sign(simd, x), times_sign));
            self.input_gradient.store(simd, simd.add(before, gradient), pixel.index, channels);
        }
    }
}

/// 1, 0 or -1.
#[inline(always)]
fn sign<S: Simd>(simd: S, x: S::Floats) -> S::Floats {
    let zero = simd.splat(0.0);
    let negative = simd.keep(simd.splat(-1.0), simd.above(zero, x));
    simd.choose(simd.above(x, zero), simd.splat(1.0), negative)
}

impl Shares<'_> {
    /// That of one output.
    #[inline(always)]
    fn of(&self, [y, x]: [usize; 2]) -> f32 {
        self.rows[y] * self.columns[x]
    }
}
