//! Values that machines share as flat images: what one decoded or wrote is what another would have decoded, byte for byte, whatever
//! numbers layouts have there; and what is not an image is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code: a panic is the report"
)]

mod common;

use common::State;
use monomove_asm::{Options, Unit, assemble};
use monomove_core::{
    Access, Call, CallOutput, CodeToken, FlatValue, Machine, MachineConfig, ModuleCode, Outcome,
    StateError, StateView, ValueToken, WriteOp,
};
use monomove_types::{AccountAddress, ModuleId, StateKey};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Instant;

const MODULES: &str = "module 0x1::other
struct Filler has copy+drop
    a: vector<vector<u128>>
    b: vector<u16>
fun filler(): u64
    local f: Filler
    vec_pack<vector<u128>>, 0
    vec_pack<u16>, 0
    pack Filler
    st_loc f
    ld_u64 1
    ret
";

const MODULE: &str = "module 0x1::m
struct Pair has copy+drop+store
    n: u64
    items: vector<u16>
enum Shape has copy+drop+store
    Empty
    Line
        a: vector<u64>
    Box
        pair: Pair
        n: u8
struct All has copy+drop+store+key
    flag: bool
    words: vector<u64>
    nested: vector<vector<u8>>
    wide: u256
    shapes: vector<Shape>
    shape: Shape
    pairs: vector<Pair>
    owner: address
public fun put(s: &signer, v: All)
    local w: &mut vector<u64>
    mut_borrow_loc v
    mut_borrow_field All, words
    st_loc w
    copy_loc w
    ld_u64 1
    vec_push_back<u64>
    copy_loc w
    ld_u64 2
    vec_push_back<u64>
    copy_loc w
    vec_pop_back<u64>
    pop
    move_loc w
    vec_pop_back<u64>
    pop
    move_loc s
    move_loc v
    move_to All
    ret
public fun touch(at: address): bool acquires All
    move_loc at
    borrow_global All
    borrow_field All, flag
    read_ref
    ret
public fun read(at: address): All acquires All
    move_loc at
    borrow_global All
    read_ref
    ret
";

fn modules() -> Vec<Vec<u8>> {
    [MODULES, MODULE]
        .map(|text| {
            let options = Options {
                version: 8,
                ..Options::default()
            };
            match assemble(text, &options) {
                Ok(Unit::Module(module)) => module.serialize().unwrap(),
                Ok(_) => panic!("not a module"),
                Err(errors) => panic!("{errors:?}"),
            }
        })
        .into()
}

/// A state whose values have tokens and images.
struct Sharing {
    code: State,
    values: Vec<(StateKey, Vec<u8>)>,
    /// The first value that counts.
    offset: usize,
    /// What machines gave: for values of the state by their token, for written ones by their key.
    shared: BTreeMap<u32, Vec<u8>>,
    /// Whether it wants none, and whether it keeps what it is given.
    unwanted: bool,
    keeps: bool,
    written: Vec<(StateKey, Vec<u8>, Vec<u8>)>,
    /// What machines on this state have: from which size on enums are objects.
    enum_inline_bytes: u32,
}

impl Sharing {
    fn new() -> Self {
        let mut code = State::default();
        modules().into_iter().for_each(|module| code.add(module));
        Self {
            code,
            values: Vec::new(),
            offset: 0,
            shared: BTreeMap::new(),
            unwanted: false,
            keeps: true,
            written: Vec::new(),
            enum_inline_bytes: MachineConfig::default().enum_inline_bytes,
        }
    }
}

impl StateView for Sharing {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        self.code.module(id)
    }

    fn is_current(&mut self, token: CodeToken) -> Result<bool, StateError> {
        self.code.is_current(token)
    }

    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.tokened_value(key)?.map(|(_, bytes)| bytes))
    }

    fn tokened_value(
        &mut self,
        key: &StateKey,
    ) -> Result<Option<(ValueToken, Vec<u8>)>, StateError> {
        let found = (1..)
            .zip(&self.values)
            .skip(self.offset)
            .find(|(_, (k, _))| k == key);
        Ok(found.map(|(token, (_, bytes))| (ValueToken(token), bytes.clone())))
    }

    fn flat_value(&mut self, token: ValueToken) -> Result<FlatValue, StateError> {
        Ok(match self.shared.get(&token.0) {
            _ if self.unwanted => FlatValue::Unwanted,
            Some(image) => FlatValue::Here(image.clone()),
            None => FlatValue::Missing,
        })
    }

    fn share_value(&mut self, token: ValueToken, image: Option<&[u8]>) {
        let image = image.unwrap().to_vec();
        if self.keeps {
            self.shared.insert(token.0, image);
        }
    }

    fn wants_flat_values(&mut self) -> bool {
        true
    }

    fn share_written(&mut self, key: &StateKey, bytes: &[u8], image: &[u8]) {
        self.written
            .push((key.clone(), bytes.to_vec(), image.to_vec()));
    }
}

