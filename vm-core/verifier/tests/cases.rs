//! The verifier's own cases: assembler text with the verdict that is expected, in `tests/verifier/*.masm`.
//!
//! Each case begins with a line `//# NAME [vVERSION] [production]: VERDICT`, where the verdict is `ok` or `STATUS_NAME [fN] [@M]` with the index of the function
//! definition and the offset of the instruction. The version is 8 unless given. Lines `//! STEP` change the assembled module before it is verified, for what
//! assembler text cannot say: see `patch`.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use monomove_asm::{Options, Unit, assemble};
use monomove_format::{CompiledModule, FunctionDefinition, StructFieldInformation};
use monomove_types::StatusCode;
use monomove_verifier::{VerifierConfig, VerifierError, verify_module, verify_script};

struct Case {
    file: String,
    name: String,
    version: u32,
    config: VerifierConfig,
    expected: String,
    patches: Vec<String>,
    source: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifier")
}

fn masm_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "masm")
        })
        .collect();
    files.sort();
    files
}

fn cases() -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "masm")
        })
        .collect();
    files.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in masm_files(&folder()) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(header) = line.strip_prefix("//# ") {
                let (words, expected) = header.split_once(": ").unwrap();
                let mut words = words.split(' ');
                let mut case = Case {
                    file: file.clone(),
                    name: words.next().unwrap().to_owned(),
                    version: 8,
                    config: VerifierConfig::aptos(),
                    expected: expected.to_owned(),
                    patches: Vec::new(),
                    source: String::new(),
                };
                for word in words {
                    match word {
                        "production" => case.config = VerifierConfig::production(),
                        "no-enums" => case.config.enum_types = false,
                        "no-functions" => case.config.function_values = false,
                        "back-edges-2" => {
                            case.config.max_back_edges_per_function = Some(2);
                            case.config.max_back_edges_per_module = Some(2);
                        }
                        "no-access" => case.config.resource_access_control = false,
                        _ => case.version = word.strip_prefix('v').unwrap().parse().unwrap(),
                    }
                }
                cases.push(case);
            } else if let Some(patch) = line.strip_prefix("//! ") {
                cases.last_mut().unwrap().patches.push(patch.to_owned());
            } else if let Some(case) = cases.last_mut() {
                let (count, line) = repetition(line);
                for index in 0..count {
                    case.source
                        .push_str(&line.replace("{i}", &index.to_string()));
                    case.source.push('\n');
                }
            }
        }
    }
    cases
}

/// A line `*COUNT LINE` stands for so many lines, in which `{i}` is the number of the line from 0 on.
fn repetition(line: &str) -> (usize, &str) {
    match line.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((count, line)) => (count.parse().unwrap(), line),
        None => (1, line),
    }
}

/// Changes that assembler text cannot express.
fn patch(module: &mut CompiledModule, step: &str) {
    fn again<T: Clone>(table: &mut Vec<T>) {
        table.push(table.last().unwrap().clone());
    }
    fn empty(function: Option<&mut FunctionDefinition>) {
        function.unwrap().code.as_mut().unwrap().code.clear();
    }
    match step {
        "duplicate identifier" => again(&mut module.identifiers),
        "duplicate address" => again(&mut module.address_identifiers),
        "duplicate constant" => again(&mut module.constant_pool),
        "duplicate signature" => again(&mut module.signatures),
        "duplicate module handle" => again(&mut module.module_handles),
        "duplicate struct handle" => again(&mut module.struct_handles),
        "duplicate function handle" => again(&mut module.function_handles),
        "duplicate field handle" => again(&mut module.field_handles),
        "duplicate friend" => again(&mut module.friend_decls),
        "duplicate struct instantiation" => again(&mut module.struct_def_instantiations),
        "duplicate function instantiation" => again(&mut module.function_instantiations),
        "duplicate field instantiation" => again(&mut module.field_instantiations),
        "duplicate variant handle" => again(&mut module.struct_variant_handles),
        "duplicate variant field handle" => again(&mut module.variant_field_handles),
        "duplicate variant instantiation" => again(&mut module.struct_variant_instantiations),
        "duplicate variant field instantiation" => {
            again(&mut module.variant_field_instantiations);
        }
        "duplicate struct" => again(&mut module.struct_defs),
        "duplicate function" => again(&mut module.function_defs),
        "remove function" => drop(module.function_defs.pop()),
        "remove struct" => drop(module.struct_defs.pop()),
        "duplicate acquires" => again(&mut module.function_defs[0].acquires_global_resources),
        "empty code" => empty(module.function_defs.first_mut()),
        "empty last code" => empty(module.function_defs.last_mut()),
        "native struct" => {
            module.struct_defs[0].field_information = StructFieldInformation::Native;
        }
        "other self" => module.self_module_handle_idx.0 ^= 1,
        _ => panic!("unknown patch {step}"),
    }
}

