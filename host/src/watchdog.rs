//! The clock behind wasmtime's epoch: one thread per engine, asleep nearly always.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;
use wasmtime::EngineWeak;

/// Ticks per watchdog time: how exact the watchdog is.
const TICKS: u64 = 16;

/// Counts the epoch of an engine up until it is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Never used to send: its drop ends the thread.
    _stop: Sender<()>,
    /// Ticks that are sure to take the watchdog time.
    deadline: u64,
}

impl Watchdog {
    /// Starts the clock of `engine` for calls of at most `limit_ms`.
    pub(crate) fn start(engine: EngineWeak, limit_ms: u64) -> io::Result<Self> {
        let tick_ms = (limit_ms / TICKS).clamp(1, 50);
        let tick = Duration::from_millis(tick_ms);
        let (stop, stopped) = mpsc::channel();
        thread::Builder::new()
            .name("monomove-watchdog".into())
            .stack_size(64 << 10)
            .spawn(move || {
                while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })?;
        Ok(Self {
            _stop: stop,
            // One more, since the first tick comes at any moment.
            deadline: limit_ms.div_ceil(tick_ms) + 1,
        })
    }

    /// How many epochs ahead the deadline of a call is.
    pub(crate) fn deadline(&self) -> u64 {
        self.deadline
    }
}
