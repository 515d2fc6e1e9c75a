//! Profiles of five million terminals. Terminals have the most numbers in the shipped definition's
//! first look.

use features::{Definition, Profiles, TableBuilder};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{at_most, best, rounded};

const DEFINITION: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");
const ENTITIES: usize = 5_000_000;
/// Look-ups per round.
const LOOK_UPS: usize = 1_000;
const ROUNDS: usize = 500;
/// Step between entities that are looked up one after the other, so that their order is scattered.
const STEP: usize = 3_141_592_653;

pub(crate) fn measure() -> Value {
    let definition = Definition::parse(DEFINITION).unwrap();
    let entity = definition
        .schema()
        .entities
        .iter()
        .position(|name| name == "terminal_id")
        .unwrap();
    let windows = definition.profile_windows(entity);
    let aggregates = windows
        .iter()
        .map(|(_, window)| window.measure.aggregates().len());
    let numbers: usize = aggregates.sum();
    let name = |place: usize| format!("T{place}");
    let mut table = TableBuilder::new(&definition, entity).unwrap();
    for place in 0..ENTITIES {
        table.push(
            &name(place),
            (0..numbers).map(|number| (place % 1_000 * numbers + number) as f64),
        );
    }
    let cut_off = Timestamp::UNIX_EPOCH;
    let built = Profiles::build(cut_off, vec![table]).unwrap();
    let bytes = built.to_bytes();
    drop(built);

    let load = best(3, || Profiles::from_bytes(&bytes).unwrap());
    let mut loaded = None;
    let kept = allocation_counter::measure(|| loaded = Some(Profiles::from_bytes(&bytes).unwrap()))
        .bytes_current;
    let profiles = loaded.unwrap();
    let each = |bytes: f64| rounded(bytes / ENTITIES as f64);

    let places: Vec<usize> = (0..ROUNDS * LOOK_UPS)
        .map(|place| place * STEP % ENTITIES)
        .collect();
    let names: Vec<String> = places.iter().copied().map(name).collect();
    let look_up = |name: &String| {
        profiles
            .find(0, name)
            .map_or(f64::NAN, |row| profiles.numbers(0, row, 0)[0])
    };
    let expected = places.iter().map(|place| (place % 1_000 * numbers) as f64);
    assert!(
        names.iter().map(look_up).eq(expected),
        "every look-up returns the value of its profile"
    );
    // Each round looks up other entities, so that no round finds its entities in the CPU cache.
    let mut rounds = names.chunks(LOOK_UPS);
    let found = best(ROUNDS, || {
        rounds.next().unwrap().iter().map(look_up).sum::<f64>()
    });
    let of_names = || assert!(names.iter().map(look_up).sum::<f64>() > 0.0);
    let allocated = allocation_counter::measure(of_names).count_total;
    json!({
        "entities": ENTITIES, "numbers": numbers, "file_bytes": bytes.len(),
        "load_seconds": at_most(1.0, rounded(load.as_secs_f64())),
        "bytes_per_entity": {
            "file": at_most(64.0, each(bytes.len() as f64)), "memory": at_most(64.0, each(kept as f64)),
        },
        "look_up_ns": rounded(found.as_nanos() as f64 / LOOK_UPS as f64),
        "allocations_in_look_ups": at_most(0.0, allocated as f64),
    })
}
