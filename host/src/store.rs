//! The host's side of an instance: what it stores, what it bounds, and the functions it gives to the guest.
//!
//! The guest is not trusted here: every range it names is checked against its memory, every question is decoded with an error, and
//! whatever does not hold ends the call as a fault.

use crate::bridge::{CodeTable, Reports, ValueTable, was_verified};
use crate::engine::Engine as HostEngine;
use crate::flat::{Answer, Given};
use crate::limits::Limits;
use crate::state::{StateError, StateView};
use monomove_core::{CheckedCode, CodeToken, ValueToken};
use monomove_guest::abi::{ABSENT, FAILED, IMPORTS, MAX_PANIC_BYTES};
use monomove_types::{ModuleId, StateKey};
use std::ptr::NonNull;
use std::sync::Arc;
use thiserror::Error;
use wasmtime::{Caller, Engine, Linker, Memory, ResourceLimiter};

/// Elements of all the guest's tables.
pub(crate) const MAX_TABLE_ELEMENTS: u64 = 1 << 20;

/// Why the host ended a call from within, as the cause of a wasmtime error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Stop {
    #[error("{0}")]
    Panic(String),
    #[error("the guest asked for {asked} bytes of memory")]
    Memory { asked: u64 },
    #[error("the guest asked for a table of {asked} elements")]
    Table { asked: u64 },
    #[error("the guest broke the protocol: {0}")]
    Protocol(&'static str),
}

/// What belongs to one instance on the host's side.
pub(crate) struct HostStore {
    limits: Limits,
    engine: HostEngine,
    reports: Reports,
    /// The view of the running call.
    view: LentView,
    /// The guest's memory, once it is instantiated.
    pub(crate) memory: Option<Memory>,
    pub(crate) code: CodeTable,
    values: ValueTable,
    /// Values as other instances decoded them.
    pub(crate) flat: Given,
    /// The first error of the view in this call: the guest only learns that there was one.
    pub(crate) state_error: Option<StateError>,
    /// The last answer that did not fit into the guest's inbox.
    answer: Option<Arc<[u8]>>,
}

impl HostStore {
    pub(crate) fn new(engine: &HostEngine) -> Self {
        Self {
            limits: *engine.limits(),
            engine: engine.clone(),
            reports: Reports::default(),
            view: LentView(None),
            memory: None,
            code: CodeTable::default(),
            values: ValueTable::default(),
            flat: Given::default(),
            state_error: None,
            answer: None,
        }
    }

    /// Before a call: lends `view` to the imports.
    ///
    /// # Safety
    ///
    /// No guest code may run on this store after the borrow of `view` ends, unless `take_back` or another `lend` came before.
    pub(crate) unsafe fn lend(&mut self, view: &dyn StateView) {
        // SAFETY: the caller vouches for the same.
        self.view = unsafe { LentView::new(view) };
        self.state_error = None;
        self.answer = None;
        self.reports.clear();
    }

    /// After a call: takes the view back.
    pub(crate) fn take_back(&mut self) {
        self.view = LentView(None);
        self.answer = None;
    }

    /// After a call that ended properly: believes what it said about code.
    pub(crate) fn accept_reports(&mut self) {
        self.reports.accept(self.engine.verified());
    }

    /// Whether code passed the verifier before.
    fn was_verified(&mut self, code: CheckedCode) -> Result<i32, Stop> {
        was_verified(self.engine.verified(), &mut self.code, code)
            .map(i32::from)
            .ok_or(Stop::Protocol("a token nobody gave it"))
    }

    /// Notes code that passed the verifier.
    fn verified(&mut self, code: CheckedCode) -> Result<(), Stop> {
        match self.reports.add(&mut self.code, code) {
            true => Ok(()),
            false => Err(Stop::Protocol("code that nobody gave it is verified")),
        }
    }

    /// Keeps the error of an answer for the host's caller.
    fn note<T>(&mut self, result: Result<T, StateError>) -> Option<T> {
        result
            .map_err(|error| {
                self.state_error.get_or_insert(error);
            })
            .ok()
    }
}

/// A view borrowed for one call, its lifetime erased: a wasmtime store cannot hold a borrow.
#[derive(Clone, Copy)]
struct LentView(Option<NonNull<dyn StateView>>);

// SAFETY: a `LentView` is only filled while a call runs on one thread, which holds the store exclusively; between calls it is `None`, so
// that a store which moves to another thread carries no view along. The view itself is `Sync`.
unsafe impl Send for LentView {}

// SAFETY: shared access gives nothing but copies of the pointer, and a `&dyn StateView` may be used on any thread, as it is `Sync`.
unsafe impl Sync for LentView {}

