//! One machine and the buffers of its calls: everything of the guest that needs no pointers.

use crate::abi::Rejection;
use monomove_core::{
    Call, LoadRequest, Machine, MachineConfig, Measure, StateView, TraceLimits, Transaction,
    VerifyRequest,
};
use serde::Serialize;

/// A request buffer larger than this is given back after the call.
const KEEP_BYTES: usize = 1 << 20;

/// A machine, the buffer its requests arrive in, and the buffer its outputs leave in. Both buffers are reused.
#[derive(Debug, Default)]
pub struct Session {
    machine: Option<Machine>,
    request: Vec<u8>,
    output: Vec<u8>,
}

impl Session {
    /// A session without a machine.
    pub const fn new() -> Self {
        Self {
            machine: None,
            request: Vec::new(),
            output: Vec::new(),
        }
    }

    /// The request buffer, with room for `len` bytes.
    pub fn request_mut(&mut self, len: usize) -> &mut [u8] {
        if self.request.len() > KEEP_BYTES {
            self.request = Vec::new();
        }
        if self.request.len() < len {
            self.request.resize(len, 0);
        }
        &mut self.request[..len]
    }

    /// Makes the machine from the configuration in the first `len` bytes of the request buffer.
    pub fn init(&mut self, len: usize) -> Result<(), Rejection> {
        let bytes = self.request.get(..len).ok_or(Rejection::Length)?;
        let config: MachineConfig = bcs::from_bytes(bytes).map_err(|_| Rejection::Config)?;
        self.machine = Some(Machine::new(config));
        Ok(())
    }

    /// Runs the call in the first `len` bytes of the request buffer; the encoded output stays valid until the next call.
    pub fn call(&mut self, len: usize, view: &mut dyn StateView) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_mut().ok_or(Rejection::NotInitialized)?;
        let bytes = self.request.get(..len).ok_or(Rejection::Length)?;
        let call: Call = bcs::from_bytes(bytes).map_err(|_| Rejection::Request)?;
        let output = machine.call(&call, view);
        self.answer(&output)
    }

    /// Runs the whole transaction in the first `len` bytes of the request buffer; the encoded output stays valid until the next call.
    pub fn transaction(
        &mut self,
        len: usize,
        view: &mut dyn StateView,
    ) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_mut().ok_or(Rejection::NotInitialized)?;
        let bytes = self.request.get(..len).ok_or(Rejection::Length)?;
        let transaction: Transaction = bcs::from_bytes(bytes).map_err(|_| Rejection::Request)?;
        let output = machine.transaction(&transaction, view);
        self.answer(&output)
    }

    /// Runs and records the call in the first `len` bytes of the request buffer, which has the limits of the recording behind the call.
    /// The output and the recording stay valid until the next call.
    pub fn trace(&mut self, len: usize, view: &mut dyn StateView) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_mut().ok_or(Rejection::NotInitialized)?;
        let bytes = self.request.get(..len).ok_or(Rejection::Length)?;
        let request = bcs::from_bytes(bytes).map_err(|_| Rejection::Request)?;
        let (call, limits): (Call, TraceLimits) = request;
        let answer = machine.trace(&call, view, &limits);
        self.answer(&answer)
    }

    /// The functions that were lowered since this was asked last.
    pub fn report(&mut self) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_mut().ok_or(Rejection::NotInitialized)?;
        let requests = machine.take_load_requests();
        self.answer(&requests)
    }

    /// Lowers the functions in the first `len` bytes of the request buffer, and answers with the sizes of the tables.
    pub fn prepare(&mut self, len: usize, view: &mut dyn StateView) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_mut().ok_or(Rejection::NotInitialized)?;
        let bytes = self.request.get(..len).ok_or(Rejection::Length)?;
        let requests: Vec<LoadRequest> = bcs::from_bytes(bytes).map_err(|_| Rejection::Request)?;
        let stats = machine.prepare(&requests, view);
        self.answer(&stats)
    }

    /// Judges the modules in the first `len` bytes of the request buffer; see [`Machine::verify`].
    pub fn verify(&mut self, len: usize, view: &mut dyn StateView) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_ref().ok_or(Rejection::NotInitialized)?;
        let bytes = self.request.get(..len).ok_or(Rejection::Length)?;
        let request: VerifyRequest = bcs::from_bytes(bytes).map_err(|_| Rejection::Request)?;
        let verdicts = machine.verify(&request, view);
        self.answer(&verdicts)
    }

    /// Does the work of a measurement; see [`Machine::measure`]. `u64::MAX` if it failed.
    pub fn measure(&mut self, code: u32, count: u32) -> u64 {
        let measure = Measure::from_code(code);
        let machine = self.machine.as_mut();
        measure
            .zip(machine)
            .and_then(|(measure, machine)| machine.measure(measure, count))
            .unwrap_or(u64::MAX)
    }

    /// The figures of the machine.
    pub fn figures(&mut self) -> Result<&[u8], Rejection> {
        let machine = self.machine.as_mut().ok_or(Rejection::NotInitialized)?;
        let figures = machine.figures();
        self.answer(&figures)
    }

    fn answer(&mut self, answer: &impl Serialize) -> Result<&[u8], Rejection> {
        if self.output.capacity() > KEEP_BYTES {
            self.output = Vec::new();
        }
        self.output.clear();
        bcs::serialize_into(&mut self.output, answer).map_err(|_| Rejection::Output)?;
        Ok(&self.output)
    }
}
