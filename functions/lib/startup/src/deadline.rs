use std::time::{Duration, SystemTime};

/// The time until Lambda stops an invocation with this deadline.
pub fn time_left(deadline: SystemTime) -> Duration {
    let left = deadline.duration_since(SystemTime::now());
    left.unwrap_or_default()
}
