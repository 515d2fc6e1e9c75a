use serde::{Deserialize, Serialize};

/// The verdict on a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Approve,
    /// Provisional: stop it until the second look.
    Hold,
    /// Final: the hold was a mistake, let it through.
    Release,
    /// Final: the hold was right, refuse it.
    Block,
    /// Final: a person must decide.
    Review,
}

impl Action {
    /// The word used in JSON and in the warehouse.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Block => "block",
            Self::Review => "review",
        }
    }

    /// Whether this action may end a hold.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Release | Self::Block | Self::Review)
    }
}

/// The kind of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Provisional,
    /// By confirm or sweep, once per hold.
    Final,
}

/// What settled a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettledBy {
    /// The completion event of the evidence query.
    Confirm,
    /// The schedule, because no completion event arrived.
    Sweep,
    /// The deadline, because no evidence arrived.
    Expiry,
}
