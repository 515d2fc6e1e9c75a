//! Statements other than CREATE TABLE, COPY and UNLOAD.

use sqlparser::tokenizer::Token;

use super::expressions::rewrite;
use super::table::size_text;
use super::{Sql, merge, number};
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
        "COMMENT" if begins(tokens, &["COMMENT", "ON", "COLUMN"]) => {
            return Err("COMMENT ON COLUMN".to_owned());
        }
        "MERGE" => merge::check(tokens)?,
        "WITH" if merge::is_inside(tokens) => {
            return Err("MERGE with a WITH clause, which Redshift does not have".to_owned());
        }
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
    size_added(rewritten);
    if let Some(encode) = rewritten.iter().position(|token| is(token, "ENCODE")) {
        let end = rewritten.len().min(encode + 2);
        rewritten.drain(encode..end);
    }
    Ok(())
}

/// Sizes the type of an added column.
fn size_added(rewritten: &mut Vec<Token>) {
    let add = rewritten
        .iter()
        .position(|token| word(Some(token)).as_deref() == Some("ADD"));
    let Some(name) = add.map(|add| add + 1) else {
        return;
    };
    let has_noise = word(rewritten.get(name)).as_deref() == Some("COLUMN");
    size_text(rewritten, name + 1 + usize::from(has_noise));
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
