//! Threads that stay awake between kernels.
//!
//! A network is some hundred kernels of some ten microseconds each, and it takes about as long to put a thread to sleep
//! and to wake it again.

use std::{
    any::Any,
    cell::{Cell, UnsafeCell},
    hint, mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    sync::{
        Mutex,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread,
};

thread_local! {
    /// The team this thread leads, while that has nothing to do.
    static LED: Cell<*const Team> = const { Cell::new(ptr::null()) };
}

/// Does `work` with all threads of rayon's current pool awake: they wait busily for their parts of the kernels that it
/// runs with [`Threads::All`](crate::Threads::All).
pub fn together<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let others = rayon::current_num_threads() - 1;
    if others == 0 || !LED.get().is_null() {
        return work();
    }
    let team = Team::default();
    rayon::scope(|scope| {
        for _ in 0..others {
            scope.spawn(|_| team.help());
        }
        let _end = Dismissal(&team);
        let _led = Led::become_leader_of(&team);
        work()
    })
}

/// Runs all parts, on as many threads as are there.
pub(super) fn run(parts: usize, part: impl Fn(usize) + Sync) {
    together(|| {
        // Kernels that a part runs gather a team of their own.
        let led = Led::become_leader_of(ptr::null());
        // SAFETY: `together`, here or in a caller, keeps the team for as long as it is led.
        match unsafe { led.before.as_ref() } {
            Some(team) => team.run(parts, &part),
            None => (0..parts).for_each(&part),
        }
    });
}

/// Until it is dropped, this thread leads another team than before.
struct Led {
    before: *const Team,
}

impl Led {
    fn become_leader_of(team: *const Team) -> Self {
        Self { before: LED.replace(team) }
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        LED.set(self.before);
    }
}

/// Sends a team's threads away when it is dropped.
struct Dismissal<'a>(&'a Team);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.is_dismissed.store(true, Release);
    }
}

/// A leader and the threads that help it, of which some may be late or never come.
#[derive(Default)]
struct Team {
    /// How many parts of the job nobody has begun.
    open: Line<AtomicUsize>,
    /// How many are done.
    done: Line<AtomicUsize>,
    /// Written by the leader while no part is open or being done; read by whoever has begun one.
    job: UnsafeCell<Option<Job>>,
    /// Why a part failed.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    is_dismissed: AtomicBool,
}

#[derive(Clone, Copy)]
struct Job {
    parts: usize,
    part: &'static (dyn Fn(usize) + Sync),
}

// SAFETY: only `job` is no `Sync`, and its comment says why nobody reads it while it is written.
unsafe impl Sync for Team {}

/// Alone in what caches exchange, so that those who count do not slow those who wait.
#[derive(Default)]
#[repr(align(128))]
struct Line<T>(T);

impl Team {
    fn run(&self, parts: usize, part: &(dyn Fn(usize) + Sync)) {
        // SAFETY: nobody calls it after it is done, and until then this function does not return.
        let part = unsafe { mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(part) };
        // SAFETY: no part is open or being done: nobody reads it.
        unsafe { *self.job.get() = Some(Job { parts, part }) };
        self.done.0.store(0, Relaxed);
        self.open.0.store(parts, Release);
        while self.do_one() {}
        wait_until(|| self.done.0.load(Acquire) == parts);
        let panic = self.panic.lock().expect("nobody panics while holding it").take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    fn help(&self) {
        while !self.is_dismissed.load(Acquire) {
            wait_until(|| self.do_one() || self.is_dismissed.load(Relaxed));
        }
    }

    /// Does a part, if one is open.
    fn do_one(&self) -> bool {
        let Ok(open) = self.open.0.fetch_update(Acquire, Relaxed, |open| open.checked_sub(1)) else { return false };
        // SAFETY: the part is being done until it is counted, and so long the job stays as it is.
        let job = unsafe { *self.job.get() };
        let Job { parts, part } = job.expect("parts are open after their job is written");
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| part(parts - open))) {
            self.panic.lock().expect("nobody panics while holding it").get_or_insert(panic);
        }
        self.done.0.fetch_add(1, Release);
        true
    }
}

/// Waits busily, but lets others have the core now and then.
fn wait_until(mut is_over: impl FnMut() -> bool) {
    for turn in 1u32.. {
        if is_over() {
            return;
        }
        if turn.is_multiple_of(1024) {
            thread::yield_now();
        } else {
            hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_threads(threads: usize, work: impl FnOnce() + Send) {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
    }

    #[test]
    fn each_part_is_done_once() {
        for threads in [1, 2, 5] {
            on_threads(threads, || {
                together(|| {
                    for parts in [0, 1, 2, 7, 50] {
                        let done: Vec<_> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
                        run(parts, |part| {
                            // A part may run kernels itself.
                            run(3, |_| {
                                done[part].fetch_add(1, Relaxed);
                            });
                        });
                        assert!(done.iter().all(|done| done.load(Relaxed) == 3));
                    }
                });
            });
        }
    }

    #[test]
    fn a_part_that_panics_is_heard_of() {
        on_threads(3, || {
            let caught = catch_unwind(|| run(6, |part| assert!(part != 4, "part four")));
            assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"part four"));
            let done = AtomicUsize::new(0);
            run(6, |part| _ = done.fetch_add(part, Relaxed));
            assert_eq!(done.into_inner(), 15);
        });
    }
}
