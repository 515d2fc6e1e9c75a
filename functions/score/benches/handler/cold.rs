//! Measures a cold start of the real binary. We start its process against our own Runtime API on
//! 127.0.0.1, with a bundle from a folder. The function requests its first event when it is
//! initialised; we send an empty batch. A service on this machine plays the bucket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::http::{Response, Service};
use serde_json::{Value, json};

const STARTS: usize = 10;
const EVENT: &str = r#"{"Records":[]}"#;

/// What one cold start took. Ordered by the time to the first response.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct ColdStart {
    until_response: Duration,
    /// Until the function requested its first event.
    init: Duration,
    peak_memory_kb: u64,
}

/// The median of [`STARTS`] cold starts.
pub(crate) fn start(binary: &Path) -> io::Result<Value> {
    let folder = std::env::temp_dir().join(format!("second-look-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for (name, bytes) in harness::fixture::files() {
        std::fs::write(folder.join(name), bytes)?;
    }
    let starts: io::Result<Vec<_>> = (0..STARTS).map(|_| once(binary, &folder)).collect();
    std::fs::remove_dir_all(&folder)?;
    let mut starts = starts?;
    starts.sort();
    let median = starts.get(STARTS / 2).copied().unwrap_or_default();
    let ms = |duration: Duration| (duration.as_secs_f64() * 1e4).round() / 10.0;
    Ok(json!({
        "bundle": "the smallest one, from a folder; from S3 its download is added",
        "process_start_to_first_response_ms": ms(median.until_response),
        "init_ms": ms(median.init),
        "peak_memory_mb": median.peak_memory_kb / 1024,
        "binary_bytes": std::fs::metadata(binary)?.len(),
    }))
}

fn once(binary: &Path, bundle: &Path) -> io::Result<ColdStart> {
    let api = TcpListener::bind("127.0.0.1:0")?;
    // The function writes format.json.
    let bucket = Service::start([Response::new(200, "")]);
    let started = Instant::now();
    let child = Command::new(binary)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "score")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", bucket.url())
        .env("BUCKET", "none")
        .env("BUNDLE", bundle)
        .env("ACTIVATION_LEAD_SECONDS", "60")
        .env("DECISIONS_STREAM", "none")
        .env("PUBLISH_APPROVALS", "false")
        .stdout(Stdio::null())
        .spawn()?;
    let mut child = Running(child);
    api.set_nonblocking(true)?;
    let mut init = None;
    // The function may use one connection or several.
    loop {
        let connection = match api.accept() {
            Ok((connection, _)) => connection,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Some(status) = child.0.try_wait()? {
                    return Err(io::Error::other(format!(
                        "the function exited before its first response: {status}"
                    )));
                }
                // About a hundredth of the measured time.
                std::thread::sleep(Duration::from_micros(50));
                continue;
            }
            Err(error) => return Err(error),
        };
        connection.set_nonblocking(false)?;
        let mut connection = BufReader::new(connection);
        while let Some(path) = request(&mut connection)? {
            if path.ends_with("/invocation/next") {
                init.get_or_insert_with(|| started.elapsed());
                answer(connection.get_mut(), "200 OK", EVENT)?;
            } else if path.ends_with("/response") {
                return Ok(ColdStart {
                    until_response: started.elapsed(),
                    init: init.unwrap_or_default(),
                    peak_memory_kb: super::kilobytes(&child.0.id().to_string(), "VmHWM"),
                });
            } else {
                return Err(io::Error::other(format!(
                    "unexpected request of the function: {path}"
                )));
            }
        }
    }
}

/// Kills the process when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads one request and returns its path. `None` if the connection is closed.
fn request(connection: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        connection.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    connection.take(length).read_to_end(&mut Vec::new())?;
    Ok(Some(path))
}

fn answer(connection: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let deadline =
        u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default() + 60_000;
    write!(
        connection,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         lambda-runtime-aws-request-id: 1\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
         lambda-runtime-invoked-function-arn: \
         arn:aws:lambda:us-east-1:123456789012:function:score\r\n\r\n{body}",
        body.len()
    )
}
