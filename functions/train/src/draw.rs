//! Repeatable random numbers for sampling rows and columns.

/// A number in [0, 1) for each place. It is the same in every training run (SplitMix64, Steele et
/// al. 2014).
pub(crate) fn drawn(seed: u64, place: usize) -> f64 {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let step = 0x9E37_79B9_7F4A_7C15_u64;
    // Mix the seed first. Otherwise the next seed gives the same numbers, shifted by one place.
    let z = mix(mix(seed.wrapping_add(step)).wrapping_add((place as u64 + 1).wrapping_mul(step)));
    (z >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_uniform_and_independent_for_neighbouring_seeds() {
        let draws = |seed| (0..10_000).map(move |place| drawn(seed, place));
        let mean = draws(1).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!(draws(1).all(|draw| (0.0..1.0).contains(&draw)));
        let both = draws(1)
            .zip(draws(2))
            .filter(|(a, b)| *a < 0.5 && *b < 0.5)
            .count();
        assert!(
            (2_300..2_700).contains(&both),
            "{both} of 10,000 below a half in both"
        );
        assert!(
            draws(1).skip(1).zip(draws(2)).all(|(a, b)| a != b),
            "the next seed's numbers are not this seed's, shifted by one place"
        );
    }
}
