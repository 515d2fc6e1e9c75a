//! One order of side effects, chosen by a seed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::mem::take;

use jiff::{SignedDuration, Timestamp};
use simulation::{Course, LABELS, System, activation};
use turns::TurnId;

use crate::budget::{Budget, Sweeps, Zombies};
use crate::event::{Checkpoints, Event, handle};
use crate::processes::Processes;
use crate::watch::{Duties, Sight, Watch};

/// How many rounds must be enough to finish everything once nothing goes wrong any more.
const LAST_ROUNDS: usize = 60;
/// How many steps an order takes while things go wrong, at most.
const STEPS: usize = 600;
/// Between two sweeps of the last rounds: longer than the grace time.
const ROUND: SignedDuration = SignedDuration::from_secs(61);
/// The same when no hold is open: longer than batches without holds wait.
const LAST_ROUND: SignedDuration = SignedDuration::from_secs(301);

/// What the test does next.
#[derive(Clone, Copy, Debug)]
enum Action {
    Step,
    FailCall,
    Kill,
    Stall,
    Wake,
    EndStatement,
    Deliver,
    Sweep,
    LetTimePass,
}

pub(crate) struct Order<'b> {
    seed: u64,
    budget: &'b Budget,
    system: System,
    checkpoints: Checkpoints,
}

/// What changes while an order runs.
struct Run<'s> {
    system: &'s System,
    checkpoints: &'s Checkpoints,
    processes: Processes<'s>,
    /// Events that are to be delivered.
    pending: Vec<Event>,
    watch: Watch,
    random: fastrand::Rng,
    budget: Budget,
    /// Whether something went wrong that only the sweep mends.
    needs_sweep: bool,
    sweeps: usize,
    story: String,
    now: Timestamp,
}

impl<'b> Order<'b> {
    pub(crate) fn new(seed: u64, budget: &'b Budget) -> Self {
        // Pauses before retries are random: the same in each run of an order.
        fastrand::seed(seed);
        Self {
            seed,
            budget,
            system: System::new(seed, budget.flaws.clone()),
            checkpoints: Checkpoints::default(),
        }
    }

    /// Runs the order. Returns what happened in it, or the story of how a guarantee broke.
    pub(crate) fn run(&self) -> Result<BTreeSet<Sight>, String> {
        let mut run = Run {
            system: &self.system,
            checkpoints: &self.checkpoints,
            processes: Processes::default(),
            pending: vec![Event::Records { shard: 0 }, Event::Records { shard: 1 }],
            watch: Watch::default(),
            random: fastrand::Rng::with_seed(self.seed),
            budget: self.budget.clone(),
            needs_sweep: false,
            sweeps: 0,
            story: String::new(),
            now: activation() + SignedDuration::from_secs(5),
        };
        self.system.bucket.set_time(run.now);
        self.system.bucket.set(LABELS, b"{}".to_vec());
        if run.budget.redelivery {
            run.pending.push(Event::Recut);
        }
        let ended = run.disturb().and_then(|()| run.finish());
        ended.map_err(|broken| format!("{}{broken}", run.story))?;
        Ok(run.watch.sights().clone())
    }
}

