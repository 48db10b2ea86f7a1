//! Binaries to text and back: an equivalent module, the same text, and with `pool` lines the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    bytes_of, files, first_difference, json_lines, resolved, resolved_script, root, shared,
};
use monomove_asm::{
    Options, Unit, assemble, disassemble_masm, disassemble_masm_exact, disassemble_script_masm,
    version_of_listing,
};
use monomove_format::{CompiledModule, CompiledScript, DeserializerConfig, VERSION_MAX};
use monomove_types::{GenesisBlob, Path as StatePath, StateKey};
use std::collections::BTreeSet;
use std::path::Path;

fn assembled(text: &str) -> Unit {
    let options = Options {
        version: version_of_listing(text).unwrap(),
        dependencies: &[],
    };
    assemble(text, &options).unwrap_or_else(|errors| panic!("{errors}"))
}

#[derive(Debug, Default)]
struct Counts {
    modules: usize,
    identical: usize,
    identical_exact: usize,
}

/// Checks one module; what is wrong, if anything.
fn check(module: &CompiledModule, counts: &mut Counts) -> Result<(), String> {
    let bytes = module.serialize().map_err(|e| e.to_string())?;
    let text = disassemble_masm(module);
    let Unit::Module(again) = assembled(&text) else {
        return Err("a script".into());
    };
    if let Some(difference) = first_difference(&resolved(module), &resolved(&again)) {
        return Err(difference);
    }
    if disassemble_masm(&again) != text {
        return Err("other text".into());
    }
    again.check_bounds().map_err(|e| e.to_string())?;
    counts.modules += 1;
    counts.identical += usize::from(again.serialize().as_deref() == Ok(&bytes));
    let exact = disassemble_masm_exact(module);
    let same = assembled(&exact).serialize().as_deref() == Ok(&bytes);
    counts.identical_exact += usize::from(same);
    if !same {
        eprintln!("not exact: {}", module.self_id());
    }
    Ok(())
}

fn check_all(modules: impl IntoIterator<Item = (String, CompiledModule)>) {
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (name, module) in modules {
        if let Err(error) = check(&module, &mut counts) {
            wrong.push(format!("{name}: {error}"));
        }
    }
    eprintln!("{counts:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(counts.modules, counts.identical_exact);
}

fn modules_in(directory: &Path) -> Vec<(String, CompiledModule)> {
    files(directory, "mv")
        .into_iter()
        .filter_map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            let module = CompiledModule::deserialize(&bytes).ok()?;
            Some((path.display().to_string(), module))
        })
        .collect()
}

#[test]
fn golden_modules() {
    check_all(modules_in(&root().join("tests/golden")));
}

#[test]
fn standard_library() {
    check_all(modules_in(&root().join("tests/stdlib")));
}

#[test]
fn random_modules() {
    check_all(modules_in(&root().join("tests/random")));
}

#[test]
fn genesis_modules() {
    let config = DeserializerConfig::new(VERSION_MAX, 65535);
    let mut seen = BTreeSet::new();
    let mut modules = Vec::new();
    for path in files(&shared("data/genesis"), "blob") {
        let blob = GenesisBlob::parse(&std::fs::read(&path).unwrap()).unwrap();
        for (key, value) in blob.writes {
            let StateKey::AccessPath { path, .. } = key else {
                continue;
            };
            if let StatePath::Code(id) = path
                && seen.insert(value.clone())
            {
                let module = CompiledModule::deserialize_with(&value, &config).unwrap();
                modules.push((id.to_string(), module));
            }
        }
    }
    check_all(modules);
}

