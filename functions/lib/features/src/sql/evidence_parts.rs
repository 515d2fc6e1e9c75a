use decision::Hold;

use super::evidence_parameters;
use crate::Definition;

/// How many SQL texts one statement may have: the Data API's limit.
const MAX_SQLS: usize = 40;

/// The holds in their order, in parts that one statement each can ask about; no parts of no holds. The
/// same holds make the same parts.
pub fn evidence_parts<'h>(definition: &Definition, holds: &'h [Hold]) -> Vec<&'h [Hold]> {
    match holds {
        [] => Vec::new(),
        [_] => vec![holds],
        _ if evidence_parameters(definition, holds).len() <= MAX_SQLS => vec![holds],
        _ => {
            let (first, second) = holds.split_at(holds.len() / 2);
            [
                evidence_parts(definition, first),
                evidence_parts(definition, second),
            ]
            .concat()
        }
    }
}