/// A value of `words` numbers and `pairs` structs.
fn value(first: u8, words: usize, pairs: usize) -> Vec<u8> {
    let pair = [vec![first; 8], vector(&[vec![1, 2], vec![3, 4]])].concat();
    [
        vec![0],
        vector(&vec![vec![first; 8]; words]),
        vec![0],
        vec![1; 32],
        vec![0, 0],
        vector(&vec![pair; pairs]),
        vec![2; 32],
    ]
    .concat()
}

/// What the first one to read a value pays for sharing it, and what the others save. `cargo test --release -p monomove-core --test shared_values --
/// --ignored --nocapture`
#[test]
#[ignore = "measures time"]
fn what_sharing_costs_and_saves() {
    let owner: AccountAddress = "0xa".parse().unwrap();
    let read = call("0x1::m::touch", &[], vec![owner.0.to_vec()]);
    let key = StateKey::resource(owner, "0x1::m::All".parse().unwrap());
    for (words, pairs) in [
        (0, 8),
        (60, 0),
        (0, 30),
        (125, 0),
        (0, 70),
        (500, 0),
        (0, 300),
        (4000, 0),
        (0, 3000),
    ] {
        let values = [1, 2].map(|first| value(first, words, pairs));
        let size = values[0].len();
        let [decoded, given, taken] =
            [(true, true), (false, false), (false, true)].map(|(unwanted, keeps)| {
                let mut state = Sharing::new();
                let mut machine = machine(&mut state, false);
                state.values = vec![
                    (key.clone(), values[0].clone()),
                    (key.clone(), values[1].clone()),
                ];
                (state.unwanted, state.keeps) = (unwanted, keeps);
                let times = (0..40).map(|_| {
                    let start = Instant::now();
                    for n in 0..100 {
                        state.offset = n % 2;
                        let output = machine.call(&read, &mut state);
                        assert!(matches!(output.outcome, Outcome::Returned { .. }));
                    }
                    start.elapsed() / 100
                });
                times.min().unwrap()
            });
        println!(
            "{size} bytes, {words} numbers, {pairs} structs: decoded {decoded:?}, decoded and given {given:?}, taken over {taken:?}"
        );
    }
}

fn call(function: &str, signers: &[AccountAddress], args: Vec<Vec<u8>>) -> Call {
    let (module, function) = function.rsplit_once("::").unwrap();
    Call {
        module: module.parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: vec![],
        signers: signers.to_vec(),
        args,
        access: Access::Any,
        gas_limit: u64::MAX / 2,
        txn_hash: [0; 32],
    }
}

/// A machine whose layouts have other numbers than those of a fresh one if `shifted`.
fn machine(state: &mut Sharing, shifted: bool) -> Machine {
    let mut machine = Machine::new(MachineConfig {
        enum_inline_bytes: state.enum_inline_bytes,
        ..MachineConfig::default()
    });
    if shifted {
        let output = machine.call(&call("0x1::other::filler", &[], vec![]), state);
        assert!(matches!(output.outcome, Outcome::Returned { .. }));
    }
    machine
}

fn returned(output: &CallOutput) -> &[u8] {
    match &output.outcome {
        Outcome::Returned { values, .. } => &values[0].bcs,
        Outcome::Failed(failure) => panic!("{failure:?}"),
    }
}

fn vector(items: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut len = items.len();
    while len >= 128 {
        bytes.push(len as u8 | 128);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes.extend(items.concat());
    bytes
}

fn raw(bytes: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), bytes)
}

fn list(
    item: impl Strategy<Value = Vec<u8>> + Clone,
    most: usize,
) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(item, 0..most).prop_map(|items| vector(&items))
}

fn pair() -> impl Strategy<Value = Vec<u8>> + Clone {
    let items = prop::collection::vec(any::<u16>(), 0..5);
    (any::<u64>(), items).prop_map(|(n, items)| {
        let items: Vec<_> = items.iter().map(|n| n.to_le_bytes().to_vec()).collect();
        [n.to_le_bytes().to_vec(), vector(&items)].concat()
    })
}

