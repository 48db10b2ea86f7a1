//! What happens in a run besides steps and writes to memory.

use super::format::{EventColumns, Trace};
use std::ops::Range;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// Kinds of events, with their numbers in the format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum EventKind {
            $($(#[$doc])* $name = $number,)*
        }

        impl EventKind {
            /// The kind with this number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A function was called. Subject: the function; value: gas used when it began; value before: the address of its frame, four
    /// bytes, little-endian.
    Call = 0,
    /// A function returned to its caller. Subject: the function; value: the address of its frame, and, from bit 32,
    /// the code offset of the call in its caller.
    Return = 1,
    /// A global value was read from the state. Subject: the key; value, here and below: address of the object that holds it, or held it
    /// before it was taken out, 0 if there is none; value before: its BCS, if it exists.
    Load = 2,
    /// A global value that was read before was looked up again. Subject: the key.
    Access = 3,
    /// A global value was borrowed to be changed in place. Subject: the key.
    BorrowMut = 4,
    /// A global value was taken out. Subject: the key; value before: its BCS.
    Take = 5,
    /// A global value was put in. Subject: the key; value after: its BCS.
    Store = 6,
    /// A change that the run leaves. Subject: the key; values before and after.
    Change = 7,
    /// An event was emitted. Subject: its type; value after: its data.
    Emit = 8,
    /// Heap memory was allocated: one or more objects. Subject: address of the first; value: bytes.
    Allocate = 9,
    /// The heap was collected. Subject: where it ended before the step; value: where it ends after the step, and, from bit 32, bytes that
    /// were alive. What the step allocated besides has no event of its own.
    Collect = 10,
    /// Belongs to a collection: a global value that was touched before lies at another address. Subject: the key; value: as of a load.
    Move = 12,
    /// The run failed. Subject: the number of the status; value: the sub-status, or 0.
    Fail = 11,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceEvent<'a> {
    /// A function was called.
    Call {
        /// Index into [`Trace::functions`].
        function: u32,
        /// Address of its frame.
        fp: u32,
        /// Gas used when it began.
        gas: u64,
        /// As a function value.
        by_closure: bool,
    },
    /// A function returned to its caller.
    Return {
        /// Index into [`Trace::functions`].
        function: u32,
        /// Address of its frame.
        fp: u32,
        /// Code offset of the call in its caller.
        caller_offset: u16,
    },
    /// Something about a global value.
    Global {
        /// [`EventKind::Load`], [`Access`](EventKind::Access), [`BorrowMut`](EventKind::BorrowMut), [`Take`](EventKind::Take),
        /// [`Store`](EventKind::Store), [`Move`](EventKind::Move) or [`Change`](EventKind::Change).
        kind: EventKind,
        /// Index into [`Trace::keys`].
        key: u32,
        /// Address of the object that holds the value, or held it before it was taken out; 0 if there is none.
        object: u32,
        /// BCS before, where the kind has it.
        before: Option<&'a [u8]>,
        /// BCS after, where the kind has it.
        after: Option<&'a [u8]>,
    },
    /// An event was emitted.
    Emit {
        /// Index into [`Trace::types`].
        ty: u32,
        /// BCS of its data.
        data: &'a [u8],
    },
    /// Heap memory was allocated.
    Allocate {
        /// Address of the first byte, headers of objects included.
        address: u32,
        /// How much.
        bytes: u32,
    },
    /// The heap was collected: what is alive lies at its start now.
    Collect {
        /// Address of its end before the step.
        before: u32,
        /// Address of its end after the step.
        after: u32,
        /// Bytes that were alive.
        live: u32,
    },
    /// The run failed.
    Fail {
        /// Number of the status.
        status: u32,
        /// The sub-status, or 0.
        sub_status: u64,
    },
}

/// Bits of [`EventColumns::flags`].
const BEFORE: u8 = 1;
const AFTER: u8 = 2;
const BY_CLOSURE: u8 = 4;

impl EventColumns {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.kind.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }

    pub(super) fn push(
        &mut self,
        kind: EventKind,
        subject: u32,
        value: u64,
        before: Option<&[u8]>,
        after: Option<&[u8]>,
    ) {
        let flag = |bytes: Option<&[u8]>, bit| if bytes.is_some() { bit } else { 0 };
        self.kind.push(kind as u8);
        self.subject.push(subject);
        self.value.push(value);
        self.flags.push(flag(before, BEFORE) | flag(after, AFTER));
        self.data.extend_from_slice(before.unwrap_or_default());
        self.before_end.push(self.data.len() as u32);
        self.data.extend_from_slice(after.unwrap_or_default());
        self.after_end.push(self.data.len() as u32);
    }

    /// A call: the frame's address is kept as the four bytes of the value before.
    pub(super) fn call(&mut self, function: u32, fp: u32, gas: u64, by_closure: bool) {
        self.push(
            EventKind::Call,
            function,
            gas,
            Some(&fp.to_le_bytes()),
            None,
        );
        if let Some(flags) = self.flags.last_mut().filter(|_| by_closure) {
            *flags |= BY_CLOSURE;
        }
    }

    fn range(&self, ends: &[u32], at: usize, start: u32) -> Range<usize> {
        start as usize..ends.get(at).copied().unwrap_or(0) as usize
    }

    /// The event in row `at`; `None` beyond the last row, or if the row makes no sense.
    pub fn at(&self, at: usize) -> Option<TraceEvent<'_>> {
        let kind = EventKind::from_number(*self.kind.get(at)?)?;
        let (subject, value, flags) = (
            *self.subject.get(at)?,
            *self.value.get(at)?,
            *self.flags.get(at)?,
        );
        let start = match at.checked_sub(1) {
            Some(previous) => *self.after_end.get(previous)?,
            None => 0,
        };
        let before = self.data.get(self.range(&self.before_end, at, start))?;
        let middle = *self.before_end.get(at)?;
        let after = self.data.get(self.range(&self.after_end, at, middle))?;
        Some(match kind {
            EventKind::Call => TraceEvent::Call {
                function: subject,
                fp: u32::from_le_bytes(before.try_into().ok()?),
                gas: value,
                by_closure: flags & BY_CLOSURE != 0,
            },
            EventKind::Return => TraceEvent::Return {
                function: subject,
                fp: value as u32,
                caller_offset: u16::try_from(value >> 32).ok()?,
            },
            EventKind::Load
            | EventKind::Access
            | EventKind::BorrowMut
            | EventKind::Take
            | EventKind::Store
            | EventKind::Move
            | EventKind::Change => TraceEvent::Global {
                kind,
                key: subject,
                object: value as u32,
                before: (flags & BEFORE != 0).then_some(before),
                after: (flags & AFTER != 0).then_some(after),
            },
            EventKind::Emit => TraceEvent::Emit {
                ty: subject,
                data: after,
            },
            EventKind::Allocate => TraceEvent::Allocate {
                address: subject,
                bytes: u32::try_from(value).ok()?,
            },
            EventKind::Collect => TraceEvent::Collect {
                before: subject,
                after: value as u32,
                live: (value >> 32) as u32,
            },
            EventKind::Fail => TraceEvent::Fail {
                status: subject,
                sub_status: value,
            },
        })
    }
}

impl Trace {
    /// The rows of a step in [`Trace::events`]. Those that belong to the end of the run come after the last step's.
    pub fn events_of(&self, step: usize) -> Range<usize> {
        let end = |at: usize| self.steps.event_end.get(at).map_or(0, |&end| end as usize);
        step.checked_sub(1).map_or(0, end)..end(step)
    }

    /// The step that a row of [`Trace::events`] belongs to.
    pub fn step_of(&self, row: usize) -> u32 {
        let ends = &self.steps.event_end;
        ends.partition_point(|&end| end as usize <= row) as u32
    }

    /// The rows of a step in [`Trace::writes`].
    pub fn writes_of(&self, step: usize) -> Range<usize> {
        let end = |at: usize| self.steps.write_end.get(at).map_or(0, |&end| end as usize);
        step.checked_sub(1).map_or(0, end)..end(step)
    }
}
