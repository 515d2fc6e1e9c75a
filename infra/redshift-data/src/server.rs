//! The HTTP server, on 127.0.0.1.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::events::Events;
use crate::fault::Fault;
use crate::faults::Faults;
use crate::run::Engine;
use crate::service::Service;
use crate::statements::{Quotas, Statements};
use crate::storage::Storage;
use crate::translate;

const MAX_REQUEST_BYTES: usize = 8 << 20;

#[derive(Debug)]
pub struct Options {
    /// The port, on 127.0.0.1; 0 for any.
    pub port: u16,
    /// A libpq connection string.
    pub postgres: String,
    /// Where COPY reads and UNLOAD writes.
    pub storage: Storage,
    pub events: Events,
    pub region: String,
    pub quotas: Quotas,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't prepare PostgreSQL: {0}")]
    Postgres(String),
    #[error("can't listen on 127.0.0.1:{0}")]
    Listen(u16, #[source] std::io::Error),
}

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    /// Prepares the database and listens.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let engine = Engine {
            postgres: options.postgres,
            storage: options.storage,
        };
        let client = engine.session().await.map_err(Error::Postgres)?;
        client
            .batch_execute(translate::COMPAT)
            .await
            .map_err(|error| Error::Postgres(crate::run::text_of(&error)))?;
        let listening = |source| Error::Listen(options.port, source);
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let service = Arc::new(Service {
            statements: Statements::new(options.quotas),
            engine,
            events: options.events,
            region: options.region,
            quotas: options.quotas,
            slots: Semaphore::new(options.quotas.concurrency),
            faults: Mutex::default(),
        });
        let router = Router::new()
            .route("/", post(operation))
            .route("/_stand-in/faults", get(faults).post(set_faults))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(service);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("redshift-data: {error}");
            }
        });
        Ok(Self { address, serving })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn faults(State(service): State<Arc<Service>>) -> Json<Faults> {
    Json(service.faults().clone())
}

async fn set_faults(
    State(service): State<Arc<Service>>,
    Json(faults): Json<Faults>,
) -> Json<Faults> {
    service.faults().clone_from(&faults);
    Json(faults)
}

async fn operation(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = target
        .strip_prefix("RedshiftData.")
        .unwrap_or_default()
        .to_owned();
    let answer = service.answer(&name, &body).await;
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(Fault { kind, message, id }) => {
            let mut body = json!({ "__type": kind, "Message": message, "message": message });
            if let (Some(id), Some(fields)) = (id, body.as_object_mut()) {
                fields.insert("ResourceId".to_owned(), json!(id));
            }
            (StatusCode::BAD_REQUEST, body)
        }
    };
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.1")],
        body.to_string(),
    )
        .into_response()
}
