use serde::Serialize;

/// The result of [`crate::Loader::start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartOutcome {
    NothingWaits,
    /// A load is running. Its end starts the next load.
    UnderWay,
    Begun,
}

/// The result of [`crate::Loader::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvanceOutcome {
    /// The load does not exist (any more).
    Absent,
    Running,
    /// The load failed. The sweep submits its next attempt.
    Waiting,
    /// The load was submitted again: after a pause with all its lists, or at once with a part.
    Resubmitted,
    /// The load failed with its last list. The list was split into two, which wait.
    Split,
    Loaded,
    /// The load failed with one object. Its list was moved to `manifests/failed/`.
    GivenUp,
}
