//! The guest: embedded by the build script, or brought along.

use crate::engine::EngineError;
use crate::flow::FlowConfig;
use monomove_core::{GasSchedule, MachineConfig};
use monomove_guest::abi;
use sha3::{Digest, Sha3_256};
use wasmtime::{Engine, ExternType, Module};

/// The guest as wasm, for a machine that cannot run the precompiled form.
const WASM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

/// The guest as machine code.
const PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm"));

/// SHA3-256 of [`WASM`].
const HASH: &[u8; 32] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.hash"));

/// What the host calls of the guest.
const EXPORTS: [&str; 5] = [
    "memory",
    "mm_abi_version",
    "mm_buffer",
    "mm_init",
    "mm_call",
];

/// Loads the embedded guest. If this machine's processor lacks what the build machine's had, compiles it anew.
pub(crate) fn load_embedded(engine: &Engine) -> Result<Module, EngineError> {
    if let Some(module) = load_mapped(engine) {
        return Ok(module);
    }
    // SAFETY: the bytes are what `precompile_module` of this wasmtime made in the build script; nobody can have changed them since.
    let loaded = unsafe { Module::deserialize(engine, PRECOMPILED) };
    match loaded {
        Ok(module) => Ok(module),
        Err(_) => compile(engine, WASM),
    }
}

/// Loads the embedded guest as a file in memory: wasmtime maps a file, which takes a third of the time of copying bytes into pages that
/// fault one by one.
#[cfg(target_os = "linux")]
fn load_mapped(engine: &Engine) -> Option<Module> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::fs::File;
    use std::io::Write;

    let mut file = File::from(memfd_create("monomove-guest", MemfdFlags::CLOEXEC).ok()?);
    file.write_all(PRECOMPILED).ok()?;
    // SAFETY: the bytes are what `precompile_module` of this wasmtime made in the build script, and nobody else has the file, so that it
    // does not change while it is mapped.
    unsafe { Module::deserialize_open_file(engine, file) }.ok()
}

#[cfg(not(target_os = "linux"))]
fn load_mapped(_: &Engine) -> Option<Module> {
    None
}

/// Compiles a guest and checks that it has what the host calls.
pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Module, EngineError> {
    let module =
        Module::new(engine, wasm).map_err(|error| EngineError::Guest(format!("{error:#}")))?;
    for name in EXPORTS {
        let found = match module.get_export(name) {
            Some(ExternType::Memory(memory)) => name == "memory" && !memory.is_64(),
            Some(ExternType::Func(_)) => name != "memory",
            _ => false,
        };
        if !found {
            return Err(EngineError::Guest(format!("no export `{name}`")));
        }
    }
    Ok(module)
}

/// What the version hash of an engine is made of: the guest (`None`: the embedded one), the protocol, the gas schedule, and what else decides
/// results: the bounds of the machine, the gas of a transaction, the functions of the flow.
pub(crate) fn version_hash(
    guest: Option<&[u8]>,
    gas: &GasSchedule,
    machine: &MachineConfig,
    gas_per_transaction: u64,
    flow: &FlowConfig,
) -> [u8; 32] {
    let guest_hash: [u8; 32] = match guest {
        Some(wasm) => Sha3_256::digest(wasm).into(),
        None => *HASH,
    };
    Sha3_256::new()
        .chain_update(b"monomove engine\0")
        .chain_update(abi::ABI_VERSION.to_le_bytes())
        .chain_update(guest_hash)
        .chain_update(gas.hash())
        .chain_update(machine.result_hash())
        .chain_update(gas_per_transaction.to_le_bytes())
        .chain_update(flow.hash())
        .finalize()
        .into()
}
