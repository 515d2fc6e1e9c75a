//! Invokes deployed functions.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use local::Local;
use serde_json::{Value, json};
use tokio::process::Command;
use train::Answer;

/// Invokes the deployed train function and waits for its answer.
pub(super) async fn invoke_train(local: &Local, event: &Value) -> Result<Answer> {
    Ok(serde_json::from_value(
        invoke(local, "train", event).await?,
    )?)
}

/// Invokes the deployed sweep, as its schedule does each minute. The next sweep
/// repeats failed steps.
pub(super) async fn invoke_sweep(local: &Local) {
    let _ = invoke(local, "sweep", &json!({})).await;
}

async fn invoke(local: &Local, name: &str, event: &Value) -> Result<Value> {
    let answer = local.folder().join(format!("{name}-answer.json"));
    let function = local.outputs().function(name)?;
    let output = Command::new(local.venv().aws())
        // Training may take minutes. The client must neither time out nor invoke it twice.
        .args([
            "lambda",
            "invoke",
            "--function-name",
            function,
            "--cli-read-timeout",
            "0",
        ])
        .arg("--payload")
        .arg(event.to_string())
        .arg(&answer)
        .envs(local.environment())
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()
        .await
        .context("can't run the AWS CLI")?;
    if !output.status.success() {
        bail!(
            "can't invoke {name}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let report: Value = serde_json::from_slice(&std::fs::read(&answer)?)?;
    if let Some(error) = report.get("errorMessage") {
        bail!("{name} failed: {error}");
    }
    Ok(report)
}

/// Waits until the version that was announced judges every transaction that is put from now on.
pub(super) async fn until_active(active_from: Timestamp) {
    // Kinesis counts milliseconds.
    let millisecond = Duration::from_millis(1);
    let wait = active_from.duration_since(Timestamp::now());
    if let Ok(wait) = Duration::try_from(wait) {
        tokio::time::sleep(wait + millisecond).await;
    }
}
