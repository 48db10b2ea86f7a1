//! Kernels over integers only: recursion, loops, wide arithmetic.

use ethnum::U256;

use super::arith::{Checked, fail, pop};

fn fib(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        fib(n.minus(1)).plus(fib(n.minus(2)))
    }
}

pub(super) fn bench_fib(n: u64) -> u64 {
    fib(n)
}

pub(super) fn bench_sum_loop(n: u64) -> u64 {
    let mut sum = 0u64;
    let mut i = 0u64;
    while i < n {
        sum = sum.plus(i ^ (sum & 0xff));
        i = i.plus(1);
    }
    sum
}

fn hanoi(pegs: &mut Vec<Vec<u8>>, n: u8, a: u64, b: u64, c: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    let moves = hanoi(pegs, n.minus(1), a, c, b);
    let disk = pop(&mut pegs[a as usize]);
    pegs[c as usize].push(disk);
    moves.plus(1).plus(hanoi(pegs, n.minus(1), b, a, c))
}

pub(super) fn bench_hanoi(n: u8) -> u64 {
    let mut first = Vec::new();
    let mut i = n;
    while i > 0 {
        first.push(i);
        i = i.minus(1);
    }
    let mut pegs = vec![first, Vec::new(), Vec::new()];
    let moves = hanoi(&mut pegs, n, 0, 1, 2);
    moves.times(100).plus(pegs[2].len() as u64)
}

fn queens(all: u64, cols: u64, d1: u64, d2: u64) -> u64 {
    if cols == all {
        return 1;
    }
    let mut free = all & (((cols | d1 | d2) & all) ^ all);
    let mut count = 0u64;
    while free != 0 {
        let bit = free & (free ^ u64::MAX).plus(1);
        free ^= bit;
        count = count.plus(queens(all, cols | bit, (d1 | bit) << 1, (d2 | bit) >> 1));
    }
    count
}

pub(super) fn bench_queens(n: u8) -> u64 {
    if n >= 64 {
        fail();
    }
    queens((1u64 << n).minus(1), 0, 0, 0)
}

pub(super) fn bench_mulmod_u128(n: u64) -> u64 {
    let m = 0xffff_ffff_ffff_ffc5u128;
    let mut x = 0x0123_4567_89ab_cdefu128;
    let mut acc = 1u128;
    let mut i = 0u64;
    while i < n {
        acc = acc.times(x).modulo(m);
        x = x.plus(acc).modulo(m);
        i = i.plus(1);
    }
    ((acc ^ x) & 0xffff_ffff_ffff_ffff) as u64
}

pub(super) fn bench_mulmod_u256(n: u64) -> u64 {
    let m = U256::from_words(0, 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ff61);
    let mut x = U256::from_words(0, 0x0123_4567_89ab_cdef_0fed_cba9_8765_4321);
    let mut acc = U256::new(3);
    let mut i = 0u64;
    while i < n {
        acc = acc.times(x).modulo(m);
        x = x.plus(acc >> 3u8).modulo(m);
        i = i.plus(1);
    }
    ((acc ^ x) & U256::new(u128::from(u64::MAX))).as_u64()
}
