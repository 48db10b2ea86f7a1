//! Integer casts: value-preserving or refused.

use crate::context::layout::Int;
use crate::memory::{Addr, Memory};
use ethnum::{I256, U256};

/// Casts the integer at `src` into `dst`; false when the value does not fit.
#[inline(never)]
pub(crate) fn cast(memory: &mut Memory, dst: Addr, src: Addr, from: Int, to: Int) -> bool {
    macro_rules! from {
        ($t:ty) => {
            narrow(memory, dst, memory.get::<$t>(src), to)
        };
    }
    match from {
        Int::U8 => from!(u8),
        Int::U16 => from!(u16),
        Int::U32 => from!(u32),
        Int::U64 => from!(u64),
        Int::U128 => from!(u128),
        Int::U256 => {
            let value = memory.get::<U256>(src);
            match (u128::try_from(value), to) {
                (_, Int::U256) => {
                    memory.set(dst, value);
                    true
                }
                (Ok(low), _) => narrow(memory, dst, low, to),
                (Err(_), Int::I256) => match I256::try_from(value) {
                    Ok(value) => {
                        memory.set(dst, value);
                        true
                    }
                    Err(_) => false,
                },
                (Err(_), _) => false,
            }
        }
        Int::I8 => from!(i8),
        Int::I16 => from!(i16),
        Int::I32 => from!(i32),
        Int::I64 => from!(i64),
        Int::I128 => from!(i128),
        Int::I256 => {
            let value = memory.get::<I256>(src);
            match (i128::try_from(value), to) {
                (_, Int::I256) => {
                    memory.set(dst, value);
                    true
                }
                (Ok(low), _) => narrow(memory, dst, low, to),
                (Err(_), Int::U256) if value >= I256::ZERO => {
                    memory.set(dst, value.as_u256());
                    true
                }
                (Err(_), Int::U128) => match u128::try_from(value) {
                    Ok(value) => {
                        memory.set(dst, value);
                        true
                    }
                    Err(_) => false,
                },
                (Err(_), _) => false,
            }
        }
    }
}

/// Writes `value` as an integer of type `to`; false when it does not fit.
fn narrow<T>(memory: &mut Memory, dst: Addr, value: T, to: Int) -> bool
where
    T: Copy,
    u8: TryFrom<T>,
    u16: TryFrom<T>,
    u32: TryFrom<T>,
    u64: TryFrom<T>,
    u128: TryFrom<T>,
    i8: TryFrom<T>,
    i16: TryFrom<T>,
    i32: TryFrom<T>,
    i64: TryFrom<T>,
    i128: TryFrom<T>,
{
    macro_rules! to {
        ($t:ty) => {
            match <$t>::try_from(value) {
                Ok(value) => {
                    memory.set(dst, value);
                    true
                }
                Err(_) => false,
            }
        };
    }
    match to {
        Int::U8 => to!(u8),
        Int::U16 => to!(u16),
        Int::U32 => to!(u32),
        Int::U64 => to!(u64),
        Int::U128 => to!(u128),
        Int::U256 => match u128::try_from(value) {
            Ok(value) => {
                memory.set(dst, U256::from(value));
                true
            }
            Err(_) => false,
        },
        Int::I8 => to!(i8),
        Int::I16 => to!(i16),
        Int::I32 => to!(i32),
        Int::I64 => to!(i64),
        Int::I128 => to!(i128),
        Int::I256 => {
            let value = match (u128::try_from(value), i128::try_from(value)) {
                (Ok(value), _) => U256::from(value).as_i256(),
                (_, Ok(value)) => I256::from(value),
                _ => return false,
            };
            memory.set(dst, value);
            true
        }
    }
}
