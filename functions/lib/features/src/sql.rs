//! The definition's features in Redshift's SQL, and the tables that they are read from.
//!
//! The text of every statement stands beside each shipped bundle, in its folder `sql/`; `make sql`
//! writes these files again.
//!
//! All identifiers come from a checked [`crate::Definition`]: plain words that begin with a letter.
//! The names of common table expressions and aggregates are made from them and begin with `_`, so
//! they never equal an identifier of the definition. Values of transactions are never part of a
//! text.

mod evidence;
mod evidence_again;
mod export;
mod hours;
mod known_frauds;
mod literal;
mod load;
mod load_reports;
mod profile_columns;
mod profiles;
mod tables;
mod training_set;
mod window_columns;
mod window_query;

pub use evidence::{HeldRows, evidence};
pub use evidence_again::{PlacedHolds, evidence_again, hold_times};
pub use export::{profiles_export, training_export};
pub use literal::timestamp_of_utc;
pub use load::{
    BadRows, CopySource, HoldGroup, TransactionsLoad, load_outcomes, load_transactions,
};
pub use load_reports::{ReportsLoad, load_reports};
pub use profiles::profiles;
pub use tables::{
    HOLDS, KNOWN_FRAUDS, OUTCOMES, REPORTS, TABLES, TRANSACTIONS, UNMATCHED, column_check, columns,
    schema_ddl, table_columns,
};
pub use training_set::{training_count, training_set};
pub use window_columns::{has_held_column, profile_column, recent_column};
