//! UNLOAD: writes a query's result to an object.

#[cfg(test)]
mod tests;

use std::io::Write;

use flate2::write::GzEncoder;
use futures_util::TryStreamExt;
use serde_json::json;
use sqlparser::tokenizer::Token;
use tokio_postgres::Client;

use crate::copy::{Compression, Format, Options, read_options};
use crate::sql_error::message;
use crate::storage::{Storage, split};
use crate::tokens::{content, word};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unload {
    pub query: String,
    /// An `s3://` address: the prefix of the objects' keys.
    pub to: String,
    pub options: Options,
}

/// Reads `UNLOAD ('query') TO 's3://…' options`.
pub(crate) fn parse(tokens: &[Token]) -> Result<Unload, String> {
    let query = content(tokens.get(2))
        .filter(|_| tokens.get(1) == Some(&Token::LParen))
        .ok_or("UNLOAD needs a quoted query in parentheses")?;
    if tokens.get(3) != Some(&Token::RParen) || word(tokens.get(4)).as_deref() != Some("TO") {
        return Err("UNLOAD without TO".to_owned());
    }
    let to = content(tokens.get(5))
        .ok_or("UNLOAD needs an address of the form 's3://bucket/key' after TO")?;
    split(&to).map_err(|_| format!("UNLOAD to {to}"))?;
    let options = read_options(tokens.get(6..).unwrap_or_default())
        .map_err(|refused| format!("UNLOAD … {refused}"))?;
    if options.header && matches!(options.format, Format::Json { .. }) {
        return Err("UNLOAD … JSON HEADER".to_owned());
    }
    Ok(Unload {
        query: crate::translate::query(&query)?,
        to,
        options,
    })
}

/// Writes the result as one object, as a warehouse with one slice does. Returns the number of rows.
pub(crate) async fn run(
    client: &Client,
    storage: &Storage,
    command: &Unload,
) -> Result<u64, String> {
    let options = &command.options;
    let (bucket, prefix) = split(&command.to).map_err(|error| error.to_string())?;
    if !options.overwrite
        && !storage
            .list(bucket, prefix)
            .await
            .map_err(|error| error.to_string())?
            .is_empty()
    {
        return Err(format!(
            "specified unload destination {} on S3 is not empty; consider ALLOWOVERWRITE",
            command.to
        ));
    }
    let (body, rows) = read(client, command).await?;
    let size = body.len();
    let (body, ending) = match options.compression {
        Compression::None => (body, String::new()),
        Compression::Gzip => (
            gzip(&body).map_err(|error| error.to_string())?,
            ".gz".to_owned(),
        ),
        Compression::Zstd => (
            zstd::encode_all(body.as_slice(), 0).map_err(|error| error.to_string())?,
            ".zst".to_owned(),
        ),
    };
    let part = if options.serial {
        "000"
    } else {
        "0000_part_00"
    };
    let ending = options
        .extension
        .as_ref()
        .map_or(ending, |extension| format!(".{extension}"));
    let key = format!("{prefix}{part}{ending}");
    if options.manifest {
        let url = format!("s3://{bucket}/{key}");
        let manifest = json!({
            "entries": [{"url": url, "meta": {"content_length": body.len()}}],
            "meta": {"content_length": size},
        });
        let written = storage
            .put(
                bucket,
                &format!("{prefix}manifest"),
                manifest.to_string().into_bytes(),
            )
            .await;
        written.map_err(|error| error.to_string())?;
    }
    storage
        .put(bucket, &key, body)
        .await
        .map_err(|error| error.to_string())?;
    Ok(rows)
}

/// The object's text and its number of rows.
async fn read(client: &Client, command: &Unload) -> Result<(Vec<u8>, u64), String> {
    let options = &command.options;
    let json = matches!(options.format, Format::Json { .. });
    let csv = options.format == Format::Csv;
    let query = if json {
        format!(
            "SELECT row_to_json(unloaded)::text FROM ({}) AS unloaded",
            command.query
        )
    } else {
        command.query.clone()
    };
    let statement = client
        .prepare(&query)
        .await
        .map_err(|error| message(&error))?;
    let copied = if json {
        // JSON cannot contain this delimiter and this quote, so PostgreSQL leaves lines unchanged.
        format!("COPY ({query}) TO STDOUT (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')")
    } else {
        let delimiter = options
            .delimiter
            .as_deref()
            .unwrap_or(if csv { "," } else { "|" });
        let null = options.null.as_deref().unwrap_or_default();
        let format = if csv { "csv" } else { "text" };
        format!(
            "COPY ({query}) TO STDOUT (FORMAT {format}, DELIMITER {}, NULL {})",
            quote(delimiter),
            quote(null)
        )
    };
    let mut body = Vec::new();
    if options.header {
        let delimiter = options
            .delimiter
            .as_deref()
            .unwrap_or(if csv { "," } else { "|" });
        let names: Vec<&str> = statement
            .columns()
            .iter()
            .map(tokio_postgres::Column::name)
            .collect();
        body.extend_from_slice(names.join(delimiter).as_bytes());
        body.push(b'\n');
    }
    let mut stream = std::pin::pin!(
        client
            .copy_out(&copied)
            .await
            .map_err(|error| message(&error))?
    );
    let mut rows = 0;
    // Count the messages, because PostgreSQL sends one for each row and does not report the number.
    while let Some(row) = stream.try_next().await.map_err(|error| message(&error))? {
        rows += 1;
        body.extend_from_slice(&row);
    }
    Ok((body, rows))
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
