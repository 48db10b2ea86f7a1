//! Random well-typed programs full of references: what the verifier lets through fails no check of paranoid mode, and gives the same
//! result without the checks.
//!
//! `MONOMOVE_MUTANTS` is the number of programs, `MONOMOVE_MUTANTS_SEED` the first seed; `MONOMOVE_MUTANTS_ONLY` runs one seed and prints it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

mod common;

use common::State;
use monomove_asm::{Options, Unit, assemble};
use monomove_core::{Machine, MachineConfig, Outcome};
use monomove_tests::mutants::{ACCOUNTS, ModulesById, Random, call};
use monomove_types::{StateKey, StatusFamily};
use monomove_verifier::{VerifierConfig, verify_module};
use std::collections::BTreeMap;

/// What every program declares besides its function `f`, which is the last.
const PRELUDE: &str = "module 0xcafe::m
struct S has copy + drop + store
    a: u64
    b: u64
struct T has copy + drop + store
    s: S
    w: vector<S>
struct R has key + drop
    v: u64
    s: S
enum E has copy + drop + store
    A
        x: u64
        s: S
    B
        x: u64
    C
        v: vector<u64>
fun first(m: &mut u64, n: &mut u64): &mut u64
    move_loc m
    ret
fun either(m: &u64, n: &mut u64): &u64
    move_loc n
    freeze_ref
    ret
fun swap(m: &mut u64, n: &mut u64)
    local x: u64
    copy_loc m
    read_ref
    st_loc x
    copy_loc n
    read_ref
    move_loc m
    write_ref
    move_loc x
    move_loc n
    write_ref
    ret
fun parts(m: &mut S): (&mut u64, &mut u64)
    copy_loc m
    mut_borrow_field S, a
    move_loc m
    mut_borrow_field S, b
    ret
#[borrow_mut(0)] fun borrow_mut$S$0(m: &mut S): &mut u64
    move_loc m
    mut_borrow_field S, a
    ret
#[borrow_mut(1)] fun borrow_mut$S$1(m: &mut S): &mut u64
    move_loc m
    mut_borrow_field S, b
    ret
fun take(m: &mut vector<u64>): u64
    move_loc m
    vec_pop_back<u64>
    ret
fun global(a: address): u64 acquires R
    move_loc a
    borrow_global R
    borrow_field R, v
    read_ref
    ret
";

/// A type of values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Base {
    U64,
    S,
    T,
    E,
    Numbers,
    Structs,
}

/// A type of operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    Value(Base),
    Imm(Base),
    Mut(Base),
}

use Base::*;
use Type::*;

const BASES: [(Base, &str); 6] = [
    (U64, "u64"),
    (S, "S"),
    (T, "T"),
    (E, "E"),
    (Numbers, "vector<u64>"),
    (Structs, "vector<S>"),
];

