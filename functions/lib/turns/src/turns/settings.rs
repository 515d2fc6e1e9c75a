use jiff::SignedDuration;

use crate::Limits;

/// What a stack's lanes have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    pub bucket: String,
    /// The stack's name: statement names begin with it.
    pub stack: String,
    /// The most that one turn of a load takes.
    pub limits: Limits,
    /// How long batches without holds wait for a turn.
    pub load_interval: SignedDuration,
    /// The shortest time between two turns of the lane of transactions. Above zero, only the sweep
    /// starts them, for warehouses that pause between turns.
    pub turn_interval: SignedDuration,
    /// The age from which a running turn counts as left alone by its events: who looks at it takes
    /// it further.
    pub grace: SignedDuration,
    /// Makes an id that no other process makes.
    pub random_id: fn() -> String,
}

/// The sweeps that start a turn and its evidence when only the sweep starts turns.
const TWO_SWEEPS: SignedDuration = SignedDuration::from_mins(2);

/// Why settings can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "TURN_INTERVAL_SECONDS is {} s, and holds last {} s: expected an interval that is shorter by \
     two minutes, so that the evidence of a hold arrives before its deadline",
    interval.as_secs(),
    hold_time.as_secs()
)]
pub struct SettingsError {
    interval: SignedDuration,
    hold_time: SignedDuration,
}

impl Settings {
    /// Refuses a turn interval that leaves no time for the evidence of a hold. `hold_time` is the
    /// time from a hold's arrival to its deadline.
    pub fn check(&self, hold_time: SignedDuration) -> Result<(), SettingsError> {
        let interval = self.turn_interval;
        if interval.is_positive() && interval + TWO_SWEEPS > hold_time {
            return Err(SettingsError {
                interval,
                hold_time,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_interval_leaves_time_for_the_evidence() {
        let settings = |seconds| Settings {
            bucket: String::new(),
            stack: String::new(),
            limits: Limits::DEFAULT,
            load_interval: SignedDuration::ZERO,
            turn_interval: SignedDuration::from_secs(seconds),
            grace: SignedDuration::ZERO,
            random_id: String::new,
        };
        let minute = SignedDuration::from_mins(1);
        assert_eq!(settings(0).check(minute), Ok(()), "events start the turns");
        assert_eq!(settings(480).check(10 * minute), Ok(()));
        let error = settings(481).check(10 * minute).unwrap_err();
        assert!(error.to_string().contains("holds last 600 s"), "{error}");
    }
}
