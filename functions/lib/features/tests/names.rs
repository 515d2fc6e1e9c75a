//! The names in generated SQL.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use features::{Definition, TrainingPeriod, sql};
use harness::fixture::DEFINITION;

/// Entities with every kind of name that a name made by us could equal.
const ENTITIES: [&str; 6] = [
    "customer",
    "frauds_customer",
    "profile_customer",
    "customer_history",
    "spend_count",
    "profile_spend",
];

fn definition() -> Definition {
    let mut features = String::new();
    let mut names = Vec::new();
    for entity in ENTITIES {
        let name = match entity {
            "spend_count" => "spend".to_owned(),
            entity => format!("{entity}_spend"),
        };
        let _ = write!(
            features,
            "[[feature]]\nname = \"{name}\"\nentity = \"{entity}\"\nmean = \"amount\"\n\
             window = \"7d\"\n\
             [[feature]]\nname = \"{name}_frauds\"\nentity = \"{entity}\"\nfrauds = true\n\
             window = \"all\"\n"
        );
        names.push(format!("\"{name}\""));
        names.push(format!("\"{name}_frauds\""));
    }
    let names = names.join(", ");
    let text = DEFINITION
        .replace(
            "\"customer_id\", \"terminal_id\"",
            &format!("\"{}\"", ENTITIES.join("\", \"")),
        )
        .replace("entity = \"customer_id\"", "entity = \"customer\"")
        .replace("[first]", &format!("{features}\n[first]"))
        .replace("[\"amount\", \"night\"]", &format!("[{names}]"))
        .replace("[\"amount\", \"customer_mean_7d\"]", &format!("[{names}]"));
    Definition::parse(&text).unwrap()
}

fn assert_unique(names: &[&str], what: &str) {
    let different: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{what}: {names:?}");
}

/// The word at the end of a text.
fn last_word(text: &str) -> &str {
    let is_outside = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    text.rsplit(is_outside).next().unwrap()
}

/// The names of the columns of a SELECT, from the text after `SELECT`.
fn columns(select: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for line in select.lines() {
        if line.trim_start().starts_with("FROM") {
            break;
        }
        let line = line.trim_end_matches(',');
        // A line with a call has one column. Others may list several.
        match line.contains('(') {
            true => names.push(last_word(line)),
            false => names.extend(line.split(", ").map(last_word)),
        }
    }
    names
}

/// Common table expressions have different names, and so have the columns of each SELECT.
fn assert_no_name_twice(query: &str) {
    let mut expressions: Vec<&str> = query.split(" AS (\n").map(last_word).collect();
    expressions.pop();
    assert!(!expressions.is_empty(), "{query}");
    assert_unique(&expressions, "common table expressions");
    for select in query.split("SELECT\n").skip(1) {
        let columns = columns(select);
        assert!(columns.len() > 1, "{select}");
        assert_unique(&columns, "columns");
    }
}

#[test]
fn no_name_in_a_query_stands_for_two_things() {
    let definition = definition();
    let period = TrainingPeriod {
        from: "2026-01-01T00:00:00Z".parse().unwrap(),
        to: "2026-02-01T00:00:00Z".parse().unwrap(),
        as_of: "2026-02-08T00:00:00Z".parse().unwrap(),
    };
    assert_no_name_twice(&sql::training_set(&definition, &period));
    let rows = sql::HeldRows {
        turn: 7,
        claim_id: "c",
        from: 0,
        to: 3,
        cut_off: Some(period.to),
        hours: &[],
    };
    assert_no_name_twice(&sql::evidence(&definition, rows));
    for entity in definition.profiled_entities() {
        assert_no_name_twice(&sql::profiles(&definition, entity, period.to).unwrap());
    }
}
