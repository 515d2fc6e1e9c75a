//! Functions, types and words that have other names in PostgreSQL.

use sqlparser::tokenizer::Token;

use crate::tokens::{closing, content, literal, raw, split, temporary, word};

/// Functions of `compat.sql` that receive their arguments unchanged.
const COMPAT: [&str; 16] = [
    "ADD_MONTHS",
    "CHARINDEX",
    "CONVERT_TIMEZONE",
    "GET_ARRAY_LENGTH",
    "GETDATE",
    "IS_VALID_JSON",
    "JSON_PARSE",
    "JSON_SERIALIZE",
    "LAST_DAY",
    "SHA2",
    "STRTOL",
    "DATEADD",
    "DATEDIFF",
    "JSON_ARRAY_LENGTH",
    "JSON_EXTRACT_ARRAY_ELEMENT_TEXT",
    "JSON_EXTRACT_PATH_TEXT",
];
/// Functions with a date part, an unquoted word, as the first argument.
const DATE_PARTS: [&str; 3] = ["DATEADD", "DATEDIFF", "DATE_PART"];
/// Functions with an optional last argument `null_if_invalid`.
const NULL_IF_INVALID: [&str; 3] = [
    "JSON_ARRAY_LENGTH",
    "JSON_EXTRACT_ARRAY_ELEMENT_TEXT",
    "JSON_EXTRACT_PATH_TEXT",
];
/// Words of Redshift's queries and types that the stand-in does not support.
const REFUSED: [&str; 11] = [
    "QUALIFY",
    "PIVOT",
    "UNPIVOT",
    "GEOMETRY",
    "GEOGRAPHY",
    "HLLSKETCH",
    "CONNECT",
    "TOP",
    "RATIO_TO_REPORT",
    "FUNC_SHA1",
    "FARMFINGERPRINT64",
];

/// Translates tokens into PostgreSQL's dialect.
pub(crate) fn rewrite(tokens: &[Token]) -> Result<Vec<Token>, String> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        // In `a.len` and `x AS len`, `len` is a name and not a function.
        let is_name = matches!(
            at.checked_sub(1).and_then(|before| tokens.get(before)),
            Some(Token::Period)
        ) || word(at.checked_sub(1).and_then(|before| tokens.get(before))).as_deref()
            == Some("AS");
        let called = tokens.get(at + 1) == Some(&Token::LParen);
        match word(Some(token)) {
            Some(name) if called && !is_name => {
                let end = closing(tokens, at + 1)?;
                let arguments = tokens.get(at + 2..end).unwrap_or_default();
                at = call(&name, token, arguments, tokens, end + 1, &mut out)?;
            }
            Some(name) if !is_name => {
                at += bare(
                    &name,
                    token,
                    tokens.get(at + 1..).unwrap_or_default(),
                    &mut out,
                )?;
            }
            _ => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    Ok(out)
}

/// Rewrites a word that is not a function call. Returns the number of tokens that it used.
fn bare(name: &str, token: &Token, rest: &[Token], out: &mut Vec<Token>) -> Result<usize, String> {
    let next = word(rest.first());
    match (name, next.as_deref()) {
        ("SYSDATE", _) => out.push(raw("redshift_compat.sysdate()")),
        ("APPROXIMATE", Some("COUNT" | "PERCENTILE_DISC")) => {}
        ("IGNORE" | "RESPECT", Some("NULLS")) => return Err(format!("{name} NULLS")),
        ("MINUS", Some("SELECT") | None) => out.push(raw("EXCEPT")),
        ("TOP", _) if !matches!(rest.first(), Some(Token::Number(..))) => out.push(token.clone()),
        ("CONNECT", next) if next != Some("BY") => out.push(token.clone()),
        ("SUPER", _) => out.push(raw("jsonb")),
        ("DATETIME", _) => out.push(raw("timestamp")),
        ("VARBYTE", _) => out.push(raw("bytea")),
        ("NVARCHAR", _) => out.push(raw("varchar")),
        _ if REFUSED.contains(&name) => return Err(name.to_owned()),
        _ if name.starts_with('#') => out.push(temporary(name)),
        _ => out.push(token.clone()),
    }
    Ok(1)
}

