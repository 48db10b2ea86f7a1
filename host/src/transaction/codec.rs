//! The byte form of transactions: BCS, as on Aptos. Reading allocates no more than the input has bytes, and ends with an error that
//! names the place.

use super::{
    AccountAuthenticator, Authenticator, EntryFunction, Executable, Payload, RawTransaction,
    Script, ScriptArgument, SignedTransaction, prefix,
};
use monomove_types::codec::{
    CodecError, CodecErrorKind, Cursor, write_bytes, write_module_id, write_type_tag, write_uleb,
};
use monomove_types::{AccountAddress, StatusCode, TypeTag};
use thiserror::Error;

/// Why bytes are no transaction that can be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where the faulty piece begins.
    pub offset: usize,
}

/// What is wrong with bytes that should be a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeErrorKind {
    /// They break the form.
    #[error(transparent)]
    Malformed(CodecErrorKind),
    /// A boolean or option that is neither 0 nor 1.
    #[error("a flag is neither 0 nor 1")]
    Flag,
    /// The form is known, but not supported: module bundles and encrypted payloads.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
}

impl DecodeError {
    /// The status with which such a transaction is discarded.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            DecodeErrorKind::Malformed(_) | DecodeErrorKind::Flag => {
                StatusCode::VALUE_DESERIALIZATION_ERROR
            }
            DecodeErrorKind::Unsupported(_) => StatusCode::FEATURE_UNDER_GATING,
        }
    }
}

impl From<CodecError> for DecodeError {
    fn from(error: CodecError) -> Self {
        Self {
            kind: DecodeErrorKind::Malformed(error.kind),
            offset: error.offset,
        }
    }
}

type Read<T> = Result<T, DecodeError>;

impl SignedTransaction {
    /// The byte form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.raw.encode();
        self.authenticator.write(&mut out);
        out
    }

    /// Decodes the byte form, which must fill `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(bytes);
        let transaction = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(transaction)
    }

    /// Decodes a list of transactions, which must fill `bytes`. One whose authenticator is kept as bytes can only be the last.
    pub fn decode_list(bytes: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let mut cursor = Cursor::new(bytes);
        let transactions = list(&mut cursor, Self::read)?;
        cursor.finish()?;
        Ok(transactions)
    }

    /// The byte form of a list of transactions.
    pub fn encode_list(transactions: &[Self]) -> Vec<u8> {
        let mut out = Vec::new();
        write_list(&mut out, transactions, |out, transaction| {
            out.extend(transaction.encode());
        });
        out
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        Ok(Self {
            raw: RawTransaction::read(cursor)?,
            authenticator: Authenticator::read(cursor)?,
        })
    }
}

impl RawTransaction {
    /// The byte form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&self.sender.0);
        out.extend_from_slice(&self.sequence_number.to_le_bytes());
        self.payload.write(&mut out);
        out.extend_from_slice(&self.max_gas_amount.to_le_bytes());
        out.extend_from_slice(&self.gas_unit_price.to_le_bytes());
        out.extend_from_slice(&self.expiration_timestamp_secs.to_le_bytes());
        out.push(self.chain_id);
        out
    }

    /// Decodes the byte form, which must fill `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(bytes);
        let raw = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(raw)
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        Ok(Self {
            sender: cursor.address()?,
            sequence_number: cursor.u64()?,
            payload: Payload::read(cursor)?,
            max_gas_amount: cursor.u64()?,
            gas_unit_price: cursor.u64()?,
            expiration_timestamp_secs: cursor.u64()?,
            chain_id: cursor.u8()?,
        })
    }

    /// What the sender signs if nobody else does.
    pub fn signing_message(&self) -> Vec<u8> {
        [&prefix("RawTransaction")[..], &self.encode()].concat()
    }

    /// What everybody signs if there are further signers, or somebody else pays.
    pub fn signing_message_with(
        &self,
        secondary: &[AccountAddress],
        fee_payer: Option<AccountAddress>,
    ) -> Vec<u8> {
        let mut out = prefix("RawTransactionWithData").to_vec();
        out.push(fee_payer.is_some().into());
        out.extend(self.encode());
        write_list(&mut out, secondary, |out, address| out.extend(address.0));
        if let Some(fee_payer) = fee_payer {
            out.extend(fee_payer.0);
        }
        out
    }
}

