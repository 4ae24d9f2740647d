//! How often the ascent waits for its device.

use std::{
    mem,
    time::{Duration, Instant},
};

use burn::tensor::Device;

/// How many steps are done before their values are read.
///
/// Reading a value waits until the device has computed it, and a GPU that is waited for at each step stands still while
/// the next one is prepared. The processor gains nothing by reading later, so there it is one step; elsewhere it is as
/// many as are done between two looks of someone who watches.
pub(super) struct Pace {
    steps: usize,
    most: usize,
    read: Instant,
}

/// Where every step so far ahead stood is kept, at the cost of the variables' memory.
const MOST: usize = 16;

/// What someone who watches, or ends the run, does not notice.
const MOMENT: Duration = Duration::from_millis(100);

impl Pace {
    pub(super) fn on(device: &Device) -> Self {
        let most = if *device == Device::flex() { 1 } else { MOST };
        Self::starting_at(1, most)
    }

    pub(super) fn starting_at(steps: usize, most: usize) -> Self {
        Self { steps, most, read: Instant::now() }
    }

    /// How many steps to do now.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The values of those steps have been read.
    pub(super) fn values_read(&mut self) {
        let took = mem::replace(&mut self.read, Instant::now()).elapsed();
        self.adapt(took);
    }

    fn adapt(&mut self, took: Duration) {
        let steps = if took < MOMENT { self.steps * 2 } else { self.steps / 2 };
        self.steps = steps.clamp(1, self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps between readings on a device where one takes so long.
    fn steps(most: usize, one: Duration) -> Vec<usize> {
        let mut pace = Pace::starting_at(1, most);
        let mut step = || {
            let steps = pace.steps();
            pace.adapt(one * steps as u32);
            steps
        };
        (0..8).map(|_| step()).collect()
    }

    #[test]
    fn values_are_read_a_few_times_a_second() {
        let ms = Duration::from_millis;
        assert_eq!(steps(MOST, ms(1)), [1, 2, 4, 8, 16, 16, 16, 16]);
        assert_eq!(steps(MOST, ms(30)), [1, 2, 4, 2, 4, 2, 4, 2]);
        assert_eq!(steps(MOST, ms(500)), [1; 8]);
    }

    #[test]
    fn the_processor_is_read_at_each_step() {
        assert_eq!(Pace::on(&Device::flex()).most, 1);
        assert_eq!(Pace::on(&Device::flex().autodiff()).most, 1);
        assert_eq!(steps(1, Duration::ZERO), [1; 8]);
    }
}
