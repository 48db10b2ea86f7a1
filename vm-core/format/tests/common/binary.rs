//! Binaries put together by hand, table by table.

use monomove_format::{
    CompiledModule, CompiledScript, DeserializerConfig, FormatError, VERSION_MAX,
};

/// Tables of the smallest module: `0x0::m`, with one empty signature.
#[derive(Clone)]
pub struct Binary {
    pub version: u32,
    pub tables: Vec<(u8, Vec<u8>)>,
    pub tail: Vec<u8>,
}

pub const MODULE_HANDLES: u8 = 0x01;
pub const STRUCT_HANDLES: u8 = 0x02;
pub const FUNCTION_HANDLES: u8 = 0x03;
pub const SIGNATURES: u8 = 0x05;
pub const CONSTANTS: u8 = 0x06;
pub const IDENTIFIERS: u8 = 0x07;
pub const ADDRESSES: u8 = 0x08;
pub const STRUCT_DEFS: u8 = 0x0a;
pub const FUNCTION_DEFS: u8 = 0x0c;
pub const METADATA: u8 = 0x10;

impl Binary {
    pub fn module(version: u32) -> Self {
        Self {
            version,
            tables: vec![
                (MODULE_HANDLES, vec![0, 0]),
                (SIGNATURES, vec![0]),
                (IDENTIFIERS, vec![1, b'm']),
                (ADDRESSES, vec![0; 32]),
            ],
            tail: vec![0],
        }
    }

    /// A script without parameters that returns at once.
    pub fn script(version: u32) -> Self {
        let mut tail = vec![0, 0];
        if version >= 8 {
            tail.push(1);
        }
        tail.extend([0, 1, 0x02]);
        Self {
            version,
            tables: vec![(SIGNATURES, vec![0])],
            tail,
        }
    }

    /// With this table in place of the one of its kind, if there is one.
    pub fn with(mut self, kind: u8, contents: impl Into<Vec<u8>>) -> Self {
        let contents = contents.into();
        match self.tables.iter_mut().find(|table| table.0 == kind) {
            Some(table) => table.1 = contents,
            None => self.tables.push((kind, contents)),
        }
        self
    }

    /// With a private function `m` without parameters that has this body, given as count and instructions.
    pub fn with_code(self, count: u8, instructions: &[u8]) -> Self {
        let handle: &[u8] = match self.version {
            0..7 => &[0, 0, 0, 0, 0],
            7 => &[0, 0, 0, 0, 0, 1],
            _ => &[0, 0, 0, 0, 0, 1, 0],
        };
        let mut definition = match self.version {
            1 => vec![0, 0, 0, 0, count],
            _ => vec![0, 0, 0, 0, 0, count],
        };
        definition.extend(instructions);
        self.with(FUNCTION_HANDLES, handle)
            .with(FUNCTION_DEFS, definition)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut headers = vec![];
        let mut contents: Vec<u8> = vec![];
        for (kind, table) in &self.tables {
            headers.push(*kind);
            uleb(&mut headers, contents.len());
            uleb(&mut headers, table.len());
            contents.extend(table);
        }
        let mut bytes = vec![0xa1, 0x1c, 0xeb, 0x0b];
        bytes.extend(self.version.to_le_bytes());
        bytes.push(self.tables.len() as u8);
        bytes.extend(headers);
        bytes.extend(contents);
        bytes.extend(&self.tail);
        bytes
    }

    pub fn read(&self) -> Result<CompiledModule, FormatError> {
        CompiledModule::deserialize_with(&self.bytes(), &DeserializerConfig::new(VERSION_MAX, 255))
    }

    pub fn read_script(&self) -> Result<CompiledScript, FormatError> {
        CompiledScript::deserialize_with(&self.bytes(), &DeserializerConfig::new(VERSION_MAX, 255))
    }
}

pub fn uleb(out: &mut Vec<u8>, value: usize) {
    monomove_types::codec::write_uleb(out, value as u64);
}

/// The number of the status, 0 for success.
pub fn status<T>(result: Result<T, FormatError>) -> u64 {
    result.err().map_or(0, |error| error.status.number())
}
