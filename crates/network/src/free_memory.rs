//! How much memory is left.

use sysinfo::System;

/// The bytes that can still be used: of the machine, and of what this process is limited to.
pub fn free_memory() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    system.available_memory().min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_memory_is_free_and_not_all() {
        let mut system = System::new();
        system.refresh_memory();
        let free = free_memory();
        assert!(free > 0 && free < system.total_memory(), "{free} of {}", system.total_memory());
    }
}
