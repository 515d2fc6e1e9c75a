//! The little of Markdown that the documentation's tests need.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Page {
    /// As the tests name it: from the root of the repository.
    pub(crate) path: String,
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) target: String,
}

impl Page {
    pub(crate) fn read(root: &Path, path: &str) -> Self {
        let file = root.join(path).canonicalize();
        let file = file.unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: path.to_owned(),
            file,
            text,
        }
    }

    /// A link's path, seen from this page.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        let path = path.split('#').next().unwrap_or_default();
        let joined = self.file.parent().map(|folder| folder.join(path));
        let joined = joined.unwrap_or_default();
        joined.canonicalize().unwrap_or(joined)
    }

    /// The lines outside fenced code.
    fn prose(&self) -> Vec<&str> {
        let mut fenced = false;
        let mut lines = Vec::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                lines.push(line);
            }
        }
        lines
    }

    /// The fenced blocks of a language, without the indentation of their first line.
    pub(crate) fn blocks(&self, language: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            let Some(found) = line.trim_start().strip_prefix("```") else {
                continue;
            };
            let indentation = line.len() - line.trim_start().len();
            let body: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim_start() != "```")
                .map(|line| line.get(indentation..).unwrap_or_default())
                .collect();
            if found == language {
                blocks.push(body.join("\n"));
            }
        }
        blocks
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        let prose = self.prose().join("\n");
        let mut links = Vec::new();
        for (place, _) in prose.match_indices("](") {
            let target = prose[place + 2..].split(')').next().unwrap_or_default();
            let text = prose[..place].rsplit('[').next().unwrap_or_default();
            links.push(Link {
                text: text.to_owned(),
                target: target.to_owned(),
            });
        }
        links
    }

    pub(crate) fn code_spans(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        prose
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    fn headings(&self) -> Vec<(usize, &str)> {
        let mut headings = Vec::new();
        for line in self.prose() {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            if level > 0 {
                headings.push((level, line[level..].trim()));
            }
        }
        headings
    }

    /// The headings as GitHub makes anchors of them.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let anchors = self
            .headings()
            .into_iter()
            .map(|(_, heading)| anchor(heading));
        anchors.collect()
    }

    /// The headings one level below this one.
    pub(crate) fn headings_under(&self, above: &str) -> BTreeSet<String> {
        let headings = self.headings();
        let place = headings.iter().position(|(_, heading)| *heading == above);
        let place = place.unwrap_or_else(|| panic!("{}: no heading {above}", self.path));
        let level = headings[place].0;
        headings[place + 1..]
            .iter()
            .take_while(|(other, _)| *other > level)
            .filter(|(other, _)| *other == level + 1)
            .map(|(_, heading)| (*heading).to_owned())
            .collect()
    }

    /// What stands in backticks in the first cell of the tables under a heading. A first cell
    /// without backticks counts for nothing.
    pub(crate) fn first_cells(&self, heading: &str) -> BTreeSet<String> {
        let mut inside = false;
        let mut cells = BTreeSet::new();
        for line in self.prose() {
            if line.starts_with('#') {
                let title = line.trim_start_matches('#').trim();
                inside = title.trim_matches('`').eq_ignore_ascii_case(heading);
            }
            let cell = line
                .strip_prefix("| ")
                .and_then(|line| line.split(" |").next());
            if let Some(cell) = cell.filter(|_| inside) {
                cells.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
        assert!(!cells.is_empty(), "{}: no table under {heading}", self.path);
        cells
    }
}

fn anchor(heading: &str) -> String {
    let mut anchor = String::new();
    for character in heading.to_lowercase().chars() {
        match character {
            ' ' => anchor.push('-'),
            '-' | '_' => anchor.push(character),
            other if other.is_alphanumeric() => anchor.push(other),
            _ => {}
        }
    }
    anchor
}

/// The simple commands of a page's shell blocks that run this program. One in `$(…)` counts.
pub(crate) fn commands(page: &Page, program: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in page.blocks("sh") {
        let block = block
            .replace("\\\n", " ")
            .replace("$(", "\n")
            .replace(')', "\n");
        for line in block.lines() {
            for command in line.split("&&").flat_map(|line| line.split(" | ")) {
                let command = command.trim();
                if command.split_whitespace().next() == Some(program) {
                    commands.push(command.to_owned());
                }
            }
        }
    }
    commands
}

/// A command's words as a shell reads them: quotes taken off, no comment, no redirection.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for character in command.chars().chain([' ']) {
        let is_quote = quote.map_or(['"', '\''].contains(&character), |open| open == character);
        if is_quote {
            quote = quote.is_none().then_some(character);
        } else if quote.is_some() || !character.is_whitespace() {
            word.push(character);
        } else if word == "#" || word == ">" {
            return words;
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words
}
