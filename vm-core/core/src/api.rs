//! What goes into the machine and what comes out. The same types cross the guest boundary as BCS.

mod transaction;

pub use transaction::*;

use crate::context::layout::DEFAULT_ENUM_INLINE_BYTES;
use monomove_types::{
    AccountAddress, Identifier, ModuleId, StateKey, StatusCode, TypeTag, byte_string, byte_strings,
};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_256};
use thiserror::Error;

/// Bounds of one machine. Every one has an error of its own when it is hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineConfig {
    /// Bytes of the frame stack; exceeded: `CALL_STACK_OVERFLOW`.
    pub stack_bytes: u32,
    /// Bytes of the transaction heap; exceeded: `MEMORY_LIMIT_EXCEEDED`. Garbage is collected before it counts as exceeded.
    pub heap_bytes: u32,
    /// Sizes below `heap_bytes` that the heap has in turn while it grows.
    pub heap_steps: Vec<u32>,
    /// Bytes of values of the state that are kept decoded between transactions.
    pub value_cache_bytes: u32,
    /// Whether garbage is collected before every allocation. Changes no result; for tests.
    pub gc_stress: bool,
    /// An enum whose largest variant takes more bytes is an object on the heap, as large as its live variant. Changes no result but where
    /// memory runs out.
    pub enum_inline_bytes: u32,
    /// Callers on the call stack besides the running frame; exceeded: `CALL_STACK_OVERFLOW`.
    pub call_depth: u32,
    /// Values on the operand stack over all frames; exceeded: `EXECUTION_STACK_OVERFLOW`.
    pub operand_stack: u32,
    /// Newest bytecode version accepted.
    pub max_bytecode_version: u32,
    /// Seed of the hash tables (hash flooding); it never changes a result.
    pub hash_seed: u64,
    /// Parameters of the gas schedule that differ from the defaults, by their on-chain keys.
    pub gas_schedule: Vec<(String, u64)>,
    /// Runtime checks: any bytecode, verified or not, ends with a status. They change no result of verified code, only its speed.
    pub paranoid: bool,
    /// Whether modules must pass the bytecode verifier when they are loaded; failed: `UNEXPECTED_VERIFIER_ERROR`. Without it, only paranoid machines may
    /// be given code that nobody verified.
    pub verify: bool,
    /// Whether code of unstable compilers may be published and run as a script; if not: `UNSTABLE_BYTECODE_REJECTED`.
    pub accept_unstable: bool,
}

impl Default for MachineConfig {
    fn default() -> Self {
        Self {
            stack_bytes: 4 << 20,
            heap_bytes: 10 << 20,
            heap_steps: vec![256 << 10, 1 << 20, 4 << 20],
            value_cache_bytes: 16 << 20,
            gc_stress: false,
            enum_inline_bytes: DEFAULT_ENUM_INLINE_BYTES,
            call_depth: 1024,
            operand_stack: 1024,
            max_bytecode_version: 10,
            hash_seed: 0,
            gas_schedule: Vec::new(),
            paranoid: false,
            verify: true,
            accept_unstable: false,
        }
    }
}

impl MachineConfig {
    /// A hash of what decides results. What changes only speed is not in it, nor is the gas schedule, which has a hash of its own.
    pub fn result_hash(&self) -> [u8; 32] {
        let decisive = Self {
            value_cache_bytes: 0,
            gc_stress: false,
            hash_seed: 0,
            gas_schedule: Vec::new(),
            ..self.clone()
        };
        // Numbers and flags always have a byte form.
        let bytes = bcs::to_bytes(&decisive).unwrap_or_default();
        Sha3_256::digest(&bytes).into()
    }
}

/// Which functions a call may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Any function, whatever its visibility (tools, tests, the machine's own prologue).
    Any,
    /// Only `entry` functions whose parameters may come from outside, as a transaction may.
    Entry,
    /// Only public functions whose parameters may come from outside: what anyone may ask the state.
    View,
}

