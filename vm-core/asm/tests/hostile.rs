//! Any text and any module: no panic, no unbounded recursion, no quadratic time, messages of bounded length.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{files, root};
use monomove_asm::{Options, Unit, assemble, disassemble_masm, disassemble_masm_exact};
use monomove_format::CompiledModule;
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static CORPUS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    files(&root().join("tests/golden/bytecode/v8"), "mv")
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(path).unwrap();
            let module = CompiledModule::deserialize(&bytes).unwrap();
            (disassemble_masm(&module), bytes)
        })
        .collect()
});

fn try_assemble(source: &str, version: u32) {
    let options = Options {
        version,
        dependencies: &[],
    };
    match assemble(source, &options) {
        Ok(Unit::Module(module)) => {
            // What was made can be written and printed.
            assert!(module.serialize().is_ok());
            let text = disassemble_masm(&module);
            let _ = disassemble_masm_exact(&module);
            if module.check_bounds().is_ok() {
                let _ = assemble(&text, &options);
            }
        }
        Ok(Unit::Script(script)) => assert!(script.serialize().is_ok()),
        Err(errors) => {
            let count = errors.iter().count();
            assert!((1..=monomove_asm::MAX_DIAGNOSTICS).contains(&count));
            let shown = errors.to_string();
            assert!(shown.len() <= count * 1500, "{}", shown.len());
            for error in errors.iter() {
                assert!(!error.message.contains('\n'));
            }
        }
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Pieces that texts consist of.
fn piece() -> impl Strategy<Value = String> {
    let words = "module script use as friend address struct enum fun entry public native has phantom local acquires \
        extern metadata pool operand signature const identifier access reads writes any at not copy drop store key \
        u8 u64 i256 vector signer mut x y S E f m 0x1 1 0 65536 -1 ld_u64 ld_const call pack pack_closure borrow_field \
        branch br_true copy_loc vec_pack ret borrow_variant_field test_variant `<SELF>` x\"00\" \"k\" persistent";
    let words: Vec<&'static str> = words.split_whitespace().collect();
    prop_oneof![
        6 => prop::sample::select(words).prop_map(|w| format!("{w} ")),
        6 => prop::sample::select(vec![
            "(", ")", "<", ">", "[", "]", ",", ":", "::", "|", "+", "=", "&", "#", "-", "#[",
        ])
        .prop_map(str::to_owned),
        3 => prop::sample::select(vec!["\n", "\n    ", "\r\n", "\t", " // c\n"]).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn arbitrary_text(text in "\\PC{0,200}", version in 5u32..=11) {
        try_assemble(&text, version);
        try_assemble(&format!("module 0x1::m\n{text}"), version);
    }

    #[test]
    fn arbitrary_pieces(pieces in prop::collection::vec(piece(), 0..120), version in 5u32..=11) {
        let text = pieces.concat();
        try_assemble(&text, version);
        try_assemble(&format!("module 0x1::m\nfun f(x: u64)\n{text}"), version);
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn mutated_text(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..6, piece()), 1..6),
    ) {
        let mut text: Vec<char> = which.get(&CORPUS).0.chars().collect();
        for (at, removed, inserted) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + removed).min(text.len());
            text.splice(start..end, inserted.chars());
        }
        try_assemble(&text.into_iter().collect::<String>(), 8);
    }

    #[test]
    fn lines_moved(
        which in any::<prop::sample::Index>(),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8),
    ) {
        let mut lines: Vec<&str> = which.get(&CORPUS).0.lines().collect();
        for (a, b) in swaps {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
        }
        try_assemble(&lines.join("\n"), 8);
    }

    /// Indices that point anywhere: printing does not fail.
    #[test]
    fn modules_out_of_bounds(
        which in any::<prop::sample::Index>(),
        dropped in prop::collection::vec(0usize..12, 1..4),
        kept in 0usize..4,
    ) {
        let mut module = CompiledModule::deserialize(&which.get(&CORPUS).1).unwrap();
        for table in dropped {
            match table {
                0 => module.module_handles.truncate(kept),
                1 => module.struct_handles.truncate(kept),
                2 => module.function_handles.truncate(kept),
                3 => module.signatures.truncate(kept),
                4 => module.identifiers.truncate(kept),
                5 => module.address_identifiers.clear(),
                6 => module.constant_pool.truncate(kept),
                7 => module.struct_defs.truncate(kept),
                8 => module.field_handles.truncate(kept),
                9 => module.function_instantiations.truncate(kept),
                10 => module.variant_field_handles.truncate(kept),
                _ => module.struct_variant_handles.truncate(kept),
            }
        }
        let text = disassemble_masm(&module);
        let _ = disassemble_masm_exact(&module);
        try_assemble(&text, 8);
        // And as a dependency.
        let dependencies = [module];
        let options = Options { version: 8, dependencies: &dependencies };
        let _ = assemble("module 0x1::z\nuse 0xcafe::closures\nfun f()\n    call closures::add\n", &options);
    }
}

