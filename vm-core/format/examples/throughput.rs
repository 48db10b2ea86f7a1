//! Reads and writes the modules of genesis blobs again and again and prints how fast that goes.
//!
//! `cargo run --release -p monomove-format --example throughput -- genesis.blob…`

use monomove_format::CompiledModule;
use monomove_types::{GenesisBlob, Path, StateKey};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for name in std::env::args().skip(1) {
        let blob = std::fs::read(&name)?;
        let start = Instant::now();
        let parsed = GenesisBlob::parse(&blob)?;
        println!(
            "{name}: blob of {} bytes in {:?}",
            blob.len(),
            start.elapsed()
        );
        let modules: Vec<Vec<u8>> = parsed
            .writes
            .into_iter()
            .filter(|(key, _)| {
                matches!(
                    key,
                    StateKey::AccessPath {
                        path: Path::Code(_),
                        ..
                    }
                )
            })
            .map(|(_, value)| value)
            .collect();
        let bytes: usize = modules.iter().map(Vec::len).sum();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for module in &modules {
                black_box(CompiledModule::deserialize(black_box(module))?);
            }
        }
        report("read", modules.len(), bytes, start.elapsed() / ROUNDS);
        let read: Vec<_> = modules
            .iter()
            .map(|module| CompiledModule::deserialize(module))
            .collect::<Result<_, _>>()?;
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for module in &read {
                black_box(module.serialize()?);
            }
        }
        report("write", modules.len(), bytes, start.elapsed() / ROUNDS);
    }
    Ok(())
}

fn report(what: &str, modules: usize, bytes: usize, time: std::time::Duration) {
    let rate = bytes as u128 * 1000 / time.as_nanos().max(1);
    println!("  {what}: {modules} modules, {bytes} bytes in {time:?} ({rate} MB/s)");
}