impl LentView {
    /// # Safety
    ///
    /// `get` must not be called after the borrow of `view` ends.
    unsafe fn new<'a>(view: &'a dyn StateView) -> Self {
        let view: NonNull<dyn StateView + 'a> = NonNull::from(view);
        // SAFETY: the two types differ in a lifetime only, and the caller vouches that the pointer is not used after the true one.
        let view = unsafe {
            std::mem::transmute::<NonNull<dyn StateView + 'a>, NonNull<dyn StateView + 'static>>(
                view,
            )
        };
        Self(Some(view))
    }

    /// The view. Its true lifetime is that of the running call: callers use it up before they return to the guest.
    fn get<'a>(self) -> Result<&'a dyn StateView, Stop> {
        match self.0 {
            // SAFETY: it came from a reference, which is still borrowed, as the caller of `new` vouched.
            Some(view) => Ok(unsafe { &*view.as_ptr() }),
            None => Err(Stop::Protocol("a question outside of a call")),
        }
    }
}

impl ResourceLimiter for HostStore {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = desired as u64;
        if asked > self.limits.guest_memory_bytes || maximum.is_some_and(|most| desired > most) {
            // A fault at once: the guest could do nothing but panic.
            return Err(Stop::Memory { asked }.into());
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = desired as u64;
        if asked > MAX_TABLE_ELEMENTS {
            return Err(Stop::Table { asked }.into());
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        4
    }

    fn memories(&self) -> usize {
        1
    }
}

/// The functions the guest may call; see [`monomove_guest::abi`].
pub(crate) fn imports(engine: &Engine) -> wasmtime::Result<Linker<HostStore>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap(IMPORTS, "module", read_module)?;
    linker.func_wrap(IMPORTS, "value", read_value)?;
    linker.func_wrap(IMPORTS, "is_current", is_current)?;
    linker.func_wrap(IMPORTS, "is_same_value", is_same_value)?;
    linker.func_wrap(IMPORTS, "module_was_verified", module_was_verified)?;
    linker.func_wrap(IMPORTS, "module_verified", module_verified)?;
    linker.func_wrap(IMPORTS, "script_was_verified", script_was_verified)?;
    linker.func_wrap(IMPORTS, "script_verified", script_verified)?;
    linker.func_wrap(IMPORTS, "flat_value", flat_value)?;
    linker.func_wrap(IMPORTS, "share_value", share_value)?;
    linker.func_wrap(IMPORTS, "share_written", share_written)?;
    linker.func_wrap(IMPORTS, "fetch", fetch)?;
    linker.func_wrap(IMPORTS, "panic", panicked)?;
    Ok(linker)
}

type Guest<'a> = Caller<'a, HostStore>;

/// The guest's memory beside the host's store.
fn parts<'a>(guest: &'a mut Guest<'_>) -> Result<(&'a mut [u8], &'a mut HostStore), Stop> {
    match guest.data().memory {
        Some(memory) => Ok(memory.data_and_store_mut(guest)),
        None => Err(Stop::Protocol("a question before the memory exists")),
    }
}

/// The `len` bytes at `ptr`.
pub(crate) fn range(memory: &[u8], ptr: u32, len: u32) -> Result<&[u8], Stop> {
    memory
        .get(ptr as usize..)
        .and_then(|rest| rest.get(..len as usize))
        .ok_or(Stop::Protocol("a range outside of its memory"))
}

fn range_mut(memory: &mut [u8], ptr: u32, len: usize) -> Result<&mut [u8], Stop> {
    memory
        .get_mut(ptr as usize..)
        .and_then(|rest| rest.get_mut(..len))
        .ok_or(Stop::Protocol("a range outside of its memory"))
}

/// Delivers an answer: into the inbox if it fits, else it waits for `fetch`. Returns its length, below 2^31.
fn deliver(
    memory: &mut [u8],
    store: &mut HostStore,
    answer: Arc<[u8]>,
    inbox: u32,
    capacity: u32,
) -> Result<i64, Stop> {
    let len = i32::try_from(answer.len()).map_err(|_| Stop::Memory {
        asked: answer.len() as u64,
    })?;
    if answer.len() <= capacity as usize {
        range_mut(memory, inbox, answer.len())?.copy_from_slice(&answer);
    } else {
        store.answer = Some(answer);
    }
    Ok(len.into())
}

fn read_module(
    mut guest: Guest<'_>,
    key: u32,
    key_len: u32,
    inbox: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let (memory, store) = parts(&mut guest)?;
    let id: ModuleId = bcs::from_bytes(range(memory, key, key_len)?)
        .map_err(|_| Stop::Protocol("not a module id"))?;
    let found = store.code.module(store.view.get()?, id);
    Ok(match store.note(found) {
        None => FAILED,
        Some(None) => ABSENT,
        Some(Some((CodeToken(token), code))) => {
            i64::from(token) << 32 | deliver(memory, store, code, inbox, capacity)?
        }
    })
}

