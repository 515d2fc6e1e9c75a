//! Scripts in the Python environment with the libraries that models are imported from.

use std::path::Path;
use std::process::Command;

use local::Venv;

/// Runs a script with `folder` as its only argument, and returns its standard output.
///
/// # Panics
/// If the environment can't be made or the script fails.
pub fn run(script: &Path, folder: &Path) -> String {
    let venv = Venv::peers(&local::root(), folder).expect("the environment is made");
    let output = Command::new(venv.python())
        .env("OMP_NUM_THREADS", "1")
        .arg(script)
        .arg(folder)
        .output()
        .expect("the script starts");
    assert!(
        output.status.success(),
        "{}: {}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}
