//! The shape of `bundle.toml`, before it is checked.

use std::collections::BTreeMap;

use decision::Schema;
use serde::Deserialize;

use super::column_mapping::ColumnEntry;
use super::feature::Calendar;
use super::policy::PolicyEntry;
use super::thresholds::CostsEntry;
use super::training::TrainingEntry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefinitionFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) cut_off: Option<String>,
    #[serde(default)]
    pub(super) profile_lag: Option<String>,
    pub(super) schema: Schema,
    #[serde(default)]
    pub(super) table: Option<BTreeMap<String, ColumnEntry>>,
    #[serde(default)]
    pub(super) feature: Vec<FeatureEntry>,
    pub(super) first: FirstEntry,
    pub(super) confirm: ConfirmEntry,
    pub(super) costs: CostsEntry,
    pub(super) policy: PolicyEntry,
    pub(super) training: TrainingEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstEntry {
    pub(super) features: Vec<String>,
    #[serde(default)]
    pub(super) hold_share: Option<f64>,
    #[serde(default)]
    pub(super) holds_a_day: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmEntry {
    pub(super) features: Vec<String>,
    #[serde(default)]
    pub(super) reviews_a_day: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FeatureEntry {
    pub(super) name: String,
    pub(super) field: Option<String>,
    pub(super) category: Option<String>,
    pub(super) calendar: Option<Calendar>,
    pub(super) ratio: Option<[String; 2]>,
    pub(super) difference: Option<[String; 2]>,
    pub(super) missing: Option<f64>,
    pub(super) entity: Option<String>,
    pub(super) count: Option<bool>,
    pub(super) sum: Option<String>,
    pub(super) mean: Option<String>,
    pub(super) sd: Option<String>,
    pub(super) min: Option<String>,
    pub(super) max: Option<String>,
    pub(super) distinct: Option<String>,
    pub(super) fraud_rate: Option<bool>,
    pub(super) frauds: Option<bool>,
    pub(super) last_fraud_age: Option<bool>,
    pub(super) window: Option<String>,
    pub(super) delay: Option<String>,
}
