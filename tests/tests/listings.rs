//! Golden listings: `listings/*.txt` say which function in their first lines, then how it looks at each stage of lowering.
//!
//! `BLESS=1 cargo test --release -p monomove-tests --test listings` writes them anew; a file with its first lines alone is a new case.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use monomove::{MemoryState, ModuleId, StateKey, StateView as _, TypeTag};
use monomove_core::{CodeToken, Machine, MachineConfig, ModuleCode, Stage, StateError, StateView};
use monomove_tests::mv_files;

const FUNCTION: &str = "// function: ";
const TYPE_ARGUMENT: &str = "// type argument: ";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The library and the programs of the golden corpus.
struct Modules(MemoryState);

impl Modules {
    fn load() -> Self {
        let mut state = MemoryState::new();
        for directory in [
            "stdlib/bytecode/v8/std",
            "stdlib/bytecode/v8/framework",
            "golden/bytecode/v8",
            "golden/bench/bytecode/v8",
        ] {
            for file in mv_files(&here(directory)).unwrap() {
                state.insert_module(std::fs::read(file).unwrap()).unwrap();
            }
        }
        Self(state)
    }
}

impl StateView for Modules {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        let found = self.0.get(&StateKey::module(id.clone())).unwrap();
        Ok(found.map(|bytes| ModuleCode {
            token: CodeToken(0),
            bytes: bytes.to_vec(),
        }))
    }

    fn is_current(&mut self, _token: CodeToken) -> Result<bool, StateError> {
        Ok(true)
    }

    fn value(&mut self, _key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

/// The first lines of `text`, and the listings that they ask for.
fn listings(machine: &mut Machine, modules: &mut Modules, text: &str) -> String {
    let directives = text.lines().take_while(|line| line.starts_with("// "));
    let (mut out, mut function, mut ty_args) = (String::new(), None, Vec::<TypeTag>::new());
    for line in directives {
        writeln!(out, "{line}").unwrap();
        if let Some(name) = line.strip_prefix(FUNCTION) {
            function = name.rsplit_once("::");
        } else if let Some(tag) = line.strip_prefix(TYPE_ARGUMENT) {
            ty_args.push(tag.parse().unwrap());
        }
    }
    let (module, name) = function.unwrap();
    let (module, name) = (module.parse().unwrap(), name.parse().unwrap());
    for stage in [Stage::Stackless, Stage::MicroOps] {
        let listing = machine.listing(&module, &name, &ty_args, stage, modules);
        write!(out, "\n{}", listing.unwrap()).unwrap();
    }
    out
}

#[test]
fn golden_listings() {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value != "0");
    let mut machine = Machine::new(MachineConfig::default());
    let mut modules = Modules::load();
    let (mut cases, mut different) = (0, Vec::new());
    let mut paths = std::fs::read_dir(here("listings"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>();
    paths.sort();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
    {
        let expected = std::fs::read_to_string(path).unwrap();
        let got = listings(&mut machine, &mut modules, &expected);
        cases += 1;
        if got == expected {
            continue;
        }
        if bless {
            std::fs::write(path, got).unwrap();
            continue;
        }
        let lines = expected.lines().zip(got.lines()).enumerate();
        let first = lines.into_iter().find(|(_, (a, b))| a != b);
        let place = first.map_or("the length differs".to_owned(), |(n, (a, b))| {
            format!("line {}:\n  expected {a}\n  got      {b}", n + 1)
        });
        different.push(format!("{}: {place}\n", path.display()));
    }
    assert!(cases >= 12, "only {cases} cases");
    assert!(
        different.is_empty(),
        "{}if that is right: BLESS=1 cargo test --release -p monomove-tests --test listings",
        different.concat()
    );
}
