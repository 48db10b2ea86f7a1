//! Mutated real binaries: the reader never panics, refuses with a status, and what it accepts can be written and
//! printed.

mod common;

use monomove_format::{
    CompiledModule, CompiledScript, DeserializerConfig, VERSION_MAX, disassemble,
    disassemble_script,
};
use std::collections::BTreeMap;

/// A small deterministic generator (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    if random.below(3) == 0 {
        return mutate_anywhere(random, bytes, other);
    }
    // Most mutants keep their length and their header, so that they get beyond it.
    let header = bytes.len().min(70);
    for _ in 0..=random.below(6) {
        let at = header + random.below(bytes.len() - header);
        let from = random.below(other.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = match random.below(4) {
                0 => random.next() as u8,
                1 => byte.wrapping_add(1),
                2 => other[from],
                _ => *byte ^ (1 << random.below(8)),
            };
        }
    }
}

fn mutate_anywhere(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.next() as u8),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            3 => {
                let from = random.below(other.len());
                let length = random.below((other.len() - from).min(64));
                let to = (at + random.below(length)).min(bytes.len());
                bytes.splice(at..to, other[from..from + length].iter().copied());
            }
            _ if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
}

#[test]
fn mutated_binaries() {
    let rounds = match std::env::var("MONOMOVE_MUTATIONS") {
        Ok(rounds) => rounds.parse().unwrap(),
        Err(_) if cfg!(debug_assertions) => 5_000,
        Err(_) => 100_000,
    };
    let corpus: Vec<Vec<u8>> = common::binaries()
        .into_iter()
        .chain(common::genesis_modules())
        .map(|(_, bytes)| bytes)
        .filter(|bytes| bytes.len() < 20_000)
        .collect();
    assert!(corpus.len() > 100);
    let config = DeserializerConfig::new(VERSION_MAX, 255);
    let mut random = Random(1);
    let mut outcomes = BTreeMap::<String, usize>::new();
    for round in 0..rounds {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        let other = &corpus[random.below(corpus.len())];
        mutate(&mut random, &mut bytes, other);
        let outcome = match CompiledModule::deserialize_with(&bytes, &config) {
            Ok(module) => {
                if module.version >= 5 {
                    let written = module.serialize().unwrap();
                    assert_eq!(
                        CompiledModule::deserialize_with(&written, &config).as_ref(),
                        Ok(&module)
                    );
                }
                if round % 16 == 0 {
                    assert!(disassemble(&module).starts_with("module "));
                }
                "ok".to_owned()
            }
            Err(error) => error.status.to_string(),
        };
        *outcomes.entry(outcome).or_default() += 1;
        if round % 8 == 0
            && let Ok(script) = CompiledScript::deserialize_with(&bytes, &config)
        {
            assert!(disassemble_script(&script).starts_with("script "));
        }
    }
    println!("{outcomes:#?}");
    assert!(outcomes.len() > 10);
}
