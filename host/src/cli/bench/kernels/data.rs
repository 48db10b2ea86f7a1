//! Kernels over data: structs, generics, enums, closures, bytes, text, hashes, accounts.

use std::collections::BTreeMap;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use sha3::Sha3_256;

use super::arith::{Checked, fail, pop, to_u8, to_u32};
use super::collections::next;

struct Flags {
    a: bool,
    b: bool,
    level: u8,
}

struct Stats {
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
    odd: u64,
    even: u64,
    last: u64,
    runs: u32,
    hash: u64,
    flags: Flags,
}

fn record(s: &mut Stats, x: u64) {
    s.count = s.count.plus(1);
    s.sum = s.sum.plus(u128::from(x));
    if x < s.min {
        s.min = x;
    }
    if x > s.max {
        s.max = x;
    }
    if x.modulo(2) == 0 {
        s.even = s.even.plus(1);
    } else {
        s.odd = s.odd.plus(1);
    }
    if (x > s.last) != s.flags.a {
        s.runs = s.runs.plus(1);
        s.flags.a = !s.flags.a;
    }
    s.flags.level = to_u8(x.modulo(200));
    s.flags.b = s.flags.level > 100;
    s.hash = s.hash.times(33).modulo(1_000_003).plus(x.modulo(1000));
    s.last = x;
}

pub(super) fn bench_struct_update(n: u64) -> u64 {
    let mut s = Stats {
        count: 0,
        sum: 0,
        min: 0xffff_ffff,
        max: 0,
        odd: 0,
        even: 0,
        last: 0,
        runs: 0,
        hash: 5381,
        flags: Flags {
            a: false,
            b: false,
            level: 0,
        },
    };
    let (mut x, mut i) = (7u64, 0u64);
    while i < n {
        x = next(x);
        record(&mut s, x);
        i = i.plus(1);
    }
    // The Move kernel keeps every field; so does this one.
    std::hint::black_box((s.count, s.sum, s.min, s.max, s.even));
    s.hash
        .times(1000)
        .plus(u64::from(s.runs))
        .plus(s.odd)
        .plus(u64::from(s.flags.b))
}

struct Stack<T> {
    items: Vec<T>,
    peak: u64,
}

#[derive(Clone)]
struct Pair<A, B> {
    a: A,
    b: B,
}

fn push<T>(s: &mut Stack<T>, x: T) {
    s.items.push(x);
    let n = s.items.len() as u64;
    if n > s.peak {
        s.peak = n;
    }
}

fn churn<T: Clone>(s: &mut Stack<T>, x: T, n: u64) -> u64 {
    let mut i = 0u64;
    while i < n {
        push(s, x.clone());
        if i.modulo(3) == 2 {
            drop(pop(&mut s.items));
            drop(pop(&mut s.items));
        }
        i = i.plus(1);
    }
    std::hint::black_box(&s.items);
    (s.items.len() as u64).plus(s.peak)
}

pub(super) fn bench_generic_churn(n: u64) -> u64 {
    let mut a = Stack::<u64> {
        items: Vec::new(),
        peak: 0,
    };
    let mut b = Stack::<Pair<u8, bool>> {
        items: Vec::new(),
        peak: 0,
    };
    let mut c = Stack::<Vec<u8>> {
        items: Vec::new(),
        peak: 0,
    };
    let sum = churn(&mut a, 5, n)
        .plus(churn(&mut b, Pair { a: 1, b: true }, n))
        .plus(churn(&mut c, b"abc".to_vec(), n));
    std::hint::black_box(b.items.last().map(|pair| (pair.a, pair.b)));
    sum
}

#[derive(Clone)]
enum Event {
    Tick,
    Add { n: u64 },
    Scale { by: u64, keep: bool },
    Mix(u8, u64),
}

fn make(i: u64) -> Event {
    let k = i.modulo(7);
    if k < 2 {
        Event::Tick
    } else if k < 4 {
        Event::Add { n: i.modulo(1000) }
    } else if k == 4 {
        Event::Scale {
            by: i.modulo(5).plus(1),
            keep: i.modulo(2) == 0,
        }
    } else {
        Event::Mix(to_u8(k), i)
    }
}

fn apply(s: &mut u64, e: &Event) {
    match e {
        Event::Tick => *s = s.plus(1),
        Event::Add { n } => *s = s.plus(*n),
        Event::Scale { by, keep } if *keep => *s = s.times(*by).modulo(1_000_003),
        Event::Scale { by, keep: _ } => {
            *s = match s.checked_div(*by) {
                Some(value) => value,
                None => fail(),
            }
        }
        Event::Mix(k, x) => {
            if *k >= 64 {
                fail();
            }
            *s = (*s ^ (*x << *k)).modulo(1_000_003);
        }
    }
}

pub(super) fn bench_enum_match(n: u64) -> u64 {
    let mut v = Vec::new();
    let mut i = 0u64;
    while i < 64 {
        v.push(make(i.times(37)));
        i = i.plus(1);
    }
    let (mut s, mut i) = (1u64, 0u64);
    while i < n {
        apply(&mut s, &v[i.modulo(64) as usize]);
        i = i.plus(1);
    }
    s
}

fn repeat(n: u64, mut x: u64, f: &dyn Fn(u64) -> u64) -> u64 {
    let mut i = 0u64;
    while i < n {
        x = f(x);
        i = i.plus(1);
    }
    x
}

fn scale(a: u64, b: u64, x: u64) -> u64 {
    x.times(a).plus(b).modulo(1_000_003)
}

