//! The bodies of the fuzz targets on random input: bytes, and changed copies of what they read. `MONOMOVE_FUZZ` is the number of inputs for each.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

#[path = "../fuzz/host.rs"]
mod host;

use monomove_tests::fuzz;
use monomove_tests::mutants::{Originals, Random};

fn inputs() -> u64 {
    std::env::var("MONOMOVE_FUZZ").map_or(2_000, |text| text.parse().unwrap())
}

/// Runs a body on arbitrary bytes, and on copies of `seeds` with some bytes changed, cut off, or put together.
fn feed(seeds: &[Vec<u8>], body: impl Fn(&[u8])) {
    let mut random = Random(7);
    for _ in 0..inputs() {
        let mut bytes = match random.below(8) {
            0 => {
                let len = random.below(200);
                (0..len).map(|_| random.below(256) as u8).collect()
            }
            _ => random.one_of(seeds).cloned().unwrap_or_default(),
        };
        for _ in 0..random.below(6) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at.min(bytes.len()), random.below(256) as u8),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
        }
        body(&bytes);
    }
}

fn texts(lines: &[&str]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.as_bytes().to_vec()).collect()
}

#[test]
fn binaries() {
    let originals = Originals::load().unwrap();
    feed(&originals.binaries, fuzz::module);
    let script = monomove_asm::assemble(
        "script\nextern fun 0x1::m::f<T>(u64): T\nfun main<T: drop>(s: &signer, x: u64)\n    move_loc x\n    call 0x1::m::f<T>\n    pop\n    ret\n",
        &monomove_asm::Options {
            version: 8,
            dependencies: &[],
        },
    );
    feed(&[script.unwrap().serialize().unwrap()], fuzz::script);
}

#[test]
fn assembler_text() {
    let originals = Originals::load().unwrap();
    let mut modules: Vec<_> = originals.modules.iter().collect();
    modules.sort_by_key(|module| module.function_defs.len());
    let sources = modules.iter().take(60);
    let sources: Vec<_> = sources
        .map(|module| monomove_asm::disassemble_masm(module).into_bytes())
        .collect();
    feed(&sources, fuzz::assembler);
}

#[test]
fn text_and_values() {
    feed(
        &texts(&[
            "u64:7",
            "vector<u8>=x\"00ff\"",
            "vector<vector<u64>>=[[1,2],[]]",
            "string:a\\n",
            "address:0x1",
            "0x1::m::S<u8>={x:1}",
        ]),
        fuzz::argument,
    );
    let tag = "0x1::m::S<vector<u8>, 0x2::n::T<bool>>".parse::<monomove_types::TypeTag>();
    let mut values = vec![tag.unwrap().to_bcs().unwrap()];
    values.push([&[10][..], b"vector<u8>", &[3, 1, 2, 3]].concat());
    feed(&values, fuzz::value);
    feed(
        &[
            b"\x01\0\0\0\0\0\0\0\x01\x01a\x05\0\0\0\0\0\0\0".to_vec(),
            b"\x01\0\0\0\0".to_vec(),
        ],
        fuzz::chain_data,
    );
}

/// A signed transaction from the test vectors of the platform.
const SIGNED: &str = "000000000000000000000000000000000000000000000000000000000a550c18000000000000000002\
    00000000000000000000000000000000000000000000000000000000000012220a6170746f735f636f696e\
    087472616e7366657200022000000000000000000000000000000000000000000000000000000000000000\
    dd080100000000000000d0070000000000000000000000000000ffffffffffffffff04\
    0020b9c6ee1630ef3e711144a648db06bbb2284f7274cfbee53ffcee503cc1a49200\
    409c570996380897f38b8d7008d726fb45d6ded0689216e56b73f523492cba92deb6671c27e9a44d2a6fdfdb497420d00c\
    621297a23d6d0298895e0d58cff6060c";

#[test]
fn transactions() {
    let bytes = hex::decode(SIGNED).unwrap();
    let read = monomove::SignedTransaction::decode(&bytes).unwrap();
    feed(&[bytes], host::transaction);
    feed(
        &[serde_json::to_vec(&read).unwrap()],
        host::transaction_json,
    );
}

#[test]
fn tiers_agree() {
    let tiers = fuzz::Tiers::load().unwrap();
    let called = (0..inputs() / 4)
        .filter(|n| tiers.run(&n.to_le_bytes()))
        .count();
    assert!(called > 0);
}
