//! Clients other than the SDK for Rust.

use std::path::Path;
use std::process::Command;

use local::Venv;
use redshift_data::Quotas;

use crate::service::{Service, unlimited};

/// What engineers have at hand talks to it as to the real one.
#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_cli_talk_to_it() {
    let service = Service::start(Quotas {
        page_rows: 3,
        ..unlimited()
    })
    .await;
    let venv = Venv::ensure(&local::root(), service.folder.path()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/talk.py");
    let output = Command::new(venv.python())
        .args([script.as_path(), venv.aws().as_ref()])
        .env(
            "AWS_ENDPOINT_URL_REDSHIFT_DATA",
            format!("http://{}", service.server.address()),
        )
        .envs([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ])
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(out.trim(), "boto3 and the AWS CLI agree");
}
