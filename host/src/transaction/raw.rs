//! What a sender signs: a payload with its metadata.

use super::json;
use monomove_types::{AccountAddress, Identifier, ModuleId, TypeTag};
use serde::{Deserialize, Serialize};

/// A transaction without signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTransaction {
    /// Who sends it.
    pub sender: AccountAddress,
    /// Which one of the sender's it is; without meaning if the payload has a nonce.
    pub sequence_number: u64,
    /// What it does.
    pub payload: Payload,
    /// Gas units it may use.
    pub max_gas_amount: u64,
    /// What the sender pays for a gas unit.
    pub gas_unit_price: u64,
    /// From this second since 1970 on it is invalid.
    pub expiration_timestamp_secs: u64,
    /// The chain it is for.
    pub chain_id: u8,
}

/// What a transaction does. The deprecated module bundles and encrypted payloads have no form here: they do not decode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
    /// Runs code that comes with it.
    Script(Script),
    /// Calls an entry function.
    EntryFunction(EntryFunction),
    /// Acts for a multisig account. Decoded, but not executed.
    Multisig {
        /// The account.
        address: AccountAddress,
        /// What to call; `None` if the chain knows.
        function: Option<EntryFunction>,
    },
    /// The newer form.
    V1 {
        /// What to run.
        executable: Executable,
        /// A multisig account to act for. Decoded, but not executed.
        multisig_address: Option<AccountAddress>,
        /// In place of the sequence number.
        nonce: Option<u64>,
    },
}

/// What the newer form of a payload runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Executable {
    /// Code that comes with it.
    Script(Script),
    /// An entry function.
    EntryFunction(EntryFunction),
    /// Nothing.
    Empty,
}

/// A call of an entry function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryFunction {
    /// Its module.
    pub module: ModuleId,
    /// Its name.
    pub function: Identifier,
    /// Type arguments.
    #[serde(default)]
    pub type_args: Vec<TypeTag>,
    /// Arguments without the signers, each in BCS.
    #[serde(default, with = "json::hex_list")]
    pub args: Vec<Vec<u8>>,
}

/// Code that comes with a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The binary.
    #[serde(with = "json::hex_bytes")]
    pub code: Vec<u8>,
    /// Type arguments.
    #[serde(default)]
    pub type_args: Vec<TypeTag>,
    /// Arguments without the signers.
    #[serde(default)]
    pub args: Vec<ScriptArgument>,
}

/// An argument of a script. Numbers of more than 64 bits are their little-endian bytes here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the names are the types")]
pub enum ScriptArgument {
    U8(u8),
    U64(u64),
    U128(#[serde(with = "json::text")] u128),
    Address(AccountAddress),
    /// A `vector<u8>`.
    U8Vector(#[serde(with = "json::hex_bytes")] Vec<u8>),
    Bool(bool),
    U16(u16),
    U32(u32),
    U256(#[serde(with = "json::hex_bytes")] [u8; 32]),
    /// Any value in BCS.
    Serialized(#[serde(with = "json::hex_bytes")] Vec<u8>),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(#[serde(with = "json::text")] i128),
    I256(#[serde(with = "json::hex_bytes")] [u8; 32]),
}

impl ScriptArgument {
    /// The value in BCS.
    pub fn to_bcs(&self) -> Vec<u8> {
        match self {
            Self::U8(n) => vec![*n],
            Self::U64(n) => n.to_le_bytes().into(),
            Self::U128(n) => n.to_le_bytes().into(),
            Self::Address(address) => address.0.into(),
            Self::U8Vector(bytes) => {
                let mut out = Vec::with_capacity(bytes.len() + 5);
                monomove_types::codec::write_bytes(&mut out, bytes);
                out
            }
            Self::Bool(value) => vec![(*value).into()],
            Self::U16(n) => n.to_le_bytes().into(),
            Self::U32(n) => n.to_le_bytes().into(),
            Self::U256(bytes) | Self::I256(bytes) => bytes.into(),
            Self::Serialized(bytes) => bytes.clone(),
            Self::I8(n) => n.to_le_bytes().into(),
            Self::I16(n) => n.to_le_bytes().into(),
            Self::I32(n) => n.to_le_bytes().into(),
            Self::I64(n) => n.to_le_bytes().into(),
            Self::I128(n) => n.to_le_bytes().into(),
        }
    }
}
