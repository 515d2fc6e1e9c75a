//! Translates Redshift's dialect into PostgreSQL's, token by token. An unsupported part is refused
//! by name.

mod expressions;
#[cfg(test)]
mod on_postgres;
mod statement;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

use sqlparser::tokenizer::Token;

pub(crate) use self::expressions::temporary;

/// Redshift's functions, to be created in the database first. Safe to run again.
pub(crate) const COMPAT: &str = include_str!("../compat.sql");

/// One step of a translated statement. Steps run in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Sql {
        /// In PostgreSQL's dialect. Parameters are `$1` and so on.
        text: String,
        /// Names of the parameters, `$1` first.
        parameters: Vec<String>,
        /// Whether there is a result set.
        returns_rows: bool,
    },
    Copy(crate::copy::Copy),
    /// Write a query's rows to objects.
    Unload(crate::unload::Unload),
}

impl Step {
    /// A statement without parameters and rows.
    fn plain(text: String) -> Self {
        Self::Sql {
            text,
            parameters: Vec::new(),
            returns_rows: false,
        }
    }
}

/// Translates one Redshift statement. An error names the unsupported part.
pub(crate) fn steps(sql: &str) -> Result<Vec<Step>, String> {
    let tokens = tokens::read(sql)?;
    let steps = match tokens::word(tokens.first()).as_deref() {
        Some("COPY") => vec![Step::Copy(crate::copy::parse(&tokens)?)],
        Some("UNLOAD") => vec![Step::Unload(crate::unload::parse(&tokens)?)],
        Some("CREATE") if table::is_table(&tokens) => table::steps(&tokens)?,
        _ => vec![statement::step(&tokens)?],
    };
    Ok(steps)
}

/// A query in PostgreSQL's dialect, for UNLOAD, which takes no parameters.
pub(crate) fn query(sql: &str) -> Result<String, String> {
    match statement::step(&tokens::read(sql)?)? {
        Step::Sql {
            text,
            parameters,
            returns_rows: true,
        } if parameters.is_empty() => Ok(text),
        _ => Err("UNLOAD of anything but a query without parameters".to_owned()),
    }
}

/// Numbers the parameters. A name that is used twice has one number.
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