/// One call of a Move function as a transaction of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Module of the function.
    pub module: ModuleId,
    /// Name of the function.
    pub function: Identifier,
    /// Type arguments.
    #[serde(with = "tag_list")]
    pub ty_args: Vec<TypeTag>,
    /// Leading `signer` or `&signer` arguments.
    pub signers: Vec<AccountAddress>,
    /// The other arguments, each the BCS of its parameter's type; a reference parameter takes its referent.
    #[serde(with = "byte_strings")]
    pub args: Vec<Vec<u8>>,
    /// Which functions may be named.
    pub access: Access,
    /// Internal gas this call may use.
    pub gas_limit: u64,
    /// Hash of the transaction: the seed of table handles.
    pub txn_hash: [u8; 32],
}

/// A typed value in its BCS form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedValue {
    /// Its type; a returned reference is shown as its referent.
    #[serde(with = "tag_form")]
    pub ty: TypeTag,
    /// BCS bytes.
    #[serde(with = "byte_string")]
    pub bcs: Vec<u8>,
}

/// Where a failure happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// Before the first instruction, or outside any code.
    Undefined,
    /// In this module; for a failure inside a native, the module that declares it.
    Module(ModuleId),
    /// In a script.
    Script,
}

/// Why a call did not return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Status; `ABORTED` for a Move abort.
    pub status: StatusCode,
    /// Abort code, or the detail number that some statuses have.
    pub sub_status: Option<u64>,
    /// Text of an `AbortMsg`, or a short explanation (deterministic, bounded).
    pub message: Option<String>,
    /// Where it happened.
    pub location: Location,
    /// Name of the failing function.
    pub function: Option<Identifier>,
    /// Definition index of the failing function in its module.
    pub function_index: Option<u16>,
    /// Code offset: instruction index in that function.
    pub offset: Option<u16>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It returned.
    Returned {
        /// Return values in order.
        values: Vec<TypedValue>,
        /// Final values of the `&mut` parameters: position in the full argument list (signers included), value.
        mut_args: Vec<(u16, TypedValue)>,
    },
    /// It failed; all its effects are dropped.
    Failed(Failure),
}

/// A change of one state value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteOp {
    /// The value did not exist.
    Create(#[serde(with = "byte_string")] Vec<u8>),
    /// The value existed with other bytes.
    Modify(#[serde(with = "byte_string")] Vec<u8>),
    /// The value existed and is gone.
    Delete,
}

/// An event: a module event of the V2 form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Type of the payload.
    #[serde(with = "tag_form")]
    pub ty: TypeTag,
    /// BCS of the payload.
    #[serde(with = "byte_string")]
    pub data: Vec<u8>,
}

/// A table created by the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTable {
    /// Its handle.
    pub handle: AccountAddress,
    /// Type of its keys.
    #[serde(with = "tag_form")]
    pub key: TypeTag,
    /// Type of its values.
    #[serde(with = "tag_form")]
    pub value: TypeTag,
}

/// A bundle of modules that the call asked to publish (`code::request_publish`). The machine's owner publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishRequest {
    /// The account that publishes.
    pub owner: AccountAddress,
    /// Names that the modules must have.
    pub expected_modules: Vec<String>,
    /// The modules in the binary format.
    #[serde(with = "byte_strings")]
    pub bundle: Vec<Vec<u8>>,
    /// Upgrade policy: 0 arbitrary, 1 compatible, 2 immutable.
    pub policy: u8,
}

/// What a transaction pays besides execution: the rest of its gas is execution's. Nothing of it is charged for a mere call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// Internal gas for the transaction itself.
    pub intrinsic_gas: u64,
    /// Internal gas for reads and writes of the state, and for events.
    pub io_gas: u64,
    /// Internal gas that pays the storage fee.
    pub storage_gas: u64,
    /// The storage fee, in the coin of gas: for slots that are created, and for bytes that are added.
    pub storage_fee: u64,
    /// What is given back for values that are deleted, in the coin of gas; never more than the transaction costs.
    pub storage_refund: u64,
}

