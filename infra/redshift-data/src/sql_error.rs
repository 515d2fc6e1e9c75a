//! PostgreSQL's errors in the words of Redshift.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// The error text of a statement: the message after `ERROR: `.
pub(crate) fn text_of(error: &Error) -> String {
    format!("ERROR: {}", message(error))
}

/// The message as Redshift writes it. Its error 1023 is a conflict of serializable transactions.
/// A statement that reaches `statement_timeout` has the text of a cancelled query.
pub(crate) fn message(error: &Error) -> String {
    let Some(database) = error.as_db_error() else {
        let cause = error.source().map(|cause| format!(": {cause}"));
        return connection_lost(&format!("{error}{}", cause.unwrap_or_default()));
    };
    let text = database.message();
    match database.code().code() {
        "40001" | "40P01" => {
            format!("1023 DETAIL: Serializable isolation violation: {text}")
        }
        "21000" if text.starts_with("MERGE command cannot affect row a second time") => {
            "Found multiple matches to update the same tuple".to_owned()
        }
        "57014" => "Query cancelled on user's request".to_owned(),
        "57P01" | "57P02" | "57P03" => connection_lost(text),
        _ => text.to_owned(),
    }
}

fn connection_lost(why: &str) -> String {
    format!("connection to the database failed: {why}")
}

/// True for an error of the values: PostgreSQL's classes 22 (data) and 23 (constraints).
pub(crate) fn is_of_the_data(error: &DbError) -> bool {
    let code = error.code().code();
    code.starts_with("22") || code.starts_with("23")
}
