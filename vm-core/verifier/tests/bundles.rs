//! The cases of linker, upgrades and publishing: bundles in assembler text with the verdict that is expected, in `tests/verifier/bundles/*.masm`.
//!
//! Each case begins with a line `//# NAME [OPTION …]: VERDICT`. Then come modules, each from its `module` line on: those after `//: published` are there before,
//! those after `//: bundle` are published together, in this order. A module is assembled with those before it as dependencies. Options: `vN` the binary version
//! (8 unless given), `eager`, `arbitrary`, `immutable`, `user`, `stable`, `no-layout`, `no-linking`, `no-friends`, `no-entry`, `sender ADDRESS`; `link` and `cycles` check the last
//! module of the bundle alone against all others instead of publishing. The verdict is a status, with the module it is attached to if there is one, or `ok` followed by
//! what publishing does: `+NAME` for a new module, `*NAME` for a replaced one, `!NAME` for one whose `init_module` runs. Broken rules of an upgrade follow in parentheses.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use monomove_asm::{Options, Unit, assemble};
use monomove_format::{CompiledModule, DeserializerConfig};
use monomove_types::{AccountAddress, ModuleId, StatusCode};
use monomove_verifier::{
    ErrorLocation, Loading, PublishOptions, PublishedModules, UpgradePolicy, VerifierError,
    VerifierResult, check_bundle, link_module, verify_no_cycles,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Publish,
    Link,
    Cycles,
}

struct Case {
    name: String,
    expected: String,
    version: u32,
    mode: Mode,
    sender: Option<AccountAddress>,
    options: PublishOptions,
    published: Vec<String>,
    bundle: Vec<String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifier/bundles");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in files {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut in_bundle = true;
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(header) = line.strip_prefix("//# ") {
                cases.push(header_of(&file, header));
                in_bundle = true;
                continue;
            }
            let Some(case) = cases.last_mut() else {
                continue;
            };
            match line {
                "//: published" => in_bundle = false,
                "//: bundle" => in_bundle = true,
                _ => {
                    let modules = match in_bundle {
                        true => &mut case.bundle,
                        false => &mut case.published,
                    };
                    if line.starts_with("module ") {
                        modules.push(String::new());
                    }
                    if let Some(module) = modules.last_mut() {
                        module.push_str(line);
                        module.push('\n');
                    }
                }
            }
        }
    }
    cases
}

fn header_of(file: &str, header: &str) -> Case {
    let (words, expected) = header.split_once(": ").unwrap();
    let mut words = words.split(' ');
    let mut case = Case {
        name: format!("{file}/{}", words.next().unwrap()),
        expected: expected.to_owned(),
        version: 8,
        mode: Mode::Publish,
        sender: None,
        options: PublishOptions {
            deserializer: DeserializerConfig::new(11, 255),
            ..PublishOptions::default()
        },
        published: Vec::new(),
        bundle: Vec::new(),
    };
    let options = &mut case.options;
    while let Some(word) = words.next() {
        match word {
            "eager" => options.loading = Loading::Eager,
            "arbitrary" => options.policy = UpgradePolicy::Arbitrary,
            "immutable" => options.policy = UpgradePolicy::Immutable,
            "user" => options.user_rules = true,
            "stable" => options.refuse_unstable = true,
            "no-layout" => options.compatibility.struct_layout = false,
            "no-linking" => options.compatibility.struct_and_function_linking = false,
            "no-friends" => options.compatibility.friend_linking = false,
            "no-entry" => options.compatibility.entry_as_public = false,
            "link" => case.mode = Mode::Link,
            "cycles" => case.mode = Mode::Cycles,
            "sender" => case.sender = Some(words.next().unwrap().parse().unwrap()),
            _ => case.version = word.strip_prefix('v').unwrap().parse().unwrap(),
        }
    }
    case
}

struct Published(BTreeMap<ModuleId, Arc<CompiledModule>>);

impl PublishedModules for Published {
    fn module(&self, id: &ModuleId) -> VerifierResult<Option<Arc<CompiledModule>>> {
        Ok(self.0.get(id).cloned())
    }
}

fn run(case: &Case) -> String {
    let mut known: Vec<CompiledModule> = Vec::new();
    let mut assembled = |source: &String| {
        let options = Options {
            version: case.version,
            dependencies: &known,
        };
        match assemble(source, &options) {
            Ok(Unit::Module(module)) => {
                // The newest version of a module is the one that later modules see.
                known.insert(0, (*module).clone());
                *module
            }
            Ok(Unit::Script(_)) => panic!("{}: a script", case.name),
            Err(errors) => panic!("{}: {errors}\n{source}", case.name),
        }
    };
    let published: Vec<_> = case.published.iter().map(&mut assembled).collect();
    let bundle: Vec<_> = case.bundle.iter().map(&mut assembled).collect();
    let others = || published.iter().chain(&bundle);
    let result = match case.mode {
        Mode::Link => link_module(bundle.last().unwrap(), others()).map(|()| String::new()),
        Mode::Cycles => {
            let all: BTreeMap<_, _> = others().map(|module| (module.self_id(), module)).collect();
            verify_no_cycles(bundle.last().unwrap(), |id| all.get(id).copied())
                .map(|()| String::new())
        }
        Mode::Publish => {
            let binaries: Vec<_> = bundle.iter().map(|m| m.serialize().unwrap()).collect();
            let sender = case.sender.unwrap_or(*bundle[0].self_address());
            let state = published
                .iter()
                .map(|module| (module.self_id(), Arc::new(module.clone())))
                .collect();
            check_bundle(sender, &binaries, &Published(state), &case.options).map(|bundle| {
                let starting: BTreeSet<_> =
                    bundle.initializers().map(|one| one.id.clone()).collect();
                let mut text = String::new();
                for module in &bundle.modules {
                    let sign = if module.replaces { '*' } else { '+' };
                    text += &format!(" {sign}{}", module.id.name);
                    if starting.contains(&module.id) {
                        text += &format!(" !{}", module.id.name);
                    }
                }
                text
            })
        }
    };
    match result {
        Ok(effects) => format!("ok{effects}"),
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &VerifierError) -> String {
    let mut text = error.status.name().to_owned();
    match &error.location {
        ErrorLocation::Undefined => {}
        ErrorLocation::Module(id) => text += &format!(" {id}"),
        ErrorLocation::Script => text += " script",
    }
    if error.status == StatusCode::BACKWARD_INCOMPATIBLE_MODULE_UPDATE {
        text += &format!(" ({})", error.message);
    }
    text
}

#[test]
fn verdicts_are_as_expected() {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for case in cases() {
        assert!(names.insert(case.name.clone()), "{} twice", case.name);
        let got = run(&case);
        if got != case.expected {
            wrong.push(format!(
                "{}: expected {}, got {got}",
                case.name, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
