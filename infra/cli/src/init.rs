//! What a deployed stack needs before its first event: the bundle's definition and the tables.

use anyhow::{Context as _, Result};
use model::Definition;
use outlet::{Objects as _, keys};

use crate::system::System;

/// Uploads the definition and makes the tables, if they are not there.
pub async fn init(system: &System, definition_text: &str) -> Result<Definition> {
    let definition = Definition::parse(definition_text)?;
    let key = keys::bundle_definition(&definition.name);
    system.objects.put(&key, definition_text.as_bytes().to_vec()).await.context("can't upload the definition")?;
    system.query(model::sql::schema_ddl(&definition)).await.context("can't make the tables")?;
    Ok(definition)
}
