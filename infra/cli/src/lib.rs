//! The `look` command's parts.

pub mod simulate;