/// Everything a call produced. On failure the change set, events and tables are empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOutput {
    /// How it ended.
    pub outcome: Outcome,
    /// Internal gas used.
    pub gas_used: u64,
    /// Of that, gas of bytecode instructions (natives and state access left out).
    pub instruction_gas: u64,
    /// Bytecode instructions executed.
    pub instructions: u64,
    /// What a transaction pays besides execution.
    pub fees: Fees,
    /// State changes, in the order of their keys.
    pub writes: Vec<(StateKey, WriteOp)>,
    /// Events, in order of emission.
    pub events: Vec<Event>,
    /// Tables created, in order.
    pub new_tables: Vec<NewTable>,
    /// Handles of tables destroyed, in order.
    pub removed_tables: Vec<AccountAddress>,
    /// The publish request, if there was one.
    pub publish_request: Option<PublishRequest>,
}

/// Names the code bytes a view handed out, so that a cached module can be checked without reading it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeToken(pub u32);

/// Bytes of a module and the token that names them.
#[derive(Clone, Debug)]
pub struct ModuleCode {
    /// Names these bytes towards the view that gave them.
    pub token: CodeToken,
    /// The module in the binary format.
    pub bytes: Vec<u8>,
}

/// The view could not answer (I/O, corruption). The call fails with `STORAGE_ERROR`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("state view: {0}")]
pub struct StateError(pub String);

/// Names the bytes of a value that a view handed out, so that a cached value can be checked without reading it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueToken(pub u32);

impl ValueToken {
    /// Names nothing: the value is not to be kept.
    pub const NONE: Self = Self(0);
}

/// Code that a view may know to have passed the verifier before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedCode {
    /// The module that the view gave this token for.
    Module(CodeToken),
    /// The script with this SHA3-256.
    Script([u8; 32]),
}

/// What an embedder has of a value besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlatValue {
    /// Nothing, and it wants nothing.
    Unwanted,
    /// Nothing yet: the machine has to answer with [`StateView::share_value`] next.
    Missing,
    /// The image that a machine of the same engine gave for the same bytes.
    Here(Vec<u8>),
}

/// The state as the machine sees it: read-only bytes by key. The machine does no other I/O.
pub trait StateView {
    /// The module published under `id`, if any.
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError>;
    /// Whether the module that `token` was given for still has the same bytes.
    fn is_current(&mut self, token: CodeToken) -> Result<bool, StateError>;
    /// The value under `key` (resource or table item), if any.
    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, StateError>;

    /// The value under `key` with a token for its bytes. Views that know none give [`ValueToken::NONE`].
    fn tokened_value(
        &mut self,
        key: &StateKey,
    ) -> Result<Option<(ValueToken, Vec<u8>)>, StateError> {
        let value = self.value(key)?;
        Ok(value.map(|bytes| (ValueToken::NONE, bytes)))
    }

    /// Whether the key that `token` was given for still has the same bytes. To ask counts as reading the value.
    fn is_same_value(&mut self, token: ValueToken) -> Result<bool, StateError> {
        let _ = token;
        Ok(false)
    }

    /// Whether the code is known to have passed the verifier of a machine with the same configuration, so that it need not be verified again. It saves time
    /// and nothing else: what is said here shows in no result, and asking counts as no read.
    fn was_verified(&mut self, code: CheckedCode) -> bool {
        let _ = code;
        false
    }

    /// Told of code that passed the verifier. The view may remember it if the call ends properly.
    fn verified(&mut self, code: CheckedCode) {
        let _ = code;
    }

