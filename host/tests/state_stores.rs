//! The three states agree with a map, whatever is done to them; the one on disk keeps its versions, and refuses what is not its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

mod cli_support;

use std::collections::BTreeMap;
use std::fs;

use cli_support::scratch;
use monomove::{
    AccountAddress, BlockInfo, CommitError, DiskState, DiskView, Fork, MemoryState, OpenError,
    StateCommit, StateKey, StateView, WriteOp,
};
use proptest::prelude::*;

/// A small world of keys: table items whose encodings begin alike, resources, raw bytes.
fn key(n: u8) -> StateKey {
    let address = AccountAddress::from_low_byte(n / 4);
    match n % 4 {
        0 => StateKey::Raw(vec![n / 4; usize::from(n)]),
        1 => StateKey::table_item(address, vec![0xff; usize::from(n)]),
        2 => StateKey::resource(address, "0x1::a::B<u8>".parse().unwrap()),
        _ => StateKey::module("0x1::m".parse().unwrap()),
    }
}

type Model = BTreeMap<StateKey, Vec<u8>>;

/// What a step of a random history does to one key.
#[derive(Clone, Debug)]
enum Step {
    /// The right operation for this value.
    Fits(Option<Vec<u8>>),
    /// Any operation, right or wrong.
    Any(WriteOp),
}

fn step() -> impl Strategy<Value = (u8, Step)> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    let any_op = prop_oneof![
        bytes().prop_map(WriteOp::Create),
        bytes().prop_map(WriteOp::Modify),
        Just(WriteOp::Delete),
    ];
    let step = prop_oneof![
        12 => prop::option::weighted(0.75, bytes()).prop_map(Step::Fits),
        1 => any_op.prop_map(Step::Any),
    ];
    (0u8..24, step)
}

/// The writes of a block, and what becomes of the model: `None` if the block is wrong.
fn block(model: &Model, steps: &[(u8, Step)]) -> (Vec<(StateKey, WriteOp)>, Option<Model>) {
    let mut writes: Vec<(StateKey, WriteOp)> = Vec::new();
    let mut after = Some(model.clone());
    for (n, step) in steps {
        let key = key(*n);
        let there = model.contains_key(&key);
        let op = match step {
            Step::Fits(Some(bytes)) if there => WriteOp::Modify(bytes.clone()),
            Step::Fits(Some(bytes)) => WriteOp::Create(bytes.clone()),
            Step::Fits(None) if there => WriteOp::Delete,
            Step::Fits(None) => continue,
            Step::Any(op) => op.clone(),
        };
        let twice = writes.iter().any(|(other, _)| *other == key);
        if twice && matches!(step, Step::Fits(_)) {
            continue;
        }
        if twice || there == matches!(op, WriteOp::Create(_)) {
            after = None;
        }
        if let Some(after) = &mut after {
            match &op {
                WriteOp::Create(bytes) | WriteOp::Modify(bytes) => {
                    after.insert(key.clone(), bytes.clone());
                }
                WriteOp::Delete => {
                    after.remove(&key);
                }
            }
        }
        writes.push((key, op));
    }
    (writes, after)
}

fn assert_shows(view: &dyn StateView, model: &Model) {
    for n in 0..24 {
        let key = key(n);
        let value = view.get(&key).unwrap();
        assert_eq!(
            value.as_deref(),
            model.get(&key).map(Vec::as_slice),
            "{key}"
        );
        assert_eq!(value, view.get(&key).unwrap());
    }
}

