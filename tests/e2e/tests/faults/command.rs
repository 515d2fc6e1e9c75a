//! The command line on a stack that it finds by name.

use std::env;
use std::process::Command;

use jiff::Timestamp;
use local::{Local, Options, STACK};
use serde_json::{Value, json};

use crate::sent::Sent;

/// `look audit` finds a stack by its name, as in an AWS account.
pub(crate) fn the_command_finds_the_stack(local: &Local, sent: &Sent) {
    let file = local.folder().join("sent.ndjson");
    let line = |id| json!({ "transaction_id": id, "occurred_at": Timestamp::now(), "amount": 1, "customer_id": "C", "terminal_id": "S" });
    let lines: Vec<String> = sent
        .transactions
        .keys()
        .map(|id| line(id).to_string())
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let options = Options::new(local.folder());
    let mut path = vec![local.venv().aws().parent().unwrap().to_path_buf()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let output = Command::new(options.binaries.join("look"))
        .args(["audit", "--nothing-else", "--json", "--stack", STACK])
        .arg(&file)
        .envs(local.environment())
        .env("PATH", env::join_paths(path).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(audit["decided"], sent.transactions.len(), "{audit}");
}
