//! Plans and memory, kept for the next time.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock},
};

use entoptic_kernels::{Cpu, Isa, Precision, Threads, together};
use rayon::prelude::*;

use super::{Convolutions, Outside, Part, Plan, Saved, Scratch};
use crate::{
    Wanted,
    free_memory::free_memory,
    gradient_override::Resolved,
    graph::{Channels, Graph, NodeId, Pruned},
};

/// More plans than the sizes that [`random_scale`] makes of one image, with and without redirected gradients.
///
/// [`random_scale`]: https://github.com/tensorflow/lucid
const KEPT: usize = 128;

/// Makes plans for a network, and keeps those it was asked for last.
pub(crate) struct Planner {
    isa: Isa,
    convolutions: Convolutions,
    pruned: Mutex<Recent<Vec<Channels>, Pruned>>,
    plans: Mutex<Recent<Key, Plan>>,
    scratch: Mutex<Vec<Scratch>>,
    saved: Mutex<Vec<Saved>>,
    /// The bytes that may be kept from the forward to the backward direction, once that had to be asked.
    room: OnceLock<u64>,
}

/// Less than this is kept without asking how much memory is free, in bytes.
const LITTLE: u64 = 256 << 20;

/// What a plan depends on.
#[derive(PartialEq)]
struct Key {
    wanted: Vec<(NodeId, Wanted)>,
    size: [usize; 2],
    overrides: Resolved,
    gradient: bool,
    precision: Precision,
}

/// Values by key, the ones used last at the end.
struct Recent<K, V>(Vec<(K, Arc<V>)>);

impl<K: PartialEq, V> Recent<K, V> {
    fn get_or_make(&mut self, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let known = match self.0.iter().position(|(known, _)| *known == key) {
            Some(place) => self.0.remove(place),
            None => {
                if self.0.len() == KEPT {
                    self.0.remove(0);
                }
                let value = Arc::new(make(&key));
                (key, value)
            }
        };
        let value = known.1.clone();
        self.0.push(known);
        value
    }
}

impl Planner {
    pub fn new() -> Self {
        Self {
            isa: Isa::best(),
            convolutions: Convolutions::default(),
            pruned: Mutex::new(Recent(Vec::new())),
            plans: Mutex::new(Recent(Vec::new())),
            scratch: Mutex::default(),
            saved: Mutex::default(),
            room: OnceLock::new(),
        }
    }

    /// For how many of `n` images, of which a plan keeps so many bytes each, there is room: half of what was free.
    fn fitting(&self, bytes: u64, n: usize) -> usize {
        if bytes * n as u64 <= LITTLE {
            return n;
        }
        let room = *self.room.get_or_init(|| LITTLE.max(free_memory() / 2));
        (room / bytes) as usize
    }

    /// What is left of a graph for these channels of nodes.
    pub fn prune(&self, graph: &Graph, wanted: &[(NodeId, Wanted)]) -> Arc<Pruned> {
        let channels: Vec<_> = wanted.iter().map(|(id, wanted)| (*id, wanted.channels.clone())).collect();
        let mut pruned = self.pruned.lock().expect("no thread panics while it holds the graphs");
        pruned.get_or_make(channels, |channels| graph.prune(channels))
    }

    /// The plan for images of `size` `[h, w]`; all shapes have been checked.
    pub fn plan(
        &self,
        graph: &Graph,
        wanted: Vec<(NodeId, Wanted)>,
        size: [usize; 2],
        overrides: Resolved,
        gradient: bool,
        precision: Precision,
    ) -> Arc<Plan> {
        let pruned = self.prune(graph, &wanted);
        let mut plans = self.plans.lock().expect("no thread panics while it holds the plans");
        plans.get_or_make(Key { wanted, size, overrides, gradient, precision }, |key| {
            Plan::new(&pruned, &key.wanted, size, &key.overrides, gradient, self.convolutions.with(precision))
        })
    }
}

/// One use of a plan, for some images: what it keeps from the forward to the backward direction.
pub(super) struct Call {
    pub planner: Arc<Planner>,
    pub plan: Arc<Plan>,
    /// How many images.
    pub n: usize,
    /// What is kept of the first images, as many as there is room for.
    saved: Mutex<Vec<Saved>>,
    /// The other images: before they go backward, they go forward again.
    others: Mutex<Vec<f32>>,
}

/// Which way a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// One image on its way.
struct Traveler<'a> {
    /// What is kept of it from one direction to the other, unless it goes forward twice.
    saved: Option<&'a mut Saved>,
    /// The image, where it goes forward again.
    again: Option<&'a [f32]>,
    outside: Outside<'a>,
}

impl Call {
    /// `batch` says of how many images something is kept; if nobody does, it is as many as memory holds.
    pub fn new(planner: Arc<Planner>, plan: Arc<Plan>, n: usize, batch: Option<usize>) -> Self {
        let kept = batch.unwrap_or_else(|| planner.fitting(plan.sizes.saved_bytes(), n)).min(n);
        let saved = {
            let mut pool = planner.saved.lock().expect("no thread panics while it holds the memory");
            (0..kept).map(|_| pool.pop().unwrap_or_default()).collect()
        };
        Self { planner, plan, n, saved: Mutex::new(saved), others: Mutex::default() }
    }

