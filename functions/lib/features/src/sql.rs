//! The same features in Redshift's SQL, and the tables they are read from.
//!
//! All identifiers come from a checked [`Definition`], so they are plain words, and begin with a letter: what begins
//! with `_` is ours. All values of transactions come as bound parameters.

mod evidence_parts;
mod load;
mod tables;

pub use evidence_parts::evidence_parts;
pub use load::{load, profiles_export, training_export};
pub use tables::{OUTCOMES, REPORTS, TRANSACTIONS, columns, schema_ddl};

use std::collections::BTreeSet;
use std::fmt::Write as _;

use decision::Hold;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    Definition, DistinctField, Look, Measure, PROFILE_PREFIX, Quantity, TrainingPeriod, Window,
};

/// How long the JSON text of one parameter may be. Redshift's longest text is 65,535 bytes.
const MAX_PARAMETER: usize = 60_000;
/// How many held transactions one parameter may have: what three digits count.
const MAX_HOLDS: usize = 1_000;

/// One query for each parameter of [`evidence_parameters`]: a row for each held transaction, with
/// `transaction_id` and a double for each window that the confirming look needs.
pub fn evidence(definition: &Definition, parameters: usize) -> Vec<String> {
    let query = |k: usize| {
        let text = format!("CAST(:{} AS VARCHAR(65535))", parameter_name(k));
        let schema = definition.schema();
        let mut columns = String::new();
        let mut column = |name: &str, sql_type: &str| {
            let _ = write!(
                columns,
                ",\n    CAST(JSON_EXTRACT_PATH_TEXT(hold, '{name}') AS {sql_type}) AS {name}"
            );
        };
        column("occurred_at", "TIMESTAMPTZ");
        column("amount", "DOUBLE PRECISION");
        schema
            .entities
            .iter()
            .for_each(|entity| column(entity, "VARCHAR(256)"));
        let (numbers, categories) = measured(definition);
        // What is missing is an empty text here, and no double.
        for (name, sql_type) in numbers
            .iter()
            .map(|name| (name, "DOUBLE PRECISION"))
            .chain(categories.iter().map(|name| (name, "VARCHAR(256)")))
        {
            let _ = write!(
                columns,
                ",\n    CAST(NULLIF(JSON_EXTRACT_PATH_TEXT(hold, '{name}'), '') AS {sql_type}) AS {name}"
            );
        }
        let digits: Vec<String> = (1..10).map(|d| format!("UNION ALL SELECT {d}")).collect();
        let digits = digits.join(" ");
        let held = format!(
            "digit AS (
  SELECT 0 AS d {digits}
), counter AS (
  SELECT a.d + 10 * b.d + 100 * c.d AS i FROM digit a CROSS JOIN digit b CROSS JOIN digit c
), item AS (
  SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT({text}, i) AS hold FROM counter WHERE i < JSON_ARRAY_LENGTH({text})
), held AS (
  SELECT
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'transaction_id') AS VARCHAR(256)) AS transaction_id{columns}
  FROM item
)"
        );
        with_windows(
            definition,
            &[&definition.confirm],
            &held,
            "h.transaction_id",
            "",
            None,
        )
    };
    (0..parameters).map(query).collect()
}

/// The numbers and categories of a held transaction that its own windows count.
fn measured(definition: &Definition) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let schema = definition.schema();
    let (mut numbers, mut categories) = (BTreeSet::new(), BTreeSet::new());
    for (_, window) in definition
        .windows(&definition.confirm)
        .into_iter()
        .filter(|(_, window)| window.delay.is_zero())
    {
        if let Some(of @ Quantity::Number(_)) = window.measure.quantity() {
            numbers.insert(of.name(schema));
        }
        if let Measure::Distinct(of @ DistinctField::Category(_)) = window.measure {
            categories.insert(of.name(schema));
        }
    }
    (numbers, categories)
}

fn parameter_name(k: usize) -> String {
    format!("holds_{k}")
}

