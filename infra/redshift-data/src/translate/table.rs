//! CREATE TABLE: distribution and sort keys become indexes and are kept for `pg_table_def`,
//! encodings are removed.

use sqlparser::tokenizer::Token;

use super::expressions::rewrite;
use super::{Sql, number};
use crate::tokens::{begins, closing, literal, raw, split, temporary, text, word};

pub(crate) fn is_table(tokens: &[Token]) -> bool {
    let words = [
        &["CREATE", "TABLE"][..],
        &["CREATE", "TEMP", "TABLE"],
        &["CREATE", "TEMPORARY", "TABLE"],
        &["CREATE", "LOCAL", "TEMP", "TABLE"],
        &["CREATE", "LOCAL", "TEMPORARY", "TABLE"],
    ];
    words.iter().any(|words| begins(tokens, words))
}

/// The columns for indexes.
#[derive(Default)]
struct Keys {
    distribution: Option<Token>,
    sort: Vec<Token>,
    primary: Vec<Token>,
}

impl Keys {
    /// True without a distribution key and a sort key.
    fn is_empty(&self) -> bool {
        self.distribution.is_none() && self.sort.is_empty()
    }
}

pub(crate) fn statements(tokens: &[Token]) -> Result<Vec<Sql>, String> {
    let table = tokens
        .iter()
        .position(|token| word(Some(token)).as_deref() == Some("TABLE"))
        .unwrap_or(1);
    let mut at = table + 1;
    let if_missing = begins(
        tokens.get(at..).unwrap_or_default(),
        &["IF", "NOT", "EXISTS"],
    );
    if if_missing {
        at += 3;
    }
    let mut name = Vec::new();
    while let Some(part) = tokens.get(at) {
        let is_temporary = word(Some(part)).filter(|part| part.starts_with('#'));
        name.push(is_temporary.map_or_else(|| part.clone(), |part| temporary(&part)));
        at += 1;
        if tokens.get(at) != Some(&Token::Period) {
            break;
        }
        name.push(Token::Period);
        at += 1;
    }
    let is_temporary = table > 1 || text(&name).starts_with("\"#");
    let mut out = vec![raw(if is_temporary {
        "CREATE TEMP TABLE"
    } else {
        "CREATE TABLE"
    })];
    if if_missing {
        out.push(raw("IF NOT EXISTS"));
    }
    out.extend(name.iter().cloned());

    let mut keys = Keys::default();
    if tokens.get(at) == Some(&Token::LParen) {
        let end = closing(tokens, at)?;
        out.push(Token::LParen);
        let mut columns = Vec::new();
        for column in split(tokens.get(at + 1..end).unwrap_or_default()) {
            if is_constraint(column) {
                constraint(column, &mut keys);
            } else {
                columns.push(element(column, &mut keys)?);
            }
        }
        out.extend(columns.join(&Token::Comma));
        out.push(Token::RParen);
        at = end + 1;
    }
    at = attributes(tokens, at, &mut keys)?;
    let mut rest = tokens.get(at..).unwrap_or_default();
    let is_query = word(rest.first()).as_deref() == Some("AS");
    if is_query {
        out.push(raw("AS"));
        rest = rest.get(1..).unwrap_or_default();
        out.extend(rewrite(rest)?);
    } else if let Some(token) = rest.first() {
        return Err(format!("CREATE TABLE … {token}"));
    }
    let parameters = number(&mut out);
    let mut statements = vec![Sql {
        text: text(&out),
        parameters,
        returns_rows: false,
    }];
    statements.extend(kept(&name, &keys, if_missing));
    if if_missing && !keys.is_empty() {
        let note = format!("CALL redshift_compat.note_absence({})", quoted(&name));
        statements.insert(0, Sql::plain(note));
    }
    statements.extend(indexes(&name, &keys));
    Ok(statements)
}

/// Constraints are left out of the table: Redshift does not enforce them either.
fn is_constraint(tokens: &[Token]) -> bool {
    matches!(
        word(tokens.first()).as_deref(),
        Some("PRIMARY" | "UNIQUE" | "FOREIGN" | "CONSTRAINT")
    )
}

/// Reads the columns of a primary key and ignores other constraints.
fn constraint(tokens: &[Token], keys: &mut Keys) {
    if let Some(at) = tokens
        .windows(2)
        .position(|pair| begins(pair, &["PRIMARY", "KEY"]))
    {
        let columns = tokens
            .iter()
            .skip(at + 2)
            .filter(|token| matches!(token, Token::Word(_)));
        keys.primary = columns.cloned().collect();
    }
}

