//! A warehouse whose statements run until the test ends them.

use std::sync::Mutex;
use std::time::Duration;

use tokio::task::yield_now;
use warehouse::{Error, Row, Statement, StatementId, Status, Warehouse};

/// One statement that was taken.
#[derive(Debug)]
struct Taken {
    statement: Statement,
    status: Status,
}

#[derive(Debug, Default)]
pub(crate) struct TestWarehouse(Mutex<Vec<Taken>>);

impl TestWarehouse {
    pub(crate) fn statement(&self, index: usize) -> Statement {
        self.0.lock().unwrap()[index].statement.clone()
    }

    /// How many statements run whose name begins with `prefix`.
    pub(crate) fn running_with(&self, prefix: &str) -> usize {
        let all = self.0.lock().unwrap();
        let matching = all.iter().filter(|taken| {
            taken.status == Status::Running && taken.statement.name.starts_with(prefix)
        });
        matching.count()
    }

    pub(crate) fn running(&self) -> Vec<usize> {
        let all = self.0.lock().unwrap();
        (0..all.len())
            .filter(|&i| all[i].status == Status::Running)
            .collect()
    }

    pub(crate) fn end(&self, index: usize, status: Status) {
        self.0.lock().unwrap()[index].status = status;
    }

    fn find(&self, id: &StatementId) -> Result<Status, Error> {
        let all = self.0.lock().unwrap();
        let index: usize = id.0.parse().unwrap();
        let taken = all.get(index).ok_or_else(|| Error::Unknown(id.clone()))?;
        Ok(taken.status.clone())
    }
}

impl Warehouse for TestWarehouse {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        yield_now().await;
        let mut all = self.0.lock().unwrap();
        let known = all
            .iter()
            .position(|taken| taken.statement.token == statement.token);
        let index = known.unwrap_or_else(|| {
            all.push(Taken {
                statement: statement.clone(),
                status: Status::Running,
            });
            all.len() - 1
        });
        Ok(StatementId(index.to_string()))
    }

    async fn status(&self, id: &StatementId) -> Result<Status, Error> {
        yield_now().await;
        self.find(id)
    }

    async fn rows(&self, id: &StatementId, _: usize) -> Result<Vec<Row>, Error> {
        yield_now().await;
        self.find(id).map(|_| Vec::new())
    }

    async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        yield_now().await;
        if self.find(id)? == Status::Running {
            self.end(id.0.parse().unwrap(), Status::Aborted);
        }
        Ok(())
    }

    async fn wait(&self, id: &StatementId, _: Duration) -> Result<Status, Error> {
        self.status(id).await
    }
}
