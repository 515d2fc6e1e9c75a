//! What every function does before its first event: read its configuration, build its clients, load
//! the bundle, start its logs.

mod bundle;
mod clients;
mod config;
mod definition;
mod logs;

pub use self::bundle::{BundleError, Follower, bundle_files, open_bundle, open_confirming};
pub use clients::Clients;
pub use config::{ConfigError, Reader, environment};
pub use definition::{DefinitionError, definition_text};
pub use logs::{chain, start};