/// A generator of one program.
struct Writer<'r> {
    random: &'r mut Random,
    text: String,
    locals: Vec<(String, Type)>,
    labels: usize,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.text += "    ";
        self.text += line;
        self.text.push('\n');
    }

    fn chance(&mut self, of: usize) -> bool {
        self.random.once_in(of)
    }

    fn local(&mut self, type_: Type) -> String {
        let fitting: Vec<String> = self
            .locals
            .iter()
            .filter(|(_, other)| *other == type_)
            .map(|(name, _)| name.clone())
            .collect();
        self.random.one_of(&fitting).unwrap().clone()
    }

    /// Code that pushes a value of a type.
    fn push(&mut self, type_: Type, depth: usize) {
        let local = self.local(type_);
        if depth == 0 || self.chance(4) {
            let takes = match type_ {
                Imm(base) | Mut(base) if self.chance(3) => {
                    let owner = self.local(Value(base));
                    let kind = if matches!(type_, Mut(_)) { "mut_" } else { "" };
                    format!("{kind}borrow_loc {owner}")
                }
                _ if self.chance(5) => format!("move_loc {local}"),
                _ => format!("copy_loc {local}"),
            };
            return self.line(&takes);
        }
        let depth = depth - 1;
        match type_ {
            Value(base) => self.value(base, depth),
            Mut(base) => self.reference(base, true, depth),
            Imm(base) if self.chance(3) => {
                self.push(Mut(base), depth);
                self.line("freeze_ref");
            }
            Imm(base) => self.reference(base, false, depth),
        }
    }

    fn value(&mut self, base: Base, depth: usize) {
        match (base, self.random.below(4)) {
            (_, 0) => {
                self.push(Imm(base), depth);
                self.line("read_ref");
            }
            (_, 1) => {
                self.push(Mut(base), depth);
                self.line("read_ref");
            }
            (U64, 2) => {
                self.push(Mut(Numbers), depth);
                self.line("call take");
            }
            (U64, _) => {
                let number = self.random.below(4);
                self.line(&format!("ld_u64 {number}"));
            }
            (S, _) => {
                self.push(Value(U64), depth);
                self.push(Value(U64), depth);
                self.line("pack S");
            }
            (T, _) => {
                self.push(Value(S), depth);
                self.push(Value(Structs), depth);
                self.line("pack T");
            }
            (E, 2) => {
                self.push(Value(U64), depth);
                self.push(Value(S), depth);
                self.line("pack_variant E, A");
            }
            (E, _) => {
                self.push(Value(Numbers), depth);
                self.line("pack_variant E, C");
            }
            (Numbers, _) => {
                self.push(Value(U64), depth);
                self.push(Value(U64), depth);
                self.line("vec_pack<u64>, 2");
            }
            (Structs, _) => {
                self.push(Value(S), depth);
                self.line("vec_pack<S>, 1");
            }
        }
    }

    fn reference(&mut self, base: Base, mutable: bool, depth: usize) {
        let kind = if mutable { "mut_" } else { "" };
        let of = |base| if mutable { Mut(base) } else { Imm(base) };
        let choice = self.random.below(9);
        match (base, choice) {
            (U64, 0 | 1) => {
                self.push(of(S), depth);
                if mutable && self.chance(3) {
                    let field = self.random.below(2);
                    return self.line(&format!("call borrow_mut$S${field}"));
                }
                let field = if self.chance(2) { "a" } else { "b" };
                self.line(&format!("{kind}borrow_field S, {field}"));
            }
            (U64, 2 | 3) => self.element(Numbers, "u64", mutable, depth),
            (U64, 4) => {
                self.push(of(E), depth);
                let fields = ["A::x", "B::x", "A::x, B::x"][self.random.below(3)];
                self.line(&format!("{kind}borrow_variant_field E, {fields}"));
            }
            (U64, 5) if mutable => {
                self.push(Mut(U64), depth);
                self.push(Mut(U64), depth);
                self.line("call first");
            }
            (U64, 5) => {
                self.push(Imm(U64), depth);
                self.push(Mut(U64), depth);
                self.line("call either");
            }
            (U64, 6) => {
                self.line("copy_loc at");
                self.line(&format!("{kind}borrow_global R"));
                self.line(&format!("{kind}borrow_field R, v"));
            }
            (S, 0 | 1) => {
                self.push(of(T), depth);
                self.line(&format!("{kind}borrow_field T, s"));
            }
            (S, 2 | 3) => self.element(Structs, "S", mutable, depth),
            (S, 4) => {
                self.push(of(E), depth);
                self.line(&format!("{kind}borrow_variant_field E, A::s"));
            }
            (S, 5) => {
                self.line("copy_loc at");
                self.line(&format!("{kind}borrow_global R"));
                self.line(&format!("{kind}borrow_field R, s"));
            }
            (Structs, 0..=4) => {
                self.push(of(T), depth);
                self.line(&format!("{kind}borrow_field T, w"));
            }
            (Numbers, 0..=4) => {
                self.push(of(E), depth);
                self.line(&format!("{kind}borrow_variant_field E, C::v"));
            }
            _ => {
                let owner = self.local(Value(base));
                self.line(&format!("{kind}borrow_loc {owner}"));
            }
        }
    }

    fn element(&mut self, vector: Base, element: &str, mutable: bool, depth: usize) {
        let (type_, kind) = if mutable {
            (Mut(vector), "mut_")
        } else {
            (Imm(vector), "")
        };
        self.push(type_, depth);
        let index = self.random.below(3);
        self.line(&format!("ld_u64 {index}"));
        self.line(&format!("vec_{kind}borrow<{element}>"));
    }

    /// Code that leaves the stack as it was.
    fn statement(&mut self, nesting: usize) {
        let base = BASES[self.random.below(BASES.len())].0;
        match self.random.below(14) {
            0..=4 => {
                let (name, type_) = self
                    .random
                    .one_of(&self.locals)
                    .map(|(name, type_)| (name.clone(), *type_))
                    .unwrap();
                self.push(type_, 3);
                self.line(&format!("st_loc {name}"));
            }
            5 => {
                self.push(Mut(base), 3);
                self.line("pop");
            }
            6 | 7 => {
                self.push(Value(base), 2);
                self.push(Mut(base), 3);
                self.line("write_ref");
            }
            8 => {
                self.push(Mut(Numbers), 2);
                self.push(Value(U64), 2);
                self.line("vec_push_back<u64>");
            }
            9 => {
                self.push(Mut(Structs), 2);
                self.line("vec_pop_back<S>");
                self.line("pop");
            }
            10 => {
                self.push(Mut(U64), 2);
                self.push(Mut(U64), 2);
                self.line("call swap");
            }
            11 => {
                self.push(Mut(S), 2);
                self.line("call parts");
                let (first, second) = (self.local(Mut(U64)), self.local(Mut(U64)));
                self.line(&format!("st_loc {first}"));
                self.line(&format!("st_loc {second}"));
            }
            12 => self.storage(),
            _ if nesting > 0 => self.control(nesting - 1),
            _ => self.line("nop"),
        }
    }

    fn storage(&mut self) {
        match self.random.below(3) {
            0 => {
                self.line("copy_loc by");
                self.push(Value(U64), 1);
                self.push(Value(S), 1);
                self.line("pack R");
                self.line("move_to R");
            }
            1 => {
                self.line("copy_loc at");
                self.line("move_from R");
                self.line("pop");
            }
            _ => {
                self.line("copy_loc at");
                self.line("call global");
                self.line("pop");
            }
        }
    }

    fn control(&mut self, nesting: usize) {
        self.labels += 2;
        let (start, end) = (self.labels, self.labels + 1);
        let is_loop = self.chance(2);
        if is_loop {
            self.line(&format!("l{start}: nop"));
        }
        // A condition that changes, so that loops end.
        self.line("copy_loc fuel");
        self.line("ld_u64 1");
        self.line("bit_and");
        self.line("ld_u64 0");
        self.line("eq");
        self.line("copy_loc fuel");
        self.line("ld_u64 2");
        self.line("div");
        self.line("st_loc fuel");
        self.line(&format!("br_true l{end}"));
        for _ in 0..=self.random.below(4) {
            self.statement(nesting);
        }
        if is_loop {
            self.line(&format!("branch l{start}"));
        }
        self.line(&format!("l{end}: nop"));
    }
}

