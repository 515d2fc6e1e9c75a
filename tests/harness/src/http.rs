//! A service with scripted answers, for cases that no emulator can produce on demand: races,
//! throttling, lost answers, failures within a 200.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A received request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub body: String,
    /// Header lines, each with its line break.
    headers: String,
}

impl Response {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            body: body.into(),
            headers: String::new(),
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let _ = write!(self.headers, "{name}: {value}\r\n");
        self
    }
}

/// A service on 127.0.0.1, until its process ends.
#[derive(Clone, Debug)]
pub struct Service {
    address: SocketAddr,
    script: Arc<Mutex<VecDeque<Response>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Service {
    /// A service with these answers in this order. After the last one, it answers 500.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start(script: impl IntoIterator<Item = Response>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            requests: Arc::default(),
        };
        let serving = service.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(connection));
            }
        });
        service
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        crate::memory::lock(&self.requests).clone()
    }

    fn serve(&self, connection: TcpStream) {
        let mut connection = BufReader::new(connection);
        while let Some(request) = read(&mut connection) {
            crate::memory::lock(&self.requests).push(request);
            let next = crate::memory::lock(&self.script).pop_front();
            let Response {
                status,
                body,
                headers,
            } = next.unwrap_or_else(|| Response::new(500, "the script has ended"));
            let head = format!(
                "HTTP/1.1 {status} -\r\n{headers}content-length: {}\r\n\r\n",
                body.len()
            );
            let written = connection.get_mut().write_all((head + &body).as_bytes());
            if written.is_err() {
                return;
            }
        }
    }
}

/// The next request; `None` if the connection has ended.
fn read(connection: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = |connection: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        let read = connection.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line(connection)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let header = line(connection)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        method,
        path,
        headers,
        body: String::new(),
    };
    if request.header("expect").is_some() {
        connection
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .ok()?;
    }
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = Vec::new();
    connection.take(length).read_to_end(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
