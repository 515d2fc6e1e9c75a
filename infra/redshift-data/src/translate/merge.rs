//! Redshift's rules for MERGE, which are stricter than PostgreSQL's.

use sqlparser::tokenizer::Token;

use crate::tokens::{begins, closing, word};

/// True if a part of the statement is a MERGE.
pub(super) fn is_inside(tokens: &[Token]) -> bool {
    let is_merge = |pair: &[Token]| begins(pair, &["MERGE", "INTO"]);
    tokens.windows(2).any(is_merge)
}

/// Refuses a MERGE that Redshift does not run. An error names the part.
pub(super) fn check(tokens: &[Token]) -> Result<(), String> {
    let words: Vec<String> = tokens
        .iter()
        .map(|token| word(Some(token)).unwrap_or_default())
        .collect();
    if has(&words, &["REMOVE", "DUPLICATES"]) {
        return Err("MERGE … REMOVE DUPLICATES".to_owned());
    }
    if !begins(tokens, &["MERGE", "INTO"]) {
        return Err("MERGE without INTO".to_owned());
    }
    let using = after_name(tokens, 2);
    if words.get(using).map(String::as_str) != Some("USING") {
        return Err("MERGE with an alias for its target, which Redshift does not have".to_owned());
    }
    check_source(tokens, using)?;
    check_clauses(tokens, &words)
}

/// The index behind the name, with its schema, that begins at `at`.
fn after_name(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at + 1) == Some(&Token::Period) {
        at += 2;
    }
    at + 1
}

/// The source is another table than the target.
fn check_source(tokens: &[Token], using: usize) -> Result<(), String> {
    let source = using + 1;
    if tokens.get(source) == Some(&Token::LParen) {
        return Err("MERGE with a subquery as its source, which Redshift does not have".to_owned());
    }
    let name = |from: usize| {
        let name = tokens.get(from..after_name(tokens, from));
        let parts = name.unwrap_or_default().iter().map(ToString::to_string);
        parts.collect::<String>().to_lowercase()
    };
    if name(2) == name(source) {
        return Err("MERGE of a table into itself, which Redshift does not have".to_owned());
    }
    let is_on = |token: &Token| word(Some(token)).as_deref() == Some("ON");
    let is_when = |token: &Token| word(Some(token)).as_deref() == Some("WHEN");
    let on = tokens.iter().position(is_on).unwrap_or(source) + 1;
    let when = tokens.iter().position(is_when).unwrap_or(tokens.len());
    if is_equalities(tokens.get(on..when).unwrap_or_default()) {
        Ok(())
    } else {
        Err("MERGE with a condition that is not equalities of columns joined by AND".to_owned())
    }
}

/// True for `column = column`, and for several of these that AND joins.
fn is_equalities(condition: &[Token]) -> bool {
    if let [Token::LParen, inner @ .., Token::RParen] = condition
        && closing(condition, 0) == Ok(condition.len() - 1)
    {
        return is_equalities(inner);
    }
    let conjuncts = conjuncts(condition);
    if conjuncts.len() > 1 {
        return conjuncts.into_iter().all(is_equalities);
    }
    let sides: Vec<&[Token]> = condition.split(|token| *token == Token::Eq).collect();
    sides.len() == 2 && sides.into_iter().all(is_column)
}

/// Splits a condition at each AND outside of parentheses.
fn conjuncts(condition: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    let parts = condition.split(|token| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && word(Some(token)).as_deref() == Some("AND")
    });
    parts.collect()
}

/// True for the name of a column, with or without its table and schema.
fn is_column(tokens: &[Token]) -> bool {
    let is_literal = ["TRUE", "FALSE", "NULL"].map(Some);
    let is_name = |part: &[Token]| match part {
        [token @ Token::Word(_)] => !is_literal.contains(&word(Some(token)).as_deref()),
        _ => false,
    };
    tokens.split(|token| *token == Token::Period).all(is_name)
}

/// One WHEN MATCHED and one WHEN NOT MATCHED, both without a condition.
fn check_clauses(tokens: &[Token], words: &[String]) -> Result<(), String> {
    let matched = count(words, &["WHEN", "MATCHED"]);
    let unmatched = count(words, &["WHEN", "NOT", "MATCHED"]);
    if matched != 1 || unmatched != 1 {
        let rule = "MERGE without exactly one WHEN MATCHED and one WHEN NOT MATCHED";
        return Err(rule.to_owned());
    }
    let is_conditional = |pair: &[Token]| {
        word(pair.first()).as_deref() == Some("MATCHED")
            && word(pair.get(1)).as_deref() != Some("THEN")
    };
    if tokens.windows(2).any(is_conditional) {
        return Err("MERGE … MATCHED with a condition, which Redshift does not have".to_owned());
    }
    if has(words, &["THEN", "DO"]) {
        return Err("MERGE … DO NOTHING, which Redshift does not have".to_owned());
    }
    Ok(())
}

fn has(words: &[String], sought: &[&str]) -> bool {
    count(words, sought) > 0
}

fn count(words: &[String], sought: &[&str]) -> usize {
    let found = words.windows(sought.len());
    found.filter(|found| *found == sought).count()
}