fn read_value(
    mut guest: Guest<'_>,
    key: u32,
    key_len: u32,
    inbox: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let (memory, store) = parts(&mut guest)?;
    let key = StateKey::decode(range(memory, key, key_len)?)
        .map_err(|_| Stop::Protocol("not a state key"))?;
    let found = store.view.get()?.get(&key);
    Ok(match store.note(found) {
        None => FAILED,
        Some(None) => ABSENT,
        Some(Some(value)) => {
            let ValueToken(token) = store.values.token(key, &value);
            i64::from(token) << 32 | deliver(memory, store, value, inbox, capacity)?
        }
    })
}

fn is_same_value(mut guest: Guest<'_>, token: u32) -> wasmtime::Result<i32> {
    let store = guest.data_mut();
    let found = store.values.is_same(store.view.get()?, ValueToken(token));
    Ok(match store.note(found) {
        None => FAILED as i32,
        Some(same) => same.into(),
    })
}

fn flat_value(
    mut guest: Guest<'_>,
    token: u32,
    inbox: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let (memory, store) = parts(&mut guest)?;
    if token == ValueToken::NONE.0 {
        return Ok(if store.flat.is_shared() {
            ABSENT
        } else {
            FAILED
        });
    }
    let Some((key, bytes)) = store.values.named(ValueToken(token)) else {
        return Ok(FAILED);
    };
    Ok(match store.flat.ask(key, bytes) {
        None => FAILED,
        Some(Answer::Missing) => ABSENT,
        Some(Answer::Here(image)) => deliver(memory, store, image, inbox, capacity)?,
    })
}

fn share_value(mut guest: Guest<'_>, image: u32, len: u32) -> wasmtime::Result<()> {
    let (memory, store) = parts(&mut guest)?;
    let image = range(memory, image, len)?;
    store.flat.decoded((len > 0).then_some(image));
    Ok(())
}

fn share_written(
    mut guest: Guest<'_>,
    key: u32,
    key_len: u32,
    bytes: u32,
    bytes_len: u32,
    image: u32,
    image_len: u32,
) -> wasmtime::Result<()> {
    let (memory, store) = parts(&mut guest)?;
    let key = StateKey::decode(range(memory, key, key_len)?)
        .map_err(|_| Stop::Protocol("not a state key"))?;
    let bytes = range(memory, bytes, bytes_len)?.into();
    store
        .flat
        .wrote(key, bytes, range(memory, image, image_len)?);
    Ok(())
}

fn is_current(mut guest: Guest<'_>, token: u32) -> wasmtime::Result<i32> {
    let store = guest.data_mut();
    let found = store.code.is_current(store.view.get()?, CodeToken(token));
    Ok(match store.note(found) {
        None => FAILED as i32,
        Some(Some(current)) => current.into(),
        Some(None) => return Err(Stop::Protocol("a token nobody gave it").into()),
    })
}

fn module_was_verified(mut guest: Guest<'_>, token: u32) -> wasmtime::Result<i32> {
    let code = CheckedCode::Module(CodeToken(token));
    Ok(guest.data_mut().was_verified(code)?)
}

fn module_verified(mut guest: Guest<'_>, token: u32) -> wasmtime::Result<()> {
    let code = CheckedCode::Module(CodeToken(token));
    Ok(guest.data_mut().verified(code)?)
}

/// The script with the hash at `ptr`.
fn script(memory: &[u8], ptr: u32) -> Result<CheckedCode, Stop> {
    let hash = range(memory, ptr, 32)?;
    let hash = hash.try_into();
    hash.map(CheckedCode::Script)
        .map_err(|_| Stop::Protocol("not a hash"))
}

fn script_was_verified(mut guest: Guest<'_>, hash: u32) -> wasmtime::Result<i32> {
    let (memory, store) = parts(&mut guest)?;
    let code = script(memory, hash)?;
    Ok(store.was_verified(code)?)
}

fn script_verified(mut guest: Guest<'_>, hash: u32) -> wasmtime::Result<()> {
    let (memory, store) = parts(&mut guest)?;
    let code = script(memory, hash)?;
    Ok(store.verified(code)?)
}

fn fetch(mut guest: Guest<'_>, to: u32, capacity: u32) -> wasmtime::Result<()> {
    let (memory, store) = parts(&mut guest)?;
    let answer = store
        .answer
        .take()
        .ok_or(Stop::Protocol("no answer to fetch"))?;
    if answer.len() > capacity as usize {
        return Err(Stop::Protocol("too little room for an answer").into());
    }
    range_mut(memory, to, answer.len())?.copy_from_slice(&answer);
    Ok(())
}

fn panicked(mut guest: Guest<'_>, text: u32, len: u32) -> wasmtime::Result<()> {
    let (memory, _) = parts(&mut guest)?;
    let text = range(memory, text, len.min(MAX_PANIC_BYTES as u32))?;
    Err(Stop::Panic(String::from_utf8_lossy(text).into_owned()).into())
}
