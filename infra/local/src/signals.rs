//! Takes systems down when a signal ends this process.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// State folders of the systems that end with this process.
static OWNED: LazyLock<Mutex<BTreeSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// Locked from the first signal until this process ends.
static INTERRUPTED: Mutex<()> = Mutex::new(());

/// Blocks forever after a signal. So no process starts while the signal's thread ends all
/// processes, and a service that this thread ended is not reported as a failed one.
pub(crate) fn wait_if_interrupted() {
    drop(INTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner));
}

/// From now on SIGINT (Ctrl-C), SIGTERM and SIGHUP (closed terminal) call `take_down` with `state`
/// and end this process. The first call decides on `take_down`.
pub(crate) fn clean_up_on_signals(state: &Path, take_down: fn(&Path)) -> io::Result<()> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    OWNED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(state.to_path_buf());
    if LISTENING.set(()).is_ok() {
        let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        std::thread::spawn(move || end_on_signal(signals, take_down));
    }
    Ok(())
}

fn end_on_signal(mut signals: Signals, take_down: fn(&Path)) {
    let Some(signal) = signals.forever().next() else {
        return;
    };
    let _until_the_end = INTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("interrupted: stopping all processes of this run");
    let owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for state in owned {
        take_down(&state);
    }
    std::process::exit(128 + signal);
}

/// Signals no longer take the system of `state` down.
pub(crate) fn leave_alone(state: &Path) {
    OWNED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(state);
}
