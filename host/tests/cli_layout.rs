//! `monomove layout` and `monomove run --stats` from outside.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use cli_support::{monomove, scratch};
use std::path::Path;

/// The programs of the heap tests, assembled.
fn heap_module(name: &str) -> String {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/heap/heap.masm");
    let binary = scratch(name).join("heap.mv");
    let binary = binary.to_str().unwrap().to_owned();
    let run = monomove(&["asm", text.to_str().unwrap(), "-o", &binary]);
    assert_eq!(run.code, 0, "{}", run.err);
    binary
}

#[test]
fn an_enum_is_shown_byte_by_byte() {
    let module = heap_module("layout_text");
    let run = monomove(&["layout", &module, "Shape"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let expected = "\
0x42::heap::Shape
  40 bytes, alignment 8
      0     2  tag              0x42::heap::Shape
      2    38  padding          Empty::: 0x42::heap::Shape
      2     2  padding          Line::: 0x42::heap::Shape
      4     4  pointer          Line::a: vector<u64>
      8     4  length           Line::a: vector<u64>
     12     4  capacity         Line::a: vector<u64>
     16    24  padding          Line::: 0x42::heap::Shape
      2     6  padding          Box::: 0x42::heap::Shape
      8     8  scalar           Box::pair.n: u64
     16     4  pointer          Box::pair.items: vector<u64>
     20     4  length           Box::pair.items: vector<u64>
     24     4  capacity         Box::pair.items: vector<u64>
     28     4  padding          Box::pair: 0x42::heap::Pair
     32     1  scalar           Box::n: u8
     33     7  padding          Box::: 0x42::heap::Shape

u64
  8 bytes, alignment 8, plain bytes, BCS always 8 bytes
      0     8  scalar           u64
";
    assert_eq!(run.out, expected);
}

#[test]
fn layouts_as_json_cover_every_byte_once() {
    let module = heap_module("layout_json");
    for ty in [
        "Pair",
        "heap::Node",
        "0x42::heap::Store",
        "vector<0x42::heap::Node>",
        "u256",
        "0x1::string::String",
        "|u64|(u64)",
    ] {
        let json = monomove(&["layout", &module, ty, "--json"]).json();
        assert_eq!(json["schema"], "monomove.layout/1");
        for layout in json["layouts"].as_array().unwrap() {
            let mut next = 0;
            for slot in layout["slots"].as_array().unwrap() {
                assert_eq!(slot["offset"], next, "{layout}");
                next += slot["size"].as_u64().unwrap();
            }
            assert_eq!(layout["size"], next, "{layout}");
        }
    }
    let json = monomove(&["layout", &module, "&mut heap::Pair", "--json"]).json();
    let reference = &json["layouts"][0];
    assert_eq!(reference["type"], "&mut 0x42::heap::Pair");
    assert_eq!(reference["slots"][0]["kind"], "reference_base");
    assert_eq!(reference["slots"][1]["kind"], "reference_offset");
    assert_eq!(json["layouts"][1]["type"], "0x42::heap::Pair");
}

#[test]
fn stats_tell_of_collections() {
    let module = heap_module("stats");
    let churn = |flags: &[&str]| {
        let args = [
            "run",
            &module,
            "--function",
            "0x42::heap::churn",
            "--args",
            "u64:20",
            "u64:2000",
        ];
        monomove(&[&args, flags].concat())
    };
    let json = churn(&[
        "--stats",
        "--json",
        "--heap",
        "64KiB",
        "--heap-steps",
        "8KiB",
    ])
    .json();
    let stats = &json["stats"];
    let figure = |part: &str, name: &str| stats[part][name].as_u64().unwrap();
    assert!(figure("heap", "collections") > 3, "{stats}");
    assert!(figure("heap", "copied") > figure("heap", "live"), "{stats}");
    assert!(figure("heap", "peak") <= figure("heap", "size"), "{stats}");
    assert_eq!(figure("heap", "limit"), 64 << 10);
    assert!(figure("context", "types") > 0 && figure("context", "functions") >= 3);
    let often = churn(&["--stats", "--json", "--gc-stress"]).json();
    assert!(often["stats"]["heap"]["collections"].as_u64().unwrap() > 2000);
    assert_eq!(often["values"], json["values"]);
    assert_eq!(often["gas_used"], json["gas_used"]);
    let text = churn(&["--stats"]).out;
    for part in ["interner: ", "heap: ", "collections: ", "values: "] {
        assert!(text.contains(part), "{text}");
    }
    assert!(churn(&["--json"]).json()["stats"].is_null());
}
