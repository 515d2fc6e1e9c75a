//! Translates Redshift's SQL dialect into PostgreSQL's, token by token. An error names the part
//! that is not supported.

mod expressions;
mod merge;
#[cfg(test)]
mod on_postgres;
mod statement;
mod table;
#[cfg(test)]
mod tests;

use sqlparser::tokenizer::Token;

use crate::tokens;

/// Defines Redshift's functions in a database. Translated statements use them. Safe to run again.
pub(crate) const COMPAT: &str = include_str!("../compat.sql");

/// One statement in PostgreSQL's dialect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sql {
    /// Parameters are `$1`, `$2` and so on.
    pub(crate) text: String,
    /// Names of the parameters, that of `$1` first.
    pub(crate) parameters: Vec<String>,
    pub(crate) returns_rows: bool,
}

impl Sql {
    /// A statement without parameters and rows.
    fn plain(text: String) -> Self {
        Self {
            text,
            parameters: Vec::new(),
            returns_rows: false,
        }
    }
}

/// Translates a statement other than COPY and UNLOAD. Returns the statements for PostgreSQL in
/// their order. An error names the part that is not supported.
pub(crate) fn statements(tokens: &[Token]) -> Result<Vec<Sql>, String> {
    if table::is_table(tokens) {
        table::statements(tokens)
    } else {
        Ok(vec![statement::translate(tokens)?])
    }
}

/// Translates the query of an UNLOAD, which has no parameters.
pub(crate) fn query(sql: &str) -> Result<String, String> {
    match statement::translate(&tokens::read(sql)?)? {
        Sql {
            text,
            parameters,
            returns_rows: true,
        } if parameters.is_empty() => Ok(text),
        _ => Err("UNLOAD needs a query without parameters".to_owned()),
    }
}

/// Replaces `:name` by `$1` and so on and returns the names. A name that is used twice has one
/// number.
pub(crate) fn number(tokens: &mut [Token]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for token in tokens {
        let Token::Placeholder(name) = token else {
            continue;
        };
        let Some(name) = name.strip_prefix(':') else {
            continue;
        };
        let at = names
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
        *token = tokens::raw(format!("${}", at + 1));
    }
    names
}
