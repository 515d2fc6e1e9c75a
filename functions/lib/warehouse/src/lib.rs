//! The warehouse as one small trait: submit a statement, read its status and its rows.
//!
//! [`RedshiftData`] uses the Redshift Data API. tests/harness has the in-memory twin, infra/redshift-data
//! the stand-in with the same wire protocol over PostgreSQL.

mod error;
mod redshift;
mod row;
mod statement;

pub use error::Error;
pub use redshift::{Database, RedshiftData, Target};
pub use row::{Row, Value};
pub use statement::{Statement, StatementId, Status, Warehouse};
