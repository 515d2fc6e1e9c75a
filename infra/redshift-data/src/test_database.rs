//! A database for one test.

use local::Postgres;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::storage::Storage;
use crate::translate::COMPAT;

/// A PostgreSQL with the functions of `compat.sql`, and a folder in place of S3. Its drop removes
/// both.
pub(crate) struct Database {
    pub(crate) client: Client,
    pub(crate) storage: Storage,
    _postgres: Postgres,
    _folder: TempDir,
}

impl Database {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres")).unwrap();
        connect(&postgres)
            .await
            .batch_execute(COMPAT)
            .await
            .unwrap();
        Self {
            // Another session than the one above, which has cached the comparison of text.
            client: connect(&postgres).await,
            storage: Storage::Folder(folder.path().join("s3")),
            _postgres: postgres,
            _folder: folder,
        }
    }
}

async fn connect(postgres: &Postgres) -> Client {
    let connected = tokio_postgres::connect(postgres.connection(), NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    client
}