fn error(cursor: &Cursor<'_>, kind: DecodeErrorKind) -> DecodeError {
    DecodeError {
        kind,
        offset: cursor.offset(),
    }
}

fn unknown(cursor: &Cursor<'_>) -> DecodeError {
    error(
        cursor,
        DecodeErrorKind::Malformed(CodecErrorKind::UnknownTag),
    )
}

fn flag(cursor: &mut Cursor<'_>) -> Read<bool> {
    let at = cursor.clone();
    match cursor.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(error(&at, DecodeErrorKind::Flag)),
    }
}

fn option<T>(
    cursor: &mut Cursor<'_>,
    read: impl FnOnce(&mut Cursor<'_>) -> Read<T>,
) -> Read<Option<T>> {
    flag(cursor)?.then(|| read(cursor)).transpose()
}

fn write_option<T>(out: &mut Vec<u8>, value: Option<&T>, write: impl FnOnce(&mut Vec<u8>, &T)) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        write(out, value);
    }
}

fn write_list<T>(out: &mut Vec<u8>, list: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    write_uleb(out, list.len() as u64);
    for element in list {
        write(out, element);
    }
}

/// A length and that many elements. They are kept as they arrive: a length alone allocates nothing.
fn list<T>(
    cursor: &mut Cursor<'_>,
    mut element: impl FnMut(&mut Cursor<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let mut failed = None;
    let elements = cursor.sequence(|cursor| {
        element(cursor).map_err(|error| {
            failed = Some(error);
            CodecError {
                kind: CodecErrorKind::UnknownTag,
                offset: error.offset,
            }
        })
    });
    elements.map_err(|error| failed.unwrap_or(error.into()))
}

fn type_args(cursor: &mut Cursor<'_>) -> Read<Vec<TypeTag>> {
    Ok(cursor.sequence(Cursor::type_tag)?)
}

/// A byte string of exactly `N` bytes.
fn fixed<const N: usize>(cursor: &mut Cursor<'_>) -> Result<[u8; N], CodecError> {
    let at = cursor.clone();
    let bytes = cursor.bytes()?;
    bytes
        .try_into()
        .map_err(|_| at.error(CodecErrorKind::UlebOutOfRange))
}

impl Payload {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Script(script) => {
                out.push(0);
                script.write(out);
            }
            Self::EntryFunction(function) => {
                out.push(2);
                function.write(out);
            }
            Self::Multisig { address, function } => {
                out.push(3);
                out.extend(address.0);
                write_option(out, function.as_ref(), |out, function| {
                    out.push(0);
                    function.write(out);
                });
            }
            Self::V1 {
                executable,
                multisig_address,
                nonce,
            } => {
                out.extend([4, 0]);
                match executable {
                    Executable::Script(script) => {
                        out.push(0);
                        script.write(out);
                    }
                    Executable::EntryFunction(function) => {
                        out.push(1);
                        function.write(out);
                    }
                    Executable::Empty => out.push(2),
                }
                out.push(0);
                write_option(out, multisig_address.as_ref(), |out, address| {
                    out.extend(address.0);
                });
                write_option(out, nonce.as_ref(), |out, nonce| {
                    out.extend(nonce.to_le_bytes());
                });
            }
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        let at = cursor.clone();
        let unsupported = |what| Err(error(&at, DecodeErrorKind::Unsupported(what)));
        match cursor.tag()? {
            0 => Script::read(cursor).map(Self::Script),
            1 => unsupported("module bundles"),
            2 => EntryFunction::read(cursor).map(Self::EntryFunction),
            3 => Ok(Self::Multisig {
                address: cursor.address()?,
                function: option(cursor, |cursor| {
                    let at = cursor.clone();
                    match cursor.tag()? {
                        0 => EntryFunction::read(cursor),
                        _ => Err(unknown(&at)),
                    }
                })?,
            }),
            4 => Self::read_v1(cursor),
            5 => unsupported("encrypted payloads"),
            _ => Err(unknown(&at)),
        }
    }

    fn read_v1(cursor: &mut Cursor<'_>) -> Read<Self> {
        let at = cursor.clone();
        if cursor.tag()? != 0 {
            return Err(unknown(&at));
        }
        let at = cursor.clone();
        let executable = match cursor.tag()? {
            0 => Executable::Script(Script::read(cursor)?),
            1 => Executable::EntryFunction(EntryFunction::read(cursor)?),
            2 => Executable::Empty,
            3 => {
                let kind = DecodeErrorKind::Unsupported("encrypted executables");
                return Err(error(&at, kind));
            }
            _ => return Err(unknown(&at)),
        };
        let at = cursor.clone();
        if cursor.tag()? != 0 {
            return Err(unknown(&at));
        }
        Ok(Self::V1 {
            executable,
            multisig_address: option(cursor, |cursor| Ok(cursor.address()?))?,
            nonce: option(cursor, |cursor| Ok(cursor.u64()?))?,
        })
    }
}