fn program(random: &mut Random) -> String {
    let mut writer = Writer {
        random,
        text: String::new(),
        locals: Vec::new(),
        labels: 0,
    };
    let mut parameters = vec!["at: address".to_owned(), "fuel: u64".to_owned()];
    let mut declared = Vec::new();
    for (base, name) in BASES {
        for copy in 0..2 {
            let value = format!("{}{copy}", name.replace(['<', '>'], "").to_lowercase());
            parameters.push(format!("{value}: {name}"));
            parameters.push(format!("{value}m: &mut {name}"));
            declared.push(format!("local {value}i: &{name}"));
            for (local, type_) in [
                (value.clone(), Value(base)),
                (format!("{value}m"), Mut(base)),
                (format!("{value}i"), Imm(base)),
            ] {
                writer.locals.push((local, type_));
            }
        }
    }
    for line in &declared {
        writer.line(line);
    }
    // Most programs need references to read from.
    for (_, name) in BASES {
        let value = name.replace(['<', '>'], "").to_lowercase();
        for copy in 0..2 {
            writer.line(&format!("copy_loc {value}{copy}m"));
            writer.line("read_ref");
            writer.line(&format!("st_loc {value}{copy}"));
        }
    }
    for _ in 0..=writer.random.below(9) {
        writer.statement(2);
    }
    writer.line("copy_loc u640");
    writer.line("copy_loc s0");
    writer.line("copy_loc numbers");
    let body = writer
        .text
        .replace("    copy_loc numbers\n", "    copy_loc vectoru640\n");
    let uses_storage = ["borrow_global", "move_from", "call global"]
        .iter()
        .any(|word| body.contains(word));
    let acquires = if uses_storage { " acquires R" } else { "" };
    format!(
        "{PRELUDE}fun f(by: &signer, {}): (u64, S, vector<u64>){acquires}\n{body}    ret\n",
        parameters.join(", ")
    )
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn machine(paranoid: bool) -> Machine {
    Machine::new(MachineConfig {
        heap_bytes: 16 << 20,
        paranoid,
        ..MachineConfig::default()
    })
}

#[test]
fn programs_that_verify_are_safe() {
    let default = if cfg!(debug_assertions) { 200 } else { 2_000 };
    let only = setting("MONOMOVE_MUTANTS_ONLY");
    let first = only.unwrap_or(setting("MONOMOVE_MUTANTS_SEED").unwrap_or(0));
    let count = only.map_or_else(|| setting("MONOMOVE_MUTANTS").unwrap_or(default), |_| 1);
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut state = State::default();
    let (mut checked, mut plain) = (machine(true), machine(false));
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9));
        let source = program(&mut random);
        let options = Options {
            version: 10,
            dependencies: &[],
        };
        let module = match assemble(&source, &options) {
            Ok(Unit::Module(module)) => *module,
            Ok(_) => panic!("no module"),
            Err(error) => panic!("seed {seed}: {error}\n{source}"),
        };
        if only.is_some() {
            println!("{source}");
        }
        if let Err(error) = verify_module(&module, &VerifierConfig::aptos()) {
            assert_eq!(
                error.status.family(),
                StatusFamily::Verification,
                "seed {seed}: {error}"
            );
            *verdicts.entry(error.status.to_string()).or_default() += 1;
            continue;
        }
        *verdicts.entry("ok".to_owned()).or_default() += 1;
        // One state for all, so that each program is other code to the machines.
        state.restore();
        state.replace(module.self_id(), module.serialize().unwrap());
        for account in ACCOUNTS {
            let resource =
                StateKey::resource(account.parse().unwrap(), "0xcafe::m::R".parse().unwrap());
            state.values.insert(resource, vec![1; 24]);
        }
        let function = module.function_defs.len() - 1;
        for _ in 0..3 {
            let call = call(
                &mut random,
                &ModulesById::new(),
                &module,
                function,
                100_000_000,
            )
            .unwrap();
            let with = checked.call(&call, &mut state.clone());
            let without = plain.call(&call, &mut state.clone());
            if let Outcome::Failed(failure) = &with.outcome {
                assert!(
                    failure.status.family() != StatusFamily::InvariantViolation,
                    "seed {seed}: {failure:?}\n{source}"
                );
                if only.is_some() {
                    println!("{failure:?}");
                }
                *ends.entry(failure.status.to_string()).or_default() += 1;
            } else {
                *ends.entry("returned".to_owned()).or_default() += 1;
            }
            assert_eq!(
                (&with.outcome, with.gas_used, &with.writes),
                (&without.outcome, without.gas_used, &without.writes),
                "seed {seed}\n{source}"
            );
        }
    }
    println!("{verdicts:#?}\n{ends:#?}");
}
