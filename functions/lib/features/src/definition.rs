//! A bundle's definition: `bundle.toml` as the user wrote it.

use std::collections::BTreeMap;

use decision::{Action, Schema, SchemaError};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

pub use table::{Source, Table};
pub use thresholds::{Costs, HoldBy, ReviewBy};
pub use training::{Boost, Logistic, ProbabilityForest, Training};
pub use window::{Field, Measure, Quantity, Window};

/// Each may be known or not, and every combination has its words ready.
const MAX_PROFILED: usize = 6;

/// A whole definition, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The bundle's name.
    pub name: String,
    schema: Schema,
    features: Vec<Feature>,
    /// How a file of the user's own columns is read.
    pub table: Option<Table>,
    /// The first look.
    pub first: Look,
    /// How the first look's threshold is chosen.
    pub hold: HoldBy,
    /// The confirming look.
    pub confirm: Look,
    /// How the confirming look's thresholds are chosen, with the costs.
    pub review: ReviewBy,
    /// What a mistake costs.
    pub costs: Costs,
    /// What follows when evidence is missing, and when.
    pub rules: Rules,
    /// How models are trained.
    pub training: Training,
}

/// One feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its name, also its column's.
    pub name: String,
    /// How it is computed.
    pub kind: Kind,
    /// What it is where it is missing. Without it, a missing value stays one ([`crate::MISSING`]).
    pub missing: Option<f64>,
}

/// How a feature is computed.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The transaction's amount.
    Amount,
    /// The n-th declared number.
    Number(usize),
    /// The n-th declared category, as the rate that training has learnt of its value.
    Category(usize),
    /// A part of the moment, UTC.
    Calendar(Calendar),
    /// Something of the entity's history.
    Window(Window),
    /// One feature over another, by their places among all features.
    Ratio(usize, usize),
    /// One feature less another, likewise.
    Difference(usize, usize),
}

/// A part of a moment, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Calendar {
    /// 1 up to 06:59:59, else 0.
    Night,
    /// 1 on Saturday and Sunday, else 0.
    Weekend,
    /// 0 to 23.
    Hour,
    /// 0 (Monday) to 6.
    Weekday,
}

/// The features of one look, as places among all features.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Columns of its matrix, in order.
    pub features: Vec<usize>,
    /// For a look that knows the past by profiles: seconds between their cut-offs. Its windows end at
    /// the last cut-off before the transaction, in place of the transaction's own moment.
    pub every: Option<u64>,
}

/// What follows when evidence is missing, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Seconds from a hold's arrival to its deadline.
    pub hold_deadline: u64,
    /// Attempts at one evidence query.
    pub max_attempts: u32,
    /// See [`decision::Policy`].
    pub on_expiry: Action,
    /// See [`decision::Policy`].
    pub on_failure: Action,
    /// See [`decision::Policy`].
    pub on_missing_evidence: Action,
}