fn scanned(view: &DiskView) -> Model {
    let values = view.scan(&[]).unwrap().map(Result::unwrap);
    let all: Vec<_> = values.map(|(key, value)| (key, value.to_vec())).collect();
    let model: Model = all.iter().cloned().collect();
    assert_eq!(model.len(), all.len());
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn all_states_are_a_map(
        history in prop::collection::vec(prop::collection::vec(step(), 0..12), 1..12),
        prune_after in any::<prop::sample::Index>(),
        reopen_after in any::<prop::sample::Index>(),
        fork_after in any::<prop::sample::Index>(),
        run in any::<u64>(),
    ) {
        let dir = scratch(&format!("state-model-{run:x}"));
        let mut disk = DiskState::create(&dir).unwrap();
        let mut memory = MemoryState::new();
        let base = MemoryState::new();
        let mut fork = Fork::new(&base);
        let mut model = Model::new();
        // What each version held, and a view of it that lives on.
        let mut versions: Vec<(Model, DiskView)> = Vec::new();
        let mut oldest = 0;
        let mut late: Option<(Fork<DiskView>, Model)> = None;
        for (index, steps) in history.iter().enumerate() {
            let (writes, after) = block(&model, steps);
            let results = [memory.commit(&writes), fork.commit(&writes), disk.commit(&writes)];
            prop_assert_eq!(&results[0], &results[1]);
            prop_assert_eq!(&results[0], &results[2]);
            prop_assert_eq!(results[0].is_ok(), after.is_some());
            if let Some(after) = after {
                model = after;
                versions.push((model.clone(), disk.view().unwrap()));
            }
            if let Some((late, late_model)) = &mut late {
                let (writes, after) = block(late_model, steps);
                prop_assert_eq!(late.commit(&writes).is_ok(), after.is_some());
                *late_model = after.unwrap_or_else(|| late_model.clone());
                assert_shows(late, late_model);
            }
            assert_shows(&memory, &model);
            assert_shows(&fork, &model);
            assert_shows(&disk.view().unwrap(), &model);
            prop_assert_eq!(&scanned(&disk.view().unwrap()), &model);
            if index == fork_after.index(history.len()) {
                late = Some((Fork::new(disk.view().unwrap()), model.clone()));
            }
            if index == prune_after.index(history.len()) && !versions.is_empty() {
                oldest = versions.len() as u64 / 2;
                let report = disk.prune(oldest).unwrap();
                oldest = oldest.min(versions.len() as u64 - 1);
                prop_assert_eq!(report.oldest, oldest);
            }
            if index == reopen_after.index(history.len()) {
                // No view may be alive: redb keeps the file open for them.
                versions.iter_mut().for_each(|(_, view)| assert!(view.version() < 1000));
                let models: Vec<Model> = versions.drain(..).map(|(model, _)| model).collect();
                late = None;
                let latest = disk.latest();
                drop(disk);
                disk = DiskState::open(&dir).unwrap();
                prop_assert_eq!(disk.latest(), latest);
                prop_assert_eq!(disk.oldest(), oldest);
                versions = (0..).zip(models).map(|(version, model)| {
                    let version = u64::max(version, oldest);
                    (model, disk.view_at(version).unwrap())
                }).collect();
                let start = (oldest as usize).min(versions.len());
                for version in versions.iter_mut().take(start) {
                    version.0 = scanned(&version.1);
                }
            }
            for (model, view) in &versions {
                assert_shows(view, model);
                prop_assert_eq!(&scanned(view), model);
            }
        }
        // Every version that is left can be opened, and no other.
        for (version, (model, _)) in (0..).zip(&versions) {
            match disk.view_at(version) {
                Ok(view) => {
                    prop_assert!(version >= oldest);
                    prop_assert_eq!(&scanned(&view), model);
                }
                Err(error) => {
                    prop_assert!(version < oldest);
                    let is_version = matches!(error, OpenError::Version { .. });
                    prop_assert!(is_version);
                }
            }
        }
        prop_assert!(disk.view_at(versions.len() as u64).is_err());
        // Merged, the fork's writes make the same state of its base.
        let mut merged = MemoryState::new();
        merged.commit(&fork.into_writes()).unwrap();
        assert_shows(&merged, &model);
        prop_assert_eq!(merged, memory);
        drop(versions);
        drop(late);
        drop(disk);
        let _ = fs::remove_dir_all(&dir);
    }
}

#[test]
fn blocks_form_a_chain() {
    let mut state = DiskState::create(&scratch("state-chain")).unwrap();
    let block = |version, hash, parent| BlockInfo {
        version,
        hash: [hash; 32],
        parent: [parent; 32],
    };
    let write = |value| vec![(key(0), WriteOp::Create(vec![value]))];
    assert_eq!(state.latest(), None);
    assert_eq!(
        state.commit_block(block(1, 1, 0), &write(1)),
        Err(CommitError::Version {
            expected: 0,
            given: 1
        })
    );
    state.commit_block(block(0, 1, 0), &write(1)).unwrap();
    assert_eq!(
        state.commit_block(block(1, 2, 9), &[]),
        Err(CommitError::Parent { latest: 0 })
    );
    state.commit_block(block(1, 2, 1), &[]).unwrap();
    assert_eq!(state.latest(), Some(block(1, 2, 1)));
    assert_eq!(state.block(0).unwrap(), Some(block(0, 1, 0)));
    assert_eq!(state.block(2).unwrap(), None);
    // A block that fails leaves nothing behind.
    let wrong = [(key(4), WriteOp::Create(vec![])), (key(8), WriteOp::Delete)];
    assert_eq!(
        state.commit_block(block(2, 3, 2), &wrong),
        Err(CommitError::Missing(Box::new(key(8))))
    );
    assert_eq!(state.latest(), Some(block(1, 2, 1)));
    assert_eq!(state.view().unwrap().get(&key(4)), Ok(None));
}

