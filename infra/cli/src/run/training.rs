//! Invokes the deployed train function.

use anyhow::{Context as _, Result, bail};
use local::Local;
use serde_json::Value;
use tokio::process::Command;
use train::Answer;

/// Invokes the deployed train function and waits for its answer.
pub(super) async fn invoke_train(local: &Local, event: &Value) -> Result<Answer> {
    let answer = local.folder().join("train-answer.json");
    let function = local.outputs().function("train")?;
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
            "can't invoke train: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let report: Value = serde_json::from_slice(&std::fs::read(&answer)?)?;
    if let Some(error) = report.get("errorMessage") {
        bail!("train failed: {error}");
    }
    Ok(serde_json::from_value(report)?)
}
