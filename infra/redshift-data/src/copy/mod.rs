//! COPY: loads objects into a table.

mod options;
mod refused;
mod rows;
mod sink;
#[cfg(test)]
mod tests;
mod values;

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sqlparser::tokenizer::Token;
use tokio_postgres::Client;

pub(crate) use self::options::read as read_options;
pub(crate) use self::options::{Compression, Format, Options};
pub(crate) use self::refused::RefusedRow;
use self::sink::Sink;
use crate::storage::{Error as StorageError, Storage, split as split_address};
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

/// The result of a COPY.
#[derive(Debug)]
pub(crate) struct Load {
    /// The number of rows, or why the statement failed.
    pub(crate) rows: Result<u64, String>,
    /// The rows that were left out or made the statement fail.
    pub(crate) refused: Vec<RefusedRow>,
}

/// Loads all objects. An error of an object names its address; an error of rows only says where
/// the rows are described, as in Redshift.
pub(crate) async fn run(client: &Client, storage: &Storage, command: &Copy) -> Load {
    let mut sink = match Sink::open(client, command).await {
        Ok(sink) => sink,
        Err(error) => {
            return Load {
                rows: Err(error),
                refused: Vec::new(),
            };
        }
    };
    let rows = match objects(&mut sink, storage, command).await {
        Ok(()) => sink.finish().await,
        // A sink without `finish` discards its rows.
        Err(error) => Err(error),
    };
    Load {
        rows,
        refused: std::mem::take(&mut sink.refused),
    }
}

async fn objects(sink: &mut Sink, storage: &Storage, command: &Copy) -> Result<(), String> {
    for ManifestEntry { url, mandatory } in sources(storage, command).await? {
        let (bucket, key) = split_address(&url).map_err(|error| error.to_string())?;
        let body = match storage.get(bucket, key).await {
            Ok(body) => body,
            Err(StorageError::Missing(_)) if !mandatory => continue,
            Err(error) => return Err(unreadable(&url, 8001, &error.to_string())),
        };
        // Redshift ignores objects without bytes, also if they should be compressed.
        if body.is_empty() {
            continue;
        }
        let body = unpack(body, command.options.compression)
            .map_err(|why| unreadable(&url, 9001, &why))?;
        sink.begin(&url);
        rows::send(sink, command, &url, &body).await?;
    }
    Ok(())
}

/// The objects to load, from the manifest or from a list of the prefix.
async fn sources(storage: &Storage, command: &Copy) -> Result<Vec<ManifestEntry>, String> {
    let (bucket, key) = split_address(&command.from).map_err(|error| error.to_string())?;
    if command.options.manifest {
        let problem = |why: String| format!("Problem reading manifest file - {why}");
        let body = storage.get(bucket, key).await;
        let body =
            body.map_err(|error| unreadable(&command.from, 8001, &problem(error.to_string())))?;
        let manifest: Manifest = serde_json::from_slice(&body)
            .map_err(|error| unreadable(&command.from, 8001, &problem(error.to_string())))?;
        return Ok(manifest.entries);
    }
    let found = storage.list(bucket, key).await;
    let found = found.map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err(format!("The specified S3 prefix '{key}' does not exist"));
    }
    let entry = |key| ManifestEntry {
        url: format!("s3://{bucket}/{key}"),
        mandatory: true,
    };
    Ok(found.into_iter().map(entry).collect())
}

fn unpack(body: Vec<u8>, compression: Compression) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let unpacked = match compression {
        Compression::None => return Ok(body),
        Compression::Gzip => MultiGzDecoder::new(body.as_slice()).read_to_end(&mut plain),
        Compression::Zstd => zstd::stream::read::Decoder::new(body.as_slice())
            .and_then(|mut decoder| decoder.read_to_end(&mut plain)),
    };
    let name = if compression == Compression::Gzip {
        "gzip"
    } else {
        "zstd"
    };
    match unpacked {
        Ok(_) => Ok(plain),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(format!(
            "failed to inflate with {name}: unexpected end of file."
        )),
        Err(_) => Err(format!(
            "failed to inflate with {name}: not in {name} format."
        )),
    }
}

/// The error of an object that cannot be read, in the form of Redshift's.
fn unreadable(url: &str, code: u32, why: &str) -> String {
    format!(
        "{why}\n  Detail: \n  -----------------------------------------------\n  \
         error:  {why}\n  code:      {code}\n  context:   S3 key being read : {url}\n  \
         -----------------------------------------------"
    )
}

/// The error of refused rows, in Redshift's words.
fn load_failed(table: &str) -> String {
    format!(
        "Load into table '{table}' failed.  \
         Check 'sys_load_error_detail' system table for details."
    )
}