/// The held transactions as JSON arrays, as many as their length asks for; names go with the queries
/// of [`evidence`]. A transaction that is held twice is asked about once, as it was held first: the
/// query adds up what it finds by `transaction_id`.
pub fn evidence_parameters(definition: &Definition, holds: &[Hold]) -> Vec<(String, String)> {
    let (numbers, categories) = measured(definition);
    let mut chunks: Vec<String> = Vec::new();
    let mut in_last = 0;
    let mut seen = BTreeSet::new();
    for hold in holds
        .iter()
        .filter(|hold| seen.insert(&hold.transaction_id))
    {
        let mut item = Map::new();
        item.insert("transaction_id".to_owned(), json!(hold.transaction_id));
        item.insert("occurred_at".to_owned(), json!(moment(hold.occurred_at)));
        item.insert("amount".to_owned(), json!(hold.amount));
        for entity in &definition.schema().entities {
            item.insert(entity.clone(), json!(hold.entities.get(entity)));
        }
        let number = |name: &str| Some((name.to_owned(), json!(hold.numbers.get(name)?)));
        let category = |name: &str| Some((name.to_owned(), json!(hold.categories.get(name)?)));
        item.extend(numbers.iter().filter_map(|name| number(name)));
        item.extend(categories.iter().filter_map(|name| category(name)));
        let item = Value::Object(item).to_string();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() + item.len() + 2 <= MAX_PARAMETER && in_last < MAX_HOLDS => {
                chunk.push(',');
                chunk.push_str(&item);
                in_last += 1;
            }
            _ => {
                chunks.push(format!("[{item}"));
                in_last = 1;
            }
        }
    }
    chunks
        .into_iter()
        .enumerate()
        .map(|(k, chunk)| (parameter_name(k), chunk + "]"))
        .collect()
}

/// The transactions that happened in `[from, to)` as rows to learn from: `transaction_id`,
/// `occurred_at` (seconds since 1970), `amount`, entities, numbers, categories, the windows of the
/// confirming look, those of the first look as [`PROFILE_PREFIX`] and their names, and `label`: 1 for what was
/// reported as fraud by `as_of`, else 0.
pub fn training_set(definition: &Definition, period: &TrainingPeriod) -> String {
    let schema = definition.schema();
    let declared: String = schema
        .declared()
        .fold(String::new(), |columns, name| columns + ", " + name);
    let TrainingPeriod { from, to, as_of } = *period;
    let within = [from, to];
    let (from, to, as_of) = (moment(from), moment(to), moment(as_of));
    let end = definition
        .first
        .cut_off
        .map(|every| format!(", {} AS _cut_off", cut_off("occurred_at", every)));
    let end = end.unwrap_or_default();
    let held = format!(
        "held AS (
  SELECT transaction_id, occurred_at, amount{declared}{end} FROM {TRANSACTIONS}
  WHERE occurred_at >= CAST('{from}' AS TIMESTAMPTZ) AND occurred_at < CAST('{to}' AS TIMESTAMPTZ)
)"
    );
    let mut columns =
        "h.transaction_id,\n  CAST(EXTRACT(EPOCH FROM h.occurred_at) AS DOUBLE PRECISION) AS occurred_at,\n  h.amount"
            .to_owned();
    for name in schema.declared() {
        let _ = write!(columns, ",\n  h.{name}");
    }
    let label = format!(
        "LEFT JOIN {REPORTS} l ON l.transaction_id = h.transaction_id AND l.reported_at <= CAST('{as_of}' AS TIMESTAMPTZ)"
    );
    let columns = columns + ",\n  CASE WHEN l.is_fraud THEN 1 ELSE 0 END AS label";
    with_windows(
        definition,
        &[&definition.confirm, &definition.first],
        &held,
        &columns,
        &label,
        Some(within),
    )
}

