//! Reader of binaries.

mod primitives;

pub(crate) use primitives::BinaryReader;
