//! The record of a running system: `state.json` in the state folder. Other processes read it to
//! find and end the system.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::service::Service;
use crate::{postgres, processes, signals};

/// Why a system cannot be started, recorded or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is not a state file; delete it if no other program needs it")]
    Format {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(
        "another process runs the system in {0}; wait until it ends, or choose another state folder"
    )]
    InUse(PathBuf),
    #[error("a system already runs in {0}; end it with `look local down --state {0}`")]
    AlreadyUp(PathBuf),
    #[error(
        "{0} contains files of another program: choose a folder that is empty or does not exist yet"
    )]
    NotOurs(PathBuf),
    #[error(transparent)]
    Processes(#[from] processes::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
}

/// The services and the stack of one state folder, as in `state.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    pub folder: PathBuf,
    pub localstack: Option<Service>,
    pub postgres: Option<Service>,
    /// The stand-in for Redshift's Data API.
    pub redshift_data: Option<Service>,
    pub stack: Option<String>,
    pub outputs: BTreeMap<String, String>,
}

/// A [`State`] and which of its services run.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub state: State,
    /// Whether a service runs, by its name.
    pub up: BTreeMap<&'static str, bool>,
}

impl Status {
    /// Whether all services run. `false` if none was started.
    pub fn is_up(&self) -> bool {
        !self.up.is_empty() && self.up.values().all(|up| *up)
    }
}

impl State {
    pub(crate) fn new(folder: &Path, endpoint_url: Option<String>) -> Self {
        let localstack = endpoint_url.map(|endpoint| Service {
            endpoint,
            pid: None,
        });
        let folder = folder.to_path_buf();
        Self {
            folder,
            localstack,
            postgres: None,
            redshift_data: None,
            stack: None,
            outputs: BTreeMap::new(),
        }
    }

    pub(crate) fn load(folder: &Path) -> Result<Option<Self>, Error> {
        let path = path(folder);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| Error::Format { path, source }),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    pub(crate) fn save(&self) -> Result<(), Error> {
        let (path, new) = (path(&self.folder), self.folder.join("state.json.new"));
        let bytes = serde_json::to_vec_pretty(self).map_err(|source| Error::Format {
            path: path.clone(),
            source,
        })?;
        // The rename is atomic: a reader sees the old or the new file, never a part.
        fs::write(&new, bytes)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|source| Error::File { path, source })
    }

    fn services(&self) -> impl Iterator<Item = (&'static str, &Service)> {
        [
            ("localstack", &self.localstack),
            ("postgres", &self.postgres),
            ("redshift_data", &self.redshift_data),
        ]
        .into_iter()
        .filter_map(|(name, service)| Some((name, service.as_ref()?)))
    }

    pub(crate) fn status(&self) -> Status {
        let up = self
            .services()
            .map(|(name, service)| (name, service.is_up()))
            .collect();
        Status {
            state: self.clone(),
            up,
        }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

/// The file that a claim locks. It stays: a folder with it is a state folder.
const LOCK: &str = "lock";

/// Fails for a folder with files of another program: the end of a system removes files.
fn check_folder(folder: &Path) -> Result<(), Error> {
    let mut files = fs::read_dir(folder).map_err(|source| Error::File {
        path: folder.to_path_buf(),
        source,
    })?;
    if folder.join(LOCK).is_file() || files.next().is_none() {
        return Ok(());
    }
    Err(Error::NotOurs(folder.to_path_buf()))
}

/// The right to run the system of one state folder: a file lock, which ends with the process.
#[derive(Debug)]
pub(crate) struct Claim {
    folder: PathBuf,
    _lock: File,
}

impl Claim {
    /// Locks the folder for this process and ends what a killed run left in it.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File {
            path: folder.to_path_buf(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        check_folder(&folder)?;
        let lock = File::create(folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(folder)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if State::load(&folder)
            .ok()
            .flatten()
            .is_some_and(|state| state.status().is_up())
        {
            return Err(Error::AlreadyUp(folder));
        }
        take_down(&folder)?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Ends all processes of a system and removes its data. Its logs stay until the next start.
pub(crate) fn take_down(folder: &Path) -> Result<(), Error> {
    let Ok(folder) = folder.canonicalize() else {
        return Ok(());
    };
    check_folder(&folder)?;
    // The id of a recorded process that has ended may belong to another process by now. So the
    // record is used only where the environment of a process cannot be read.
    let known = if cfg!(target_os = "linux") {
        Vec::new()
    } else {
        recorded(&folder)
    };
    postgres::stop(&folder)?; // first and with SIGQUIT: after SIGTERM it would wait for its clients
    processes::end_all(&folder, &known)?;
    postgres::stop(&folder)?; // again, in case a start was in progress
    for path in [
        path(&folder),
        folder.join("localstack"),
        folder.join("package"),
    ] {
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::File { path, source });
            }
            _ => {}
        }
    }
    signals::leave_alone(&folder);
    Ok(())
}

fn recorded(folder: &Path) -> Vec<i32> {
    let state = State::load(folder).ok().flatten();
    state
        .iter()
        .flat_map(State::services)
        .filter_map(|(_, service)| service.pid)
        .collect()
}