/// The profiles of an entity as of a cut-off: a row for each value that the first look's windows have
/// transactions of, with the value and the windows.
pub fn profiles(definition: &Definition, entity: usize, cut_off: Timestamp) -> String {
    let windows = definition.profile_columns(entity);
    let name = definition
        .schema()
        .entities
        .get(entity)
        .map_or("", String::as_str);
    let moment = format!("CAST('{}' AS TIMESTAMPTZ)", moment(cut_off));
    let (mut sums, mut selected) = (String::new(), String::new());
    for (window_name, window) in &windows {
        sums.push_str(&aggregates(definition, window_name, window, &moment, false));
        let value = whole(
            definition,
            &format!("by_{name}"),
            window_name,
            window,
            false,
        );
        let _ = write!(
            selected,
            ",\n  CAST({value} AS DOUBLE PRECISION) AS {window_name}"
        );
    }
    let (longest, latest) = reach(&windows);
    let (longest, latest) = (interval(longest), interval(latest));
    let reports = reports(&windows, &moment);
    format!(
        "WITH by_{name} AS (
  SELECT t.{name} AS entity{sums}
  FROM {TRANSACTIONS} t{reports}
  WHERE t.occurred_at > {moment} - {longest} AND t.occurred_at <= {moment} - {latest}
  GROUP BY t.{name}
)
SELECT
  entity{selected}
FROM by_{name}"
    )
}

/// The last multiple of so many seconds before a column's moment, which is after 1970.
fn cut_off(column: &str, every: SignedDuration) -> String {
    // A microsecond is the warehouse's smallest step.
    let micros = format!("CAST(EXTRACT(EPOCH FROM {column}) * 1000000 AS BIGINT)");
    let each = every.as_micros();
    format!(
        "CAST('1970-01-01T00:00:00Z' AS TIMESTAMPTZ) + ({micros} - 1) / {each} * {}",
        interval(every)
    )
}

/// How far the windows reach back, and how near they come, in seconds.
fn reach(windows: &[(&str, &Window)]) -> (SignedDuration, SignedDuration) {
    let longest = windows
        .iter()
        .map(|(_, w)| w.delay + w.length)
        .max()
        .unwrap_or_default();
    let latest = windows
        .iter()
        .map(|(_, w)| w.delay)
        .min()
        .unwrap_or_default();
    (longest, latest)
}

/// The join of what was reported of the transactions by a moment, if a window asks for it.
fn reports(windows: &[(&str, &Window)], moment: &str) -> String {
    let asked = windows.iter().any(|(_, w)| w.measure == Measure::FraudRate);
    let join = format!(
        "\n  LEFT JOIN {REPORTS} r ON r.transaction_id = t.transaction_id AND r.reported_at <= {moment}"
    );
    if asked { join } else { String::new() }
}

/// A moment as both engines read it, to the microsecond, which is all that a warehouse keeps.
fn moment(moment: Timestamp) -> String {
    format!("{moment:.6}")
}