/// Modules that the verifier refuses round-trip as well, if they can be read at all. The exceptions have what the text
/// cannot express: equal entries in a table, definitions with a handle of another module, a version that is not written.
#[test]
fn refused_modules() {
    let mut modules = Vec::new();
    for entry in json_lines(&shared("verdicts/verdicts.jsonl")) {
        let id = entry["id"].as_str().unwrap().to_owned();
        if let Ok(module) = CompiledModule::deserialize(&bytes_of(&entry["bytes"])) {
            modules.push((id, module));
        }
    }
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (name, module) in modules {
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&module, &mut counts)));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => wrong.push(format!("{name}: {error}")),
            Err(_) => wrong.push(format!("{name}: panic")),
        }
    }
    eprintln!("{counts:?}, {} other: {wrong:#?}", wrong.len());
    assert!(wrong.len() <= 20);
    assert_eq!(counts.modules, counts.identical_exact);
}

/// The listings of the real disassembler assemble to the modules they were made of.
#[test]
fn golden_listings() {
    let mut dependencies: Vec<CompiledModule> = Vec::new();
    for directory in [
        "tests/stdlib/bytecode/v8",
        "tests/golden/bytecode/v8",
        "tests/golden/bench/bytecode/v8",
    ] {
        let found = modules_in(&root().join(directory));
        dependencies.extend(found.into_iter().map(|(_, module)| module));
    }
    let recorded = shared("golden/deps");
    dependencies.extend(modules_in(&recorded).into_iter().map(|(_, module)| module));
    let (mut count, mut identical, mut wrong) = (0, 0, Vec::new());
    for path in files(&root().join("tests/golden"), "masm") {
        let source = decimal_masks(&std::fs::read_to_string(&path).unwrap());
        let options = Options {
            version: 8,
            dependencies: &dependencies,
        };
        let ours = match assemble(&source, &options) {
            Ok(Unit::Module(module)) => *module,
            other => {
                wrong.push(format!("{}: {other:?}", path.display()));
                continue;
            }
        };
        let Ok(bytes) = std::fs::read(path.with_extension("mv")) else {
            continue;
        };
        count += 1;
        let mut theirs = CompiledModule::deserialize(&bytes).unwrap();
        identical += usize::from(ours.serialize().unwrap() == bytes);
        // The listing does not show metadata.
        theirs.metadata.clear();
        if let Some(difference) = first_difference(&resolved(&ours), &resolved(&theirs)) {
            wrong.push(format!("{}: {difference}", path.display()));
        }
    }
    eprintln!("{count} listings, {identical} identical");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The disassembler of the platform writes closure masks in binary, its assembler reads them in decimal.
fn decimal_masks(source: &str) -> String {
    let mut text = String::new();
    for line in source.lines() {
        match line.rsplit_once(", ") {
            Some((start, mask)) if start.contains("pack_closure ") => {
                let mask = u64::from_str_radix(mask, 2).unwrap();
                text += &format!("{start}, {mask}\n");
            }
            _ => {
                text += line;
                text.push('\n');
            }
        }
    }
    text
}

#[test]
fn scripts() {
    let text = "\
script
extern fun 0x1::coin::transfer<T0>(&signer, address, u64)
metadata \"k\" x\"00ff\"
fun main<T0: copy + drop>(l0: signer, l1: address) access(reads any at l1)
    local l2: u64
    ld_const<vector<vector<u8>>> [[1, 2], [], [3]]
    pop
    borrow_loc l0
    move_loc l1
    ld_u64 5
    call coin::transfer<T0>
    ret
";
    let options = Options {
        version: 8,
        dependencies: &[],
    };
    let text = text.replace("extern fun", "use 0x1::coin\nextern fun");
    let Unit::Script(script) = assemble(&text, &options).unwrap() else {
        panic!("a module");
    };
    let bytes = script.serialize().unwrap();
    assert_eq!(CompiledScript::deserialize(&bytes).unwrap(), *script);
    let printed = disassemble_script_masm(&script);
    let Unit::Script(again) = assembled(&printed) else {
        panic!("a module");
    };
    assert_eq!(resolved_script(&again), resolved_script(&script));
    assert_eq!(disassemble_script_masm(&again), printed);
}
