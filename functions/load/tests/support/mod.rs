//! The real handler over in-memory adapters.

use std::error::Error as StdError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use features::Definition;
use harness::holds::at;
use harness::memory::{Objects, Warehouse};
use jiff::{SignedDuration, Timestamp};
use load::{Definitions, Handler, LaneSql, LoadEvent, LoadWork, Response, VersionDefinition};
use turns::{Limits, Settings, Turns};

pub(crate) const BUCKET: &str = "second-look-bucket";
pub(crate) const STACK: &str = "second-look";
const EVIDENCE_LANES: u16 = 2;

/// One definition for every version.
struct OneDefinition(Arc<VersionDefinition>);

impl Definitions for OneDefinition {
    async fn of_version(
        &self,
        _: &str,
    ) -> Result<Option<Arc<VersionDefinition>>, Box<dyn StdError + Send + Sync>> {
        Ok(Some(Arc::clone(&self.0)))
    }
}

/// An event under events/load, as AWS sends it.
pub(crate) fn event(name: &str) -> LoadEvent {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/load");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// Handles an event.
pub(crate) async fn handle(objects: &Objects, warehouse: &Warehouse, event: LoadEvent) -> Response {
    handle_at(objects, warehouse, event, at(0)).await
}

/// Handles an event at this time.
pub(crate) async fn handle_at(
    objects: &Objects,
    warehouse: &Warehouse,
    event: LoadEvent,
    now: Timestamp,
) -> Response {
    let definition = Definition::parse(harness::fixture::DEFINITION).unwrap();
    let definitions = OneDefinition(Arc::new(VersionDefinition {
        definition: definition.clone(),
        cut_off: None,
    }));
    let settings = Settings {
        bucket: BUCKET.to_owned(),
        stack: STACK.to_owned(),
        limits: Limits::DEFAULT,
        load_interval: SignedDuration::from_secs(300),
        turn_interval: SignedDuration::ZERO,
        grace: SignedDuration::from_secs(60),
        random_id: || "claimant".to_owned(),
    };
    let work = LoadWork {
        objects,
        warehouse,
        sql: LaneSql {
            deployed: &definition,
            definitions: &definitions,
            role_arn: "default",
        },
        evidence_lanes: EVIDENCE_LANES,
    };
    let handler = Handler {
        turns: Turns {
            objects,
            warehouse,
            work: &work,
            settings: &settings,
        },
    };
    let handled = handler.handle(event, now, Duration::ZERO);
    handled.await.unwrap()
}
