//! Faults and logs of a deployed system.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use local::Local;
use serde_json::Value;

/// Sets the faults of the stand-in.
pub(crate) fn set_faults(local: &Local, faults: &Value) {
    let address = local
        .redshift_data_endpoint()
        .unwrap()
        .trim_start_matches("http://");
    let body = faults.to_string();
    let request = format!(
        "POST /_stand-in/faults HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Kills every process of every function. Returns their number.
pub(crate) fn kill_functions(local: &Local) -> usize {
    let mark = format!("SECOND_LOOK_STATE={}", local.folder().display());
    let all = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ours = all.filter(|pid| {
        let read = |what| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        pid.bytes().all(|byte| byte.is_ascii_digit())
            && String::from_utf8_lossy(&read("environ")).contains(&mark)
            && String::from_utf8_lossy(&read("cmdline"))
                .trim_end_matches('\0')
                .ends_with("/bootstrap")
    });
    ours.filter(|pid| {
        Command::new("kill")
            .args(["-KILL", pid])
            .status()
            .is_ok_and(|status| status.success())
    })
    .count()
}

/// The logs of the functions and the stand-in: file name and text.
pub(crate) fn logs(local: &Local) -> Vec<(String, String)> {
    let read =
        |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let files = fs::read_dir(local.folder().join("logs"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    files
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                read(&path),
            )
        })
        .collect()
}

/// Waits for a condition. Fails with the last state after `seconds`.
pub(crate) async fn eventually<T>(
    what: &str,
    seconds: u64,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        match look().await {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < deadline,
                "{what}: not in {seconds} s; last seen: {last}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(500)).await; // between looks, not instead of one
    }
}
