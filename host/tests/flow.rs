//! The flow of transactions: every scenario of `tests/flow`, natively and in wasm, to equal outcomes and states.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod scenario;

use scenario::{Scenario, dir, engines};

#[test]
fn scenarios() {
    let mut paths: Vec<_> = std::fs::read_dir(dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let engines = engines();
    for path in paths {
        let scenario = Scenario::read(&path);
        println!(
            "{}: {}",
            path.file_name().unwrap().display(),
            scenario.about
        );
        let [native, wasm] = engines.each_ref().map(|(name, engine)| {
            println!("  {name}");
            scenario.run(engine)
        });
        assert_eq!(native.0, wasm.0, "{}", path.display());
        assert!(native.1.iter().eq(wasm.1.iter()), "{}", path.display());
    }
}
