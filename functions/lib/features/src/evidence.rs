//! The windows of the second look, from what the warehouse returned for a hold.

use decision::{Evidence, Hold, ProfileNumbers};

use crate::sql::{has_held_column, profile_column, recent_column};
use crate::{Definition, Measure, OwnValue, Parts, Quantity, SecondParts, Window};

impl Definition {
    /// The windows of the second look, by name. `numbers` is the hold's row of the warehouse; the
    /// hold has those of its profiles. `None` if a column is not there; a NULL is there.
    pub fn evidence(&self, hold: &Hold, numbers: &Evidence) -> Option<Evidence> {
        let mut evidence = Evidence::new();
        for (name, window) in self.windows(&self.confirm) {
            let mut recent = Vec::new();
            for aggregate in window.measure.aggregates() {
                let number = numbers.get(&recent_column(name, *aggregate))?;
                recent.push(number.unwrap_or(f64::NAN));
            }
            let of_profile = hold.profile.get(name).filter(|_| self.is_long(window));
            let of_profile = of_profile.into_iter().flatten();
            let of_profile = of_profile.map(|number| number.unwrap_or(f64::NAN));
            let parts = SecondParts {
                profile: Parts::of_aggregates(window.measure, of_profile),
                recent: Parts::of_aggregates(window.measure, recent),
                own: self.own_value(hold, name, window, numbers)?,
            };
            let value = window.second_value(parts, hold.occurred_at);
            evidence.insert(
                name.to_owned(),
                Some(value).filter(|value| value.is_finite()),
            );
        }
        Some(evidence)
    }

    /// The numbers of the profiles, from the columns of [`crate::sql::profile_column`]. `number`
    /// returns the number of a column.
    pub fn profile_numbers(&self, number: impl Fn(&str) -> Option<f64>) -> ProfileNumbers {
        let mut profile = ProfileNumbers::new();
        for entity in self.profiled_entities() {
            for (name, window) in self.profile_windows(entity) {
                let aggregates = window.measure.aggregates().iter();
                let numbers = aggregates.map(|part| number(&profile_column(name, *part)));
                profile.insert(name.to_owned(), numbers.collect());
            }
        }
        profile
    }

    /// `None` if the warehouse did not say whether the value is new.
    fn own_value(
        &self,
        hold: &Hold,
        name: &str,
        window: &Window,
        numbers: &Evidence,
    ) -> Option<OwnValue> {
        let schema = self.schema();
        if let Measure::Distinct(field) = window.measure {
            let field = field.name(schema);
            let is_there = hold.entities.contains_key(field) || hold.categories.contains_key(field);
            let has_held = numbers.get(&has_held_column(name))?;
            let is_new = is_there && has_held.unwrap_or(0.0) == 0.0;
            return Some(match is_new {
                true => OwnValue::New,
                false => OwnValue::Known,
            });
        }
        let number = match window.measure.quantity() {
            Some(Quantity::Amount) => Some(hold.amount),
            Some(quantity) => hold.numbers.get(quantity.name(schema)).copied(),
            None => None,
        };
        Some(OwnValue::Number(number.unwrap_or(f64::NAN)))
    }
}
