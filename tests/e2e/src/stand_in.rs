//! Faults of the stand-in, and what it says of its statements and callers.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use local::Local;
use serde_json::{Value, json};

use crate::http::{Request, send};

/// Longer than a stand-in that was killed needs to leave its port to the next one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sets the faults of the stand-in. Tries again while a restarted stand-in does not answer.
pub fn set_faults(local: &Local, faults: &Value) {
    let endpoint = local.redshift_data_endpoint().unwrap();
    let body = faults.to_string();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let request = Request {
            method: "POST",
            path: "/_stand-in/faults",
            headers: "",
            body: &body,
        };
        match send(endpoint, request) {
            Ok(_) => return,
            Err(error) => assert!(Instant::now() < deadline, "faults not set: {error}"),
        }
        sleep(Duration::from_millis(200));
    }
}

/// How often each caller called since the start of the stand-in, by access key.
pub fn calls(local: &Local) -> BTreeMap<String, u64> {
    let request = Request {
        method: "GET",
        path: "/_stand-in/calls",
        headers: "",
        body: "",
    };
    let answer = send(local.redshift_data_endpoint().unwrap(), request).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// The names of the statements in this status whose names begin with `prefix`.
pub fn statements(local: &Local, prefix: &str, status: &str) -> Result<Vec<String>, String> {
    let request = Request {
        method: "POST",
        path: "/",
        headers: "X-Amz-Target: RedshiftData.ListStatements\r\n",
        body: &json!({ "StatementName": prefix, "Status": status }).to_string(),
    };
    let answer = send(local.redshift_data_endpoint().unwrap(), request)?;
    let listed: Value = serde_json::from_str(&answer).unwrap();
    let listed = listed["Statements"].as_array().cloned().unwrap_or_default();
    let name = |statement: &Value| statement["StatementName"].as_str().map(str::to_owned);
    Ok(listed.iter().filter_map(name).collect())
}