/// A query over `held`: its `columns`, and columns for the windows of the looks, the first look's after
/// [`PROFILE_PREFIX`].
///
/// A held transaction may lie in the table or not yet: it is left out of the join by its id and, where
/// a window ends at its own moment, counted from `held`, so that it counts once. At a cut-off, which is before
/// it, its windows are those of all of its entity: they are computed once for them.
///
/// Where many are held, all of them between the moments `many`, a warehouse that joins by hashing would put each
/// together with all that its entity ever did. Time is cut into periods as long as the windows reach: then it is put
/// together with what its entity did in the two periods that its windows touch. What lies outside of all windows
/// is not read.
fn with_windows(
    definition: &Definition,
    looks: &[&Look],
    held: &str,
    columns: &str,
    joins: &str,
    many: Option<[Timestamp; 2]>,
) -> String {
    let mut query = format!("WITH {held}");
    let mut selected = columns.to_owned();
    let mut joined = String::new();
    for look in looks {
        let windows = definition.windows(look);
        for (place, entity) in definition.schema().entities.iter().enumerate() {
            let ours: Vec<_> = windows
                .iter()
                .copied()
                .filter(|(_, window)| window.entity == place)
                .collect();
            if ours.is_empty() {
                continue;
            }
            let (prefix, end, mut from, keys, but) = if look.cut_off.is_some() {
                let each = format!("(SELECT DISTINCT {entity}, _cut_off FROM held) h");
                (
                    PROFILE_PREFIX,
                    "h._cut_off",
                    each,
                    vec![entity.as_str(), "_cut_off"],
                    "",
                )
            } else {
                let but = " AND t.transaction_id <> h.transaction_id";
                (
                    "",
                    "h.occurred_at",
                    "held h".to_owned(),
                    vec!["transaction_id"],
                    but,
                )
            };
            let (longest, latest) = reach(&ours);
            let mut near = String::new();
            if let Some(held_within) = many {
                from.push_str(
                    "\n  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) period",
                );
                near = in_periods(
                    end,
                    look.cut_off.unwrap_or_default(),
                    (longest, latest),
                    held_within,
                );
            }
            let (longest, latest) = (interval(longest), interval(latest));
            // Whether the held transaction itself is in a window.
            let own = |window: &Window| look.cut_off.is_none() && window.delay.is_zero();
            let sum = |(name, window): &(&str, &Window)| {
                aggregates(definition, name, window, end, own(window))
            };
            let sums: String = ours.iter().map(sum).collect();
            let reports = reports(&ours, end);
            let by = format!("{prefix}by_{entity}");
            let each = keys
                .iter()
                .map(|key| format!("h.{key}"))
                .collect::<Vec<_>>()
                .join(", ");
            let _ = write!(
                query,
                ", {by} AS (
  SELECT {each}{sums}
  FROM {from}
  LEFT JOIN {TRANSACTIONS} t ON t.{entity} = h.{entity}{but}{near}
    AND t.occurred_at > {end} - {longest} AND t.occurred_at <= {end} - {latest}{reports}
  GROUP BY {each}
)"
            );
            for (name, window) in &ours {
                let value = whole(definition, &by, name, window, own(window));
                let _ = write!(
                    selected,
                    ",\n  CAST({value} AS DOUBLE PRECISION) AS {prefix}{name}"
                );
            }
            let on = keys
                .iter()
                .map(|key| format!("{by}.{key} = h.{key}"))
                .collect::<Vec<_>>()
                .join(" AND ");
            // Whose entity is NULL has no profile, and stays.
            let _ = write!(joined, "\nLEFT JOIN {by} ON {on}");
        }
    }
    if !joins.is_empty() {
        joined = format!("{joined}\n{joins}");
    }
    format!("{query}\nSELECT\n  {selected}\nFROM held h{joined}")
}

/// The condition that another transaction lies in the period that a window ends in, or in the one before, and not
/// before or after all windows of what is held between two moments. A window ends at `end`, which is at the most `every`
/// seconds before what it is of.
fn in_periods(
    end: &str,
    every: SignedDuration,
    (longest, latest): (SignedDuration, SignedDuration),
    [first, last]: [Timestamp; 2],
) -> String {
    let length = (longest - latest).as_secs();
    let period = |epoch: &str| format!("FLOOR(({epoch}) / {length})");
    let its = period("EXTRACT(EPOCH FROM t.occurred_at)");
    let last_of_ours = period(&format!("EXTRACT(EPOCH FROM {end}) - {}", latest.as_secs()));
    let back = longest + every;
    let earliest = moment(first.saturating_sub(back).unwrap_or(Timestamp::UNIX_EPOCH));
    let last = moment(last);
    format!(
        "\n    AND {its} = {last_of_ours} - period.back AND t.occurred_at > CAST('{earliest}' AS TIMESTAMPTZ) AND \
         t.occurred_at < CAST('{last}' AS TIMESTAMPTZ)"
    )
}

fn interval(duration: SignedDuration) -> String {
    format!("INTERVAL '{} seconds'", duration.as_secs())
}

