//! The definition's features in Redshift's SQL, and the tables that they are read from.
//!
//! The text of every statement stands beside each shipped bundle, in its folder `sql/`; `make sql`
//! writes these files again.
//!
//! All identifiers come from a checked [`crate::Definition`]: plain words that begin with a letter.
//! Names that are made from these, as of
//! common table expressions and aggregates, begin with `_`, so that they are no identifier of the
//! definition. Values of transactions are bound parameters, never part
//! of a text.

mod evidence;
mod evidence_parameters;
mod export;
mod literal;
mod load;
mod profiles;
mod tables;
mod training_set;
mod window_columns;
mod window_query;

pub use evidence::evidence;
pub use evidence_parameters::{evidence_parameters, evidence_parts};
pub use export::{profiles_export, training_export};
pub use load::load;
pub use profiles::profiles;
pub use tables::{OUTCOMES, REPORTS, TRANSACTIONS, columns, schema_ddl};
pub use training_set::training_set;