    pub fn parts(&self) -> &[Part] {
        &self.plan.parts
    }

    /// What is wanted of `images` `[n, c, h, w]`, one layer's part after the other.
    pub fn forward(&self, images: &[f32]) -> Vec<f32> {
        let mut answers = vec![0.0; self.n * self.plan.parts.iter().map(Part::len).sum::<usize>()];
        let outside = self.each_image([images].into_iter(), self.layers(&mut answers));
        self.run(Direction::Forward, outside);
        if !self.plan.backward.is_empty() {
            let kept = self.saved.lock().expect("no thread panics while it holds the memory").len();
            *self.others.lock().expect("no thread panics while it holds images") =
                images[kept * self.plan.image..].to_vec();
        }
        answers
    }

    /// The gradient of the images, for that of what was wanted of them.
    pub fn backward(&self, gradient: &[f32]) -> Vec<f32> {
        let mut images = vec![0.0; self.n * self.plan.image];
        let mut given = Vec::new();
        let mut rest = gradient;
        for part in &self.plan.parts {
            let (layer, others) = rest.split_at(self.n * part.len());
            given.push(layer);
            rest = others;
        }
        let outside = self.each_image(given.into_iter(), vec![&mut images]);
        self.run(Direction::Backward, outside);
        images
    }

    /// Each layer's part of what goes outside.
    fn layers<'a>(&self, mut rest: &'a mut [f32]) -> Vec<&'a mut [f32]> {
        let mut layers = Vec::new();
        for part in &self.plan.parts {
            let (layer, others) = rest.split_at_mut(self.n * part.len());
            layers.push(layer);
            rest = others;
        }
        layers
    }

    /// What is given and taken of each image.
    fn each_image<'a>(&self, given: impl Iterator<Item = &'a [f32]>, taken: Vec<&'a mut [f32]>) -> Vec<Outside<'a>> {
        let mut given: Vec<_> = given.map(|floats| floats.chunks_exact(floats.len() / self.n)).collect();
        let mut taken: Vec<_> = taken
            .into_iter()
            .map(|floats| {
                let each = floats.len() / self.n;
                floats.chunks_exact_mut(each)
            })
            .collect();
        let image = |_| Outside {
            given: given.iter_mut().map(|images| images.next().expect("one for each image")).collect(),
            taken: taken.iter_mut().map(|images| images.next().expect("one for each image")).collect(),
        };
        (0..self.n).map(image).collect()
    }

    /// Each image goes through all steps by itself, so that it stays in the caches: as many at once as there are threads,
    /// and where images are fewer, all threads at one.
    fn run(&self, direction: Direction, outside: Vec<Outside<'_>>) {
        let mut saved = self.saved.lock().expect("no thread panics while it holds the memory");
        let others = self.others.lock().expect("no thread panics while it holds images");
        let kept = saved.len();
        let mut saved = saved.iter_mut();
        let travelers = outside.into_iter().enumerate().map(|(i, outside)| {
            let again = (direction == Direction::Backward && i >= kept).then(|| {
                let image = self.plan.image;
                &others[(i - kept) * image..][..image]
            });
            Traveler { saved: saved.next(), again, outside }
        });
        let mut travelers: Vec<_> = travelers.collect();
        let threads = rayon::current_num_threads();
        let left_over = travelers.split_off(self.n / threads * threads);
        let travel = |threads: Threads, traveler| self.travel(direction, threads, traveler);
        travelers.into_par_iter().with_max_len(1).for_each(|traveler| travel(Threads::One, traveler));
        if !left_over.is_empty() {
            together(|| left_over.into_iter().for_each(|traveler| travel(Threads::All, traveler)));
        }
    }

    fn travel(&self, direction: Direction, threads: Threads, Traveler { saved, again, outside }: Traveler<'_>) {
        let (plan, planner) = (&self.plan, &self.planner);
        let cpu = Cpu { isa: planner.isa, threads };
        let mut scratch = taken(&planner.scratch);
        let mut own = None;
        let saved = saved.unwrap_or_else(|| own.insert(taken(&planner.saved)));
        if let Some(image) = again {
            let mut answers: Vec<Vec<f32>> = plan.parts.iter().map(|part| vec![0.0; part.len()]).collect();
            let outside = Outside { given: vec![image], taken: answers.iter_mut().map(Vec::as_mut_slice).collect() };
            plan.run(&plan.forward, cpu, 1, &mut scratch, saved, outside);
        }
        let steps = match direction {
            Direction::Forward => &plan.forward,
            Direction::Backward => &plan.backward,
        };
        plan.run(steps, cpu, 1, &mut scratch, saved, outside);
        given_back(&planner.scratch, scratch);
        own.into_iter().for_each(|own| given_back(&planner.saved, own));
    }
}

/// Memory that somebody used before, if there is any.
fn taken<T: Default>(pool: &Mutex<Vec<T>>) -> T {
    pool.lock().expect("no thread panics while it holds the memory").pop().unwrap_or_default()
}

fn given_back<T>(pool: &Mutex<Vec<T>>, memory: T) {
    pool.lock().expect("no thread panics while it holds the memory").push(memory);
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call of {} images", self.n)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let (Ok(saved), Ok(mut pool)) = (self.saved.get_mut(), self.planner.saved.lock()) {
            pool.append(saved);
        }
    }
}
