//! The bodies of the fuzz targets: whatever the input, nothing panics and what is read can be written. `tests/fuzz` feeds them with libFuzzer, `tests/tests/fuzz.rs`
//! with random input in every run of the tests.

use crate::mutants::{Originals, Random, call, read};
use monomove_asm::{Options, Unit, assemble, disassemble_masm, disassemble_script_masm};
use monomove_core::{
    CodeToken, GasSchedule, Machine, MachineConfig, ModuleCode, StateError, StateView, TraceLimits,
};
use monomove_format::{
    CompiledModule, CompiledScript, DeserializerConfig, VERSION_MAX, disassemble,
    disassemble_script,
};
use monomove_text::{NoLayouts, Renderer, parse_argument, parse_value};
use monomove_types::{GenesisBlob, ModuleId, StateKey, StructTag, TypeTag};
use monomove_verifier::{VerifierConfig, link_module, verify_module, verify_script};
use std::collections::BTreeMap;

/// Gas of a call: enough for loops, little enough for many calls.
const GAS: u64 = 400_000;

/// What two ways of doing the same thing gave must be equal: that is what these targets look for.
fn same<T: PartialEq + std::fmt::Debug>(a: &T, b: &T, what: &str) {
    assert_eq!(a, b, "{what}");
}

fn reader() -> DeserializerConfig {
    DeserializerConfig::new(VERSION_MAX, 255)
}

/// A module in the binary format.
pub fn module(bytes: &[u8]) {
    let Ok(module) = CompiledModule::deserialize_with(bytes, &reader()) else {
        return;
    };
    let _ = verify_module(&module, &VerifierConfig::aptos());
    let _ = (disassemble(&module), disassemble_masm(&module));
    if let Ok(written) = module.serialize() {
        let again = CompiledModule::deserialize_with(&written, &reader()).ok();
        same(&again, &Some(module), "a module changes when it is written");
    }
}

/// A script in the binary format.
pub fn script(bytes: &[u8]) {
    let Ok(script) = CompiledScript::deserialize_with(bytes, &reader()) else {
        return;
    };
    let _ = verify_script(&script, &VerifierConfig::aptos());
    let _ = (
        disassemble_script(&script),
        disassemble_script_masm(&script),
    );
    if let Ok(written) = script.serialize() {
        let again = CompiledScript::deserialize_with(&written, &reader()).ok();
        same(&again, &Some(script), "a script changes when it is written");
    }
}

/// Assembler text.
pub fn assembler(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let options = Options {
        version: VERSION_MAX,
        dependencies: &[],
    };
    match assemble(&text, &options) {
        Ok(Unit::Module(it)) => {
            let _ = (
                verify_module(&it, &VerifierConfig::aptos()),
                disassemble_masm(&it),
            );
        }
        Ok(Unit::Script(it)) => {
            let _ = (
                verify_script(&it, &VerifierConfig::aptos()),
                disassemble_script_masm(&it),
            );
        }
        Err(errors) => drop(errors.to_string()),
    }
}

/// Arguments as on the command line.
pub fn argument(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = parse_argument(&text);
    if let Some((ty, value)) = text.split_once('=')
        && let Ok(ty) = ty.parse::<TypeTag>()
    {
        let _ = parse_value(&ty, value);
    }
}

/// Type tags in both forms, and values of them.
pub fn value(bytes: &[u8]) {
    if let Ok(tag) = TypeTag::from_bcs(bytes) {
        same(
            &tag.to_bcs().ok().as_deref(),
            &Some(bytes),
            "a tag changes when it is written",
        );
        let text = tag.to_string();
        if let Ok(again) = text.parse::<TypeTag>() {
            same(&again, &tag, "a tag changes as text");
        }
    }
    let _ = StructTag::from_bcs(bytes);
    let _ = StateKey::decode(bytes);
    let Some((&len, rest)) = bytes.split_first() else {
        return;
    };
    let (ty, value) = rest.split_at(usize::from(len).min(rest.len()));
    if let Ok(ty) = String::from_utf8_lossy(ty).parse::<TypeTag>() {
        let _ = Renderer::new(&NoLayouts).render(&ty, value);
    }
}

