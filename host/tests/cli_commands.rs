//! The command line from outside: help, exit codes, bad files, JSON.

#![allow(clippy::unwrap_used, reason = "tests")]

mod cli_support;

use cli_support::{Run, golden, monomove, scratch};

#[test]
fn help_has_examples_and_exit_codes() {
    let run = monomove(&["--help"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("Examples:") && run.out.contains("Exit codes:"));
    for command in [
        "run",
        "trace",
        "profile",
        "block",
        "disasm",
        "lower",
        "layout",
        "verify",
        "conformance",
        "bench",
        "completions",
    ] {
        let run = monomove(&[command, "--help"]);
        assert_eq!(run.code, 0, "{command}");
        assert!(run.out.contains("Example"), "{command}: {}", run.out);
    }
}

#[test]
fn wrong_usage_is_code_1_on_standard_error() {
    for args in [
        &["nonsense"][..],
        &["run"],
        &["run", "x.mv", "--function", "f"],
        &["run", "--function", "0x1::m::f", "--args", "u8:256"],
        &["run", "--function", "0x1::m::f", "--heap", "1parsec"],
        &["run", "--function", "0x1::m::f", "--memory", "1"],
        &["verify"],
        &["disasm", "/no/such/file"],
        &["lower"],
        &["lower", "/no/such/file", "f"],
        &["lower", "no_such_function"],
        &["layout"],
        &["layout", "NoSuchType"],
        &["block", "/no/such/file"],
        &["conformance", "/no/such/directory"],
        &["bench", "--filter", "no such kernel"],
    ] {
        let run = monomove(args);
        assert_eq!(run.code, 1, "{args:?}: {}{}", run.out, run.err);
        assert!(run.out.is_empty() && !run.err.is_empty(), "{args:?}");
    }
}

fn add_u8(arguments: &[&str], flags: &[&str]) -> Run {
    let file = golden("bytecode/v8/arith.mv");
    let mut args = vec![
        "run",
        &file,
        "--function",
        "0xcafe::arith::add_u8",
        "--args",
    ];
    args.extend(arguments);
    args.extend(flags);
    monomove(&args)
}

#[test]
fn run_prints_values_gas_and_limits() {
    let run = add_u8(&["u8:23", "u8:44"], &["--heap", "8MiB"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("u8 = 67  bcs:0x43"), "{}", run.out);
    assert!(
        run.out.contains("instructions 4") && run.out.contains("heap 8 MiB"),
        "{}",
        run.out
    );
    assert!(!run.out.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn run_as_json() {
    for flags in [&["--json"][..], &["--json", "--native"]] {
        let json = add_u8(&["u8:23", "u8:44"], flags).json();
        assert_eq!(json["schema"], "monomove.run/1");
        assert_eq!(json["status"], "kept");
        assert_eq!(json["values"][0]["bcs"], "0x43");
        assert_eq!(json["values"][0]["text"], "67");
        assert_eq!(json["instructions"], 4);
        assert!(json["limits"]["gas_per_transaction"].is_u64());
    }
}

#[test]
fn a_gas_schedule_from_a_file() {
    let directory = scratch("gas_schedule");
    let cost = |flags: &[&str]| {
        let flags = [&["--json"], flags].concat();
        add_u8(&["u8:23", "u8:44"], &flags).json()["gas_used"]
            .as_u64()
            .unwrap()
    };
    let file = directory.join("gas.json");
    let path = file.to_str().unwrap();
    std::fs::write(&file, r#"{"instr.add": 1005880}"#).unwrap();
    assert_eq!(cost(&["--gas-schedule", path]), cost(&[]) + 1_000_000);
    for bad in ["{", r#"{"instr.ad": 1}"#, r#"{"instr.add": -1}"#] {
        std::fs::write(&file, bad).unwrap();
        let run = add_u8(&["u8:1", "u8:1"], &["--gas-schedule", path]);
        assert_eq!(run.code, 1, "{bad}: {}", run.out);
        assert!(run.err.contains("gas.json: "), "{bad}: {}", run.err);
    }
}

#[test]
fn failures_have_their_codes() {
    let run = add_u8(&["u8:255", "u8:1"], &[]);
    assert_eq!(run.code, 3);
    assert!(
        run.out.contains("ARITHMETIC_ERROR (4017) in 0xcafe::arith"),
        "{}",
        run.out
    );
    let run = add_u8(&["u8:1", "u8:1"], &["--gas-limit", "1"]);
    assert_eq!(run.code, 4);
    assert!(run.out.contains("OUT_OF_GAS"), "{}", run.out);
    let json = add_u8(&["u8:255", "u8:1"], &["--json"]).json_of_code(3);
    assert_eq!(json["failure"]["status"], "ARITHMETIC_ERROR");
    assert_eq!(json["failure"]["code"], 4017);
    let run = add_u8(&["u8:1"], &[]);
    assert_eq!(run.code, 3, "{}", run.out);
}

#[test]
fn sandbox_faults_are_code_5_and_the_process_lives() {
    for fault in ["panic", "loop", "memory", "recursion", "trap"] {
        let run = monomove(&["run", "--inject-fault", fault, "--timeout", "200", "--json"]);
        let json = run.json_of_code(5);
        assert_eq!(json["status"], "sandbox_fault", "{fault}");
        assert!(json["fault"]["kind"].is_string(), "{fault}");
        assert_eq!(json["limits"]["watchdog_ms"], 200);
    }
}

#[test]
fn bad_binaries_are_named_with_their_place() {
    let directory = scratch("bad-binaries");
    let good = std::fs::read(golden("bytecode/v8/arith.mv")).unwrap();
    let cut = directory.join("cut.mv");
    std::fs::write(&cut, &good[..good.len() / 2]).unwrap();
    let empty = directory.join("empty.mv");
    std::fs::write(&empty, b"").unwrap();
    for file in [&cut, &empty] {
        let name = file.to_str().unwrap();
        for args in [
            &["disasm", name][..],
            &["run", name, "--function", "0x1::m::f"],
        ] {
            let run = monomove(args);
            assert_eq!(run.code, 1, "{args:?}");
            assert!(
                run.err.contains(name) && run.err.contains("byte "),
                "{args:?}: {}",
                run.err
            );
        }
    }
    let run = monomove(&["verify", directory.to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert!(
        run.out.lines().last() == Some("0 ok, 2 refused"),
        "{}",
        run.out
    );
}

/// Assembles a text into a directory.
fn assemble(directory: &std::path::Path, name: &str, source: &str) -> String {
    let text = directory.join(format!("{name}.masm"));
    std::fs::write(&text, source).unwrap();
    let binary = directory.join(format!("{name}.mv"));
    let binary = binary.to_str().unwrap();
    let run = monomove(&["asm", text.to_str().unwrap(), "-o", binary]);
    assert_eq!(run.code, 0, "{}", run.err);
    binary.to_owned()
}

#[test]
fn verify_refuses_and_links() {
    let directory = scratch("verify_links");
    let user = "extern fun 0x42::a::f(u8)\nfun g()\n    ld_u8 1\n    call 0x42::a::f\n    ret\n";
    let user = assemble(&directory, "b", &format!("module 0x42::b\n{user}"));
    let other = "module 0x42::a\npublic fun f(x: u16)\n    ret\n";
    let other = assemble(&directory, "a", other);
    let unsafe_code = "module 0x42::c\nfun f()\n    nop\n    add\n    pop\n    ret\n";
    let unsafe_code = assemble(&directory, "c", unsafe_code);
    let script = "script\nextern fun 0x42::a::f(u8)\nfun main()\n    ret\n";
    let script = assemble(&directory, "s", script);

    let run = monomove(&["verify", &user, &other, &script]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.ends_with("3 ok, 0 refused\n"), "{}", run.out);

    let run = monomove(&["verify", &unsafe_code]);
    assert_eq!(run.code, 2);
    let line = format!(
        "{unsafe_code}: NEGATIVE_STACK_SIZE_WITHIN_BLOCK (1009) in module 0x42::c in function 0 at instruction 0"
    );
    assert!(run.out.starts_with(&line), "{}", run.out);

    let run = monomove(&["verify", "--deps", &other, &user, &script]);
    assert_eq!(run.code, 2);
    let line = format!("{user}: TYPE_MISMATCH (1020) in module 0x42::b: ");
    assert!(run.out.starts_with(&line), "{}", run.out);
    assert!(
        run.out.contains(": TYPE_MISMATCH (1020) in script: "),
        "{}",
        run.out
    );
    assert!(run.out.ends_with("0 ok, 2 refused\n"), "{}", run.out);

    let run = monomove(&["verify", "--deps", &user, &user]);
    assert!(
        run.out
            .contains(": MISSING_DEPENDENCY (1021) in module 0x42::b: "),
        "{}",
        run.out
    );

    let state = directory.join("state");
    let run = monomove(&["verify", "--state", state.to_str().unwrap(), &user]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
}

#[test]
fn verify_compares_with_verdicts() {
    let directory = scratch("verify_verdicts");
    let module = assemble(&directory, "a", "module 0x42::a\nfun f()\n    ret\n");
    let bytes = std::fs::read(module).unwrap();
    // Version 9 is beyond what the verdicts were recorded under.
    let line = |verdict: &str| {
        format!(
            "{{\"id\":\"x\",\"about\":\"y\",\"bytes\":\"{}\",\"verdict\":{verdict}}}\n",
            base64_of(&bytes)
        )
    };
    let file = directory.join("verdicts.jsonl");
    let good = "{\"ok\":false,\"code\":3003}";
    std::fs::write(&file, line(good) + &line("{\"ok\":true}")).unwrap();
    let run = monomove(&["verify", "--verdicts", file.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    assert_eq!(
        run.out,
        "x (y): recorded ok, got UNKNOWN_VERSION (3003)\n1 agree, 1 differ\n"
    );
    std::fs::write(&file, line(good)).unwrap();
    let run = monomove(&["verify", "--verdicts", file.to_str().unwrap(), "--json"]);
    assert_eq!(run.json()["agree"], 1);
    std::fs::write(&file, "{}\n").unwrap();
    let run = monomove(&["verify", "--verdicts", file.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("verdicts.jsonl:1: "), "{}", run.err);
}

/// Base64, for bytes whose number three divides or not.
fn base64_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        for digit in 0..4 {
            let value = (word >> (18 - 6 * digit)) & 63;
            text.push(match digit <= chunk.len() {
                true => char::from(DIGITS[value as usize]),
                false => '=',
            });
        }
    }
    text
}

#[test]
fn verify_reads_and_writes_back() {
    let run = monomove(&["verify", "--roundtrip", &golden("bytecode")]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.lines().last().unwrap().ends_with(" ok, 0 refused"));
    assert!(run.out.contains("arith.mv: ok"));
    let json = monomove(&["verify", "--json", &golden("bytecode/v6/arith.mv")]).json();
    assert_eq!(json["schema"], "monomove.verify/1");
    assert_eq!(json["files"][0]["ok"], true);
}

#[test]
fn disassembly() {
    let run = monomove(&["disasm", &golden("bytecode/v8/arith.mv")]);
    assert_eq!(run.code, 0);
    assert!(
        run.out.contains("0xcafe::arith") && run.out.contains("add_u8"),
        "{}",
        run.out
    );
    let json = monomove(&["disasm", "--json", &golden("bytecode/v8/arith.mv")]).json();
    assert_eq!(json["schema"], "monomove.disasm/1");
    assert_eq!(json["kind"], "module");
}

#[test]
fn lowered_functions() {
    let file = golden("bytecode/v8/generics.mv");
    for name in ["rep", "generics::rep", "0xcafe::generics::rep"] {
        let run = monomove(&["lower", &file, name, "--stage", "stackless"]);
        assert_eq!(run.code, 0, "{name}: {}", run.err);
        assert!(run.out.contains("fun 0xcafe::generics::rep<T0>"), "{name}");
    }
    let run = monomove(&["lower", &file, "rep", "--type-args", "vector<u8>"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.contains("0xcafe::generics::rep<vector<u8>>"),
        "{}",
        run.out
    );
    let run = monomove(&["lower", "0x1::vector::reverse", "--type-args", "u8"]);
    assert_eq!(run.code, 0, "{}", run.err);
    // Without type arguments there is nothing to lower; without the library nothing to call.
    assert_eq!(monomove(&["lower", &file, "rep"]).code, 3);
    assert_eq!(
        monomove(&["lower", "0x1::vector::reverse", "--no-std"]).code,
        3
    );
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = monomove(&["completions", shell]);
        assert_eq!(run.code, 0);
        assert!(run.out.contains("monomove"), "{shell}");
    }
}

#[test]
fn conformance_counts_and_names_failures() {
    let run = monomove(&["conformance", &golden(""), "--area", "arith,casts", "--gas"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(run.out.lines().last(), Some("465 passed, 0 failed"));
    let json = monomove(&[
        "conformance",
        &golden(""),
        "--area",
        "arith",
        "--bytecode",
        "7",
        "--json",
    ])
    .json();
    assert_eq!(json["schema"], "monomove.conformance/1");
    assert_eq!(json["passed"], 114);
    let run = monomove(&["conformance", &golden(""), "--area", "misspelt"]);
    assert_eq!(run.code, 1);

    let directory = scratch("conformance");
    std::fs::create_dir_all(directory.join("bytecode/v8")).unwrap();
    std::fs::copy(
        golden("bytecode/v8/arith.mv"),
        directory.join("bytecode/v8/arith.mv"),
    )
    .unwrap();
    let line = r#"{"id":"x-1","area":"x","min_version":8,"function":"0xcafe::arith::add_u8","type_args":[],"args":["u8:1","u8:1"],"signers":[],"expect":{"returns":[{"type":"u8","bcs":"03"}]}}"#;
    std::fs::write(directory.join("cases.jsonl"), line).unwrap();
    let run = monomove(&["conformance", directory.to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.out,
        "x-1 v8: expected returns (u8 03), got returns (u8 02)\n0 passed, 1 failed\n"
    );
    std::fs::write(directory.join("cases.jsonl"), "\n{\"id\":1}").unwrap();
    let run = monomove(&["conformance", directory.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cases.jsonl:2: "), "{}", run.err);
}
