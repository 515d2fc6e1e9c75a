//! Any table can be trained on and scored by two commands, by its definition.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const FLIGHTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../bundles/flight-delays/bundle.toml"
);

fn look(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_look"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs a command that must succeed. Returns its output.
fn printed(arguments: &[&str], folder: &Path) -> String {
    let output = look(arguments, folder);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Sixty days of flights with the columns that flights.py writes. On every third day most flights
/// of one airport are late, which is known soon after. Empty fields are missing values.
fn flights() -> (String, Vec<bool>) {
    let header = "flight,departs_at,landed_at,late,carrier,origin,route,tail_number,distance,planned_minutes,local_hour,\
                  seats,built,temp,humid,wind_speed,precip,pressure,visib";
    let (mut text, mut answers) = (format!("{header}\n"), Vec::new());
    let start: Timestamp = "2013-03-01T06:00:00Z".parse().unwrap();
    for day in 0..60 {
        for flight in 0..90 {
            let departs_at = start + SignedDuration::from_mins(day * 1_440 + flight * 11);
            let origin = ["EWR", "JFK", "LGA"][(flight * 7 % 3) as usize];
            let bad = day % 3 == (flight * 7 % 3) && flight > 10;
            let late = bad && flight % 9 != 0 || flight % 40 == 17;
            let landed_at = departs_at + SignedDuration::from_mins(if late { 110 } else { 60 });
            let (seats, hour) = (
                if flight % 5 == 0 {
                    String::new()
                } else {
                    "150".to_owned()
                },
                6 + flight / 6,
            );
            let _ = writeln!(
                text,
                "F{day}-{flight},{departs_at},{landed_at},{},{},{origin},{origin}-BOS,N{},200,60,{hour},{seats},NA,40,60,5,0,1010,10",
                u8::from(late),
                ["AA", "UA"][(flight % 2) as usize],
                flight % 30,
            );
            answers.push(late);
        }
    }
    (text, answers)
}

#[test]
fn flight_delays_are_trained_and_scored_by_the_commands_for_cards() {
    let folder = tempfile::tempdir().unwrap();
    let (flights, answers) = flights();
    fs::write(folder.path().join("flights.csv"), flights).unwrap();
    let definition = fs::read_to_string(FLIGHTS).unwrap();
    let holdout = definition.replace("holdout = \"30d\"", "holdout = \"15d\"");
    assert_ne!(holdout, definition);
    fs::write(folder.path().join("bundle.toml"), holdout).unwrap();
    let train = [
        "train",
        "--bundle",
        "bundle.toml",
        "--history",
        "flights.csv",
        "--out",
        "out",
        "--json",
    ];
    let report: Value = serde_json::from_str(&printed(&train, folder.path())).unwrap();
    let figure = |look: &str| report[look]["ranking"]["auc"].as_f64().unwrap();
    assert!(figure("confirm") > 0.8, "{report}");
    // The cut-off is up to six hours before the flight.
    assert!(figure("first") > 0.6, "{report}");

    let decisions = printed(&["score", "--bundle", "out", "flights.csv"], folder.path());
    let decisions: Vec<Value> = decisions
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(decisions.len(), answers.len());
    let first = decisions.first().unwrap();
    assert_eq!(
        (
            &first["transaction_id"],
            &first["carrier"],
            &first["origin"]
        ),
        (&"F0-0".into(), &"AA".into(), &"EWR".into())
    );
    assert!(
        decisions
            .iter()
            .all(|decision| (0.0..=1.0).contains(&decision["score"].as_f64().unwrap()))
    );
    let tables = fs::read_to_string(folder.path().join("out/categories.json")).unwrap();
    assert!(tables.contains("LGA-BOS"), "{tables}");
}

/// A table of numbers and a label: no names, no timestamps, no entities.
const PLAIN: &str = r#"
name = "plain"

[schema]
numbers = ["v1", "v2"]

[table]
occurred_at = { since = "2026-01-01T00:00:00Z", unit = "m" }
amount = 0
label = "Class"

[[feature]]
name = "v1"
field = "v1"
[[feature]]
name = "v2"
field = "v2"
missing = -1

[first]
features = ["v1", "v2"]
hold_share = 0.1

[confirm]
features = ["v1", "v2"]
"#;

fn plain(folder: &Path) -> String {
    // The rest comes from the bundle of the flights.
    let flights = fs::read_to_string(FLIGHTS).unwrap();
    let (_, rest) = flights.split_once("[costs]").unwrap();
    let rest = rest
        .replace("holdout = \"30d\"", "holdout = \"8h\"")
        .replace("label_delay = \"2d\"", "label_delay = \"1m\"");
    fs::write(folder.join("plain.toml"), format!("{PLAIN}\n[costs]{rest}")).unwrap();
    let mut table = "V1,V2,Class\n".to_owned();
    for row in 0..3_000 {
        let (v1, v2) = (row * 7 % 100, row * 13 % 50);
        let v2 = if row % 11 == 0 {
            "NA".to_owned()
        } else {
            format!("{v2}.5e0")
        };
        let _ = writeln!(table, "{v1},{v2},{}", u8::from(v1 > 90 && row % 11 != 0));
    }
    table
}

#[test]
fn a_table_without_names_timestamps_and_entities_is_trained_and_scored_too() {
    let folder = tempfile::tempdir().unwrap();
    let table = plain(folder.path());
    fs::write(folder.path().join("table.csv"), &table).unwrap();
    let train = [
        "train",
        "--bundle",
        "plain.toml",
        "--history",
        "table.csv",
        "--out",
        "out",
        "--json",
    ];
    let report: Value = serde_json::from_str(&printed(&train, folder.path())).unwrap();
    assert!(
        report["first"]["ranking"]["auc"].as_f64().unwrap() > 0.99,
        "{report}"
    );

    // An unreadable row is named, and the others are scored.
    let broken = table.replacen("7,13.5e0,0", "7,many,0", 1);
    assert_ne!(broken, table);
    fs::write(folder.path().join("broken.csv"), broken).unwrap();
    let output = look(&["score", "--bundle", "out", "broken.csv"], folder.path());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("line 3, field v2: expected a number") && told.contains("2999 transactions"),
        "{told}"
    );

    // The same rows as NDJSON are the same transactions. A missing value is null or has no key.
    let numbers = |(row, line): (usize, &str)| {
        let fields: Vec<&str> = line.split(',').collect();
        let v2 = match fields[1].parse::<f64>() {
            Ok(v2) => format!("\"V2\":{v2},"),
            Err(_) if row.is_multiple_of(2) => "\"V2\":null,".to_owned(),
            Err(_) => String::new(),
        };
        format!("{{\"V1\":{},{v2}\"Class\":{}}}", fields[0], fields[2])
    };
    let lines: Vec<String> = table.lines().skip(1).enumerate().map(numbers).collect();
    fs::write(folder.path().join("table.ndjson"), lines.join("\n")).unwrap();
    let scores = |file: &str| -> Vec<f64> {
        let decisions = printed(&["score", "--bundle", "out", file], folder.path());
        decisions
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["score"]
                    .as_f64()
                    .unwrap()
            })
            .collect()
    };
    let scored = scores("table.csv");
    assert_eq!(scored, scores("table.ndjson"));
    assert!(
        scored[13] > 0.5 && scored[0] < 0.5,
        "{} {}",
        scored[13],
        scored[0]
    );
    // The same without labels, which a file to score does not have.
    let asked: Vec<&str> = table
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    fs::write(folder.path().join("asked.csv"), asked.join("\n")).unwrap();
    assert_eq!(scored, scores("asked.csv"));

    // A row with too many fields is named, and the rows after it are scored.
    fs::write(
        folder.path().join("ragged.csv"),
        asked.join("\n").replacen("7,13.5e0\n", "7,13.5e0,9\n", 1),
    )
    .unwrap();
    let output = look(&["score", "--bundle", "out", "ragged.csv"], folder.path());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("line 3: not a CSV record") && told.contains("2999 transactions"),
        "{told}"
    );

    // Trained again, into a folder with a bundle that had one more file.
    let manifest = fs::read_to_string(folder.path().join("out/bundle.json")).unwrap();
    let other = manifest.replacen("\"first.model\"", "\"first.forest\"", 1);
    assert_ne!(other, manifest);
    fs::write(folder.path().join("out/bundle.json"), other).unwrap();
    fs::write(folder.path().join("out/first.forest"), "old").unwrap();
    printed(&train, folder.path());
    assert_eq!(scored, scores("asked.csv"));
}

#[test]
fn a_table_without_a_required_column_is_refused_by_the_column() {
    let folder = tempfile::tempdir().unwrap();
    plain(folder.path());
    for (text, said) in [
        (
            "V1,Class\n1,0\n",
            "no column `v2`: name the right column in [table]",
        ),
        ("V1,V2\n1,0\n", "table.csv has no labels"),
        (
            "V1,V2,Class\n1,0,maybe\n",
            "line 2, field is_fraud: expected 1, 0, true or false",
        ),
    ] {
        fs::write(folder.path().join("table.csv"), text).unwrap();
        let output = look(
            &[
                "train",
                "--bundle",
                "plain.toml",
                "--history",
                "table.csv",
                "--out",
                "out",
            ],
            folder.path(),
        );
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(said), "{told}");
    }
}
