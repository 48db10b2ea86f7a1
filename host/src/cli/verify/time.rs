//! `monomove verify --time`: how long reading, verifying and linking takes in the sandbox, and natively.

use std::time::{Duration, Instant};

use monomove::{
    Backend, Engine, EngineConfig, Failure, MemoryState, Sandbox, StateKey, VerifyRequest,
};
use monomove_format::CompiledModule;
use serde::Serialize;

use super::super::exit::{CliError, Exit};
use super::super::output::Output;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.verify-time/1";

/// Rounds of a measurement; the fastest counts.
const ROUNDS: usize = 7;

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    modules: usize,
    bytes: usize,
    refused: usize,
    measurements: Vec<Measurement>,
}

#[derive(Serialize)]
struct Measurement {
    what: &'static str,
    native_ms: f64,
    sandbox_ms: f64,
}

/// Measures the modules among `binaries` together, on one core, on warm engines.
pub(super) fn run(
    binaries: Vec<(String, Vec<u8>)>,
    json: bool,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let mut state = MemoryState::new();
    let mut modules = Vec::with_capacity(binaries.len());
    for (_, bytes) in binaries {
        if let Ok(module) = CompiledModule::deserialize(&bytes) {
            state.insert(StateKey::module(module.self_id()), bytes.clone());
        }
        modules.push(bytes);
    }
    let bytes = modules.iter().map(Vec::len).sum();
    let mut request = VerifyRequest {
        modules,
        link: false,
    };
    let mut measurements = Vec::new();
    let mut refused = 0;
    for (what, link) in [("read and verify", false), ("read, verify and link", true)] {
        request.link = link;
        let (native, in_native) = measure(Backend::Native, &request, &state)?;
        let (sandbox, in_sandbox) = measure(Backend::Wasm, &request, &state)?;
        if in_native != in_sandbox {
            return Err(CliError::from(
                "natively and in the sandbox the verdicts differ".to_owned(),
            ));
        }
        refused = in_sandbox.iter().flatten().count();
        measurements.push(Measurement {
            what,
            native_ms: native.as_secs_f64() * 1e3,
            sandbox_ms: sandbox.as_secs_f64() * 1e3,
        });
    }
    let report = Report {
        schema: SCHEMA,
        modules: request.modules.len(),
        bytes,
        refused,
        measurements,
    };
    if json {
        out.json(&report)?;
        return Ok(Exit::Ok);
    }
    for each in &report.measurements {
        out.line(format_args!(
            "{}: {:.1} ms in the sandbox, {:.1} ms natively ({:.2} times)",
            each.what,
            each.sandbox_ms,
            each.native_ms,
            each.sandbox_ms / each.native_ms
        ))?;
    }
    out.line(format_args!(
        "{} modules, {} bytes, {} refused",
        report.modules, report.bytes, report.refused
    ))?;
    Ok(Exit::Ok)
}

/// The fastest of some rounds, and the verdicts.
fn measure(
    backend: Backend,
    request: &VerifyRequest,
    state: &MemoryState,
) -> Result<(Duration, Vec<Option<Failure>>), CliError> {
    let config = EngineConfig {
        backend,
        ..EngineConfig::default()
    };
    let engine = Engine::with_config(config).map_err(|error| CliError::from(error.to_string()))?;
    let mut sandbox = Sandbox::new(&engine);
    let mut best: Option<(Duration, Vec<Option<Failure>>)> = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let verdicts = sandbox
            .verify(request, state)
            .map_err(|error| CliError::from(error.to_string()))?
            .map_err(|fault| CliError::from(fault.to_string()))?;
        let took = start.elapsed();
        if best.as_ref().is_none_or(|(least, _)| took < *least) {
            best = Some((took, verdicts));
        }
    }
    best.ok_or_else(|| CliError::from("nothing was measured".to_owned()))
}
