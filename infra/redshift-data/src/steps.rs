//! Reads a Redshift statement into the steps that run it.

use crate::copy::{self, Copy};
use crate::tokens;
use crate::translate::{self, Sql};
use crate::unload::{self, Unload};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Sql(Sql),
    Copy(Copy),
    Unload(Unload),
}

/// Reads one Redshift statement into steps, in their order. An error names the part that is not
/// supported.
pub(crate) fn steps(sql: &str) -> Result<Vec<Step>, String> {
    let tokens = tokens::read(sql)?;
    match tokens::word(tokens.first()).as_deref() {
        Some("COPY") => Ok(vec![Step::Copy(copy::parse(&tokens)?)]),
        Some("UNLOAD") => Ok(vec![Step::Unload(unload::parse(&tokens)?)]),
        _ => {
            let statements = translate::statements(&tokens)?;
            Ok(statements.into_iter().map(Step::Sql).collect())
        }
    }
}
