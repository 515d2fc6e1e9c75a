//! Requests to the services of a local system.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A request without a signature: no local service checks one.
pub(crate) struct Request<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    /// Header lines, each with its line break.
    pub(crate) headers: &'r str,
    pub(crate) body: &'r str,
}

/// The body of the answer.
///
/// # Errors
/// If the service does not answer, or its answer is no success: the text of both.
pub(crate) fn send(endpoint: &str, request: Request<'_>) -> Result<String, String> {
    let address = endpoint.trim_start_matches("http://");
    let Request {
        method,
        path,
        headers,
        body,
    } = request;
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    let answer = exchange(address, &text).map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 2") {
        return Err(answer);
    }
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        return Ok(unchunked(body));
    }
    Ok(body.to_owned())
}

fn exchange(address: &str, request: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(request.as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The text of a body in chunks, each after a line with its length in hexadecimal.
fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or_default();
        let Some((chunk, rest)) = rest.split_at_checked(length) else {
            break;
        };
        text.push_str(chunk);
        body = rest.trim_start_matches("\r\n");
    }
    text
}
