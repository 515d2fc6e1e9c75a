//! Reads a statement into tokens, without white space and comments, and writes tokens as text.

use sqlparser::dialect::RedshiftSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Word};

/// String literals stay as in `sql`, with doubled quotes.
pub(crate) fn read(sql: &str) -> Result<Vec<Token>, String> {
    let dialect = RedshiftSqlDialect {};
    let all = Tokenizer::new(&dialect, sql)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| error.to_string())?;
    let mut tokens: Vec<Token> = Vec::with_capacity(all.len());
    let mut after_colon = false;
    for token in all.into_iter().map(|token| token.token) {
        match token {
            Token::Whitespace(_) => after_colon = false,
            // `:name` without a space is a parameter. `::` is a different token.
            Token::Word(word) if after_colon && word.quote_style.is_none() => {
                tokens.pop();
                tokens.push(Token::Placeholder(format!(":{}", word.value)));
                after_colon = false;
            }
            token => {
                after_colon = token == Token::Colon;
                tokens.push(token);
            }
        }
    }
    while tokens.last() == Some(&Token::SemiColon) {
        tokens.pop();
    }
    if tokens.contains(&Token::SemiColon) {
        return Err("several statements in one SQL text".to_owned());
    }
    Ok(tokens)
}

/// The word of `token` in upper case. `None` for quoted words and other tokens.
pub(crate) fn word(token: Option<&Token>) -> Option<String> {
    match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    }
}

pub(crate) fn begins(tokens: &[Token], words: &[&str]) -> bool {
    words
        .iter()
        .enumerate()
        .all(|(index, expected)| word(tokens.get(index)).as_deref() == Some(*expected))
}

/// A token that is written as `text`, without quotes.
pub(crate) fn raw(text: impl Into<String>) -> Token {
    Token::Word(Word {
        value: text.into(),
        quote_style: None,
        keyword: sqlparser::keywords::Keyword::NoKeyword,
    })
}

/// The name of the PostgreSQL table for a `#temporary` table: quoted, because of the `#`.
pub(crate) fn temporary(name: &str) -> Token {
    raw(format!("\"{}\"", name.to_lowercase()))
}

pub(crate) fn literal(content: &str) -> Token {
    Token::SingleQuotedString(content.replace('\'', "''"))
}

/// The content of a string literal. `None` for other tokens.
pub(crate) fn content(token: Option<&Token>) -> Option<String> {
    match token {
        Some(Token::SingleQuotedString(text)) => Some(text.replace("''", "'")),
        Some(Token::DollarQuotedString(text)) => Some(text.value.clone()),
        _ => None,
    }
}

/// Index of the parenthesis that closes the one at `open`.
pub(crate) fn closing(tokens: &[Token], open: usize) -> Result<usize, String> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Ok(index);
        }
    }
    Err("a parenthesis is not closed".to_owned())
}

/// Splits at commas outside of parentheses. Empty parts are left out.
pub(crate) fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    let parts = tokens.split(|token| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *token == Token::Comma
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// Separates tokens by one space where SQL allows it.
pub(crate) fn text(tokens: &[Token]) -> String {
    let mut text = String::new();
    let mut glued = true;
    for token in tokens {
        let closes = matches!(
            token,
            Token::Comma | Token::RParen | Token::Period | Token::DoubleColon | Token::RBracket
        );
        if !glued && !closes {
            text.push(' ');
        }
        text.push_str(&token.to_string());
        glued = matches!(
            token,
            Token::LParen | Token::Period | Token::DoubleColon | Token::LBracket
        );
    }
    text
}