impl EntryFunction {
    fn write(&self, out: &mut Vec<u8>) {
        write_module_id(out, &self.module);
        write_bytes(out, self.function.as_bytes());
        write_list(out, &self.type_args, write_type_tag);
        write_list(out, &self.args, |out, arg| write_bytes(out, arg));
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        Ok(Self {
            module: cursor.module_id()?,
            function: cursor.identifier()?,
            type_args: type_args(cursor)?,
            args: cursor.sequence(|cursor| Ok(cursor.bytes()?.to_vec()))?,
        })
    }
}

impl Script {
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(out, &self.code);
        write_list(out, &self.type_args, write_type_tag);
        write_list(out, &self.args, |out, arg| arg.write(out));
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        Ok(Self {
            code: cursor.bytes()?.to_vec(),
            type_args: type_args(cursor)?,
            args: list(cursor, ScriptArgument::read)?,
        })
    }
}

impl ScriptArgument {
    fn tag(&self) -> u8 {
        match self {
            Self::U8(_) => 0,
            Self::U64(_) => 1,
            Self::U128(_) => 2,
            Self::Address(_) => 3,
            Self::U8Vector(_) => 4,
            Self::Bool(_) => 5,
            Self::U16(_) => 6,
            Self::U32(_) => 7,
            Self::U256(_) => 8,
            Self::Serialized(_) => 9,
            Self::I8(_) => 10,
            Self::I16(_) => 11,
            Self::I32(_) => 12,
            Self::I64(_) => 13,
            Self::I128(_) => 14,
            Self::I256(_) => 15,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.tag());
        match self {
            Self::Serialized(bytes) => write_bytes(out, bytes),
            other => out.extend(other.to_bcs()),
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        let at = cursor.clone();
        Ok(match cursor.tag()? {
            0 => Self::U8(cursor.u8()?),
            1 => Self::U64(cursor.u64()?),
            2 => Self::U128(u128::from_le_bytes(cursor.array()?)),
            3 => Self::Address(cursor.address()?),
            4 => Self::U8Vector(cursor.bytes()?.to_vec()),
            5 => Self::Bool(flag(cursor)?),
            6 => Self::U16(u16::from_le_bytes(cursor.array()?)),
            7 => Self::U32(u32::from_le_bytes(cursor.array()?)),
            8 => Self::U256(cursor.array()?),
            9 => Self::Serialized(cursor.bytes()?.to_vec()),
            10 => Self::I8(i8::from_le_bytes(cursor.array()?)),
            11 => Self::I16(i16::from_le_bytes(cursor.array()?)),
            12 => Self::I32(i32::from_le_bytes(cursor.array()?)),
            13 => Self::I64(i64::from_le_bytes(cursor.array()?)),
            14 => Self::I128(i128::from_le_bytes(cursor.array()?)),
            15 => Self::I256(cursor.array()?),
            _ => return Err(unknown(&at)),
        })
    }
}

/// Number of the Ed25519 scheme, for a transaction and for one account.
const ED25519: u64 = 0;

impl Authenticator {
    fn write(&self, out: &mut Vec<u8>) {
        let one = |out: &mut Vec<u8>, one: &AccountAuthenticator| {
            out.push(ED25519 as u8);
            one.write(out);
        };
        let agents = |out: &mut Vec<u8>,
                      sender: &AccountAuthenticator,
                      addresses: &[AccountAddress],
                      secondary: &[AccountAuthenticator]| {
            one(out, sender);
            write_list(out, addresses, |out, address| out.extend(address.0));
            write_list(out, secondary, one);
        };
        match self {
            Self::Ed25519(sender) => one(out, sender),
            Self::MultiAgent {
                sender,
                secondary_addresses,
                secondary,
            } => {
                out.push(2);
                agents(out, sender, secondary_addresses, secondary);
            }
            Self::FeePayer {
                sender,
                secondary_addresses,
                secondary,
                fee_payer,
                fee_payer_authenticator,
            } => {
                out.push(3);
                agents(out, sender, secondary_addresses, secondary);
                out.extend(fee_payer.0);
                one(out, fee_payer_authenticator);
            }
            Self::Unsupported { bytes } => out.extend(bytes),
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        let start = cursor.clone();
        if let Some(known) = Self::read_known(cursor)? {
            return Ok(known);
        }
        // The end of something unknown cannot be found, but an authenticator is the last thing in a transaction.
        *cursor = start;
        let len = cursor.remaining().len();
        let mut bytes = Vec::with_capacity(len);
        for _ in 0..len {
            bytes.push(cursor.u8()?);
        }
        Ok(Self::Unsupported { bytes })
    }

    /// `None` if it is, or has in it, something that is not supported.
    fn read_known(cursor: &mut Cursor<'_>) -> Read<Option<Self>> {
        match cursor.tag()? {
            ED25519 => Ok(Some(Self::Ed25519(AccountAuthenticator::read(cursor)?))),
            kind @ (2 | 3) => {
                let Some(sender) = AccountAuthenticator::read_tagged(cursor)? else {
                    return Ok(None);
                };
                let secondary_addresses = cursor.sequence(Cursor::address)?;
                // Read one by one: behind an unsupported one nothing can be read.
                let count = cursor.length()?;
                let mut secondary = Vec::new();
                for _ in 0..count {
                    match AccountAuthenticator::read_tagged(cursor)? {
                        Some(one) => secondary.push(one),
                        None => return Ok(None),
                    }
                }
                if kind == 2 {
                    return Ok(Some(Self::MultiAgent {
                        sender,
                        secondary_addresses,
                        secondary,
                    }));
                }
                let fee_payer = cursor.address()?;
                let payer = AccountAuthenticator::read_tagged(cursor)?;
                Ok(payer.map(|fee_payer_authenticator| Self::FeePayer {
                    sender,
                    secondary_addresses,
                    secondary,
                    fee_payer,
                    fee_payer_authenticator,
                }))
            }
            _ => Ok(None),
        }
    }
}

impl AccountAuthenticator {
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(out, &self.public_key);
        write_bytes(out, &self.signature);
    }

    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        Ok(Self {
            public_key: fixed(cursor)?,
            signature: fixed(cursor)?,
        })
    }

    /// `None` if it is of another scheme.
    fn read_tagged(cursor: &mut Cursor<'_>) -> Read<Option<Self>> {
        match cursor.tag()? {
            ED25519 => Self::read(cursor).map(Some),
            _ => Ok(None),
        }
    }
}