fn timed(name: &str, source: &str) {
    let start = Instant::now();
    try_assemble(source, 9);
    let elapsed = start.elapsed();
    eprintln!("{name}: {} bytes, {elapsed:?}", source.len());
    assert!(elapsed < Duration::from_secs(60), "{name}: {elapsed:?}");
}

/// Deep and long texts. In an unoptimised build each takes a few seconds at most; quadratic time would be hours.
#[test]
fn deep_and_long() {
    let deep = 100_000;
    let in_code = |line: &str| format!("module 0x1::m\nfun f()\n    {line}\n");
    for (open, close) in [
        ("vector<", ">"),
        ("&", ""),
        ("(", ")"),
        ("|", "|"),
        ("||", ""),
    ] {
        let type_ = format!("{}u8{}", open.repeat(deep), close.repeat(deep));
        timed(open, &in_code(&format!("vec_len <{type_}>")));
    }
    timed(
        "S<",
        &in_code(&format!("vec_len <{}u8>", "S<".repeat(deep))),
    );
    timed("[", &in_code(&format!("ld_const<u8> {}", "[".repeat(deep))));
    let n = 300_000;
    let lines = |line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    timed("labels", &in_code(&lines(&|i| format!("l{i}: nop\n"))));
    timed(
        "branches",
        &in_code(&lines(&|i| format!("l{i}: branch l{}\n", n - 1 - i))),
    );
    timed(
        "bad lines",
        &format!("module 0x1::m\n{}", lines(&|_| "?\n".into())),
    );
    timed(
        "uses",
        &format!("module 0x1::m\n{}", lines(&|i| format!("use {i}::a\n"))),
    );
    timed("one line", &format!("module 0x1::m{}", " a".repeat(n)));
    timed("long name", &in_code(&"a".repeat(1_000_000)));
    timed(
        "long number",
        &in_code(&format!("ld_u8 {}", "9".repeat(1_000_000))),
    );
    timed(
        "zeros",
        &in_code(&format!("ld_u8 {}1", "0".repeat(1_000_000))),
    );
    timed(
        "digits",
        &in_code(&format!("ld_u8 1{}", "é".repeat(500_000))),
    );
    let structs = lines(&|i| format!("struct S{i}\n  a: u8\n"));
    timed("structs", &format!("module 0x1::m\n{structs}"));
    let fields = lines(&|i| format!("  f{i}: u8\n"));
    let borrows = lines(&|i| format!("    borrow_field S, f{i}\n"));
    timed(
        "fields",
        &format!("module 0x1::m\nstruct S\n{fields}fun f()\n{borrows}"),
    );
    let parameters = lines(&|i| format!("x{i}: u8,"));
    timed(
        "parameters",
        &format!("module 0x1::m\nfun f({parameters} y: u8)\n    ret\n"),
    );
    let elements = lines(&|_| "1,".into());
    timed(
        "elements",
        &in_code(&format!("ld_const<vector<u8>> [{elements}1]")),
    );
    let calls = lines(&|i| format!("    call f{}\n", i % 60_000));
    let functions: String = (0..60_000).map(|i| format!("fun f{i}()\n")).collect();
    timed(
        "functions",
        &format!("module 0x1::m\n{functions}fun g()\n{calls}"),
    );
}
