//! A throw-away PostgreSQL for tests, ended and removed when dropped.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

pub(crate) struct Cluster {
    folder: PathBuf,
    port: u16,
    server: Child,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let line = passwd
            .lines()
            .find(|line| line.starts_with("postgres:"))
            .or_else(|| passwd.lines().find(|line| line.starts_with("nobody:")));
        let user: u32 = line.unwrap().split(':').nth(2).unwrap().parse().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("redshift-data-test-{}-{port}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        if root {
            std::os::unix::fs::chown(&folder, Some(user), None).unwrap();
        }
        let run = |program: &str| {
            let mut command = Command::new(programs().join(program));
            if root {
                command.uid(user);
            }
            command.current_dir(&folder).env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let data = folder.join("data");
        let made = run("initdb")
            .args(["-U", "test", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync", "-D"])
            .arg(&data)
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        let settings = ["fsync=off", "timezone=UTC", "listen_addresses=127.0.0.1", "unix_socket_directories="];
        let mut server = run("postgres");
        server
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()])
            .args(settings.iter().flat_map(|setting| ["-c", setting]));
        Self { server: server.spawn().unwrap(), folder, port }
    }

    /// A connection to a database that has `compat.sql`.
    pub(crate) async fn connect(&self) -> Client {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match tokio_postgres::connect(
                &format!("host=127.0.0.1 port={} user=test dbname=postgres", self.port),
                NoTls,
            )
            .await
            {
                Ok((client, connection)) => {
                    tokio::spawn(connection);
                    client.batch_execute(crate::translate::COMPAT).await.unwrap();
                    return client;
                }
                Err(error) => assert!(Instant::now() < deadline, "no answer: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn programs() -> PathBuf {
    let on_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file()));
    if let Some(folder) = on_path {
        return folder.join("initdb").canonicalize().unwrap().parent().map(Path::to_path_buf).unwrap();
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path());
    installed
        .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()))
        .unwrap()
        .join("bin")
}
