//! What every function does before its first event: it reads its configuration, builds its clients,
//! opens the bundle and starts its log.

mod bundle;
mod bundles;
mod clients;
mod config;
mod deadline;
mod definition;
mod format;
mod logs;
mod pointer;
mod second_bundles;

pub use self::bundle::{
    BundleError, VersionDefinition, bundle_files, definition_of, open_confirm_bundle,
};
pub use bundles::Bundles;
pub use clients::Clients;
pub use config::{ConfigError, Variables, environment};
pub use deadline::time_left;
pub use definition::{DefinitionError, definition_text};
pub use format::{FormatError, check_format};
pub use logs::start;
pub use pointer::{Promotion, PromotionError, promote, read_pointer};
pub use retry::chain;
pub use second_bundles::SecondBundles;
