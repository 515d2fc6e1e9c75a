//! One feature of a definition, without the entities' history: that is a [`Window`].

use serde::Deserialize;

use super::window::Window;

#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Unique in the definition. Also the name of the feature's column.
    pub name: String,
    pub kind: FeatureKind,
    /// Replaces a missing value. `None`: the value stays missing, and the model decides.
    pub missing: Option<f64>,
}

/// How a feature is computed. Indexes of fields refer to the schema's lists; indexes of features
/// refer to [`super::Definition::features`], and only to earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureKind {
    Amount,
    Number(usize),
    /// The value's fraud rate, as in [`crate::Categories`].
    Category(usize),
    Calendar(Calendar),
    Window(Window),
    /// The first feature divided by the second.
    Ratio(usize, usize),
    /// The first feature minus the second.
    Difference(usize, usize),
}

/// A part of the transaction's timestamp, in UTC.
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
