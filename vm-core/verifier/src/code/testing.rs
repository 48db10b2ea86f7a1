//! Helpers of the tests of the passes: code as assembler text.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use super::CodeVerifier;
use crate::{Meter, Unit, VerifierConfig, VerifierError, VerifierResult};
use monomove_format::{CodeOffset, CompiledModule, FunctionDefinitionIndex};

/// Assembles the declarations as a module of some version.
pub(crate) fn assemble(version: u32, declarations: &str) -> CompiledModule {
    let source = format!("module 0x42::m\n{declarations}\n");
    let options = monomove_asm::Options {
        version,
        ..Default::default()
    };
    match monomove_asm::assemble(&source, &options) {
        Ok(monomove_asm::Unit::Module(module)) => *module,
        Ok(_) => panic!("not a module"),
        Err(error) => panic!("{error}\n{source}"),
    }
}

/// Runs the passes over code on all functions.
pub(crate) fn verify(module: &CompiledModule) -> VerifierResult {
    let config = VerifierConfig::aptos();
    let mut meter = Meter::new(&config);
    let mut verifier = CodeVerifier::new(module, Unit::Module, &config);
    for index in 0..module.function_defs.len() {
        meter.enter_function();
        verifier.verify_function(FunctionDefinitionIndex(index as u16), &mut meter)?;
    }
    Ok(())
}

pub(crate) fn accept_version(version: u32, declarations: &str) {
    if let Err(error) = verify(&assemble(version, declarations)) {
        panic!("{error}\n{declarations}");
    }
}

fn refusal(version: u32, declarations: &str) -> VerifierError {
    match verify(&assemble(version, declarations)) {
        Ok(()) => panic!("accepted:\n{declarations}"),
        Err(error) => error,
    }
}

pub(crate) fn refuse_version(version: u32, declarations: &str, status: u64, offset: CodeOffset) {
    let error = refusal(version, declarations);
    assert_eq!(
        (error.status.number(), error.code_offset),
        (status, Some(offset)),
        "{error}\n{declarations}"
    );
}

/// Of the newest version, that the passes let through.
pub(crate) fn accept(declarations: &str) {
    accept_version(10, declarations);
}

/// Of the newest version, that a pass refuses at an instruction.
pub(crate) fn refuse(declarations: &str, status: u64, offset: CodeOffset) {
    refuse_version(10, declarations, status, offset);
}

/// Of the newest version, that a pass refuses without naming an instruction.
pub(crate) fn refuse_function(declarations: &str, status: u64) {
    let error = refusal(10, declarations);
    assert_eq!(
        (error.status.number(), error.code_offset),
        (status, None),
        "{error}\n{declarations}"
    );
    assert!(error.function.is_some());
}