pub(super) fn bench_closure_loop(n: u64) -> u64 {
    let fs: Vec<Rc<dyn Fn(u64) -> u64>> = vec![
        Rc::new(|x| scale(3, 7, x)),
        Rc::new(move |x| x ^ n),
        Rc::new(move |x| scale(11, n, x)),
    ];
    let fs = std::hint::black_box(fs);
    let (mut x, mut i) = (1u64, 0usize);
    while i < 3 {
        let f = Rc::clone(&fs[i]);
        x = repeat(n, x, &*f);
        i += 1;
    }
    x
}

pub(super) fn bench_sha3(n: u64) -> u64 {
    let mut h = b"seed".to_vec();
    let mut i = 0u64;
    while i < n {
        h = Sha3_256::digest(&h).to_vec();
        i = i.plus(1);
    }
    u64::from(h[0])
        .times(65536)
        .plus(u64::from(h[1]).times(256))
        .plus(u64::from(h[31]))
}

fn uleb(v: &[u8], p: &mut u64) -> u64 {
    let (mut r, mut shift) = (0u64, 0u8);
    loop {
        let b = v[*p as usize];
        *p = p.plus(1);
        if shift >= 64 {
            fail();
        }
        r |= u64::from(b & 0x7f) << shift;
        if b < 128 {
            return r;
        }
        shift = shift.plus(7);
    }
}

pub(super) fn bench_parse(n: u64) -> u64 {
    let mut data = Vec::<u8>::new();
    let mut i = 0u64;
    while i < n {
        data.push(to_u8(i.modulo(3)));
        match bcs::to_bytes(&to_u32(i.times(2_654_435_761).modulo(4_294_967_296))) {
            Ok(bytes) => data.extend(bytes),
            Err(_) => fail(),
        }
        let len = i.modulo(150);
        if len > 127 {
            data.push(to_u8((len & 127) | 128));
            data.push(1);
        } else {
            data.push(to_u8(len));
        }
        let mut j = 0u64;
        while j < len {
            data.push(to_u8(j.modulo(256)));
            j = j.plus(1);
        }
        i = i.plus(1);
    }
    let (mut p, mut h) = (0u64, 0u64);
    let end = data.len() as u64;
    while p < end {
        let tag = data[p as usize];
        p = p.plus(1);
        let mut x = 0u64;
        let mut k = 0u8;
        while k < 32 {
            x |= u64::from(data[p as usize]) << k;
            p = p.plus(1);
            k = k.plus(8);
        }
        let len = uleb(&data, &mut p);
        let stop = p.plus(len);
        let mut s = 0u64;
        while p < stop {
            s = s.plus(u64::from(data[p as usize]));
            p = p.plus(1);
        }
        h = h
            .times(31)
            .plus(x.times(u64::from(tag).plus(1)))
            .plus(s)
            .modulo(1_000_000_007);
    }
    h
}

fn utf8(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => fail(),
    }
}

pub(super) fn bench_string(n: u64) -> u64 {
    let mut s = String::new();
    let mut i = 0u64;
    while i < n {
        let mut d = Vec::<u8>::new();
        let mut k = i;
        loop {
            d.push(to_u8(48u64.plus(k.modulo(10))));
            k /= 10;
            if k == 0 {
                break;
            }
        }
        d.reverse();
        s.push_str(&utf8(d));
        s.push_str(&utf8(b", ".to_vec()));
        i = i.plus(1);
    }
    let h = Sha256::digest(s.as_bytes());
    let at = s.find("99, 100").unwrap_or(s.len());
    (s.len() as u64)
        .times(256)
        .plus(u64::from(h[0]))
        .plus(at as u64)
}

/// An account address.
type Address = [u8; 32];

struct Account {
    balance: u64,
    nonce: u64,
    seen: u64,
}

/// Accounts by address. An ordered map: with few keys it beats a hash map on 32-byte keys.
type Bank = BTreeMap<Address, Account>;

fn pay(bank: &mut Bank, from: &Address, to: &Address, n: u64) {
    let Some(a) = bank.get_mut(from) else { fail() };
    if a.balance < n {
        return;
    }
    a.balance = a.balance.minus(n);
    a.nonce = a.nonce.plus(1);
    let Some(b) = bank.get_mut(to) else { fail() };
    b.balance = b.balance.plus(n);
    b.seen = b.seen.plus(1);
}

fn who(k: u64) -> Address {
    let mut address = [0; 32];
    address[31] = match k {
        0 => 1,
        1 => 2,
        2 => 3,
        _ => 4,
    };
    address
}

/// `opening` are the balances of the four accounts that the set-up steps of the case open.
pub(super) fn bench_bank(n: u64, opening: [u64; 4]) -> u64 {
    let mut bank = Bank::new();
    for (k, balance) in (0u64..).zip(opening) {
        bank.insert(
            who(k),
            Account {
                balance,
                nonce: 0,
                seen: 0,
            },
        );
    }
    let (mut i, mut s) = (0u64, 5u64);
    while i < n {
        s = next(s);
        let a = (s / 65536).modulo(4);
        let b = a.plus(1).plus((s / 1_048_576).modulo(3)).modulo(4);
        pay(&mut bank, &who(a), &who(b), s.modulo(100));
        i = i.plus(1);
    }
    let (mut h, mut k) = (0u64, 0u64);
    while k < 4 {
        let Some(r) = bank.get(&who(k)) else { fail() };
        h = h
            .times(1009)
            .plus(r.balance.times(3))
            .plus(r.nonce)
            .plus(r.seen)
            .modulo(1_000_000_007);
        k = k.plus(1);
    }
    h
}
