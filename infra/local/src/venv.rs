//! The locked Python environments, with fixed versions and checksums. `target/venv` has LocalStack,
//! the AWS CLI, boto3, cfn-lint and PostgreSQL. `target/venv-peers` has the libraries that models
//! are imported from and compared with. `target/venv-duckdb` has DuckDB.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::processes;

/// Why an environment could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("needs python 3.11, 3.12 or 3.13 on the PATH, found {found}")]
    Python { found: String },
    #[error("{step} failed:\n{output}")]
    Step {
        step: &'static str,
        /// The last lines of its output.
        output: String,
    },
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
}

#[derive(Clone, Debug)]
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// Makes `target/venv` in the checkout `root`, unless it exists and fits the lock files. Safe
    /// to interrupt and to call from several processes. Processes that it starts belong to the
    /// system of the state folder `state`.
    pub fn ensure(root: &Path, state: &Path) -> Result<Self, Error> {
        Self::made(root, state, "venv", "requirements.lock")
    }

    /// Makes `target/venv-peers` in the same way: XGBoost, LightGBM, scikit-learn and ONNX Runtime.
    /// Only tests and benchmarks use it.
    pub fn peers(root: &Path, state: &Path) -> Result<Self, Error> {
        Self::made(root, state, "venv-peers", "peers.lock")
    }

    /// Makes `target/venv-duckdb` in the same way. Only a benchmark uses it.
    pub fn duckdb(root: &Path, state: &Path) -> Result<Self, Error> {
        Self::made(root, state, "venv-duckdb", "duckdb.lock")
    }

    fn made(root: &Path, state: &Path, name: &str, requirements: &str) -> Result<Self, Error> {
        let target = root.join("target");
        let venv = Self {
            folder: target.join(name),
        };
        let sources = Sources::of(root, requirements);
        let marker = venv.folder.join("made-from");
        let wanted = sources.fingerprint()?;
        let is_made = || fs::read_to_string(&marker).is_ok_and(|made_from| made_from == wanted);
        if is_made() {
            return Ok(venv);
        }
        let _lock = lock(&target.join(format!("{name}.lock")))?;
        if !is_made() {
            venv.make(&sources, state)?;
            // The marker is written last: an interrupted attempt has none and starts again.
            fs::write(&marker, wanted).map_err(|source| Error::File {
                path: marker.clone(),
                source,
            })?;
        }
        Ok(venv)
    }

    fn make(&self, sources: &Sources, state: &Path) -> Result<(), Error> {
        let run = |step, program: &Path, arguments: &[&str]| {
            let mut command = processes::command(program, state);
            command
                .args(arguments)
                .env("VIRTUAL_ENV", &self.folder)
                .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
            step_done(step, &mut command)
        };
        let folder = self.folder.to_string_lossy();
        let lock = sources.requirements.to_string_lossy();
        let made = run(
            "python3 -m venv",
            &python()?,
            &["-m", "venv", "--clear", &folder],
        );
        made.map_err(|error| match error {
            Error::Step { step, output } if output.contains("ensurepip") => Error::Step {
                step,
                output: format!("{output}\n(Debian and Ubuntu: apt-get install python3-venv)"),
            },
            error => error,
        })?;

        let python = self.python();
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--requirement",
        ];
        let uv_lock = sources.uv.to_string_lossy();
        let with_uv =
            run("pip install uv", &python, &[&pip[..], &[&uv_lock]].concat()).and_then(|()| {
                let mut uv = processes::command(self.bin().join("uv"), state);
                uv.args([
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--require-hashes",
                    "--requirement",
                    &lock,
                ]);
                uv.args(["--native-tls", "--python"]).arg(&python);
                for (name, value) in pip_settings(&python) {
                    uv.env(name, value);
                }
                step_done("uv pip install", &mut uv)
            });
        if with_uv.is_err() {
            // pip reads settings of the user that uv does not know.
            run("pip install", &python, &[&pip[..], &[&lock]].concat())?;
        }
        Ok(())
    }

    pub fn python(&self) -> PathBuf {
        self.bin().join("python")
    }

    pub fn aws(&self) -> PathBuf {
        self.bin().join("aws")
    }

    pub fn cfn_lint(&self) -> PathBuf {
        self.bin().join("cfn-lint")
    }

    /// The folder with its packages.
    pub(crate) fn site_packages(&self) -> Option<PathBuf> {
        let versions = fs::read_dir(self.folder.join("lib")).ok()?;
        let mut folders =
            versions.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
        folders.find(|folder| folder.is_dir())
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }
}

/// The lock files that an environment is made from.
struct Sources {
    requirements: PathBuf,
    uv: PathBuf,
}

impl Sources {
    fn of(root: &Path, requirements: &str) -> Self {
        let here = root.join("infra/local/python");
        Self {
            requirements: here.join(requirements),
            uv: here.join("uv.lock"),
        }
    }

    fn fingerprint(&self) -> Result<String, Error> {
        let mut hasher = DefaultHasher::new();
        for path in [&self.requirements, &self.uv] {
            fs::read(path)
                .map_err(|source| Error::File {
                    path: path.clone(),
                    source,
                })?
                .hash(&mut hasher);
        }
        Ok(format!("{:016x}", hasher.finish()))
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let locked = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|source| Error::File {
        path: path.to_path_buf(),
        source,
    })
}

fn step_done(step: &'static str, command: &mut Command) -> Result<(), Error> {
    let failed = |output: String| Error::Step { step, output };
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|problem| failed(problem.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<&str> = text.lines().rev().take(10).collect();
    Err(failed(
        lines.into_iter().rev().collect::<Vec<_>>().join("\n"),
    ))
}

/// Finds a Python version that the locked packages support.
fn python() -> Result<PathBuf, Error> {
    let version = |name: &str| {
        let print = "import sys; print('%d.%d' % sys.version_info[:2], end='')";
        let output = Command::new(name).args(["-c", print]).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut found = Vec::new();
    for name in ["python3", "python3.13", "python3.12", "python3.11"] {
        match version(name).as_deref() {
            Some("3.11" | "3.12" | "3.13") => return Ok(PathBuf::from(name)),
            Some(other) => found.push(other.to_owned()),
            None => {}
        }
    }
    Err(Error::Python {
        found: if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        },
    })
}

/// The user's settings of pip, under the names of uv's variables.
fn pip_settings(python: &Path) -> Vec<(&'static str, String)> {
    const NAMES: [(&str, &str); 4] = [
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("cert", "SSL_CERT_FILE"),
    ];
    let Ok(output) = Command::new(python)
        .args(["-m", "pip", "config", "list"])
        .output()
    else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&output.stdout);
    // Lines are `<where>.<name>='<value>'`. `:env:`, which overrides the others, comes first, so it
    // has to be set last.
    text.lines()
        .rev()
        .filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            let (_, uv) = NAMES
                .iter()
                .find(|(pip, _)| name.ends_with(&format!(".{pip}")))?;
            Some((*uv, value.trim_matches('\'').to_owned()))
        })
        .collect()
}
