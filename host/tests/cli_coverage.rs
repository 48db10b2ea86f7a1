//! `monomove conformance --coverage`, seen from outside.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use cli_support::{golden, monomove};

fn opcodes() -> String {
    format!("{}/../tests/opcodes", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn coverage_is_a_table_and_can_be_required() {
    let (golden, opcodes) = (golden(""), opcodes());
    let base = ["conformance", &golden, &opcodes, "--native"];
    let arith = [&base[..], &["--area", "arith"]].concat();
    let run = monomove(&[&arith[..], &["--coverage"]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    let row = run.out.lines().find(|line| line.starts_with("negate"));
    assert!(row.unwrap().contains("MISSING"), "{}", run.out);
    assert!(run.out.contains("not executed: negate, 32"));
    assert!(run.out.trim_end().ends_with(" passed, 0 failed"));
    assert_eq!(
        monomove(&[&arith[..], &["--require-coverage"]].concat()).code,
        2
    );
    let run = monomove(&[&base[..], &["--require-coverage"]].concat());
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(!run.out.contains("MISSING") && !run.out.contains("not executed"));
}

#[test]
fn coverage_as_json_is_the_same_in_the_sandbox() {
    let golden = golden("");
    let args = [
        "conformance",
        &golden,
        "--area",
        "casts",
        "--bytecode",
        "8",
        "--coverage",
        "--meter",
        "--json",
    ];
    let sandbox = monomove(&args).json();
    let native = monomove(&[&args[..], &["--native"]].concat()).json();
    assert_eq!(sandbox["coverage"], native["coverage"]);
    let rows = sandbox["coverage"]["rows"].as_array().unwrap();
    let cast = rows.iter().find(|row| row[0] == "cast_u8").unwrap();
    assert!(cast[1][5].as_u64().unwrap() > 0, "{cast}");
    assert_eq!(sandbox["failed"], 0);
    let plain = monomove(&[&args[..6], &["--json", "--native"]].concat()).json();
    assert!(plain.get("coverage").is_none());
}
