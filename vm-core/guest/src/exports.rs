//! The raw ABI: exported functions, imported functions, and the state view that asks through them.
//!
//! The instance is single-threaded and the host never calls an export while another one runs, so the session is a
//! thread-local `RefCell` that is never found borrowed.

use crate::abi::{
    ABI_VERSION, ABSENT, INBOX_BYTES, InjectedFault, MAX_PANIC_BYTES, Rejection, Reply,
};
use crate::{Session, fault};
use monomove_core::{
    CheckedCode, CodeToken, FlatValue, ModuleCode, StateError, StateView, ValueToken,
};
use monomove_types::{ModuleId, StateKey};
use std::cell::RefCell;
use std::fmt::{self, Write};

thread_local! {
    static SESSION: RefCell<Session> = const { RefCell::new(Session::new()) };
    static VIEW: RefCell<HostView> = const { RefCell::new(HostView { key: Vec::new(), inbox: [0; INBOX_BYTES] }) };
}

/// The functions of the host. All are sound to call with any arguments as far as the host is concerned (it checks every range);
/// what the guest must uphold is that the ranges it passes are its own live memory.
mod host {
    #[link(wasm_import_module = "monomove")]
    unsafe extern "C" {
        pub(super) fn module(
            key: *const u8,
            key_len: usize,
            inbox: *mut u8,
            inbox_capacity: usize,
        ) -> i64;
        pub(super) fn value(
            key: *const u8,
            key_len: usize,
            inbox: *mut u8,
            inbox_capacity: usize,
        ) -> i64;
        pub(super) safe fn is_current(token: u32) -> i32;
        pub(super) safe fn is_same_value(token: u32) -> i32;
        pub(super) safe fn module_was_verified(token: u32) -> i32;
        pub(super) safe fn module_verified(token: u32);
        pub(super) fn script_was_verified(hash: *const u8) -> i32;
        pub(super) fn script_verified(hash: *const u8);
        pub(super) fn flat_value(token: u32, inbox: *mut u8, inbox_capacity: usize) -> i64;
        pub(super) fn share_value(image: *const u8, image_len: usize);
        pub(super) fn share_written(
            key: *const u8,
            key_len: usize,
            bytes: *const u8,
            bytes_len: usize,
            image: *const u8,
            image_len: usize,
        );
        pub(super) fn fetch(to: *mut u8, capacity: usize);
        pub(super) fn panic(text: *const u8, len: usize) -> !;
    }
}

/// Version of the protocol this guest speaks.
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_abi_version() -> u32 {
    ABI_VERSION
}

/// Address of a request buffer of `len` bytes; valid until the next export is called with something else than this buffer's contents.
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_buffer(len: usize) -> *mut u8 {
    SESSION.with_borrow_mut(|session| session.request_mut(len).as_mut_ptr())
}

/// Makes the machine from the configuration in the request buffer: 0, or the code of a rejection.
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_init(len: usize) -> u32 {
    std::panic::set_hook(Box::new(|info| {
        let mut text = Bounded {
            bytes: [0; MAX_PANIC_BYTES],
            len: 0,
        };
        // Text that does not fit is cut: `Bounded` never fails.
        let _ = write!(text, "{info}");
        // SAFETY: the range is initialised memory of `text`, alive during the call.
        unsafe { host::panic(text.bytes.as_ptr(), text.len) }
    }));
    match SESSION.with_borrow_mut(|session| session.init(len)) {
        Ok(()) => 0,
        Err(rejection) => rejection.code(),
    }
}

/// Runs the call in the request buffer; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_call(len: usize) -> u64 {
    SESSION.with_borrow_mut(|session| {
        VIEW.with_borrow_mut(|view| reply(session.call(len, view)).pack())
    })
}

/// Runs the whole transaction in the request buffer; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_transaction(len: usize) -> u64 {
    SESSION.with_borrow_mut(|session| {
        VIEW.with_borrow_mut(|view| reply(session.transaction(len, view)).pack())
    })
}

/// Runs and records the call in the request buffer; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_trace(len: usize) -> u64 {
    SESSION.with_borrow_mut(|session| {
        VIEW.with_borrow_mut(|view| reply(session.trace(len, view)).pack())
    })
}

/// The functions that were lowered since this was asked last; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_report() -> u64 {
    SESSION.with_borrow_mut(|session| reply(session.report()).pack())
}

/// Lowers the functions in the request buffer; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_prepare(len: usize) -> u64 {
    SESSION.with_borrow_mut(|session| {
        VIEW.with_borrow_mut(|view| reply(session.prepare(len, view)).pack())
    })
}

/// Judges the modules in the request buffer; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_verify(len: usize) -> u64 {
    SESSION.with_borrow_mut(|session| {
        VIEW.with_borrow_mut(|view| reply(session.verify(len, view)).pack())
    })
}

/// Does the work of a measurement of the context and returns the bytes of its tables, or `u64::MAX`.
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_measure(code: u32, count: u32) -> u64 {
    SESSION.with_borrow_mut(|session| session.measure(code, count))
}

fn reply(answer: Result<&[u8], Rejection>) -> Reply {
    match answer {
        Ok(output) => Reply::Output {
            ptr: output.as_ptr() as u32,
            len: output.len() as u32,
        },
        Err(rejection) => Reply::Rejected(rejection.code()),
    }
}

