//! A process that commits blocks is killed at random points, again and again: the store always reopens with exactly the last block that
//! was committed. `MONOMOVE_CRASHES` says how often (20 times by default).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test code: a panic is the report"
)]

mod cli_support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cli_support::scratch;
use monomove::{BlockInfo, DiskState, StateKey, WriteOp};

/// Where the child finds its store.
const DIRECTORY: &str = "MONOMOVE_CRASH_DIRECTORY";

/// Keys that the blocks write.
const KEYS: u64 = 400;

/// A number that looks random.
fn scrambled(n: u64) -> u64 {
    let n = (n ^ n >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (n ^ n >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ n >> 32
}

type Model = BTreeMap<StateKey, Vec<u8>>;

/// The writes of block `version`, which follow from it and from what is there.
fn writes(model: &Model, version: u64) -> Vec<(StateKey, WriteOp)> {
    let mut writes = BTreeMap::new();
    for n in 0..scrambled(version) % 60 {
        let random = scrambled(version << 8 | n);
        let key = StateKey::Raw((random % KEYS).to_be_bytes().to_vec());
        let value = vec![version as u8; (random >> 20) as usize % 2000];
        let op = match (model.contains_key(&key), random >> 60) {
            (true, 0..4) => WriteOp::Delete,
            (true, _) => WriteOp::Modify(value),
            (false, _) => WriteOp::Create(value),
        };
        writes.insert(key, op);
    }
    writes.into_iter().collect()
}

fn apply(model: &mut Model, writes: &[(StateKey, WriteOp)]) {
    for (key, op) in writes {
        match op {
            WriteOp::Create(value) | WriteOp::Modify(value) => {
                model.insert(key.clone(), value.clone());
            }
            WriteOp::Delete => {
                model.remove(key);
            }
        }
    }
}

fn contents(state: &DiskState) -> Model {
    let view = state.view().unwrap();
    let values = view.scan(&[]).unwrap().map(Result::unwrap);
    values.map(|(key, value)| (key, value.to_vec())).collect()
}

/// The child: commits blocks until it is killed, and says which it has committed.
#[test]
#[ignore = "the child of the other test"]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let mut state = DiskState::create(Path::new(&directory)).unwrap();
    let mut model = contents(&state);
    loop {
        let version = state.latest().map_or(0, |latest| latest.version + 1);
        let writes = writes(&model, version);
        let block = BlockInfo::after(state.latest().as_ref(), &writes).unwrap();
        state.commit_block(block, &writes).unwrap();
        println!("committed {version}");
        std::io::stdout().flush().unwrap();
        apply(&mut model, &writes);
        if version % 16 == 15 {
            state.prune(version - 8).unwrap();
        }
    }
}

#[test]
fn a_killed_process_leaves_the_last_block() {
    let crashes = std::env::var("MONOMOVE_CRASHES").map_or(20, |n| n.parse().unwrap());
    let directory = scratch("state-crash");
    let mut model = Model::new();
    let mut hash = None;
    let mut next = 0u64;
    for crash in 0..crashes {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(DIRECTORY, &directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let said = out.lines().map_while(Result::ok);
            let version = |line: String| line.rsplit_once("committed ")?.1.parse::<u64>().ok();
            said.filter_map(version).last()
        });
        std::thread::sleep(Duration::from_micros(3_000 + scrambled(crash) % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = reader.join().unwrap();
        let mut state = match DiskState::open(&directory) {
            Ok(state) => state,
            // Killed before there was a store.
            Err(monomove::OpenError::Absent { .. }) => continue,
            Err(error) => unreachable!("crash {crash}: {error}"),
        };
        let latest = state.latest();
        let version = latest.map(|latest| latest.version);
        // All that it reported is there, and at most one block that it had no time to report.
        assert!(version >= said, "crash {crash}: {version:?} after {said:?}");
        if let (Some(version), Some(said)) = (version, said) {
            assert!(version <= said + 1, "crash {crash}: {version} after {said}");
        }
        while version.is_some_and(|version| next <= version) {
            let writes = writes(&model, next);
            let block = BlockInfo::after(hash.as_ref(), &writes).unwrap();
            apply(&mut model, &writes);
            hash = Some(block);
            next += 1;
        }
        assert_eq!(latest, hash, "crash {crash}");
        assert!(
            contents(&state) == model,
            "crash {crash}: the values differ"
        );
        if crash % 10 == 0 {
            state.verify().unwrap();
        }
    }
    assert!(next > 0 || crashes == 0, "no block was ever committed");
}
