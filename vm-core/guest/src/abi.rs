//! The protocol between host and guest: names, codes and packed results.
//!
//! One call of Move crosses the boundary like this:
//!
//! 1. Once per instance the host asks `mm_abi_version()`, writes the BCS of a `MachineConfig` into `mm_buffer(len)` and calls `mm_init(len)`.
//! 2. Per call it writes the BCS of a `Call` into `mm_buffer(len)` and calls `mm_call(len)`, which returns a [`Reply`]: where
//!    in the guest's memory the BCS of the `CallOutput` lies, valid until the next call of an export, or a [`Rejection`].
//!    `mm_transaction(len)` is the same for a whole transaction, prologue and epilogue included: BCS of a `Transaction` in, BCS of a
//!    `TransactionOutput` out.
//!    `mm_trace(len)` is the same for a recorded call: BCS of a `Call` and `TraceLimits` in, BCS of a `CallOutput` and a `Trace` out.
//!    `mm_report()` gives the BCS of the `LoadRequest`s since it was asked last, `mm_prepare(len)` takes such a list and gives the BCS of
//!    `ContextStats`: how a context is made ready in one instance for others to start from. `mm_figures()` gives the BCS of `MachineStats`.
//!    `mm_verify(len)` takes the BCS of a `VerifyRequest` and gives that of a list with an `Option<Failure>` for each module.
//! 3. Meanwhile the guest asks for state through the imports. A question is bytes in guest memory (`ptr`, `len`). The answer goes into the
//!    guest's `inbox` (`ptr`, `capacity`) if it fits; if not, the guest makes room and takes it with `fetch`. So small answers cost one crossing
//!    and large ones two, without a copy in between.
//!
//! | import (module [`IMPORTS`]) | result |
//! |---|---|
//! | `module(key_ptr, key_len, inbox_ptr, inbox_capacity) -> i64` | key: BCS `ModuleId`; `token << 32 \| length` (token below 2^31), [`ABSENT`] or [`FAILED`] |
//! | `value(key_ptr, key_len, inbox_ptr, inbox_capacity) -> i64` | key: byte form of a `StateKey`; `token << 32 \| length` (token below 2^31, 0: not to be asked for), [`ABSENT`] or [`FAILED`] |
//! | `is_current(token) -> i32` | 1 yes, 0 no, [`FAILED`] |
//! | `is_same_value(token) -> i32` | whether the key that the token was given for has the same bytes: 1 yes, 0 no or not known any more, [`FAILED`] |
//! | `module_was_verified(token) -> i32` | whether this module is known to have passed the verifier: 1 yes, 0 no |
//! | `module_verified(token)` | it just did |
//! | `script_was_verified(hash_ptr) -> i32`, `script_verified(hash_ptr)` | the same of the script with the SHA3-256 at `hash_ptr` |
//! | `flat_value(token, inbox_ptr, inbox_capacity) -> i64` | the image that another instance gave for the value of the token: its length, [`ABSENT`] (the next question must be preceded by `share_value`), or [`FAILED`]: nobody shares. Token 0 asks only whether anybody does |
//! | `share_value(image_ptr, image_len)` | the image of that value, decoded now; empty if it has none |
//! | `share_written(key_ptr, key_len, bytes_ptr, bytes_len, image_ptr, image_len)` | the image of a value that was written, with its `StateKey` and BCS |
//! | `fetch(ptr, capacity)` | writes the whole last answer to `ptr` |
//! | `panic(ptr, len)` | UTF-8 text of a panic; does not return |

/// Version of this protocol. Host and guest must agree.
pub const ABI_VERSION: u32 = 3;

/// Name of the module the guest imports from.
pub const IMPORTS: &str = "monomove";

/// Answer of `module` and `value`: there is nothing under that key.
pub const ABSENT: i64 = -1;

/// Answer of any question: the state could not be read.
pub const FAILED: i64 = -2;

/// Bytes of the guest's inbox: answers up to this size take one crossing.
pub const INBOX_BYTES: usize = 4096;

/// Bytes of panic text that are reported at most.
pub const MAX_PANIC_BYTES: usize = 1024;

/// Why the guest did not run a call. Not an outcome of Move: the host and the guest do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `mm_call` before a successful `mm_init`.
    NotInitialized,
    /// The length is not within the request buffer.
    Length,
    /// The configuration is not the BCS of a `MachineConfig`.
    Config,
    /// The request is not the BCS of what the export takes.
    Request,
    /// The output could not be encoded.
    Output,
}

impl Rejection {
    const ALL: [Self; 5] = [
        Self::NotInitialized,
        Self::Length,
        Self::Config,
        Self::Request,
        Self::Output,
    ];

    /// Its number on the wire, from 1.
    pub const fn code(self) -> u32 {
        match self {
            Self::NotInitialized => 1,
            Self::Length => 2,
            Self::Config => 3,
            Self::Request => 4,
            Self::Output => 5,
        }
    }

    /// The rejection with this number.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.code() == code)
    }
}

/// What `mm_call` returns, packed into a `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The output lies at `ptr` (never 0) and has `len` bytes: `ptr << 32 | len`.
    Output {
        /// Address in the guest's memory.
        ptr: u32,
        /// Length in bytes.
        len: u32,
    },
    /// The call was not run: `0 << 32 | code`. The number may be unknown if the guest is not ours.
    Rejected(u32),
}

impl Reply {
    /// The packed form.
    pub const fn pack(self) -> u64 {
        match self {
            Self::Output { ptr, len } => (ptr as u64) << 32 | len as u64,
            Self::Rejected(code) => code as u64,
        }
    }

    /// Reads the packed form.
    pub const fn unpack(packed: u64) -> Self {
        let (high, low) = ((packed >> 32) as u32, packed as u32);
        if high == 0 {
            Self::Rejected(low)
        } else {
            Self::Output {
                ptr: high,
                len: low,
            }
        }
    }
}

/// Faults that `mm_fault` brings about on demand, to test that the host survives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InjectedFault {
    /// A panic with a message.
    Panic,
    /// A loop without end.
    Loop,
    /// Allocation without end.
    Memory,
    /// Recursion without end in small frames: the wasm stack.
    Recursion,
    /// Recursion without end in large frames: the stack in linear memory.
    LargeFrames,
    /// The `unreachable` instruction.
    Unreachable,
}

impl InjectedFault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Panic,
        Self::Loop,
        Self::Memory,
        Self::Recursion,
        Self::LargeFrames,
        Self::Unreachable,
    ];

    /// Its number on the wire.
    pub const fn code(self) -> u32 {
        match self {
            Self::Panic => 0,
            Self::Loop => 1,
            Self::Memory => 2,
            Self::Recursion => 3,
            Self::LargeFrames => 4,
            Self::Unreachable => 5,
        }
    }

    /// The fault with this number.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for each in Rejection::ALL {
            assert_eq!(Rejection::from_code(each.code()), Some(each));
        }
        for each in InjectedFault::ALL {
            assert_eq!(InjectedFault::from_code(each.code()), Some(each));
        }
        for reply in [
            Reply::Output {
                ptr: 8,
                len: u32::MAX,
            },
            Reply::Rejected(4),
        ] {
            assert_eq!(Reply::unpack(reply.pack()), reply);
        }
    }
}
