//! Magic, version word and table headers (binary-format spec §2).

use super::{BinaryReader, DeserializerConfig};
use crate::{FormatError, VERSION_MAX};
use monomove_types::StatusCode;

/// The first bytes of every binary.
pub(crate) const MAGIC: [u8; 4] = [0xa1, 0x1c, 0xeb, 0x0b];
/// Bits of the version word that mark the flavour and do not count; written from version 7 on.
pub(crate) const VERSION_FLAVOUR_MASK: u32 = 0x0a00_0000;
/// Most tables a binary can have.
const MAX_TABLES: u16 = 255;

/// The kinds of tables, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum TableKind {
    ModuleHandles = 0x01,
    StructHandles = 0x02,
    FunctionHandles = 0x03,
    FunctionInstantiations = 0x04,
    Signatures = 0x05,
    ConstantPool = 0x06,
    Identifiers = 0x07,
    AddressIdentifiers = 0x08,
    StructDefs = 0x0a,
    StructDefInstantiations = 0x0b,
    FunctionDefs = 0x0c,
    FieldHandles = 0x0d,
    FieldInstantiations = 0x0e,
    FriendDecls = 0x0f,
    Metadata = 0x10,
    VariantFieldHandles = 0x11,
    VariantFieldInstantiations = 0x12,
    StructVariantHandles = 0x13,
    StructVariantInstantiations = 0x14,
}

impl TableKind {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::ModuleHandles,
            0x02 => Self::StructHandles,
            0x03 => Self::FunctionHandles,
            0x04 => Self::FunctionInstantiations,
            0x05 => Self::Signatures,
            0x06 => Self::ConstantPool,
            0x07 => Self::Identifiers,
            0x08 => Self::AddressIdentifiers,
            0x0a => Self::StructDefs,
            0x0b => Self::StructDefInstantiations,
            0x0c => Self::FunctionDefs,
            0x0d => Self::FieldHandles,
            0x0e => Self::FieldInstantiations,
            0x0f => Self::FriendDecls,
            0x10 => Self::Metadata,
            0x11 => Self::VariantFieldHandles,
            0x12 => Self::VariantFieldInstantiations,
            0x13 => Self::StructVariantHandles,
            0x14 => Self::StructVariantInstantiations,
            _ => return None,
        })
    }

    /// Refuses a table that is not in the binary's version. Done when its turn comes, so that an error in a table before
    /// it wins, as on the platform.
    pub(super) fn check_version(self, section: &BinaryReader<'_>) -> Result<(), FormatError> {
        if section.version >= self.first_version() {
            Ok(())
        } else {
            Err(section.malformed("table does not exist in this binary version"))
        }
    }

    /// Whether scripts have the table too.
    pub(super) fn is_in_scripts(self) -> bool {
        match self {
            Self::ModuleHandles
            | Self::StructHandles
            | Self::FunctionHandles
            | Self::FunctionInstantiations
            | Self::Signatures
            | Self::ConstantPool
            | Self::Identifiers
            | Self::AddressIdentifiers
            | Self::Metadata => true,
            Self::StructDefs
            | Self::StructDefInstantiations
            | Self::FunctionDefs
            | Self::FieldHandles
            | Self::FieldInstantiations
            | Self::FriendDecls
            | Self::VariantFieldHandles
            | Self::VariantFieldInstantiations
            | Self::StructVariantHandles
            | Self::StructVariantInstantiations => false,
        }
    }

    /// The first binary version that has the table.
    fn first_version(self) -> u32 {
        match self {
            Self::FriendDecls => 2,
            Self::Metadata => 5,
            Self::VariantFieldHandles
            | Self::VariantFieldInstantiations
            | Self::StructVariantHandles
            | Self::StructVariantInstantiations => 7,
            _ => 1,
        }
    }
}

/// One entry of the header.
struct TableHeader {
    kind: TableKind,
    offset: u32,
    length: u32,
}

/// Reads magic and version; the reader then stands before the table headers.
pub(super) fn start<'a>(
    binary: &'a [u8],
    config: &DeserializerConfig,
) -> Result<BinaryReader<'a>, FormatError> {
    let mut reader = BinaryReader::new(binary);
    let magic = reader.clone().array(StatusCode::BAD_MAGIC)?;
    if magic != MAGIC {
        return Err(reader.error(StatusCode::BAD_MAGIC, "wrong magic number"));
    }
    reader.array::<4>(StatusCode::BAD_MAGIC)?;
    let at = reader.clone();
    let word = u32::from_le_bytes(reader.array(StatusCode::MALFORMED)?);
    reader.version = word & !VERSION_FLAVOUR_MASK;
    reader.max_identifier_size = config.max_identifier_size;
    if reader.version == 0 || reader.version > config.max_version.min(VERSION_MAX) {
        return Err(at.error(StatusCode::UNKNOWN_VERSION, "binary version not accepted"));
    }
    Ok(reader)
}

/// Reads and checks the table headers; gives each table's reader in the order of the contents and leaves `reader` after
/// all tables.
pub(super) fn sections<'a>(
    reader: &mut BinaryReader<'a>,
) -> Result<Vec<(TableKind, BinaryReader<'a>)>, FormatError> {
    let count = reader.count(MAX_TABLES)?;
    let mut headers = reader.elements(count, table_header)?;
    headers.sort_by_key(|header| header.offset);
    let contents = reader.offset();
    let total = check_layout(reader, &headers)?;
    let total = usize::try_from(total)
        .ok()
        .filter(|&total| total <= reader.remaining().len())
        .ok_or_else(|| reader.malformed("tables run past the end of the binary"))?;
    let mut sections = Vec::with_capacity(headers.len());
    for header in headers {
        let section = reader
            .section(
                contents.saturating_add(header.offset as usize),
                header.length as usize,
            )
            .ok_or_else(|| reader.malformed("table runs past the end of the binary"))?;
        sections.push((header.kind, section));
    }
    reader.skip(total);
    Ok(sections)
}

fn table_header(reader: &mut BinaryReader<'_>) -> Result<TableHeader, FormatError> {
    let at = reader.clone();
    let kind = TableKind::from_byte(reader.u8()?)
        .ok_or_else(|| at.error(StatusCode::UNKNOWN_TABLE_TYPE, "unknown kind of table"))?;
    let max = u64::from(u32::MAX);
    Ok(TableHeader {
        kind,
        offset: reader.uleb(max)? as u32,
        length: reader.uleb(max)? as u32,
    })
}

/// Tables, sorted by offset, must follow each other without gaps, be non-empty and of different kinds. Gives their
/// total length.
fn check_layout(reader: &BinaryReader<'_>, headers: &[TableHeader]) -> Result<u32, FormatError> {
    let bad = |message| reader.error(StatusCode::BAD_HEADER_TABLE, message);
    let mut seen = 0u32;
    let mut total = 0u32;
    for header in headers {
        if header.offset != total {
            return Err(bad("tables are not contiguous"));
        }
        if header.length == 0 {
            return Err(bad("table is empty"));
        }
        total = total
            .checked_add(header.length)
            .ok_or_else(|| bad("tables are too long"))?;
        if total as usize > reader.binary_length() {
            return Err(bad("tables are longer than the binary"));
        }
        let bit = 1u32 << header.kind as u8;
        if seen & bit != 0 {
            return Err(reader.error(StatusCode::DUPLICATE_TABLE, "two tables of one kind"));
        }
        seen |= bit;
    }
    Ok(total)
}
