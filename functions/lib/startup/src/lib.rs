//! What every function does before its first event: it reads its configuration, builds its clients,
//! opens the bundle and starts its log.

mod bundle;
mod clients;
mod config;
mod definition;
mod follower;
mod logs;

pub use self::bundle::{BundleError, bundle_files, open_bundle, open_confirm_bundle};
pub use clients::Clients;
pub use config::{ConfigError, Variables, environment};
pub use definition::{DefinitionError, definition_text};
pub use follower::BundleFollower;
pub use logs::start;
pub use retry::chain;