#[test]
fn pruning_keeps_what_is_needed() {
    let mut state = DiskState::create(&scratch("state-prune")).unwrap();
    state
        .commit(&[
            (key(0), WriteOp::Create(vec![0])),
            (key(4), WriteOp::Create(vec![0])),
            (key(8), WriteOp::Create(vec![0])),
        ])
        .unwrap();
    for version in 1..10 {
        state
            .commit(&[(key(0), WriteOp::Modify(vec![version]))])
            .unwrap();
    }
    state.commit(&[(key(4), WriteOp::Delete)]).unwrap();
    let before = state.info().unwrap();
    // Three first values, nine changes, one deletion; the last makes two entries useless.
    assert_eq!((before.entries, before.stale), (13, 11));
    let old = state.view_at(3).unwrap();
    assert_eq!(state.prune(5).unwrap().removed, 5);
    assert_eq!(state.prune(99).unwrap().oldest, 10);
    assert_eq!(old.get(&key(0)).unwrap().as_deref(), Some(&[3][..]));
    drop(old);
    let after = state.info().unwrap();
    assert_eq!((after.entries, after.stale), (2, 0));
    assert!(state.view_at(9).is_err());
    let view = state.view().unwrap();
    assert_eq!(view.get(&key(0)).unwrap().as_deref(), Some(&[9][..]));
    assert_eq!(view.get(&key(4)), Ok(None));
    assert_eq!(view.get(&key(8)).unwrap().as_deref(), Some(&[0][..]));
    drop(view);
    state.compact().unwrap();
    state.verify().unwrap();
    // A deleted key can come back.
    state.commit(&[(key(4), WriteOp::Create(vec![7]))]).unwrap();
    assert_eq!(
        state.view().unwrap().get(&key(4)).unwrap().as_deref(),
        Some(&[7][..])
    );
}

#[test]
fn what_is_not_a_state_is_refused() {
    let dir = scratch("state-refused");
    let file = dir.join("state.redb");
    assert_eq!(
        DiskState::open(&dir).unwrap_err(),
        OpenError::Absent { path: file.clone() }
    );
    for bytes in [
        &b""[..],
        b"redb",
        b"SQLite format 3\0 and so on",
        &[0; 9000],
    ] {
        fs::write(&file, bytes).unwrap();
        for opened in [DiskState::open(&dir), DiskState::create(&dir)] {
            let error = opened.unwrap_err();
            assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        }
    }
    fs::remove_file(&file).unwrap();
    // Another database of the same kind.
    let other = redb_with_another_table(&file);
    drop(other);
    let error = DiskState::open(&dir).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    fs::remove_file(&file).unwrap();
    let state = DiskState::create(&dir).unwrap();
    assert_eq!(
        DiskState::open(&dir).unwrap_err(),
        OpenError::Busy { path: file.clone() }
    );
    drop(state);
    DiskState::open(&dir).unwrap();
}

fn redb_with_another_table(file: &std::path::Path) -> redb::Database {
    let database = redb::Database::create(file).unwrap();
    let write = database.begin_write().unwrap();
    let table: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("numbers");
    write.open_table(table).unwrap().insert(1, 2).unwrap();
    write.commit().unwrap();
    database
}

/// A store with a few thousand values over several blocks.
fn filled(dir: &std::path::Path) {
    let mut state = DiskState::create(dir).unwrap();
    for version in 0..6u32 {
        let writes: Vec<_> = (0..500u32)
            .map(|n| {
                let key = StateKey::Raw((version * 1000 + n).to_be_bytes().to_vec());
                (key, WriteOp::Create(vec![n as u8; 64]))
            })
            .collect();
        state.commit(&writes).unwrap();
    }
}

#[test]
fn a_damaged_file_is_an_error_or_harmless() {
    let dir = scratch("state-damaged");
    filled(&dir);
    let file = dir.join("state.redb");
    let sound = fs::read(&file).unwrap();
    // Cut short.
    for len in [10, 64, 512, 4096, 5000, sound.len() / 2, sound.len() - 4096] {
        fs::write(&file, &sound[..len]).unwrap();
        assert!(DiskState::open(&dir).is_err(), "cut to {len} bytes");
    }
    // Bytes overwritten all over: an error when it is opened or read, or the right values; a panic never.
    let mut noise = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..60 {
        let mut bytes = sound.clone();
        for _ in 0..1 + round % 4 {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (noise >> 20) as usize % bytes.len();
            bytes[at] ^= 1 << (noise >> 7 & 7);
        }
        fs::write(&file, &bytes).unwrap();
        let Ok(mut state) = DiskState::open(&dir) else {
            continue;
        };
        if round % 2 == 0 && state.verify().is_err() {
            continue;
        }
        let Ok(view) = state.view() else {
            continue;
        };
        let values: Result<Vec<_>, _> = view.scan(&[]).and_then(Iterator::collect);
        if round % 2 == 1 {
            // Unverified: whatever comes, it is no panic.
            continue;
        }
        let values = values.unwrap();
        assert_eq!(values.len(), 3000);
        for (_, value) in values {
            assert!(value.iter().all(|byte| *byte == value[0]));
        }
    }
}
