//! In-memory twins of the adapters. Each call yields once, so that racing tasks interleave, and
//! then applies its [`Faults`].

mod bundles;
mod faults;
mod objects;
mod stream;
mod warehouse;

pub use bundles::Bundles;
pub use faults::{Fault, Faults};
pub use objects::Objects;
pub use stream::Stream;
pub use warehouse::{Answer, Warehouse};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even if a failed test has poisoned it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
