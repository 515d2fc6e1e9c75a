//! In-memory twins of the adapters. Each call yields once, so that tasks that race do interleave;
//! each asks its [`Faults`] first.

mod faults;
mod objects;
mod stream;
mod warehouse;

pub use faults::{Fault, Faults};
pub use objects::Objects;
pub use stream::Stream;
pub use warehouse::{Answer, Warehouse};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock, whatever a test that failed has left behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
