//! Statements other than CREATE TABLE, COPY and UNLOAD.

use sqlparser::tokenizer::Token;

use super::expressions::rewrite;
use super::{Sql, number};
use crate::tokens::{begins, raw, text, word};

const KNOWN: [&str; 22] = [
    "ALTER", "ANALYZE", "BEGIN", "COMMENT", "COMMIT", "CREATE", "DELETE", "DROP", "END", "EXPLAIN",
    "GRANT", "INSERT", "LOCK", "MERGE", "REVOKE", "ROLLBACK", "SELECT", "SET", "SHOW", "TRUNCATE",
    "UPDATE", "WITH",
];

pub(crate) fn translate(tokens: &[Token]) -> Result<Sql, String> {
    let first = word(tokens.first())
        .or_else(|| (tokens.first() == Some(&Token::LParen)).then(|| "SELECT".to_owned()));
    let first = first.ok_or_else(|| "an empty statement".to_owned())?;
    if !KNOWN.contains(&first.as_str()) {
        return Err(first);
    }
    let mut rewritten = rewrite(tokens)?;
    match first.as_str() {
        "ALTER" => alter(tokens, &mut rewritten)?,
        "CREATE" => create(tokens)?,
        "LOCK" => lock(tokens)?,
        "MERGE" => merge(tokens)?,
        // FROM is optional in Redshift.
        "DELETE" if word(tokens.get(1)).as_deref() != Some("FROM") => {
            rewritten.insert(1, raw("FROM"));
        }
        _ => {}
    }
    let into = tokens
        .iter()
        .position(|token| word(Some(token)).as_deref() == Some("INTO"))
        .is_some();
    let returns_rows = matches!(first.as_str(), "SELECT" | "WITH" | "SHOW" | "EXPLAIN") && !into;
    let parameters = number(&mut rewritten);
    Ok(Sql {
        text: text(&rewritten),
        parameters,
        returns_rows,
    })
}

/// Checks Redshift's rules for ADD COLUMN, and removes encodings.
fn alter(tokens: &[Token], rewritten: &mut Vec<Token>) -> Result<(), String> {
    if !begins(tokens, &["ALTER", "TABLE"]) {
        return Ok(());
    }
    let is = |token: &Token, expected: &str| word(Some(token)).as_deref() == Some(expected);
    let Some(at) = tokens.iter().position(|token| is(token, "ADD")) else {
        return Ok(());
    };
    let added = tokens.get(at + 1..).unwrap_or_default();
    if added.iter().any(|token| is(token, "ADD")) {
        return Err("ALTER TABLE … ADD COLUMN twice, which Redshift does not have".to_owned());
    }
    if begins(added, &["COLUMN", "IF"]) {
        return Err("ALTER TABLE … ADD COLUMN IF NOT EXISTS".to_owned());
    }
    if let Some(encode) = rewritten.iter().position(|token| is(token, "ENCODE")) {
        let end = rewritten.len().min(encode + 2);
        rewritten.drain(encode..end);
    }
    Ok(())
}

/// Redshift's LOCK has no modes: `LOCK [TABLE] name, …`.
fn lock(tokens: &[Token]) -> Result<(), String> {
    let options = ["IN", "NOWAIT", "ONLY"];
    let words = tokens.iter().filter_map(|token| word(Some(token)));
    match words.skip(1).find(|word| options.contains(&word.as_str())) {
        Some(option) => Err(format!("LOCK … {option}")),
        None => Ok(()),
    }
}

/// Accepts only schemas, views, users and roles. Other objects have parts that PostgreSQL lacks.
fn create(tokens: &[Token]) -> Result<(), String> {
    let skip = if begins(tokens, &["CREATE", "OR", "REPLACE"]) {
        3
    } else {
        1
    };
    match word(tokens.get(skip)).as_deref() {
        Some("SCHEMA" | "VIEW" | "USER" | "ROLE") => Ok(()),
        Some("INDEX" | "UNIQUE") => Err("CREATE INDEX, which Redshift does not have".to_owned()),
        Some(other) => Err(format!("CREATE {other}")),
        None => Err("CREATE without an object".to_owned()),
    }
}

/// Checks Redshift's rules for MERGE: no alias for the target, and one clause of each kind.
fn merge(tokens: &[Token]) -> Result<(), String> {
    let words: Vec<String> = tokens
        .iter()
        .map(|token| word(Some(token)).unwrap_or_default())
        .collect();
    if words
        .windows(2)
        .any(|pair| pair == ["REMOVE", "DUPLICATES"])
    {
        return Err("MERGE … REMOVE DUPLICATES".to_owned());
    }
    let mut at = if begins(tokens, &["MERGE", "INTO"]) {
        3
    } else {
        return Err("MERGE without INTO".to_owned());
    };
    while tokens.get(at) == Some(&Token::Period) {
        at += 2;
    }
    if words.get(at).map(String::as_str) != Some("USING") {
        return Err("MERGE with an alias for its target, which Redshift does not have".to_owned());
    }
    let matched = words
        .windows(2)
        .filter(|pair| *pair == ["WHEN", "MATCHED"])
        .count();
    let unmatched = words
        .windows(3)
        .filter(|three| *three == ["WHEN", "NOT", "MATCHED"])
        .count();
    if (matched, unmatched) == (1, 1) {
        Ok(())
    } else {
        Err("MERGE without exactly one WHEN MATCHED and one WHEN NOT MATCHED".to_owned())
    }
}