/// A gas schedule as the chain stores it, and a genesis.
pub fn chain_data(bytes: &[u8]) {
    if let Ok(entries) = GasSchedule::entries_of_resource(bytes) {
        let entries = entries.iter().map(|(key, value)| (key.as_str(), *value));
        let _ = GasSchedule::with_entries(entries).hash();
    }
    let _ = GenesisBlob::parse(bytes);
}

/// Modules as a state.
#[derive(Clone, Debug, Default)]
struct Modules(BTreeMap<ModuleId, Vec<u8>>);

impl StateView for Modules {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        let code = self.0.get(id);
        Ok(code.map(|bytes| ModuleCode {
            token: CodeToken(0),
            bytes: bytes.clone(),
        }))
    }

    fn is_current(&mut self, _: CodeToken) -> Result<bool, StateError> {
        Ok(true)
    }

    fn value(&mut self, _: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

/// Verified mutants run alike in every form of code and every mode.
#[derive(Debug)]
pub struct Tiers {
    originals: Originals,
    state: Modules,
}

impl Tiers {
    /// Reads what mutants are made of.
    pub fn load() -> std::io::Result<Self> {
        let originals = Originals::load()?;
        let mut state = Modules::default();
        for bytes in &originals.binaries {
            if let Ok(module) = read(bytes) {
                state.0.insert(module.self_id(), bytes.clone());
            }
        }
        Ok(Self { originals, state })
    }

    /// The mutant that `bytes` are the seed of: calls of its functions, plain, in paranoid mode, collecting all the time, and traced. Whether there was one to call.
    pub fn run(&self, bytes: &[u8]) -> bool {
        let seed = bytes.iter().fold(1u64, |seed, byte| {
            seed.wrapping_mul(0x0100_0000_01b3)
                .wrapping_add(u64::from(*byte) + 1)
        });
        let mut random = Random(seed);
        let Some(bytes) = self.originals.renamed_mutant(&mut random) else {
            return false;
        };
        let Some(module) = self.admitted(&bytes) else {
            return false;
        };
        let mut state = self.state.clone();
        state.0.insert(module.self_id(), bytes);
        let machine = |paranoid, gc_stress| {
            Machine::new(MachineConfig {
                paranoid,
                gc_stress,
                ..MachineConfig::default()
            })
        };
        let (mut plain, mut paranoid, mut stressed) = (
            machine(false, false),
            machine(true, false),
            machine(false, true),
        );
        for _ in 0..4 {
            let index = random.below(module.function_defs.len());
            if index >= module.function_defs.len() {
                continue;
            }
            let by_id = &self.originals.by_id;
            let Some(call) = call(&mut random, by_id, &module, index, GAS) else {
                continue;
            };
            let expected = plain.call(&call, &mut state);
            same(
                &paranoid.call(&call, &mut state),
                &expected,
                "paranoid mode differs",
            );
            same(
                &stressed.call(&call, &mut state),
                &expected,
                "collecting differs",
            );
            let limits = TraceLimits {
                steps: 10_000,
                ..TraceLimits::default()
            };
            let (traced, _) = plain.trace(&call, &mut state, &limits);
            same(&traced, &expected, "tracing differs");
        }
        true
    }

    /// The module, if reader, verifier and linker accept it and it may run: natives have no code under this name.
    fn admitted(&self, bytes: &[u8]) -> Option<CompiledModule> {
        let module = read(bytes).ok()?;
        let by_id = &self.originals.by_id;
        let mut definitions = module.function_defs.iter();
        if by_id.contains_key(&module.self_id()) || definitions.any(|one| one.is_native()) {
            return None;
        }
        verify_module(&module, &VerifierConfig::aptos()).ok()?;
        let named = module.immediate_dependencies();
        link_module(&module, named.iter().filter_map(|id| by_id.get(id))).ok()?;
        Some(module)
    }
}
