//! The options of COPY and UNLOAD, which follow the address.

use sqlparser::tokenizer::Token;

use crate::tokens::{content, word};

const MAX_MAXERROR: usize = 100_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Redshift's default: fields separated by `|`.
    #[default]
    Delimited,
    Csv,
    /// JSON objects, keys matched with columns by name.
    Json {
        ignore_case: bool,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// Options of COPY and UNLOAD. Each statement uses some of them.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the statement"
)]
pub(crate) struct Options {
    pub format: Format,
    pub compression: Compression,
    pub manifest: bool,
    pub delimiter: Option<String>,
    pub null: Option<String>,
    /// IGNOREHEADER: the number of lines to skip in each object.
    pub ignore_header: usize,
    /// MAXERROR: the statement fails at this number of refused rows; 0 is the same as 1.
    pub max_errors: usize,
    /// TRUNCATECOLUMNS: texts that are too long are cut.
    pub truncate: bool,
    /// BLANKSASNULL or EMPTYASNULL: blank texts become NULL.
    pub blanks_as_null: bool,
    /// Units per second: 1 for TIMEFORMAT 'epochsecs', 1000 for 'epochmillisecs'.
    pub epoch: Option<i64>,
    pub header: bool,
    /// PARALLEL OFF.
    pub serial: bool,
    pub overwrite: bool,
    pub extension: Option<String>,
}

impl Options {
    /// The delimiter of COPY's fields. `read` accepts only delimiters of one byte.
    pub(super) fn delimiter(&self) -> u8 {
        let given = self
            .delimiter
            .as_deref()
            .and_then(|text| text.bytes().next());
        given.unwrap_or(if self.format == Format::Csv {
            b','
        } else {
            b'|'
        })
    }
}

/// Reads all options. An error names the option that is not supported.
pub(crate) fn read(tokens: &[Token]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = tokens;
    while let Some(token) = rest.first() {
        let name = word(Some(token)).ok_or_else(|| format!("expected an option, found {token}"))?;
        let mut behind = rest.get(1..).unwrap_or_default();
        if word(behind.first()).as_deref() == Some("AS") {
            behind = behind.get(1..).unwrap_or_default();
        }
        let text = content(behind.first());
        let number = matches!(behind.first(), Some(Token::Number(..)))
            .then(|| behind.first().map(ToString::to_string))
            .flatten();
        let next = word(behind.first());
        let mut take = 0;
        match name.as_str() {
            "CSV" => {
                options.format = Format::Csv;
                if next.as_deref() == Some("QUOTE") {
                    return Err("CSV QUOTE".to_owned());
                }
            }
            "JSON" => {
                let ignore_case = match text.as_deref() {
                    None | Some("auto") => false,
                    Some("auto ignorecase") => true,
                    Some(paths) => return Err(format!("JSON '{paths}'")),
                };
                take = usize::from(text.is_some());
                options.format = Format::Json { ignore_case };
            }
            "GZIP" => options.compression = Compression::Gzip,
            "ZSTD" => options.compression = Compression::Zstd,
            "MANIFEST" => {
                options.manifest = true;
                take = usize::from(next.as_deref() == Some("VERBOSE"));
            }
            "IAM_ROLE" => take = 1,
            "REGION" | "CREDENTIALS" | "MAXFILESIZE" | "ROWGROUPSIZE" | "ACCESS_KEY_ID"
            | "SECRET_ACCESS_KEY" | "SESSION_TOKEN" => {
                take = if matches!(word(behind.get(1)).as_deref(), Some("MB" | "GB")) {
                    2
                } else {
                    1
                };
            }
            "DELIMITER" => {
                take = 1;
                let delimiter = text.unwrap_or_default();
                if delimiter.len() != 1 {
                    return Err(format!("DELIMITER '{delimiter}'"));
                }
                options.delimiter = Some(delimiter);
            }
            "NULL" => (options.null, take) = (text, 1),
            "EXTENSION" => (options.extension, take) = (text, 1),
            "IGNOREHEADER" | "MAXERROR" => {
                let number = number
                    .and_then(|number| number.parse().ok())
                    .ok_or_else(|| format!("{name} needs a number"))?;
                take = 1;
                if name == "IGNOREHEADER" {
                    options.ignore_header = number;
                } else if number > MAX_MAXERROR {
                    return Err(format!("MAXERROR above {MAX_MAXERROR}"));
                } else {
                    options.max_errors = number;
                }
            }
            "TIMEFORMAT" | "DATEFORMAT" => {
                take = 1;
                match text.as_deref() {
                    Some(
                        "auto" | "YYYY-MM-DD" | "YYYY-MM-DD HH:MI:SS" | "YYYY-MM-DD HH24:MI:SS",
                    ) => {}
                    Some("epochsecs") => options.epoch = Some(1),
                    Some("epochmillisecs") => options.epoch = Some(1000),
                    other => return Err(format!("{name} '{}'", other.unwrap_or_default())),
                }
            }
            "TRUNCATECOLUMNS" => options.truncate = true,
            "BLANKSASNULL" | "EMPTYASNULL" => options.blanks_as_null = true,
            "ACCEPTINVCHARS" => take = usize::from(text.is_some()),
            "COMPUPDATE" | "STATUPDATE" => {
                take = usize::from(matches!(
                    next.as_deref(),
                    Some("ON" | "OFF" | "TRUE" | "FALSE" | "PRESET")
                ));
            }
            // After FORMAT, the format follows as another word.
            "FORMAT" | "ACCEPTANYDATE" | "EXPLICIT_IDS" | "TRIMBLANKS" | "ROUNDEC"
            | "CLEANPATH" => {}
            "HEADER" => options.header = true,
            "ALLOWOVERWRITE" => options.overwrite = true,
            "PARALLEL" => {
                options.serial = matches!(next.as_deref(), Some("OFF" | "FALSE"));
                take = usize::from(matches!(
                    next.as_deref(),
                    Some("ON" | "OFF" | "TRUE" | "FALSE")
                ));
            }
            refused => return Err(refused.to_owned()),
        }
        rest = behind.get(take..).unwrap_or_default();
    }
    Ok(options)
}
