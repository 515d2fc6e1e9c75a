//! The definition's features in Redshift's SQL, and the tables that they are read from.
//!
//! The text of every statement stands beside each shipped bundle, in its folder `sql/`; `make sql`
//! writes these files again.
//!
//! All identifiers come from a checked [`crate::Definition`]: plain words that begin with a letter.
//! The names of common table expressions and aggregates are made from them and begin with `_`, so
//! they never equal an identifier of the definition. Values of transactions are bound parameters,
//! never part of a text.

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
