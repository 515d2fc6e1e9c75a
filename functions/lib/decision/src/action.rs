use serde::{Deserialize, Serialize};

/// The verdict on a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Approve,
    /// Provisional: stop the transaction until its hold is settled.
    Hold,
    /// Final: the hold was wrong; let the transaction through.
    Release,
    /// Final: the hold was right; refuse the transaction.
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

    /// Whether this action settles a hold.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Release | Self::Block | Self::Review)
    }
}

/// When a decision is made: at the first look, or when a hold is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Provisional,
    /// Made by confirm or sweep, once per hold.
    Final,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettledBy {
    /// The completion event of the evidence statement.
    Confirm,
    /// The schedule, because no completion event arrived.
    Sweep,
    /// The deadline, because no evidence arrived before it.
    Expiry,
}
