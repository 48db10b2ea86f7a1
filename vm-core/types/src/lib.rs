//! The words every crate of the VM shares: addresses, identifiers, type tags, abilities, state keys and status codes,
//! each with its byte form (BCS) and its text form.
//!
//! Nothing here does I/O, keeps global state or panics on any input; every decoder is bounded in depth and memory.

mod ability;
mod address;
mod bytes_serde;
pub mod codec;
pub mod genesis;
mod identifier;
mod module_id;
mod state_key;
mod status;
mod type_tag;
mod type_tag_parse;
mod type_tag_serde;

pub use ability::{Ability, AbilitySet};
pub use address::{AccountAddress, AddressParseError};
pub use bytes_serde::{byte_string, byte_strings};
pub use genesis::GenesisBlob;
pub use identifier::{Identifier, InvalidIdentifier, is_valid_identifier};
pub use module_id::{ModuleId, ModuleIdParseError};
pub use state_key::{InvalidStateKey, Path, StateKey};
pub use status::{StatusCode, StatusFamily, UnknownStatus};
pub use type_tag::{
    FunctionParamOrReturnTag, FunctionTag, MAX_TYPE_TAG_NESTING, NestingTooDeep, StructTag, TypeTag,
};
pub use type_tag_parse::{MAX_TEXT_NESTING, TagParseError, TagParseErrorKind};