/// What the join must sum up for a window that ends at this moment, of the other transactions.
fn aggregates(
    definition: &Definition,
    name: &str,
    window: &Window,
    end: &str,
    own: bool,
) -> String {
    let schema = definition.schema();
    let from = interval(window.delay + window.length);
    let to = interval(window.delay);
    let inside = format!("t.occurred_at > {end} - {from} AND t.occurred_at <= {end} - {to}");
    let of = window.measure.quantity().map_or("", |of| of.name(schema));
    let over = |aggregate: &str| format!("{aggregate}(CASE WHEN {inside} THEN t.{of} END)");
    let column = |value: &str, suffix: &str| format!(",\n    {value} AS {name}_{suffix}");
    let count = column(&format!("COUNT(CASE WHEN {inside} THEN 1 END)"), "n");
    let present = column(&over("COUNT"), "n");
    match window.measure {
        Measure::Count => count,
        Measure::Sum(_) => column(&over("SUM"), "s"),
        Measure::Mean(_) => present + &column(&over("SUM"), "s"),
        Measure::Deviation(_) => {
            present + &column(&over("AVG"), "m") + &column(&over("VAR_POP"), "v")
        }
        Measure::Min(_) => column(&over("MIN"), "e"),
        Measure::Max(_) => column(&over("MAX"), "e"),
        Measure::Distinct(field) => {
            let other = field.name(schema);
            let others = column(
                &format!("COUNT(DISTINCT CASE WHEN {inside} THEN t.{other} END)"),
                "n",
            );
            let same = format!(
                "COALESCE(MAX(CASE WHEN {inside} AND t.{other} = h.{other} THEN 1 ELSE 0 END), 0)"
            );
            if own {
                others + &column(&same, "o")
            } else {
                others
            }
        }
        Measure::FraudRate => {
            count
                + &column(
                    &format!("COUNT(CASE WHEN {inside} AND r.is_fraud THEN 1 END)"),
                    "f",
                )
        }
    }
}

/// A window's value, of what `by` has summed up, and of the held transaction itself if it is its own.
fn whole(definition: &Definition, by: &str, name: &str, window: &Window, own: bool) -> String {
    let schema = definition.schema();
    let part = |suffix: &str| format!("{by}.{name}_{suffix}");
    let one = |column: &str| {
        if own {
            format!(" + CASE WHEN h.{column} IS NULL THEN 0 ELSE 1 END")
        } else {
            String::new()
        }
    };
    let of = window.measure.quantity().map_or("", |of| of.name(schema));
    let sum = || {
        let added = if own {
            format!(" + COALESCE(h.{of}, 0)")
        } else {
            String::new()
        };
        format!("(COALESCE({}, 0){added})", part("s"))
    };
    let extreme = |pick: &str| {
        let (others, ours) = (part("e"), format!("h.{of}"));
        // Where one is missing, the other counts.
        if own {
            format!("COALESCE({pick}({others}, {ours}), {others}, {ours})")
        } else {
            others
        }
    };
    match window.measure {
        Measure::Count if own => format!("({} + 1)", part("n")),
        Measure::Sum(_) => sum(),
        Measure::Mean(_) => format!("{} / NULLIF({}{}, 0)", sum(), part("n"), one(of)),
        Measure::Deviation(_) => {
            // Rounding can leave a variance a hair below 0. NULL, for no values, stays NULL.
            let root = |variance: &str| {
                format!("SQRT(CASE WHEN {variance} < 0 THEN 0 ELSE {variance} END)")
            };
            let (n, mean, variance, ours) = (part("n"), part("m"), part("v"), format!("h.{of}"));
            // Of n values and one more (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).
            let n = format!("CAST({n} AS DOUBLE PRECISION)");
            let with_ours = format!(
                "(({variance} + ({ours} - {mean}) * ({ours} - {mean}) / ({n} + 1)) * {n} / ({n} + 1))"
            );
            let others = root(&variance);
            let all = root(&with_ours);
            if own {
                format!("CASE WHEN {ours} IS NULL THEN {others} WHEN {n} = 0 THEN 0 ELSE {all} END")
            } else {
                others
            }
        }
        Measure::Min(_) => extreme("LEAST"),
        Measure::Max(_) => extreme("GREATEST"),
        Measure::Distinct(field) if own => {
            format!("({}{} - {})", part("n"), one(field.name(schema)), part("o"))
        }
        // NULL where the entity is.
        Measure::Count | Measure::Distinct(_) => format!("COALESCE({}, 0)", part("n")),
        // CAST first: a whole number over a whole number is a whole number.
        Measure::FraudRate => {
            format!(
                "COALESCE(CAST({} AS DOUBLE PRECISION) / NULLIF({}, 0), 0)",
                part("f"),
                part("n")
            )
        }
    }
}
