//! The help of every command: each option is described, and each example is a valid command line.

use clap::{Command, CommandFactory as _};
use look::commands::{Cli, check};

/// Every command and subcommand, with its name.
fn all(command: &Command, name: &str, found: &mut Vec<(String, Command)>) {
    for sub in command.get_subcommands() {
        let name = format!("{name} {}", sub.get_name());
        all(sub, &name, found);
        found.push((name, sub.clone()));
    }
}

fn commands() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    all(&Cli::command(), "look", &mut found);
    found
}

#[test]
fn every_command_and_option_has_a_description() {
    for (name, command) in commands() {
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{name}: {}",
                argument.get_id()
            );
        }
    }
}

#[test]
fn no_line_of_a_help_is_over_100_columns() {
    let mut all = commands();
    all.push(("look".to_owned(), Cli::command()));
    for (name, mut command) in all {
        // A subcommand on its own does not have the width that it inherits.
        command = command.max_term_width(100);
        let texts = [command.render_help(), command.render_long_help()];
        for text in texts.map(|text| text.to_string()) {
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{name}: {line}");
            }
        }
    }
}

#[test]
fn every_example_is_a_valid_command_line() {
    let mut checked = 0;
    for (name, command) in commands() {
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
            let line = line.strip_prefix("eval \"$(").unwrap_or(line);
            for example in line.split("&&").map(str::trim) {
                if !example.starts_with("look ") {
                    continue;
                }
                let end = example.find([')', '>', '#']).unwrap_or(example.len());
                // Two spaces or more separate an example from its explanation.
                let example = example.get(..end).unwrap_or_default();
                let example = example.split("  ").next().unwrap_or_default();
                assert_eq!(
                    check(example.split_whitespace()),
                    Ok(()),
                    "{name}: {example}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked >= 15, "only {checked} examples");
}
