//! What may go wrong in an order.

use simulation::Flaws;

/// What may go wrong in an order, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budget {
    pub(crate) crashes: u32,
    pub(crate) stalls: u32,
    pub(crate) zombies: Zombies,
    /// Calls of the bucket or the warehouse that fail, some of them after their effect.
    pub(crate) failing_calls: u32,
    pub(crate) lost_events: u32,
    pub(crate) doubled_events: u32,
    /// Statements that fail for a transient reason.
    pub(crate) failures: u32,
    /// Statements that never end.
    pub(crate) hangs: u32,
    pub(crate) flaws: Flaws,
    /// The two batches of the first shard come again as one.
    pub(crate) redelivery: bool,
    pub(crate) sweeps: Sweeps,
    /// Deadlines pass while processes run.
    pub(crate) expiry: bool,
}

/// When stalled processes go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Zombies {
    #[default]
    AtAnyTime,
    /// After everything was settled without them.
    Late,
}

/// How the schedule goes on while things go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sweeps {
    #[default]
    OneByOne,
    /// Two at once.
    InPairs,
    /// None before the events have done what they can.
    None,
}