impl Run<'_> {
    /// Everything happens in any order, and things go wrong.
    fn disturb(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            let action = self.next_action();
            self.act(action)?;
            self.check()?;
            if self.is_quiet() {
                self.check_quiet()?;
                if self.watch.is_settled() || self.budget.sweeps == Sweeps::None {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Draws one of the actions that are possible now.
    fn next_action(&mut self) -> Action {
        let alive = self.processes.running() > 0;
        let budget = &self.budget;
        let wakes = self.processes.stalled() > 0 && budget.zombies == Zombies::AtAnyTime;
        let ends = !self.system.warehouse.running().is_empty();
        let sweeps = budget.sweeps != Sweeps::None;
        let possible = [
            (Action::Step, 240, alive),
            (Action::FailCall, 8, alive && budget.failing_calls > 0),
            (Action::Kill, 8, alive && budget.crashes > 0),
            (Action::Stall, 8, alive && budget.stalls > 0),
            (Action::Wake, 6, wakes),
            (Action::EndStatement, 30, ends),
            (Action::Deliver, 30, !self.pending.is_empty()),
            (Action::Sweep, 2, sweeps),
            (Action::LetTimePass, 4, sweeps),
        ];
        let weight = |(_, weight, is_possible): &(Action, u32, bool)| match is_possible {
            true => *weight,
            false => 0,
        };
        let mut drawn = self
            .random
            .u32(0..possible.iter().map(weight).sum::<u32>().max(1));
        for choice in &possible {
            match drawn.checked_sub(weight(choice)) {
                Some(rest) => drawn = rest,
                None => return choice.0,
            }
        }
        Action::Step
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Step => return self.step(Course::Good),
            Action::FailCall => {
                self.budget.failing_calls -= 1;
                self.needs_sweep = true;
                let courses = [Course::Refused, Course::AnswerLost];
                let course = courses[self.random.usize(0..2)];
                self.tell(format_args!("a call fails: {course:?}"));
                return self.step(course);
            }
            Action::Kill => {
                self.budget.crashes -= 1;
                self.needs_sweep = true;
                self.tell(format_args!("a process is killed"));
                let index = self.any_process();
                let again = self.processes.kill(index);
                self.pending.extend(again);
            }
            Action::Stall => {
                self.budget.stalls -= 1;
                self.needs_sweep = true;
                self.tell(format_args!("a process stalls"));
                let index = self.any_process();
                let again = self.processes.stall(index);
                self.pending.extend(again);
            }
            Action::Wake => {
                self.tell(format_args!("a zombie wakes"));
                let stalled = self.processes.stalled();
                self.processes.wake(self.random.usize(0..stalled));
            }
            Action::EndStatement => return self.end_statement(),
            Action::Deliver => self.deliver(),
            Action::Sweep => {
                self.sweep();
                if self.budget.sweeps == Sweeps::InPairs && self.random.bool() {
                    self.sweep();
                }
            }
            Action::LetTimePass => {
                let expires = self.budget.expiry && self.random.u32(0..4) == 0;
                let minutes = if expires { 11 } else { 1 };
                self.let_time_pass(SignedDuration::from_mins(minutes));
            }
        }
        Ok(())
    }

    fn any_process(&mut self) -> usize {
        let running = self.processes.running();
        self.random.usize(0..running)
    }

    fn step(&mut self, course: Course) -> Result<(), String> {
        if self.processes.running() > 0 {
            let index = self.any_process();
            let again = self
                .processes
                .step(index, course, self.system.bucket.gate());
            self.pending.extend(again?);
        }
        Ok(())
    }

    fn sweep(&mut self) {
        self.sweeps += 1;
        let system = self.system;
        let now = self.now;
        self.tell(format_args!("a sweep starts at {now}"));
        let sweep = async move {
            system.sweep(now).await;
            None
        };
        self.processes.spawn(None, sweep);
    }

    fn let_time_pass(&mut self, duration: SignedDuration) {
        self.now += duration;
        self.system.bucket.set_time(self.now);
    }

    /// One running statement ends, fails or hangs.
    fn end_statement(&mut self) -> Result<(), String> {
        let warehouse = &self.system.warehouse;
        let running = warehouse.running();
        let index = running[self.random.usize(0..running.len())];
        let name = warehouse.name(index);
        if self.budget.hangs > 0 && self.random.bool() {
            self.budget.hangs -= 1;
            self.needs_sweep = true;
            warehouse.hang(index);
            self.tell(format_args!("{name} hangs"));
            return Ok(());
        }
        if self.budget.failures > 0 && self.random.bool() {
            self.budget.failures -= 1;
            self.needs_sweep = true;
            warehouse.fail(index, "connection reset");
            self.tell(format_args!("{name} fails"));
        } else {
            let (turn, _) = TurnId::of_statement_name("stack", &name).unwrap();
            self.watch
                .check_evidence(turn, self.system, &self.budget.flaws)?;
            let status = warehouse.end(index, &self.system.bucket);
            self.tell(format_args!("{name} ends: {status:?}"));
        }
        self.pending.push(Event::StatementEnded(name));
        Ok(())
    }

    /// One pending event is delivered, lost or delivered twice.
    fn deliver(&mut self) {
        let choice = self.random.usize(0..self.pending.len());
        let event = self.pending.swap_remove(choice);
        let may_be_lost = !event.is_retried();
        if may_be_lost && self.budget.lost_events > 0 && self.random.bool() {
            self.budget.lost_events -= 1;
            self.needs_sweep = true;
            self.tell(format_args!("{event:?} is lost"));
            return;
        }
        if self.budget.doubled_events > 0 && self.random.bool() {
            self.budget.doubled_events -= 1;
            self.tell(format_args!("{event:?} comes twice"));
            self.spawn(event.clone());
        }
        self.spawn(event);
    }

    fn spawn(&mut self, event: Event) {
        let unfinished = event.is_retried().then(|| event.clone());
        let process = handle(event, self.system, self.checkpoints, self.now);
        self.processes.spawn(unfinished, process);
    }

    fn check(&mut self) -> Result<(), String> {
        let notifications = self.watch.check(self.system)?;
        self.pending.extend(notifications);
        for name in self.system.warehouse.take_cancelled() {
            let (turn, _) = TurnId::of_statement_name("stack", &name).unwrap();
            self.watch.saw(Sight::Cancelled(turn.lane));
            self.tell(format_args!("{name} is cancelled"));
            self.pending.push(Event::StatementEnded(name));
        }
        Ok(())
    }

    /// Whether no process is alive and no event is to come.
    fn is_quiet(&self) -> bool {
        let processes = self.processes.running() + self.processes.stalled();
        processes == 0 && self.pending.is_empty() && self.system.warehouse.running().is_empty()
    }

    /// No hold waits for a process that does not come: as long as nothing went wrong that only the
    /// sweep mends, events alone settle every hold.
    fn check_quiet(&mut self) -> Result<(), String> {
        if self.needs_sweep {
            return Ok(());
        }
        if !self.watch.are_holds_settled() {
            let left = self.watch.left();
            return Err(format!("no process and no event is to come, but {left}"));
        }
        if self.sweeps == 0 {
            self.watch.saw(Sight::SettledByEventsAlone);
        }
        Ok(())
    }

    /// Nothing new goes wrong any more: processes end, statements end, sweeps run, and everything
    /// must be finished.
    fn finish(&mut self) -> Result<(), String> {
        let zombies = self.budget.zombies;
        self.budget = Budget {
            flaws: take(&mut self.budget.flaws),
            ..Budget::default()
        };
        // Half of the orders lose all events from now on.
        let has_events = self.random.bool();
        if zombies == Zombies::AtAnyTime {
            self.wake_all();
        }
        let mut duties = Duties::default();
        for _ in 0..LAST_ROUNDS {
            self.run_down(has_events)?;
            self.watch.check_swept(&duties)?;
            if self.watch.is_settled() {
                if self.processes.stalled() == 0 {
                    return self.watch.check_end(self.system, &self.budget.flaws);
                }
                self.watch.saw(Sight::LateZombie);
                self.tell(format_args!("late zombies wake"));
                self.wake_all();
                continue;
            }
            if !has_events || self.system.warehouse.running().is_empty() {
                let is_last = self.watch.are_holds_settled();
                self.let_time_pass(if is_last { LAST_ROUND } else { ROUND });
                self.sweep();
                duties = self.watch.duties(self.system, self.now);
            }
        }
        Err(self.watch.left())
    }

    fn wake_all(&mut self) {
        while self.processes.stalled() > 0 {
            self.processes.wake(0);
        }
    }

    /// Runs all processes to their ends, then ends all statements.
    fn run_down(&mut self, has_events: bool) -> Result<(), String> {
        loop {
            self.pending
                .retain(|event| has_events || event.is_retried());
            if self.processes.running() > 0 {
                self.step(Course::Good)?;
            } else if !self.pending.is_empty() {
                self.deliver();
            } else if !self.system.warehouse.running().is_empty() {
                self.end_statement()?;
            } else {
                return Ok(());
            }
            self.check()?;
        }
    }

    fn tell(&mut self, what: std::fmt::Arguments<'_>) {
        // INVARIANT: writing into a String cannot fail.
        let _ = writeln!(self.story, "{what}");
    }
}
