//! `state.json` in the state folder: the services that run, for other processes to read.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{localstack, postgres, processes};

/// Why the state folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is not a state file")]
    Format {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("another process runs the system in {0}: wait for it, or choose another state folder")]
    InUse(PathBuf),
    #[error("a system runs already in {0}: stop it with `look local down --state {0}`")]
    AlreadyUp(PathBuf),
    #[error("cannot end its processes")]
    Processes(#[from] processes::Error),
    #[error("cannot end postgresql")]
    Postgres(#[from] postgres::Error),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Its URL, or PostgreSQL's connection string.
    pub endpoint: String,
    /// The process id; `None` for a service that this system did not start.
    pub pid: Option<i32>,
}

impl Service {
    /// Whether its process exists. A service without a process of ours is asked over the network.
    pub fn is_up(&self) -> bool {
        match self.pid {
            Some(pid) => processes::is_alive(pid),
            None => localstack::answers(&self.endpoint),
        }
    }
}

/// The services of a state folder.
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

/// A [`State`] and whether its services run.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub state: State,
    /// By service: whether it runs.
    pub up: BTreeMap<&'static str, bool>,
}

impl Status {
    /// Whether every service still runs.
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
        // Renamed into place: a reader sees the old file or the new one, never a part.
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

/// The right to run the system of one state folder. The operating system releases the lock when the
/// process ends.
#[derive(Debug)]
pub(crate) struct Claim {
    folder: PathBuf,
    _lock: File,
}

impl Claim {
    /// Locks the folder for this process and removes the leftovers of a killed run.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File {
            path: folder.to_path_buf(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
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

/// Ends all processes of a system and removes its data. The logs stay until the next start.
pub(crate) fn take_down(folder: &Path) -> Result<(), Error> {
    let Ok(folder) = folder.canonicalize() else {
        return Ok(());
    };
    // A recorded process id may belong to another process by now. So recorded ids are used only
    // where the environments of processes can't be read.
    let known = if cfg!(target_os = "linux") {
        Vec::new()
    } else {
        recorded(&folder)
    };
    postgres::stop(&folder)?; // first, in its own way: asked to end, it would wait for its clients
    processes::end_all(&folder, &known)?;
    postgres::stop(&folder)?; // again: a cluster may have been created meanwhile
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
    processes::leave_alone(&folder);
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
