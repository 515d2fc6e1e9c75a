//! Progress on standard error: steps with their times, and a progress bar with a live table. Plain
//! lines if standard error is no terminal.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// The steps of a command.
pub struct Steps {
    terminal: bool,
    began: Instant,
}

impl Default for Steps {
    fn default() -> Self {
        Self::new()
    }
}

impl Steps {
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            began: Instant::now(),
        }
    }

    pub fn step<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (spinner, began) = (self.spinner(what), Instant::now());
        let done = work();
        self.done(&spinner, what, began.elapsed(), done.is_ok());
        done
    }

    pub async fn wait<T>(&self, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (spinner, began) = (self.spinner(what), Instant::now());
        let done = work.await;
        self.done(&spinner, what, began.elapsed(), done.is_ok());
        done
    }

    pub fn note(&self, text: &str) {
        if !text.is_empty() {
            eprintln!("  {text}");
        }
    }

    pub fn end(&self, text: &str) {
        eprintln!("\n{text}\n  in {:.0} s", self.began.elapsed().as_secs_f64());
    }

    fn spinner(&self, what: &str) -> ProgressBar {
        if !self.terminal {
            eprintln!("… {what}");
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    fn done(&self, spinner: &ProgressBar, what: &str, took: Duration, ok: bool) {
        spinner.finish_and_clear();
        eprintln!(
            "{} {what} ({:.1} s)",
            if ok { "✓" } else { "✗" },
            took.as_secs_f64()
        );
    }

    /// A progress bar of `length` items, or a count of items if the length is not known.
    pub fn bar(&self, what: &str, length: impl Into<Option<u64>>) -> Bar {
        let (bar, template) = match length.into() {
            _ if !self.terminal => (ProgressBar::hidden(), ""),
            Some(length) => (
                ProgressBar::new(length),
                "{prefix} {bar:30} {human_pos}/{human_len} {per_sec}\n{msg}",
            ),
            None => (
                ProgressBar::no_length(),
                "{prefix} {human_pos} {per_sec}\n{msg}",
            ),
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(what.to_owned());
        if !self.terminal {
            eprintln!("… {what}");
        }
        Bar {
            bar,
            what: what.to_owned(),
            began: Instant::now(),
            terminal: self.terminal,
        }
    }
}

/// A progress bar with a table below it.
pub struct Bar {
    bar: ProgressBar,
    what: String,
    began: Instant,
    terminal: bool,
}

impl Bar {
    pub fn inc(&self, more: u64) {
        self.bar.inc(more);
    }

    /// Prints a line above the bar.
    pub fn note(&self, text: &str) {
        self.bar.suspend(|| eprintln!("  {text}"));
    }

    /// Shows the table. Without a terminal, its last line is printed every 5,000 items.
    pub fn table(&self, text: &str) {
        if self.terminal {
            self.bar.set_message(text.to_owned());
        } else if self.bar.position() % 5_000 < 500 {
            eprintln!(
                "  sent {}:{}",
                thousands(self.bar.position() as usize),
                text.lines().last().unwrap_or_default()
            );
        }
    }

    pub fn finish(self) {
        let last = self.bar.message();
        self.bar.finish_and_clear();
        eprintln!(
            "✓ {} ({:.1} s)",
            self.what,
            self.began.elapsed().as_secs_f64()
        );
        if self.terminal {
            eprintln!("{last}");
        }
    }
}

/// Prints a line of the result to standard output.
#[expect(
    clippy::print_stdout,
    reason = "standard output is where a command's result goes"
)]
pub fn line(text: &str) {
    println!("{text}");
}

pub fn thousands(number: usize) -> String {
    indicatif::HumanCount(number as u64).to_string()
}
