//! A service of the local system: PostgreSQL, `LocalStack` or the Redshift stand-in.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::processes;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Its URL, or PostgreSQL's connection string.
    pub endpoint: String,
    /// The id of its process. `None` for a `LocalStack` that another program started.
    pub pid: Option<i32>,
}

impl Service {
    /// Whether its process runs or, without a process id, whether `LocalStack` answers.
    pub fn is_up(&self) -> bool {
        match self.pid {
            Some(pid) => processes::is_alive(pid),
            None => localstack_answers(&self.endpoint),
        }
    }
}

/// Whether a `LocalStack` answers to its health check at `http://host:port`.
pub(crate) fn localstack_answers(endpoint: &str) -> bool {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET /_localstack/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.take(64).read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains(" 200 "))
}
