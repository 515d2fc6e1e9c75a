use std::error::Error;
use std::fmt::Write as _;

/// The error and its sources in one line, separated by colons.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // INVARIANT: writing into a String cannot fail.
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}
