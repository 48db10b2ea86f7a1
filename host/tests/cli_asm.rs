//! `monomove asm` and `monomove disasm --masm`, seen from outside.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use std::fs;
use std::path::Path;

use cli_support::{golden, monomove, scratch};

/// The library that golden modules use.
fn library() -> String {
    format!("{}/../tests/stdlib/bytecode/v8", env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Disassembles with `flags`, assembles the listing, and gives both binaries.
fn round_trip(name: &str, module: &str, flags: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let directory = scratch(name);
    let (listing, output) = (directory.join("listing.masm"), directory.join("out.mv"));
    let mut args = vec!["disasm", "--masm", module];
    args.extend(flags);
    let run = monomove(&args);
    assert_eq!(run.code, 0, "{}", run.err);
    fs::write(&listing, &run.out).unwrap();
    let run = monomove(&[
        "asm",
        text(&listing),
        "-o",
        text(&output),
        "--deps",
        &library(),
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.is_empty() && run.err.is_empty());
    // Nothing else is left in the directory.
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
    (fs::read(module).unwrap(), fs::read(&output).unwrap())
}

#[test]
fn an_exact_listing_gives_the_same_bytes() {
    for version in ["v6", "v7", "v8"] {
        let module = golden(&format!("bytecode/{version}/aborts.mv"));
        let (before, after) = round_trip(&format!("exact-{version}"), &module, &["--exact"]);
        assert!(before == after, "{version}");
    }
}

#[test]
fn a_listing_gives_a_module_that_lists_and_behaves_alike() {
    let module = golden("bytecode/v8/enums.mv");
    let (_, after) = round_trip("listing", &module, &[]);
    let directory = scratch("listing-again");
    let again = directory.join("enums.mv");
    fs::write(&again, after).unwrap();
    let list = |file: &str| monomove(&["disasm", "--masm", file]).out;
    assert_eq!(list(text(&again)), list(&module));
    let call = |file: &str| {
        monomove(&[
            "run",
            file,
            "--function",
            "0xcafe::enums::all",
            "--args",
            "u8:3",
            "--json",
        ])
        .json()
    };
    let (ours, theirs) = (call(text(&again)), call(&module));
    for field in ["values", "instructions"] {
        assert!(ours[field] != serde_json::Value::Null, "{field}");
        assert_eq!(ours[field], theirs[field]);
    }
}

#[test]
fn hand_written_text_runs() {
    let directory = scratch("hand-written");
    let (source, output) = (directory.join("m.masm"), directory.join("m.mv"));
    fs::write(
        &source,
        "module 0xcafe::m\npublic fun less(a: i8, b: i8): bool\n  move_loc a\n  move_loc b\n  lt\n  ret\n",
    )
    .unwrap();
    // Signed integers came with version 9, which is the default.
    let run = monomove(&["asm", text(&source), "-o", text(&output)]);
    assert_eq!(run.code, 0, "{}", run.err);
    let run = monomove(&[
        "run",
        text(&output),
        "--function",
        "0xcafe::m::less",
        "--args",
        "i8:-1",
        "i8:1",
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("bool = true"), "{}", run.out);
    let run = monomove(&["asm", text(&source), "-o", text(&output), "--bytecode", "8"]);
    assert_eq!(run.code, 1);
}

#[test]
fn errors_have_line_column_and_caret() {
    let directory = scratch("asm-errors");
    let (source, output) = (directory.join("bad.masm"), directory.join("bad.mv"));
    let refuse = |text_: &str| {
        fs::write(&source, text_).unwrap();
        let run = monomove(&["asm", text(&source), "-o", text(&output)]);
        assert_eq!(run.code, 1, "{}", run.err);
        assert!(run.out.is_empty() && !output.exists());
        run.err
    };
    let head = "module 0xcafe::m\npublic fun f(a: u64): u64\n";
    let error = refuse(&format!("{head}  move_loc a\n  jump a\n  ret\n"));
    let place = format!("{}:4:3: ", text(&source));
    assert!(error.starts_with(&format!("error: {place}")), "{error}");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[1], " 4 |   jump a");
    assert_eq!(lines[2], "   |   ^^^^");
    // Every error is listed, each with its place.
    let error = refuse(&format!(
        "{head}  move_loc b\n  br_true nowhere\n  move_loc a\n  ret\n"
    ));
    for place in ["bad.masm:3:", "bad.masm:4:"] {
        assert!(error.contains(place), "{error}");
    }
    assert_eq!(error.matches('^').count(), "b".len() + "nowhere".len());
    assert!(refuse("").contains("bad.masm:1:1: "), "an empty text");
}

#[test]
fn files_that_cannot_be_read_or_written_are_named() {
    let run = monomove(&["asm", "/no/such.masm", "-o", "/tmp/never.mv"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("/no/such.masm"), "{}", run.err);
    let directory = scratch("asm-unwritable");
    let source = directory.join("m.masm");
    fs::write(&source, "module 0xcafe::m\npublic fun f()\n  ret\n").unwrap();
    let run = monomove(&["asm", text(&source), "-o", "/no/such/directory/m.mv"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("/no/such/directory/m.mv"), "{}", run.err);
    let run = monomove(&["disasm", "--exact", &golden("bytecode/v8/arith.mv")]);
    assert_eq!(run.code, 1, "--exact is for --masm");
}