/// The figures of the machine; see [`Reply`].
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_figures() -> u64 {
    SESSION.with_borrow_mut(|session| reply(session.figures()).pack())
}

/// Brings about a fault ([`InjectedFault`]); returns only if `kind` is unknown.
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
extern "C" fn mm_fault(kind: u32) {
    if let Some(kind) = InjectedFault::from_code(kind) {
        fault::raise(kind)
    }
}

/// The state as the host answers for it.
struct HostView {
    /// The encoded question.
    key: Vec<u8>,
    /// Where small answers arrive.
    inbox: [u8; INBOX_BYTES],
}

impl HostView {
    /// The answer of `len` bytes to the last question.
    fn take(&self, len: usize) -> Vec<u8> {
        match self.inbox.get(..len) {
            Some(bytes) => bytes.to_vec(),
            None => {
                let mut bytes = Vec::with_capacity(len);
                // SAFETY: `bytes` owns `len` bytes of room; `fetch` writes all `len` bytes of the last answer or does not return.
                unsafe {
                    host::fetch(bytes.as_mut_ptr(), len);
                    bytes.set_len(len);
                }
                bytes
            }
        }
    }
}

impl StateView for HostView {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        self.key.clear();
        bcs::serialize_into(&mut self.key, id).map_err(|error| StateError(error.to_string()))?;
        // SAFETY: both ranges are live memory of `self`; the host writes to the inbox alone.
        let answer = unsafe {
            host::module(
                self.key.as_ptr(),
                self.key.len(),
                self.inbox.as_mut_ptr(),
                INBOX_BYTES,
            )
        };
        match answer {
            0.. => Ok(Some(ModuleCode {
                token: CodeToken((answer >> 32) as u32),
                bytes: self.take(answer as u32 as usize),
            })),
            ABSENT => Ok(None),
            _ => Err(unanswered()),
        }
    }

    fn is_current(&mut self, token: CodeToken) -> Result<bool, StateError> {
        match host::is_current(token.0) {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(unanswered()),
        }
    }

    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.tokened_value(key)?.map(|(_, bytes)| bytes))
    }

    fn is_same_value(&mut self, token: ValueToken) -> Result<bool, StateError> {
        match host::is_same_value(token.0) {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(unanswered()),
        }
    }

    fn was_verified(&mut self, code: CheckedCode) -> bool {
        match code {
            CheckedCode::Module(token) => host::module_was_verified(token.0) == 1,
            // SAFETY: the host reads the 32 bytes of `hash`, which is alive during the call.
            CheckedCode::Script(hash) => unsafe { host::script_was_verified(hash.as_ptr()) == 1 },
        }
    }

    fn verified(&mut self, code: CheckedCode) {
        match code {
            CheckedCode::Module(token) => host::module_verified(token.0),
            // SAFETY: the host reads the 32 bytes of `hash`, which is alive during the call.
            CheckedCode::Script(hash) => unsafe { host::script_verified(hash.as_ptr()) },
        }
    }

    fn flat_value(&mut self, token: ValueToken) -> Result<FlatValue, StateError> {
        // SAFETY: the range is live memory of `self`, and the host writes to nothing else.
        let answer = unsafe { host::flat_value(token.0, self.inbox.as_mut_ptr(), INBOX_BYTES) };
        Ok(match answer {
            0.. => FlatValue::Here(self.take(answer as u32 as usize)),
            ABSENT => FlatValue::Missing,
            _ => FlatValue::Unwanted,
        })
    }

    fn share_value(&mut self, _: ValueToken, image: Option<&[u8]>) {
        let image = image.unwrap_or_default();
        // SAFETY: the range is live memory; the host only reads it.
        unsafe { host::share_value(image.as_ptr(), image.len()) }
    }

    fn wants_flat_values(&mut self) -> bool {
        let answer = self.flat_value(ValueToken::NONE);
        matches!(answer, Ok(FlatValue::Missing))
    }

    fn share_written(&mut self, key: &StateKey, bytes: &[u8], image: &[u8]) {
        self.key = key.encode();
        // SAFETY: all ranges are live memory; the host only reads them.
        unsafe {
            host::share_written(
                self.key.as_ptr(),
                self.key.len(),
                bytes.as_ptr(),
                bytes.len(),
                image.as_ptr(),
                image.len(),
            );
        }
    }

    fn tokened_value(
        &mut self,
        key: &StateKey,
    ) -> Result<Option<(ValueToken, Vec<u8>)>, StateError> {
        self.key = key.encode();
        // SAFETY: both ranges are live memory of `self`; the host writes to the inbox alone.
        let answer = unsafe {
            host::value(
                self.key.as_ptr(),
                self.key.len(),
                self.inbox.as_mut_ptr(),
                INBOX_BYTES,
            )
        };
        match answer {
            0.. => Ok(Some((
                ValueToken((answer >> 32) as u32),
                self.take(answer as u32 as usize),
            ))),
            ABSENT => Ok(None),
            _ => Err(unanswered()),
        }
    }
}

/// The host keeps the typed error for its caller; the machine only needs to know that there is one.
fn unanswered() -> StateError {
    StateError("the host could not answer".into())
}

/// Text cut to a fixed size.
struct Bounded {
    bytes: [u8; MAX_PANIC_BYTES],
    len: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}
