use decision::Hold;
use model::Definition;

use crate::Statement;

/// The evidence query for these holds, as the given attempt. Score asks it first; the settle path asks
/// it again, and where it repeats an attempt, the token makes both the same.
pub fn evidence_statement(definition: &Definition, name: &str, attempt: u32, holds: &[Hold]) -> Statement {
    let parameters = model::sql::evidence_parameters(definition, holds);
    let sqls = model::sql::evidence(definition, parameters.len());
    Statement::new(name.to_owned(), attempt, sqls, parameters)
}
