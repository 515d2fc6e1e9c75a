//! COPY: loads objects into a table.

mod options;
mod rows;
pub(crate) mod sink;
#[cfg(test)]
mod tests;

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sqlparser::tokenizer::Token;
use tokio_postgres::Client;

pub(crate) use self::options::read as read_options;
pub(crate) use self::options::{Compression, Format, Options};
use self::sink::Sink;
use crate::storage::{Storage, split as split_address};
use crate::tokens::{closing, content, split, text, word};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Copy {
    pub table: String,
    /// The columns to load. Empty means all columns.
    pub columns: Vec<String>,
    /// The `s3://` address of a prefix or a manifest.
    pub from: String,
    pub options: Options,
}

#[derive(Deserialize)]
struct Manifest {
    entries: Vec<ManifestEntry>,
}

#[derive(Deserialize)]
struct ManifestEntry {
    url: String,
    #[serde(default)]
    mandatory: bool,
}

/// Reads `COPY table [(columns)] FROM 's3://…' options`.
pub(crate) fn parse(tokens: &[Token]) -> Result<Copy, String> {
    let from = tokens
        .iter()
        .position(|token| word(Some(token)).as_deref() == Some("FROM"))
        .ok_or("COPY without FROM")?;
    let open = tokens
        .iter()
        .position(|token| *token == Token::LParen)
        .filter(|open| *open < from);
    let mut columns = Vec::new();
    if let Some(open) = open {
        let listed = tokens
            .get(open + 1..closing(tokens, open)?)
            .unwrap_or_default();
        for column in split(listed) {
            match column {
                [Token::Word(name)] if name.quote_style.is_some() => {
                    columns.push(name.value.clone());
                }
                [Token::Word(name)] => columns.push(name.value.to_lowercase()),
                other => {
                    return Err(format!(
                        "COPY needs names of columns, found {}",
                        text(other)
                    ));
                }
            }
        }
    }
    let name = tokens.get(1..open.unwrap_or(from)).unwrap_or_default();
    let name: Vec<Token> = name
        .iter()
        .map(|part| match word(Some(part)) {
            Some(part) if part.starts_with('#') => crate::tokens::temporary(&part),
            _ => part.clone(),
        })
        .collect();
    let address = content(tokens.get(from + 1))
        .ok_or("COPY needs an address of the form 's3://bucket/key' after FROM")?;
    split_address(&address).map_err(|_| format!("COPY from {address}"))?;
    let options = options::read(tokens.get(from + 2..).unwrap_or_default())
        .map_err(|refused| format!("COPY … {refused}"))?;
    Ok(Copy {
        table: text(&name),
        columns,
        from: address,
        options,
    })
}

/// Loads all objects and returns the number of rows. An error names the object and the line.
pub(crate) async fn run(client: &Client, storage: &Storage, command: &Copy) -> Result<u64, String> {
    let mut sink = Sink::open(client, command).await?;
    let loaded = objects(&mut sink, storage, command).await;
    // A sink without `finish` discards its rows.
    match loaded {
        Ok(()) => sink.finish().await,
        Err(error) => Err(error),
    }
}

async fn objects(sink: &mut Sink, storage: &Storage, command: &Copy) -> Result<(), String> {
    for ManifestEntry { url, mandatory } in sources(storage, command).await? {
        let (bucket, key) = split_address(&url).map_err(|error| error.to_string())?;
        let body = match storage.get(bucket, key).await {
            Ok(body) => body,
            Err(_) if !mandatory => continue,
            Err(error) => return Err(error.to_string()),
        };
        let body =
            unpack(body, command.options.compression).map_err(|error| bad(&url, 1, error))?;
        sink.begin(&url);
        rows::send(sink, command, &url, &body).await?;
    }
    Ok(())
}

/// The objects to load, from the manifest or from a list of the prefix.
async fn sources(storage: &Storage, command: &Copy) -> Result<Vec<ManifestEntry>, String> {
    let (bucket, key) = split_address(&command.from).map_err(|error| error.to_string())?;
    if command.options.manifest {
        let body = storage
            .get(bucket, key)
            .await
            .map_err(|error| error.to_string())?;
        let manifest: Manifest = serde_json::from_slice(&body)
            .map_err(|error| format!("manifest {}: {error}", command.from))?;
        return Ok(manifest.entries);
    }
    let found = storage
        .list(bucket, key)
        .await
        .map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err(format!("the specified S3 prefix '{key}' does not exist"));
    }
    Ok(found
        .into_iter()
        .map(|key| ManifestEntry {
            url: format!("s3://{bucket}/{key}"),
            mandatory: true,
        })
        .collect())
}

fn unpack(body: Vec<u8>, compression: Compression) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match compression {
        Compression::None => return Ok(body),
        Compression::Gzip => MultiGzDecoder::new(body.as_slice()).read_to_end(&mut plain)?,
        Compression::Zstd => {
            zstd::stream::read::Decoder::new(body.as_slice())?.read_to_end(&mut plain)?
        }
    };
    Ok(plain)
}

fn bad(url: &str, line: usize, why: impl std::fmt::Display) -> String {
    format!("load into table failed: {url}, line {line}: {why}")
}
