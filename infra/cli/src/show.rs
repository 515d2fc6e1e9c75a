//! What people see: steps with their times, a bar with a live table, the summary. Plain lines where
//! standard error is no terminal.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::run::Outcome;

/// A command that goes through steps. All of it goes to standard error.
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

    /// A bar over `length` things, or a count of them where that is not known.
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
            told: Instant::now(),
            terminal: self.terminal,
        }
    }
}

/// A bar, and a table below it.
pub struct Bar {
    bar: ProgressBar,
    what: String,
    began: Instant,
    told: Instant,
    terminal: bool,
}

impl Bar {
    pub fn inc(&self, more: u64) {
        self.bar.inc(more);
    }

    /// One more line above the bar.
    pub fn note(&self, text: &str) {
        self.bar.suspend(|| eprintln!("  {text}"));
    }

    /// The table as it is now; without a terminal, its last line now and then.
    pub fn table(&self, text: &str) {
        if self.terminal {
            self.bar.set_message(text.to_owned());
        } else if self.bar.position() % 5_000 < 500 && self.told.elapsed() > Duration::ZERO {
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

/// A line on standard output.
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

/// What a run comes to, for people.
pub fn summary(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    row("transactions", thousands(summary.transactions));
    row("approved at once", thousands(summary.approved));
    row("held", thousands(summary.held));
    row("  released by the second look", thousands(summary.released));
    row("  blocked", thousands(summary.blocked));
    row("  handed to review", thousands(summary.review));
    row(
        "unreadable, kept under rejected/",
        thousands(summary.rejected),
    );
    let times = |q: crate::summary::Quantiles| {
        format!("p50 {:.1} s, p99 {:.1} s", q.p50 / 1e3, q.p99 / 1e3)
    };
    row("put to decision", times(summary.put_to_decision_ms));
    row("hold to final", times(summary.hold_to_final_ms));
    if let Some(us) = summary.score_us_per_transaction {
        row("score's own time per transaction", format!("{us:.1} µs"));
    }
    if let Some(first) = summary.first_stage {
        row(
            "first look",
            format!(
                "AUC {:.3}, average precision {:.3}; of the held {:.0} % frauds, of the frauds {:.0} % held",
                first.auc,
                first.average_precision,
                first.precision * 100.0,
                first.recall * 100.0
            ),
        );
    }
    if let Some(end) = summary.end {
        row(
            "after the second look",
            format!(
                "of the stopped {:.0} % frauds, of the frauds {:.0} % stopped",
                end.precision * 100.0,
                end.recall * 100.0
            ),
        );
    }
    if let Some(confirming) = summary.confirming {
        row(
            "the second look",
            format!(
                "kept {:.0} % of the true holds, released {:.0} % of the false ones",
                confirming.true_holds_kept * 100.0,
                confirming.false_holds_released * 100.0
            ),
        );
    }
    row("lost", outcome.audit.lost.to_string());
    row("unsettled", outcome.audit.unsettled.to_string());
    let verdict = if outcome.audit.is_clean() {
        "✓ every transaction has one decision, every hold one end (audited in bucket, stream and warehouse)".to_owned()
    } else {
        let wrong = outcome
            .audit
            .lines()
            .into_iter()
            .filter(|(_, _, fine)| !fine);
        let wrong: Vec<String> = wrong
            .map(|(name, count, _)| format!("{name}: {count}"))
            .collect();
        format!("✗ a promise was broken: {}", wrong.join(", "))
    };
    format!("{}\n{verdict}", table.trim_fmt())
}
