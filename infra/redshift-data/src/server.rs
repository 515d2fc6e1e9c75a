//! The HTTP server: it decodes requests, calls the service and encodes answers and errors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::events::Events;
use crate::faults::Faults;
use crate::run::Engine;
use crate::service::Service;
use crate::sql_error::text_of;
use crate::statements::Quotas;
use crate::storage::Storage;
use crate::translate;

const MAX_REQUEST_BYTES: usize = 8 << 20;

#[derive(Debug)]
pub struct Options {
    /// The port on 127.0.0.1. 0 selects a free port.
    pub port: u16,
    /// A connection string in libpq's format.
    pub postgres: String,
    /// The objects of COPY and UNLOAD.
    pub storage: Storage,
    pub events: Events,
    pub region: String,
    pub quotas: Quotas,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot prepare the database: {0}")]
    Postgres(String),
    #[error("cannot listen on 127.0.0.1:{0}")]
    Listen(u16, #[source] std::io::Error),
}

/// A running server. Its drop ends it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    /// Defines Redshift's functions in the database and listens.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let engine = Engine {
            postgres: options.postgres,
            storage: options.storage,
            statement_timeout: options.quotas.statement_timeout,
        };
        let client = engine.session().await.map_err(Error::Postgres)?;
        client
            .batch_execute(translate::COMPAT)
            .await
            .map_err(|error| Error::Postgres(text_of(&error)))?;
        let listening = |source| Error::Listen(options.port, source);
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let service = Service::new(engine, options.events, options.region, options.quotas);
        let router = Router::new()
            .route("/", post(operation))
            .route("/_stand-in/calls", get(calls))
            .route("/_stand-in/faults", get(faults).post(set_faults))
            .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
            .with_state(Arc::new(service));
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

async fn calls(State(service): State<Arc<Service>>) -> Json<BTreeMap<String, u64>> {
    Json(service.calls.by_access_key())
}

async fn faults(State(service): State<Arc<Service>>) -> Json<Faults> {
    Json(service.faults.get())
}

async fn set_faults(
    State(service): State<Arc<Service>>,
    Json(faults): Json<Faults>,
) -> Json<Faults> {
    service.faults.set(faults.clone());
    Json(faults)
}

async fn operation(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    service.calls.count(text(&headers, "authorization"));
    let name = text(&headers, "x-amz-target")
        .strip_prefix("RedshiftData.")
        .unwrap_or_default()
        .to_owned();
    let (status, body) = match service.answer(&name, &body).await {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (StatusCode::BAD_REQUEST, error.body()),
    };
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.1")],
        body.to_string(),
    )
        .into_response()
}

/// A header's value. Empty if there is none.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
