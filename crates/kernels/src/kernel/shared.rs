//! A slice that several threads write at the same time, each in other places.

use std::marker::PhantomData;

/// A slice to write through a shared reference.
///
/// The parts that threads write are no ranges that a slice could be split into: some channels of some pixels, between
/// them channels that another thread or another layer writes. So there are only pointers, and no reference to any part
/// that overlaps another.
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: all writing goes through `at`, whose callers promise that no two threads use one place.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: as for `&mut [T]`.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The place of element `offset`.
    ///
    /// # Safety
    /// It is in the slice, and no other thread uses the places that the caller reads or writes from here on.
    #[inline(always)]
    pub(crate) unsafe fn at(&self, offset: usize) -> *mut T {
        debug_assert!(offset < self.len, "{offset} of {}", self.len);
        // SAFETY: the caller's.
        unsafe { self.start.add(offset) }
    }
}
