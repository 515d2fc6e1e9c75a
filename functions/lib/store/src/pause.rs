use std::time::Duration;

/// How long to wait before the `attempt`-th repetition (from 0): doubling, with an upper end.
/// Spread by `seed`, so that many functions that failed together do not come back together.
pub(crate) fn pause(attempt: u32, seed: usize) -> Duration {
    const FIRST_MS: u64 = 50;
    const LONGEST_MS: u64 = 2_000;
    let longest = (FIRST_MS << attempt.min(10)).min(LONGEST_MS);
    // Between a half and the whole.
    let spread = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
    Duration::from_millis(longest / 2 + longest / 2 * spread / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_upper_end() {
        for seed in 0..100 {
            assert!((25..=50).contains(&pause(0, seed).as_millis()));
            assert!((1000..=2000).contains(&pause(40, seed).as_millis()));
        }
    }
}
