//! The warehouse as one small trait: submit a statement, ask for its status, read its rows.
//!
//! [`RedshiftData`] is the real one, over the Redshift Data API; tests/harness has the in-memory twin,
//! tests/redshift-data the stand-in that speaks the same wire protocol over PostgreSQL.

mod error;
mod redshift;
mod row;
mod statement;

pub use error::Error;
pub use redshift::{Database, RedshiftData, Target};
pub use row::{Row, Value};
pub use statement::{Statement, StatementId, Status, Warehouse};