/// Why a definition is refused.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// No TOML, or a field missing or unknown.
    #[error("definition can't be read")]
    Toml(#[from] toml::de::Error),
    /// The schema.
    #[error("definition's schema can't be used")]
    Schema(#[from] SchemaError),
    /// One feature.
    #[error("feature `{feature}`: {why}")]
    Feature {
        /// Which.
        feature: String,
        /// Why it can't be served.
        why: String,
    },
    /// One setting.
    #[error("setting `{setting}`: {why}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Definition {
    /// Reads and checks a `bundle.toml`.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let file: file::File = toml::from_str(text)?;
        file.schema.check()?;
        let plain = file.name.starts_with(|c: char| c.is_ascii_lowercase())
            && file
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain {
            return Err(setting(
                "name",
                "expected lower case letters, digits and -, a letter first",
            ));
        }
        let features = file::features(&file.schema, file.feature)?;
        let places: BTreeMap<&str, usize> = features
            .iter()
            .enumerate()
            .map(|(i, f)| (f.name.as_str(), i))
            .collect();
        let every = file
            .first
            .cut_off
            .as_deref()
            .map(|text| file::span("first.cut_off", text))
            .transpose()?;
        let first = Look {
            features: file::look("first", &file.first.features, &places)?,
            every,
        };
        let confirm = Look {
            features: file::look("confirm", &file.confirm.features, &places)?,
            every: None,
        };
        let (costs, hold, review) = file.costs.checked(
            file.first.hold_share,
            file.first.holds_a_day,
            file.confirm.reviews_a_day,
        )?;
        let definition = Self {
            name: file.name,
            table: file
                .table
                .map(|table| Table::checked(&file.schema, table))
                .transpose()?,
            schema: file.schema,
            first,
            hold,
            confirm,
            review,
            costs,
            rules: file.policy.rules()?,
            training: file.training.checked()?,
            features,
        };
        definition.check()?;
        Ok(definition)
    }

    /// The transaction's fields.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// All features, in the order of the file.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The feature at this place; places come from a [`Look`] or another feature of this definition.
    pub fn feature(&self, place: usize) -> Option<&Feature> {
        self.features.get(place)
    }

    /// Names of a look's columns.
    pub fn names(&self, look: &Look) -> Vec<&str> {
        look.features
            .iter()
            .filter_map(|&place| self.feature(place))
            .map(|f| f.name.as_str())
            .collect()
    }

    /// The categories that features name, by place and name, each once.
    pub fn encoded(&self) -> impl Iterator<Item = (usize, &str)> {
        let named = |place: usize| {
            self.features
                .iter()
                .any(|feature| feature.kind == Kind::Category(place))
        };
        let categories = self.schema.categories.iter().enumerate();
        categories
            .filter(move |(place, _)| named(*place))
            .map(|(place, name)| (place, name.as_str()))
    }

    /// The entities that the first look asks about, ascending.
    pub fn profiled(&self) -> impl Iterator<Item = usize> {
        (0..self.schema.entities.len()).filter(|&entity| !self.profile_columns(entity).is_empty())
    }

    /// The columns of an entity's profiles: its windows among those that the first look needs.
    pub fn profile_columns(&self, entity: usize) -> Vec<(&str, &Window)> {
        let mut windows = self.windows(&self.first);
        windows.retain(|(_, window)| window.entity == entity);
        windows
    }

    /// Every window that a look needs, those behind ratios and differences included, each once, in the order of the file.
    pub fn windows(&self, look: &Look) -> Vec<(&str, &Window)> {
        let mut needed = vec![false; self.features.len()];
        for &place in &look.features {
            self.mark(place, &mut needed);
        }
        let named = self
            .features
            .iter()
            .zip(needed)
            .filter(|(_, needed)| *needed)
            .map(|(feature, _)| feature);
        named
            .filter_map(|feature| match &feature.kind {
                Kind::Window(window) => Some((feature.name.as_str(), window)),
                _ => None,
            })
            .collect()
    }

    fn mark(&self, place: usize, needed: &mut [bool]) {
        if let Some(needed) = needed.get_mut(place) {
            *needed = true;
        }
        // Features refer back only, so this ends.
        if let Some(Kind::Ratio(one, other) | Kind::Difference(one, other)) =
            self.feature(place).map(|f| &f.kind)
        {
            self.mark(*one, needed);
            self.mark(*other, needed);
        }
    }

    fn check(&self) -> Result<(), DefinitionError> {
        match (self.windows(&self.first).first(), self.first.every) {
            (Some((name, _)), None) => {
                let why =
                    "the first look knows the past by profiles only: set first.cut_off, such as 1d";
                return Err(DefinitionError::Feature {
                    feature: (*name).to_owned(),
                    why: why.to_owned(),
                });
            }
            (None, Some(_)) => {
                return Err(setting(
                    "first.cut_off",
                    "the first look has no window to cut off",
                ));
            }
            _ => {}
        }
        if self.profiled().count() > MAX_PROFILED {
            return Err(setting(
                "first.features",
                "windows of 6 entities at the most",
            ));
        }
        Ok(())
    }
}

impl Look {
    /// The moment that the windows of a transaction end at, before their delays: its own, or the last
    /// cut-off before it.
    pub fn end(&self, occurred_at: Timestamp) -> Timestamp {
        // The microsecond is the warehouse's smallest step.
        self.cut_off(
            occurred_at
                .saturating_sub(SignedDuration::from_micros(1))
                .unwrap_or_default(),
        )
        .unwrap_or(occurred_at)
    }

    /// The last cut-off up to a moment, for a look on profiles.
    pub fn cut_off(&self, moment: Timestamp) -> Option<Timestamp> {
        let every = i64::try_from(self.every?)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000);
        Timestamp::from_microsecond(
            moment
                .as_microsecond()
                .div_euclid(every)
                .saturating_mul(every),
        )
        .ok()
    }
}

fn setting(setting: &'static str, why: &str) -> DefinitionError {
    DefinitionError::Setting {
        setting,
        why: why.to_owned(),
    }
}

fn share(name: &'static str, value: f64) -> Result<f64, DefinitionError> {
    if value > 0.0 && value <= 1.0 {
        Ok(value)
    } else {
        Err(setting(name, "expected a share above 0, up to 1"))
    }
}

mod file;
mod table;
mod thresholds;
mod training;
mod window;
