//! The part of a lane's work that this library does not know.

use std::error::Error as StdError;

use jiff::Timestamp;
use warehouse::StatementId;

use crate::{Claim, HoldRange, Lane, OnBadRows, Plan, TurnId, plan};

/// The text of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    pub sqls: Vec<String>,
    /// Values by the names that stand in the text as `:name`.
    pub parameters: Vec<(String, String)>,
}

/// What the statement of a load is about.
#[derive(Clone, Copy, Debug)]
pub struct Load<'t> {
    pub turn: TurnId,
    pub claim: &'t Claim,
    /// The places in the claim of the entries that are loaded.
    pub entries: &'t [usize],
    pub on_bad_rows: OnBadRows,
    /// The URL of the COPY manifest.
    pub manifest: &'t str,
}

/// A turn that needs nothing more of the warehouse.
#[derive(Debug)]
pub struct Completed<'t> {
    pub turn: TurnId,
    pub claim: &'t Claim,
    pub plan: &'t Plan,
    /// The statement that succeeded, to read its rows; `None` for a plan without a statement.
    pub statement: Option<&'t StatementId>,
    /// How many SQL texts that statement has.
    pub sqls: usize,
}

impl Completed<'_> {
    /// The places in the claim of the entries that were loaded, asked about or put into quarantine.
    pub fn covered(&self) -> Vec<usize> {
        plan::covered(self.plan, self.claim)
    }
}

/// The part of a lane's work that this library does not know.
pub trait Work: Send + Sync {
    /// The statement of a load.
    fn load_sql(
        &self,
        load: Load<'_>,
    ) -> impl Future<Output = Result<Sql, Box<dyn StdError + Send + Sync>>> + Send;

    /// The statement that asks for the evidence of these holds. `None` if no statement can be made,
    /// because their bundle does not open: then they are settled without evidence.
    fn evidence_sql(
        &self,
        holds: &HoldRange,
    ) -> impl Future<Output = Result<Option<Sql>, Box<dyn StdError + Send + Sync>>> + Send;

    /// The lane's own work after success. May run twice, at the same time too. Returns the lanes
    /// for which it wrote waiting entries.
    fn complete(
        &self,
        completed: Completed<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Lane>, Box<dyn StdError + Send + Sync>>> + Send;

    /// Whether this process does the own work of a lane. If not, it leaves the end of its turns to
    /// the function that does.
    fn completes(&self, lane: Lane) -> bool;
}
