//! Faults on demand: what the sandbox must survive, brought about inside it.

use crate::abi::InjectedFault;
use std::hint::black_box;

/// Brings about `kind`. Never returns.
pub(crate) fn raise(kind: InjectedFault) -> ! {
    match kind {
        InjectedFault::Panic => fail(),
        InjectedFault::Loop => spin(),
        InjectedFault::Memory => hoard(),
        InjectedFault::Recursion => {
            black_box(descend(0));
            spin()
        }
        InjectedFault::LargeFrames => {
            black_box(descend_widely([0; 4096]));
            spin()
        }
        InjectedFault::Unreachable => core::arch::wasm32::unreachable(),
    }
}

#[expect(clippy::panic, reason = "a panic is what this is for")]
fn fail() -> ! {
    panic!("injected panic")
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

fn hoard() -> ! {
    loop {
        black_box(Vec::<u8>::with_capacity(1 << 20).leak());
    }
}

fn descend(depth: u64) -> u64 {
    if black_box(true) {
        descend(depth + 1).wrapping_mul(3) ^ depth
    } else {
        depth
    }
}

fn descend_widely(mut frame: [u64; 4096]) -> u64 {
    frame[0] += 1;
    if black_box(&frame)[0] > 0 {
        descend_widely(frame).wrapping_mul(3) ^ black_box(&frame)[1]
    } else {
        0
    }
}