/// Translates a column definition or a LIKE clause.
fn element(tokens: &[Token], keys: &mut Keys) -> Result<Vec<Token>, String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match word(Some(token)).filter(|_| at > 0).as_deref() {
            Some("ENCODE") => at += 1,
            Some("PRIMARY") => {
                keys.primary = tokens.first().cloned().into_iter().collect();
                at += 1;
            }
            Some("UNIQUE") => {}
            Some("DISTKEY") => keys.distribution = tokens.first().cloned(),
            Some("SORTKEY") => keys.sort.extend(tokens.first().cloned()),
            Some("IDENTITY") => {
                at = closing(tokens, at + 1)?;
                kept.push(raw("GENERATED ALWAYS AS IDENTITY"));
            }
            Some(refused @ ("COLLATE" | "MASKED" | "REFERENCES")) => {
                return Err(format!("{refused} in a column"));
            }
            _ => kept.push(token.clone()),
        }
        at += 1;
    }
    if word(tokens.first()).as_deref() == Some("LIKE") {
        // Indexes are not copied: such tables are for staging and are read once. The comments have
        // the keys.
        kept.retain(|token| {
            !matches!(
                word(Some(token)).as_deref(),
                Some("DEFAULTS" | "INCLUDING" | "EXCLUDING")
            )
        });
        kept.push(raw("INCLUDING DEFAULTS INCLUDING COMMENTS"));
        return rewrite(&kept);
    }
    let (name, rest) = kept.split_at(1.min(kept.len()));
    let mut column = [name.to_vec(), rewrite(rest)?].concat();
    size_text(&mut column, 1);
    Ok(column)
}

/// Gives the type at `at` its default size, if it is a text type without a size.
pub(super) fn size_text(column: &mut Vec<Token>, at: usize) {
    let rest = column.get(at..).unwrap_or_default();
    let length = match word(rest.first()).as_deref() {
        Some("CHARACTER") if word(rest.get(1)).as_deref() == Some("VARYING") => 2,
        Some("VARCHAR" | "TEXT") => 1,
        _ => return,
    };
    if rest.get(length) != Some(&Token::LParen) {
        column.splice(at..at + length, [raw("varchar(256)")]);
    }
}

/// The statement that keeps a new table's keys.
fn kept(name: &[Token], keys: &Keys, if_missing: bool) -> Option<Sql> {
    if keys.is_empty() {
        return None;
    }
    let column = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        Token::Word(word) => word.value.clone(),
        other => other.to_string(),
    };
    let literal_of = |token: &Token| literal(&column(token)).to_string();
    let distribution = keys.distribution.as_ref();
    let distribution = distribution.map_or_else(|| "NULL".to_owned(), literal_of);
    let sort = keys.sort.iter().map(literal_of).collect::<Vec<_>>();
    Some(Sql::plain(format!(
        "CALL redshift_compat.keep_keys({}, {distribution}, ARRAY[{}]::text[], {if_missing})",
        quoted(name),
        sort.join(", ")
    )))
}

/// The name of a table as a literal.
fn quoted(name: &[Token]) -> String {
    literal(&text(name)).to_string()
}

/// Reads the table attributes after the columns. Returns the index behind them.
fn attributes(tokens: &[Token], mut at: usize, keys: &mut Keys) -> Result<usize, String> {
    loop {
        let rest = tokens.get(at..).unwrap_or_default();
        match word(rest.first()).as_deref() {
            Some("DISTSTYLE" | "BACKUP") => at += 2,
            Some("COMPOUND") => at += 1,
            Some("ENCODE" | "SORTKEY") if word(rest.get(1)).as_deref() == Some("AUTO") => at += 2,
            Some(kind @ ("DISTKEY" | "SORTKEY")) => {
                let end = closing(tokens, at + 1)?;
                let mut columns = tokens
                    .get(at + 2..end)
                    .unwrap_or_default()
                    .iter()
                    .filter(|token| **token != Token::Comma)
                    .cloned();
                if kind == "DISTKEY" {
                    keys.distribution = columns.next_back();
                } else {
                    keys.sort = columns.collect();
                }
                at = end + 1;
            }
            Some("INTERLEAVED") => return Err("INTERLEAVED SORTKEY".to_owned()),
            _ => return Ok(at),
        }
    }
}

fn indexes(name: &[Token], keys: &Keys) -> Vec<Sql> {
    let bare = name
        .last()
        .map(|part| part.to_string().replace('"', "").to_lowercase())
        .unwrap_or_default();
    let index = |kind: &str, columns: &[Token]| {
        let list = columns
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        Sql::plain(format!(
            "CREATE INDEX IF NOT EXISTS \"{bare}_{kind}\" ON {} ({list})",
            text(name)
        ))
    };
    let mut indexes = Vec::new();
    // By entity and time, because windows are read in this way.
    if let Some(column) = &keys.distribution {
        let others = keys.sort.iter().filter(|other| *other != column);
        indexes.push(index(
            "distkey",
            &std::iter::once(column)
                .chain(others)
                .cloned()
                .collect::<Vec<_>>(),
        ));
    }
    // Not unique, because Redshift does not enforce primary keys.
    if !keys.primary.is_empty() {
        indexes.push(index("primary", &keys.primary));
    }
    if !keys.sort.is_empty() {
        indexes.push(index("sortkey", &keys.sort));
    }
    indexes
}