    /// What there is of the value that `token` was just given for. Machines of one engine may share what they decode: a large value is decoded by
    /// the first that reads it, and copied by the others.
    fn flat_value(&mut self, token: ValueToken) -> Result<FlatValue, StateError> {
        let _ = token;
        Ok(FlatValue::Unwanted)
    }

    /// The image of the value that `token` was given for; `None` if there is none.
    fn share_value(&mut self, token: ValueToken, image: Option<&[u8]>) {
        let _ = (token, image);
    }

    /// Whether images of written values are wanted.
    fn wants_flat_values(&mut self) -> bool {
        false
    }

    /// The image of a value that a transaction wrote, with its key and bytes.
    fn share_written(&mut self, key: &StateKey, bytes: &[u8], image: &[u8]) {
        let _ = (key, bytes, image);
    }
}

/// A state with nothing in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoState;

impl StateView for NoState {
    fn module(&mut self, _: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        Ok(None)
    }

    fn is_current(&mut self, _: CodeToken) -> Result<bool, StateError> {
        Ok(false)
    }

    fn value(&mut self, _: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

/// Tags cross the boundary in their byte form. Types of values may nest deeper than that allows: those cross as text.
pub(crate) mod tag_form {
    use monomove_types::{TypeTag, byte_string};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// In front of the byte form of a tag.
    const BYTES: u8 = 0;
    /// In front of its text.
    const TEXT: u8 = 1;

    pub(crate) fn serialize<S: Serializer>(
        tag: &TypeTag,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(tag);
        }
        let mut form = Vec::with_capacity(96);
        if tag.check_nesting().is_ok() {
            form.push(BYTES);
            monomove_types::codec::write_type_tag(&mut form, tag);
        } else {
            form.push(TEXT);
            form.extend_from_slice(tag.to_string().as_bytes());
        }
        byte_string::serialize(&form, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<TypeTag, D::Error> {
        use serde::de::Error;
        let parsed = |text: &str| text.parse().map_err(D::Error::custom);
        if deserializer.is_human_readable() {
            return parsed(&String::deserialize(deserializer)?);
        }
        let form = byte_string::deserialize(deserializer)?;
        match form.split_first() {
            Some((&BYTES, tag)) => TypeTag::from_bcs(tag).map_err(D::Error::custom),
            Some((&TEXT, text)) => parsed(std::str::from_utf8(text).map_err(D::Error::custom)?),
            _ => Err(D::Error::custom("no form of a type tag")),
        }
    }

    /// A tag by itself.
    pub(super) struct Tag<T>(pub(super) T);

    impl Serialize for Tag<&TypeTag> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize(self.0, serializer)
        }
    }

    impl<'de> Deserialize<'de> for Tag<TypeTag> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserialize(deserializer).map(Self)
        }
    }
}

/// Lists of tags, each in that form.
pub(crate) mod tag_list {
    use super::tag_form::Tag;
    use monomove_types::TypeTag;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        tags: &[TypeTag],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tags.iter().map(Tag))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<TypeTag>, D::Error> {
        let tags = Vec::<Tag<TypeTag>>::deserialize(deserializer)?;
        Ok(tags.into_iter().map(|Tag(tag)| tag).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn tags_deeper_than_their_byte_form_cross_the_boundary() {
        let deep = format!("{}u8{}", "vector<".repeat(30), ">".repeat(30));
        for text in ["u8", "vector<0x1::a::B<0x2::c::D>>", &deep] {
            let value = TypedValue {
                ty: text.parse().unwrap(),
                bcs: vec![7; 200],
            };
            let bytes = bcs::to_bytes(&value).unwrap();
            assert_eq!(bcs::from_bytes::<TypedValue>(&bytes).unwrap(), value);
        }
        for bad in [&[][..], &[0], &[0, 99], &[1, b'?'], &[2, 1]] {
            let bytes = bcs::to_bytes(&(bad, Vec::<u8>::new())).unwrap();
            assert!(bcs::from_bytes::<TypedValue>(&bytes).is_err());
        }
    }
}
