//! Arithmetic as Move has it: overflow and underflow stop the program.

/// Integer operations that diverge where the Move instruction would fail.
pub(super) trait Checked: Sized {
    /// `Add`.
    fn plus(self, other: Self) -> Self;
    /// `Sub`.
    fn minus(self, other: Self) -> Self;
    /// `Mul`.
    fn times(self, other: Self) -> Self;
    /// `Mod`.
    fn modulo(self, other: Self) -> Self;
}

macro_rules! checked {
    ($($ty:ty),*) => {$(
        impl Checked for $ty {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                match self.checked_add(other) { Some(value) => value, None => fail() }
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                match self.checked_sub(other) { Some(value) => value, None => fail() }
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                match self.checked_mul(other) { Some(value) => value, None => fail() }
            }
            #[inline(always)]
            fn modulo(self, other: Self) -> Self {
                match self.checked_rem(other) { Some(value) => value, None => fail() }
            }
        }
    )*};
}
checked!(u8, u32, u64, u128, ethnum::U256);

/// `CastU8`.
#[inline(always)]
pub(super) fn to_u8(value: u64) -> u8 {
    match u8::try_from(value) {
        Ok(value) => value,
        Err(_) => fail(),
    }
}

/// `CastU32`.
#[inline(always)]
pub(super) fn to_u32(value: u64) -> u32 {
    match u32::try_from(value) {
        Ok(value) => value,
        Err(_) => fail(),
    }
}

/// The pop of a Move vector: fails when there is nothing to take.
#[inline(always)]
pub(super) fn pop<T>(items: &mut Vec<T>) -> T {
    match items.pop() {
        Some(item) => item,
        None => fail(),
    }
}

/// Where every failed check ends: out of line, as in Rust built with overflow checks.
#[cold]
#[inline(never)]
#[allow(
    clippy::panic,
    reason = "what overflow is in native Rust; the kernels never reach it"
)]
pub(super) fn fail() -> ! {
    panic!("a checked operation failed in a native kernel")
}
