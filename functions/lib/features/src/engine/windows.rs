//! The windows of a definition over a history.

use jiff::Timestamp;

use super::History;
use super::profiles::ProfileTimeline;
use super::second_look::SecondTimeline;
use crate::{Definition, NamedWindow, Parts};

impl History {
    /// For each window of the first look, in the order of [`Definition::windows`], one value for
    /// each row; NaN if it is missing.
    pub fn first_windows(&self, definition: &Definition) -> Vec<Vec<f64>> {
        let windows = definition.windows(&definition.first);
        let mut values = vec![vec![f64::NAN; self.len()]; windows.len()];
        let Some(cut_offs) = definition.cut_offs else {
            return values;
        };
        for entity in entities(&windows) {
            for rows in self.rows_by_value(entity) {
                let profiles = ProfileTimeline::new(self, &rows, cut_offs);
                for ((_, window), values) in windows.iter().zip(&mut values) {
                    if window.entity == entity {
                        profiles.measure(window, values);
                    }
                }
            }
        }
        values
    }

    /// For each window of the second look, in the order of [`Definition::windows`], one value for
    /// each row; NaN if it is missing.
    pub fn second_windows(&self, definition: &Definition) -> Vec<Vec<f64>> {
        let windows = definition.windows(&definition.confirm);
        let mut values = vec![vec![f64::NAN; self.len()]; windows.len()];
        for entity in entities(&windows) {
            for rows in self.rows_by_value(entity) {
                let timeline = SecondTimeline::new(self, definition, &rows);
                for ((_, window), values) in windows.iter().zip(&mut values) {
                    if window.entity == entity {
                        timeline.measure(window, values);
                    }
                }
            }
        }
        values
    }

    /// The profiles of an entity as of a cut-off. Each has the number of the entity's value (see
    /// [`History::entities`]) and the parts of its windows, in the order of
    /// [`Definition::profile_windows`]. Values whose windows are all empty have no profile.
    pub fn profiles(
        &self,
        definition: &Definition,
        entity: usize,
        cut_off: Timestamp,
    ) -> Vec<(u32, Vec<Parts>)> {
        let windows = definition.profile_windows(entity);
        let Some(cut_offs) = definition.cut_offs else {
            return Vec::new();
        };
        let mut profiles = Vec::new();
        for (value, rows) in (0..).zip(self.rows_by_value(entity)) {
            let timeline = ProfileTimeline::new(self, &rows, cut_offs);
            let parts_of = |(_, window): &NamedWindow<'_>| timeline.parts_at(window, cut_off);
            let parts: Vec<Parts> = windows.iter().map(parts_of).collect();
            if parts.iter().any(counts_anything) {
                profiles.push((value, parts));
            }
        }
        profiles
    }
}

fn counts_anything(parts: &Parts) -> bool {
    parts.rows > 0.0 || parts.frauds > 0.0
}

/// The entities of windows, each once, as ascending indexes into the schema.
fn entities(windows: &[NamedWindow<'_>]) -> Vec<usize> {
    let mut entities: Vec<usize> = windows.iter().map(|(_, window)| window.entity).collect();
    entities.sort_unstable();
    entities.dedup();
    entities
}
