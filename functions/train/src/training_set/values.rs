//! Numbers for the distinct values of a category or an entity.

use std::collections::HashMap;

/// The value's number. A new value gets the next one.
pub(super) fn number_of(names: &mut HashMap<String, u32>, value: &str) -> u32 {
    if let Some(number) = names.get(value) {
        return *number;
    }
    let next = names.len() as u32;
    names.insert(value.to_owned(), next);
    next
}

/// The values in the order of their numbers.
pub(super) fn in_order(numbered: &HashMap<String, u32>) -> Vec<&str> {
    let mut names = vec![""; numbered.len()];
    for (name, number) in numbered {
        if let Some(place) = names.get_mut(*number as usize) {
            *place = name;
        }
    }
    names
}
