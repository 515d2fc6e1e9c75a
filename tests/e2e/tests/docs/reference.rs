//! Keys, alarms and parameters: the pages list exactly those of the code and of the template.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;

use features::Definition;

use super::{page, root};

const CARD_FRAUD: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");
const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");

/// The keys that the parser accepts in a table of `bundle.toml`. They are read from its complaint
/// about a key that no table has.
fn accepted(table: &str) -> BTreeSet<String> {
    let text = match table {
        "top level" => format!("nonsense = 1\n{CARD_FRAUD}"),
        table => {
            let plain = format!("\n[{table}]\n");
            let header = match CARD_FRAUD.contains(&plain) {
                true => plain,
                false => format!("\n[[{table}]]\n"),
            };
            assert!(CARD_FRAUD.contains(&header), "card-fraud has no {table}");
            CARD_FRAUD.replacen(&header, &format!("{header}nonsense = 1\n"), 1)
        }
    };
    let error = Definition::parse(&text).expect_err("nonsense is no key");
    let mut message = String::new();
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        message = error.to_string();
        cause = error.source();
    }
    let (_, expected) = message
        .split_once("unknown field `nonsense`, expected ")
        .unwrap_or_else(|| panic!("{table}: {message}"));
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_reference_has_exactly_the_keys_that_the_code_accepts() {
    let page = page("docs/your-data.md");
    for table in [
        "top level",
        "schema",
        "feature",
        "first",
        "confirm",
        "costs",
        "policy",
        "training",
        "training.boost",
        "training.forest",
        "training.logistic",
    ] {
        let documented = page.first_cells(table);
        assert_eq!(
            documented,
            accepted(table),
            "{table}: documented, and accepted"
        );
    }
}

#[test]
fn the_columns_of_a_file_are_described_as_documented() {
    let page = page("docs/your-data.md");
    let mut fields = page.first_cells("table");
    for key in ["column", "since", "unit"] {
        assert!(fields.remove(key), "{key} is not documented");
    }
    let (before, after) = CARD_FRAUD.split_once("\n[table]\n").expect("a table");
    let (_, after) = after.split_once("\n\n").expect("an end of it");
    for field in fields {
        let text = format!("{before}\n[table]\n{field} = \"COLUMN\"\n\n{after}");
        let parsed = Definition::parse(&text);
        assert!(parsed.is_ok(), "{field}: {parsed:?}");
    }
    let counted = "{ column = \"N\", since = \"2018-04-01T00:00:00Z\", unit = \"s\" }";
    let text = format!("{before}\n[table]\noccurred_at = {counted}\n\n{after}");
    assert!(Definition::parse(&text).is_ok(), "{text}");
}

/// The logical ids of the template's entries under a heading of its top level.
fn template_names(section: &str) -> BTreeSet<&'static str> {
    let (_, section) = TEMPLATE
        .split_once(&format!("\n{section}:\n"))
        .expect("a section of the template");
    section
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' ') || line.starts_with('#'))
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.trim().split_once(':'))
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn every_alarm_has_its_section() {
    let alarms: BTreeSet<String> = template_names("Resources")
        .into_iter()
        .filter(|name| {
            TEMPLATE.contains(&format!("\n  {name}:\n    Type: AWS::CloudWatch::Alarm\n"))
        })
        .map(str::to_owned)
        .collect();
    assert!(alarms.len() > 10, "{alarms:?}");
    assert_eq!(page("docs/operating.md").headings_under("Alarms"), alarms);
}

#[test]
fn every_parameter_of_the_template_is_documented() {
    let parameters: BTreeSet<String> = template_names("Parameters")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let page = page("docs/deploying.md");
    assert_eq!(page.first_cells("parameters"), parameters);
}

/// The sources of all functions, one after another.
fn sources() -> String {
    let mut text = String::new();
    for function in ["score", "confirm", "sweep", "load", "train"] {
        let folder = root().join("functions").join(function).join("src");
        for entry in fs::read_dir(folder).expect("a function's sources") {
            let path = entry.expect("an entry").path();
            text += &fs::read_to_string(path).unwrap_or_default();
        }
    }
    text
}

#[test]
fn every_log_message_to_search_for_is_written_by_a_function() {
    let page = page("docs/operating.md");
    let text = page.text.replace('\n', " ");
    let sources = sources();
    let mut checked = 0;
    for found in text.split("the log for `").skip(1) {
        checked += 1;
        let message = found.split('`').next().unwrap_or_default();
        let is_there = sources.contains(&format!("\"{message}"));
        assert!(is_there, "no function logs `{message}`");
    }
    assert!(checked > 0, "no message was found");
}
