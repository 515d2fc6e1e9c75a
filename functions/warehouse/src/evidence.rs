use decision::Hold;
use model::Definition;

use crate::Statement;

/// How many SQLs one statement may have: the Data API's limit.
const MAX_SQLS: usize = 40;

/// The evidence query for these holds, as the given attempt. Score asks it first; the settle path asks
/// it again, and where it repeats an attempt, the token makes both the same.
pub fn evidence_statement(definition: &Definition, name: &str, attempt: u32, holds: &[Hold]) -> Statement {
    let parameters = model::sql::evidence_parameters(definition, holds);
    let sqls = model::sql::evidence(definition, parameters.len());
    Statement::new(name.to_owned(), attempt, sqls, parameters)
}

/// The holds in their order, in parts that one statement each can ask about; no parts of no holds. The
/// same holds make the same parts.
pub fn evidence_parts<'h>(definition: &Definition, holds: &'h [Hold]) -> Vec<&'h [Hold]> {
    match holds {
        [] => Vec::new(),
        [_] => vec![holds],
        _ if model::sql::evidence_parameters(definition, holds).len() <= MAX_SQLS => vec![holds],
        _ => {
            let (first, second) = holds.split_at(holds.len() / 2);
            [evidence_parts(definition, first), evidence_parts(definition, second)].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use harness::bundle::bundle;
    use serde_json::{Value, json};

    use super::*;

    fn hold(number: usize) -> Hold {
        serde_json::from_value(json!({
            "decision_id": format!("0-{number}-0"), "transaction_id": format!("T{number}"),
            "occurred_at": "2026-01-31T09:00:00Z", "amount": 600.0, "score": 0.9, "reasons": [],
            "entities": {"customer_id": "C".repeat(256), "terminal_id": "S".repeat(256)}, "model_version": "v",
            "decided_at": "2026-01-31T09:00:01Z", "deadline": "2026-01-31T09:10:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_transaction_that_is_held_twice_is_asked_about_once() {
        let (bundle, one, two) = (bundle(), hold(1), hold(2));
        let again = Hold { decision_id: "0-3-0".to_owned(), amount: 700.0, ..one.clone() };
        let statement = evidence_statement(bundle.definition(), "n", 1, &[one, two, again]);
        let [(_, parameter)] = &statement.parameters[..] else { panic!("{:?}", statement.parameters) };
        let asked: Vec<Value> = serde_json::from_str(parameter).unwrap();
        let asked: Vec<_> =
            asked.iter().map(|item| (item["transaction_id"].as_str().unwrap(), &item["amount"])).collect();
        assert_eq!(
            asked,
            [("T1", &json!(600.0)), ("T2", &json!(600.0))],
            "the first, as it is the one that is settled"
        );
    }

    #[test]
    fn more_holds_than_one_statement_can_ask_about_are_asked_about_in_parts() {
        let bundle = bundle();
        let holds: Vec<Hold> = (0..5_000).map(hold).collect();
        let all = evidence_statement(bundle.definition(), "n", 1, &holds);
        assert!(all.sqls.len() > MAX_SQLS, "{} SQLs", all.sqls.len());
        let parts = evidence_parts(bundle.definition(), &holds);
        for part in &parts {
            let sqls = evidence_statement(bundle.definition(), "n", 1, part).sqls.len();
            assert!((1..=MAX_SQLS).contains(&sqls), "{sqls} SQLs");
        }
        assert_eq!(parts.concat(), holds);
        assert_eq!(evidence_parts(bundle.definition(), &holds[..9]), [&holds[..9]]);
        assert_eq!(evidence_parts(bundle.definition(), &[]), [&[][..]; 0]);
    }
}