/// Rewrites `name(arguments)` and returns the index of the next token. `after` is the index behind
/// the opening parenthesis.
fn call(
    name: &str,
    token: &Token,
    arguments: &[Token],
    all: &[Token],
    after: usize,
    out: &mut Vec<Token>,
) -> Result<usize, String> {
    let parts = || {
        split(arguments)
            .into_iter()
            .map(rewrite)
            .collect::<Result<Vec<_>, _>>()
    };
    match name {
        "VARCHAR" | "NVARCHAR" | "CHARACTER"
            if word(arguments.first()).as_deref() == Some("MAX") =>
        {
            out.push(raw("varchar(65535)"));
        }
        "NVARCHAR" => function("varchar", &[rewrite(arguments)?], out),
        "VARBYTE" | "VARBINARY" => out.push(raw("bytea")),
        "NVL" | "ISNULL" => function("coalesce", &parts()?, out),
        "LEN" => function("length", &parts()?, out),
        "NVL2" => {
            let [value, given, missing] = three(name, parts()?)?;
            out.push(raw("CASE WHEN ("));
            out.extend(value);
            out.push(raw(") IS NOT NULL THEN"));
            out.extend(given);
            out.push(raw("ELSE"));
            out.extend(missing);
            out.push(raw("END"));
        }
        "DECODE" => decode(&parts()?, out)?,
        "MEDIAN" => {
            out.push(raw("percentile_cont(0.5) WITHIN GROUP (ORDER BY"));
            out.extend(rewrite(arguments)?);
            out.push(Token::RParen);
        }
        "LISTAGG" => return list_aggregate(arguments, all, after, out),
        "EXTRACT" => extract(arguments, out)?,
        "CONVERT" => return Err("CONVERT".to_owned()),
        _ if REFUSED.contains(&name) && name != "TOP" => return Err(name.to_owned()),
        _ => {
            let mut parts = parts()?;
            let mut called = token.clone();
            if COMPAT.contains(&name) || name == "AVG" {
                called = raw(format!("redshift_compat.{}", name.to_lowercase()));
            }
            if DATE_PARTS.contains(&name)
                && let Some([part]) = parts.first_mut().map(Vec::as_mut_slice)
                && let Some(unit) = word(Some(part))
            {
                *part = literal(&unit.to_lowercase());
            }
            if NULL_IF_INVALID.contains(&name)
                && let Some([last]) = parts.last().map(Vec::as_slice)
                && let Some(flag @ ("TRUE" | "FALSE")) = word(Some(last)).as_deref()
            {
                if flag == "TRUE" {
                    called = raw(format!("redshift_compat.{}_or_null", name.to_lowercase()));
                }
                parts.pop();
            }
            out.push(called);
            out.push(Token::LParen);
            if COMPAT.contains(&name) {
                join(&parts, out);
            } else {
                // Not split at commas, because it may be a subquery or a list of columns.
                out.extend(if DATE_PARTS.contains(&name) {
                    parts.join(&Token::Comma)
                } else {
                    rewrite(arguments)?
                });
            }
            out.push(Token::RParen);
        }
    }
    Ok(after)
}

fn join(parts: &[Vec<Token>], out: &mut Vec<Token>) {
    out.extend(parts.join(&Token::Comma));
}

fn function(name: &str, parts: &[Vec<Token>], out: &mut Vec<Token>) {
    out.extend([raw(name), Token::LParen]);
    join(parts, out);
    out.push(Token::RParen);
}

fn three(name: &str, parts: Vec<Vec<Token>>) -> Result<[Vec<Token>; 3], String> {
    parts
        .try_into()
        .map_err(|_| format!("{name} needs three arguments"))
}

/// `EXTRACT(part FROM source)`.
fn extract(arguments: &[Token], out: &mut Vec<Token>) -> Result<(), String> {
    let [part, _, source @ ..] = arguments else {
        return Err("EXTRACT needs a part and a source".to_owned());
    };
    if word(arguments.get(1)).as_deref() != Some("FROM") {
        return Err("EXTRACT without FROM".to_owned());
    }
    let part = content(Some(part)).or_else(|| word(Some(part)));
    let part = part.ok_or("EXTRACT needs a part")?.to_lowercase();
    let parts = [vec![literal(&part)], rewrite(source)?];
    function("redshift_compat.extract_part", &parts, out);
    Ok(())
}

/// `DECODE(e, a, x, b, y, z)`. Unlike in CASE, two NULLs are equal.
fn decode(parts: &[Vec<Token>], out: &mut Vec<Token>) -> Result<(), String> {
    let Some((value, cases)) = parts.split_first() else {
        return Err("DECODE needs arguments".to_owned());
    };
    out.push(raw("CASE"));
    for case in cases.chunks(2) {
        match case {
            [key, result] => {
                out.push(raw("WHEN"));
                out.extend_from_slice(value);
                out.push(raw("IS NOT DISTINCT FROM"));
                out.extend_from_slice(key);
                out.push(raw("THEN"));
                out.extend_from_slice(result);
            }
            rest => {
                out.push(raw("ELSE"));
                out.extend(rest.concat());
            }
        }
    }
    out.push(raw("END"));
    Ok(())
}

/// `LISTAGG([DISTINCT] x [, separator]) [WITHIN GROUP (ORDER BY …)]`.
fn list_aggregate(
    arguments: &[Token],
    all: &[Token],
    after: usize,
    out: &mut Vec<Token>,
) -> Result<usize, String> {
    let distinct = word(arguments.first()).as_deref() == Some("DISTINCT");
    let arguments = arguments.get(usize::from(distinct)..).unwrap_or_default();
    let parts = split(arguments)
        .into_iter()
        .map(rewrite)
        .collect::<Result<Vec<_>, _>>()?;
    let (value, separator) = match parts.as_slice() {
        [value] => (value.clone(), vec![literal("")]),
        [value, separator] => (value.clone(), separator.clone()),
        _ => return Err("LISTAGG needs one or two arguments".to_owned()),
    };
    out.push(raw(if distinct {
        "string_agg(DISTINCT ("
    } else {
        "string_agg(("
    }));
    out.extend(value);
    out.extend([Token::RParen, raw("::text"), Token::Comma]);
    out.extend(separator);
    let mut end = after;
    let behind = all.get(after..).unwrap_or_default();
    if crate::tokens::begins(behind, &["WITHIN", "GROUP"]) {
        end = closing(all, after + 2)?;
        out.extend(rewrite(all.get(after + 3..end).unwrap_or_default())?);
        end += 1;
    }
    out.push(Token::RParen);
    Ok(end)
}