fn shape() -> impl Strategy<Value = Vec<u8>> + Clone {
    let words = prop::collection::vec(any::<[u8; 8]>(), 0..4);
    prop_oneof![
        Just(vec![0]),
        words.prop_map(|words| {
            let words: Vec<_> = words.iter().map(|w| w.to_vec()).collect();
            [vec![1], vector(&words)].concat()
        }),
        (pair(), any::<u8>()).prop_map(|(pair, n)| [vec![2], pair, vec![n]].concat()),
    ]
}

/// BCS of an `All` that is large enough to be shared.
fn all() -> impl Strategy<Value = Vec<u8>> {
    let blob = any::<[u8; 9]>().prop_map(|b| {
        vector(
            &[b[0]]
                .repeat(b[1] as usize % 9)
                .iter()
                .map(|b| vec![*b])
                .collect::<Vec<_>>(),
        )
    });
    let many = prop::collection::vec(any::<[u8; 8]>(), 64..90);
    let many = many.prop_map(|words| {
        let words: Vec<_> = words.iter().map(|w| w.to_vec()).collect();
        vector(&words)
    });
    (
        any::<bool>(),
        many,
        list(blob, 9),
        raw(32),
        list(shape(), 6),
        shape(),
        list(pair(), 5),
        raw(32),
    )
        .prop_map(|(flag, words, nested, wide, shapes, shape, pairs, owner)| {
            [
                vec![flag.into()],
                words,
                nested,
                wide,
                shapes,
                shape,
                pairs,
                owner,
            ]
            .concat()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn images_are_what_decoding_gives(bytes in all(), noise in any::<u64>(), boxed in any::<bool>()) {
        let owner: AccountAddress = "0xa".parse().unwrap();
        let mut state = Sharing::new();
        if boxed {
            state.enum_inline_bytes = 0;
        }
        // One machine writes the value.
        let output = machine(&mut state, false)
            .call(&call("0x1::m::put", &[owner], vec![bytes.clone()]), &mut state);
        let [(key, WriteOp::Create(written))] = &output.writes[..] else {
            panic!("{output:?}");
        };
        prop_assert_eq!(written, &bytes);
        let [(shared_key, shared_bytes, image)] = &state.written[..] else {
            panic!("no image was given");
        };
        prop_assert_eq!((shared_key, shared_bytes), (key, written));
        let image = image.clone();
        // Another decodes it, to the same image.
        state.values = vec![(key.clone(), written.clone())];
        let read = call("0x1::m::read", &[], vec![owner.0.to_vec()]);
        let mut second = machine(&mut state, true);
        let expected = second.call(&read, &mut state);
        prop_assert_eq!(returned(&expected), &bytes[..]);
        prop_assert_eq!(&state.shared[&1], &image);
        let values = second.figures().values;
        prop_assert_eq!((values.decoded, values.shared), (1, 0));
        // A third one copies it.
        let mut third = machine(&mut state, noise % 2 == 0);
        prop_assert_eq!(&third.call(&read, &mut state), &expected);
        let values = third.figures().values;
        prop_assert_eq!((values.decoded, values.shared), (0, 1));
        // Cut, or of another type, it is none: the value is decoded.
        for broken in [
            image[..image.len() - 1 - noise as usize % (image.len() - 1)].to_vec(),
            [&image[..], &[0; 4]].concat(),
            [&[!image[0]], &image[1..]].concat(),
            Vec::new(),
        ] {
            state.shared.insert(1, broken);
            let mut fourth = machine(&mut state, false);
            prop_assert_eq!(&fourth.call(&read, &mut state), &expected);
            prop_assert_eq!(fourth.figures().values.decoded, 1);
            prop_assert_eq!(&state.shared[&1], &image);
        }
        // With enums of another form it is one of another type.
        state.shared.insert(1, image.clone());
        state.enum_inline_bytes = if boxed { u32::MAX } else { 0 };
        let mut fifth = machine(&mut state, false);
        let output = fifth.call(&read, &mut state);
        prop_assert_eq!(returned(&output), &bytes[..]);
        prop_assert_eq!(fifth.figures().values.decoded, 1);
        // A wrong one may give a wrong value, or stop the machine, but no access leaves its memory.
        let mut wrong = image;
        let at = noise as usize % wrong.len();
        wrong[at] ^= 1 << (noise >> 61);
        state.shared.insert(1, wrong);
        let run = std::panic::AssertUnwindSafe(|| machine(&mut state, false).call(&read, &mut state));
        let _ = std::panic::catch_unwind(run);
    }
}