fn verdict(result: Result<(), VerifierError>) -> String {
    let Err(error) = result else {
        return "ok".to_owned();
    };
    let mut text = error.status.name().to_owned();
    if let Some(function) = error.function {
        text += &format!(" f{function}");
    }
    if let Some(offset) = error.code_offset {
        text += &format!(" @{offset}");
    }
    text
}

fn run(case: &Case) -> String {
    let options = Options {
        version: case.version,
        dependencies: &[],
    };
    match assemble(&case.source, &options) {
        Ok(Unit::Module(mut module)) => {
            for step in &case.patches {
                patch(&mut module, step);
            }
            match module.check_bounds() {
                Err(error) => error.status.name().to_owned(),
                Ok(()) => verdict(verify_module(&module, &case.config)),
            }
        }
        Ok(Unit::Script(script)) => verdict(verify_script(&script, &case.config)),
        Err(errors) => panic!("{}/{}: {errors}", case.file, case.name),
    }
}

#[test]
fn verdicts_are_as_expected() {
    let mut wrong = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for case in cases() {
        assert!(
            names.insert((case.file.clone(), case.name.clone())),
            "{}/{} twice",
            case.file,
            case.name
        );
        let got = run(&case);
        if got != case.expected {
            wrong.push(format!(
                "{}/{}: expected {}, got {got}",
                case.file, case.name, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The statuses that cases expect, with the cases: those here and those of bundles, whose headers have the same form.
fn expected_statuses() -> BTreeMap<StatusCode, Vec<String>> {
    let mut expected: Vec<(String, String)> = cases()
        .into_iter()
        .map(|case| (format!("{}/{}", case.file, case.name), case.expected))
        .collect();
    for path in masm_files(&folder().join("bundles")) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(header) = line.strip_prefix("//# ") else {
                continue;
            };
            let (words, verdict) = header.split_once(": ").unwrap();
            let name = words.split(' ').next().unwrap();
            expected.push((format!("bundles/{file}/{name}"), verdict.to_owned()));
        }
    }
    let mut by_status: BTreeMap<StatusCode, Vec<String>> = BTreeMap::new();
    for (case, verdict) in expected {
        if let Some(status) = verdict.split(' ').next().filter(|word| *word != "ok") {
            by_status
                .entry(status.parse().unwrap())
                .or_default()
                .push(case);
        }
    }
    by_status
}

/// Every status of the verifier has two cases. `tests/verifier/COVERAGE.md` lists each status with its cases; `MONOMOVE_BLESS=1` writes it.
#[test]
fn statuses_are_covered() {
    let by_status = expected_statuses();
    let missing: Vec<_> = EMITTED
        .iter()
        .filter(|status| by_status.get(status).map_or(0, Vec::len) < 2)
        .collect();
    assert!(missing.is_empty(), "fewer than two cases: {missing:?}");
    let unknown: Vec<_> = by_status
        .keys()
        .filter(|status| !EMITTED.contains(status))
        .collect();
    assert!(unknown.is_empty(), "not in the list: {unknown:?}");
    let mut report = String::from(
        "Statuses of verifier, linker and publishing, and the cases that give them, `FILE/CASE`. Written by `cases.rs` in `vm-core/verifier/tests`.\n\n| status | cases |\n|---|---|\n",
    );
    for (status, names) in &by_status {
        report += &format!("| {} {status} | {} |\n", status.number(), names.join(", "));
    }
    let path = folder().join("COVERAGE.md");
    if std::env::var_os("MONOMOVE_BLESS").is_some() {
        fs::write(&path, &report).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == report,
        "COVERAGE.md is not what the cases say; MONOMOVE_BLESS=1 writes it"
    );
}

/// What verifier, linker and publishing can emit.
const EMITTED: &[StatusCode] = &[
    StatusCode::INVALID_SIGNATURE_TOKEN,
    StatusCode::RECURSIVE_STRUCT_DEFINITION,
    StatusCode::FIELD_MISSING_TYPE_ABILITY,
    StatusCode::INVALID_FALL_THROUGH,
    StatusCode::NEGATIVE_STACK_SIZE_WITHIN_BLOCK,
    StatusCode::DUPLICATE_ELEMENT,
    StatusCode::INVALID_MODULE_HANDLE,
    StatusCode::UNIMPLEMENTED_HANDLE,
    StatusCode::LOOKUP_FAILED,
    StatusCode::TYPE_MISMATCH,
    StatusCode::MISSING_DEPENDENCY,
    StatusCode::POP_WITHOUT_DROP_ABILITY,
    StatusCode::BR_TYPE_MISMATCH_ERROR,
    StatusCode::ABORT_TYPE_MISMATCH_ERROR,
    StatusCode::STLOC_TYPE_MISMATCH_ERROR,
    StatusCode::STLOC_UNSAFE_TO_DESTROY_ERROR,
    StatusCode::UNSAFE_RET_LOCAL_OR_RESOURCE_STILL_BORROWED,
    StatusCode::RET_TYPE_MISMATCH_ERROR,
    StatusCode::RET_BORROWED_MUTABLE_REFERENCE_ERROR,
    StatusCode::FREEZEREF_TYPE_MISMATCH_ERROR,
    StatusCode::FREEZEREF_EXISTS_MUTABLE_BORROW_ERROR,
    StatusCode::BORROWFIELD_TYPE_MISMATCH_ERROR,
    StatusCode::BORROWFIELD_EXISTS_MUTABLE_BORROW_ERROR,
    StatusCode::COPYLOC_UNAVAILABLE_ERROR,
    StatusCode::COPYLOC_WITHOUT_COPY_ABILITY,
    StatusCode::COPYLOC_EXISTS_BORROW_ERROR,
    StatusCode::MOVELOC_UNAVAILABLE_ERROR,
    StatusCode::MOVELOC_EXISTS_BORROW_ERROR,
    StatusCode::BORROWLOC_REFERENCE_ERROR,
    StatusCode::BORROWLOC_UNAVAILABLE_ERROR,
    StatusCode::BORROWLOC_EXISTS_BORROW_ERROR,
    StatusCode::CALL_TYPE_MISMATCH_ERROR,
    StatusCode::CALL_BORROWED_MUTABLE_REFERENCE_ERROR,
    StatusCode::PACK_TYPE_MISMATCH_ERROR,
    StatusCode::UNPACK_TYPE_MISMATCH_ERROR,
    StatusCode::READREF_TYPE_MISMATCH_ERROR,
    StatusCode::READREF_WITHOUT_COPY_ABILITY,
    StatusCode::READREF_EXISTS_MUTABLE_BORROW_ERROR,
    StatusCode::WRITEREF_TYPE_MISMATCH_ERROR,
    StatusCode::WRITEREF_WITHOUT_DROP_ABILITY,
    StatusCode::WRITEREF_EXISTS_BORROW_ERROR,
    StatusCode::WRITEREF_NO_MUTABLE_REFERENCE_ERROR,
    StatusCode::INTEGER_OP_TYPE_MISMATCH_ERROR,
    StatusCode::BOOLEAN_OP_TYPE_MISMATCH_ERROR,
    StatusCode::EQUALITY_OP_TYPE_MISMATCH_ERROR,
    StatusCode::EXISTS_WITHOUT_KEY_ABILITY_OR_BAD_ARGUMENT,
    StatusCode::BORROWGLOBAL_TYPE_MISMATCH_ERROR,
    StatusCode::BORROWGLOBAL_WITHOUT_KEY_ABILITY,
    StatusCode::MOVEFROM_TYPE_MISMATCH_ERROR,
    StatusCode::MOVEFROM_WITHOUT_KEY_ABILITY,
    StatusCode::MOVETO_TYPE_MISMATCH_ERROR,
    StatusCode::MOVETO_WITHOUT_KEY_ABILITY,
    StatusCode::MODULE_ADDRESS_DOES_NOT_MATCH_SENDER,
    StatusCode::POSITIVE_STACK_SIZE_AT_BLOCK_END,
    StatusCode::MISSING_ACQUIRES_ANNOTATION,
    StatusCode::EXTRANEOUS_ACQUIRES_ANNOTATION,
    StatusCode::DUPLICATE_ACQUIRES_ANNOTATION,
    StatusCode::INVALID_ACQUIRES_ANNOTATION,
    StatusCode::GLOBAL_REFERENCE_ERROR,
    StatusCode::CONSTRAINT_NOT_SATISFIED,
    StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH,
    StatusCode::LOOP_IN_INSTANTIATION_GRAPH,
    StatusCode::ZERO_SIZED_STRUCT,
    StatusCode::LINKER_ERROR,
    StatusCode::INVALID_CONSTANT_TYPE,
    StatusCode::MALFORMED_CONSTANT_DATA,
    StatusCode::EMPTY_CODE_UNIT,
    StatusCode::INVALID_LOOP_SPLIT,
    StatusCode::INVALID_LOOP_BREAK,
    StatusCode::INVALID_LOOP_CONTINUE,
    StatusCode::UNSAFE_RET_UNUSED_VALUES_WITHOUT_DROP,
    StatusCode::GENERIC_MEMBER_OPCODE_MISMATCH,
    StatusCode::INVALID_OPERATION_IN_SCRIPT,
    StatusCode::DUPLICATE_MODULE_NAME,
    StatusCode::BACKWARD_INCOMPATIBLE_MODULE_UPDATE,
    StatusCode::CYCLIC_MODULE_DEPENDENCY,
    StatusCode::INVALID_FRIEND_DECL_WITH_SELF,
    StatusCode::INVALID_FRIEND_DECL_WITH_MODULES_OUTSIDE_ACCOUNT_ADDRESS,
    StatusCode::INVALID_FRIEND_DECL_WITH_MODULES_IN_DEPENDENCIES,
    StatusCode::CYCLIC_MODULE_FRIENDSHIP,
    StatusCode::INVALID_PHANTOM_TYPE_PARAM_POSITION,
    StatusCode::VEC_UPDATE_EXISTS_MUTABLE_BORROW_ERROR,
    StatusCode::VEC_BORROW_ELEMENT_EXISTS_MUTABLE_BORROW_ERROR,
    StatusCode::LOOP_MAX_DEPTH_REACHED,
    StatusCode::TOO_MANY_TYPE_PARAMETERS,
    StatusCode::TOO_MANY_PARAMETERS,
    StatusCode::TOO_MANY_BASIC_BLOCKS,
    StatusCode::VALUE_STACK_OVERFLOW,
    StatusCode::TOO_MANY_TYPE_NODES,
    StatusCode::VALUE_STACK_PUSH_OVERFLOW,
    StatusCode::MAX_FUNCTION_DEFINITIONS_REACHED,
    StatusCode::MAX_STRUCT_DEFINITIONS_REACHED,
    StatusCode::MAX_FIELD_DEFINITIONS_REACHED,
    StatusCode::TOO_MANY_BACK_EDGES,
    StatusCode::USER_DEFINED_NATIVE_NOT_ALLOWED,
    StatusCode::MAX_STRUCT_VARIANTS_REACHED,
    StatusCode::TEST_VARIANT_TYPE_MISMATCH_ERROR,
    StatusCode::FEATURE_NOT_ENABLED,
    StatusCode::INVALID_CLOSURE_MASK,
    StatusCode::CLOSURE_CALL_REQUIRES_FUNCTION,
    StatusCode::INVALID_INIT_MODULE,
    StatusCode::INVALID_STRUCT_API_CODE,
    StatusCode::IMMUTABLE_FUNCTION_CALLS_NON_IMMUTABLE,
    StatusCode::INVALID_CONST_API_CODE,
    StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
    StatusCode::EVENT_METADATA_VALIDATION_ERROR,
    StatusCode::UNSTABLE_BYTECODE_REJECTED,
    StatusCode::FRIEND_NOT_FOUND_IN_MODULE_BUNDLE,
];
