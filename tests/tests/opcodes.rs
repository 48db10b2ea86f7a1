//! The corpus of opcodes: its bytecode is what its sources assemble to.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use std::fs;
use std::path::Path;

use monomove_asm::{Options, assemble};

#[test]
fn bytecode_is_what_the_sources_assemble_to() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("opcodes");
    let mut compared = 0;
    for version in 5..=10u32 {
        let directory = corpus.join(format!("bytecode/v{version}"));
        if !directory.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let source = fs::read_to_string(corpus.join(format!("sources/{name}.masm"))).unwrap();
            let options = Options {
                version,
                dependencies: &[],
            };
            let unit = assemble(&source, &options).unwrap();
            assert!(
                unit.serialize().unwrap() == fs::read(&path).unwrap(),
                "{} differs from its source: run generate.py --assemble",
                path.display()
            );
            compared += 1;
        }
    }
    assert!(compared > 150, "only {compared} modules");
}
