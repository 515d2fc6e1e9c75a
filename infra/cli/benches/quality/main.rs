//! How good the decisions are, on public data, scored by the path that serves: `make bench-quality`.
//! Figures go to target/bench/quality.json.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

mod handbook;
mod parity;

use std::path::PathBuf;

fn main() {
    let folder = std::env::var_os("HANDBOOK_DIR").map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    let handbook = handbook::measure(&folder.join("handbook_slice_d078_d135.csv.zst"));
    println!("{}", serde_json::to_string_pretty(&handbook).unwrap());
    println!("{}", serde_json::to_string_pretty(&parity::measure(&folder)).unwrap());
}
