//! Which instructions a corpus executes, at which operand widths, counted from recordings.

use std::collections::BTreeSet;
use std::fmt;

use monomove_core::{Trace, TraceFunction};
use monomove_format::{Bytecode, CompiledModule, SignatureToken};

use crate::fields::{members, parameters};
use crate::modules::Modules;

/// Columns of the table: operands of so many bytes, of any other type, and no operand.
pub const COLUMNS: [&str; 8] = ["1", "2", "4", "8", "16", "32", "other", "none"];
const OTHER: usize = 6;
const NONE: usize = 7;
const SCALARS: &[usize] = &[0, 1, 2, 3, 4, 5];
const ALL: &[usize] = &[0, 1, 2, 3, 4, 5, OTHER];
const LIST: &[usize] = &[0, 1, 2, 3, 4, 5, OTHER, NONE];

/// What a row of the table counts: opcode, name, whether its integers are the signed ones, and the columns that must be executed.
type Row = (u8, &'static str, bool, &'static [usize]);

/// One row for each opcode, two where signed and unsigned integers are different operations. The width is that of the operand: the value
/// taken, moved, read or written, looked through a reference; for `pack`, `call`, `ret` and the like every part counts for itself.
const ROWS: &[Row] = &[
    (0x01, "pop", false, ALL),
    (0x02, "ret", false, LIST),
    (0x03, "br_true", false, &[0]),
    (0x04, "br_false", false, &[0]),
    (0x05, "branch", false, &[NONE]),
    (0x28, "nop", false, &[NONE]),
    (0x27, "abort", false, &[3]),
    (0x68, "abort_msg", false, &[OTHER]),
    (0x31, "ld_u8", false, &[0]),
    (0x48, "ld_u16", false, &[1]),
    (0x49, "ld_u32", false, &[2]),
    (0x06, "ld_u64", false, &[3]),
    (0x32, "ld_u128", false, &[4]),
    (0x4A, "ld_u256", false, &[5]),
    (0x5B, "ld_i8", false, &[0]),
    (0x5C, "ld_i16", false, &[1]),
    (0x5D, "ld_i32", false, &[2]),
    (0x5E, "ld_i64", false, &[3]),
    (0x5F, "ld_i128", false, &[4]),
    (0x60, "ld_i256", false, &[5]),
    (0x08, "ld_true", false, &[0]),
    (0x09, "ld_false", false, &[0]),
    (0x07, "ld_const", false, ALL),
    (0x0A, "copy_loc", false, ALL),
    (0x0B, "move_loc", false, ALL),
    (0x0C, "st_loc", false, ALL),
    (0x0E, "borrow_loc", false, ALL),
    (0x0D, "mut_borrow_loc", false, ALL),
    (0x10, "borrow_field", false, ALL),
    (0x0F, "mut_borrow_field", false, ALL),
    (0x37, "borrow_field_generic", false, ALL),
    (0x36, "mut_borrow_field_generic", false, ALL),
    (0x4E, "borrow_variant_field", false, ALL),
    (0x4F, "mut_borrow_variant_field", false, ALL),
    (0x50, "borrow_variant_field_generic", false, ALL),
    (0x51, "mut_borrow_variant_field_generic", false, ALL),
    (0x14, "read_ref", false, ALL),
    (0x15, "write_ref", false, ALL),
    (0x2E, "freeze_ref", false, ALL),
    (0x11, "call", false, LIST),
    (0x38, "call_generic", false, LIST),
    (0x58, "pack_closure", false, LIST),
    (0x59, "pack_closure_generic", false, LIST),
    (0x5A, "call_closure", false, LIST),
    (0x12, "pack", false, ALL),
    (0x39, "pack_generic", false, ALL),
    (0x13, "unpack", false, ALL),
    (0x3A, "unpack_generic", false, ALL),
    (0x52, "pack_variant", false, LIST),
    (0x53, "pack_variant_generic", false, LIST),
    (0x54, "unpack_variant", false, LIST),
    (0x55, "unpack_variant_generic", false, LIST),
    (0x56, "test_variant", false, &[OTHER]),
    (0x57, "test_variant_generic", false, &[OTHER]),
    (0x29, "exists", false, &[OTHER]),
    (0x3B, "exists_generic", false, &[OTHER]),
    (0x2B, "borrow_global", false, &[OTHER]),
    (0x3D, "borrow_global_generic", false, &[OTHER]),
    (0x2A, "mut_borrow_global", false, &[OTHER]),
    (0x3C, "mut_borrow_global_generic", false, &[OTHER]),
    (0x2C, "move_from", false, &[OTHER]),
    (0x3E, "move_from_generic", false, &[OTHER]),
    (0x2D, "move_to", false, &[OTHER]),
    (0x3F, "move_to_generic", false, &[OTHER]),
    (0x40, "vec_pack", false, ALL),
    (0x46, "vec_unpack", false, ALL),
    (0x41, "vec_len", false, ALL),
    (0x42, "vec_borrow", false, ALL),
    (0x43, "vec_mut_borrow", false, ALL),
    (0x44, "vec_push_back", false, ALL),
    (0x45, "vec_pop_back", false, ALL),
    (0x47, "vec_swap", false, ALL),
    (0x16, "add", false, SCALARS),
    (0x16, "add signed", true, SCALARS),
    (0x17, "sub", false, SCALARS),
    (0x17, "sub signed", true, SCALARS),
    (0x18, "mul", false, SCALARS),
    (0x18, "mul signed", true, SCALARS),
    (0x1A, "div", false, SCALARS),
    (0x1A, "div signed", true, SCALARS),
    (0x19, "mod", false, SCALARS),
    (0x19, "mod signed", true, SCALARS),
    (0x67, "negate", true, SCALARS),
    (0x1B, "bit_or", false, SCALARS),
    (0x1C, "bit_and", false, SCALARS),
    (0x1D, "xor", false, SCALARS),
    (0x2F, "shl", false, SCALARS),
    (0x30, "shr", false, SCALARS),
    (0x1E, "or", false, &[0]),
    (0x1F, "and", false, &[0]),
    (0x20, "not", false, &[0]),
    (0x21, "eq", false, ALL),
    (0x22, "neq", false, ALL),
    (0x23, "lt", false, SCALARS),
    (0x23, "lt signed", true, SCALARS),
    (0x24, "gt", false, SCALARS),
    (0x24, "gt signed", true, SCALARS),
    (0x25, "le", false, SCALARS),
    (0x25, "le signed", true, SCALARS),
    (0x26, "ge", false, SCALARS),
    (0x26, "ge signed", true, SCALARS),
    (0x33, "cast_u8", false, SCALARS),
    (0x33, "cast_u8 of signed", true, SCALARS),
    (0x4B, "cast_u16", false, SCALARS),
    (0x4B, "cast_u16 of signed", true, SCALARS),
    (0x4C, "cast_u32", false, SCALARS),
    (0x4C, "cast_u32 of signed", true, SCALARS),
    (0x34, "cast_u64", false, SCALARS),
    (0x34, "cast_u64 of signed", true, SCALARS),
    (0x35, "cast_u128", false, SCALARS),
    (0x35, "cast_u128 of signed", true, SCALARS),
    (0x4D, "cast_u256", false, SCALARS),
    (0x4D, "cast_u256 of signed", true, SCALARS),
    (0x61, "cast_i8", false, SCALARS),
    (0x61, "cast_i8 of signed", true, SCALARS),
    (0x62, "cast_i16", false, SCALARS),
    (0x62, "cast_i16 of signed", true, SCALARS),
    (0x63, "cast_i32", false, SCALARS),
    (0x63, "cast_i32 of signed", true, SCALARS),
    (0x64, "cast_i64", false, SCALARS),
    (0x64, "cast_i64 of signed", true, SCALARS),
    (0x65, "cast_i128", false, SCALARS),
    (0x65, "cast_i128 of signed", true, SCALARS),
    (0x66, "cast_i256", false, SCALARS),
    (0x66, "cast_i256 of signed", true, SCALARS),
];

/// How many calls executed each instruction at each width.
#[derive(Clone, Debug)]
pub struct Coverage {
    rows: Vec<[u64; COLUMNS.len()]>,
    calls: u64,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            rows: vec![[0; COLUMNS.len()]; ROWS.len()],
            calls: 0,
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct CoverageRow<'a> {
    /// The instruction.
    pub name: &'static str,
    /// Calls that executed it, by column.
    pub calls: &'a [u64; COLUMNS.len()],
    /// The columns that a complete corpus executes.
    pub required: &'static [usize],
}

impl Coverage {
    /// Counts one recorded call.
    pub fn add(&mut self, modules: &Modules, trace: &Trace) {
        self.calls += 1;
        let steps = trace.steps.function.iter().zip(&trace.steps.offset);
        let executed = steps.collect::<BTreeSet<_>>();
        let mut cells = BTreeSet::new();
        for (&function, &offset) in executed {
            let Some(function) = trace.functions.get(function as usize) else {
                continue;
            };
            let found = modules.instruction(&function.module, function.index, offset);
            if let Some((module, instruction)) = found {
                let at = Place {
                    types: &trace.types,
                    function,
                    module,
                    offset,
                };
                let opcode = instruction.opcode();
                for (column, signed) in at.widths(instruction).unwrap_or_default() {
                    let row = ROWS
                        .iter()
                        .position(|row| row.0 == opcode && row.2 == signed);
                    let row = row.or_else(|| ROWS.iter().position(|row| row.0 == opcode));
                    cells.extend(row.map(|row| (row, column)));
                }
            }
        }
        for (row, column) in cells {
            self.rows[row][column] += 1;
        }
    }

    /// Adds what another corpus executes.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        for (ours, theirs) in self.rows.iter_mut().zip(&other.rows) {
            for (sum, count) in ours.iter_mut().zip(theirs) {
                *sum += count;
            }
        }
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = CoverageRow<'_>> {
        ROWS.iter().zip(&self.rows).map(|(row, calls)| CoverageRow {
            name: row.1,
            calls,
            required: row.3,
        })
    }

    /// Calls that were counted.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Cells that a complete corpus executes.
    pub fn required(&self) -> usize {
        ROWS.iter().map(|row| row.3.len()).sum()
    }

    /// The cells of those that nothing executed: instruction and column.
    pub fn uncovered(&self) -> Vec<(&'static str, &'static str)> {
        let missing = |row: CoverageRow<'_>| {
            let columns = row
                .required
                .iter()
                .filter(|&&column| row.calls[column] == 0);
            let columns = columns.map(|&column| (row.name, COLUMNS[column]));
            columns.collect::<Vec<_>>()
        };
        self.rows().flat_map(missing).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<34}", "calls by operand bytes")?;
        for column in COLUMNS {
            write!(f, "{column:>8}")?;
        }
        writeln!(f)?;
        for row in self.rows() {
            write!(f, "{:<34}", row.name)?;
            for (column, &calls) in row.calls.iter().enumerate() {
                match (calls, row.required.contains(&column)) {
                    (0, true) => write!(f, "{:>8}", "MISSING")?,
                    (0, false) => write!(f, "{:>8}", "·")?,
                    _ => write!(f, "{calls:>8}")?,
                }
            }
            writeln!(f)?;
        }
        let (required, missing) = (self.required(), self.uncovered().len());
        write!(
            f,
            "{} of {required} cells, {} calls",
            required - missing,
            self.calls
        )
    }
}

/// An instruction where it stands.
struct Place<'a> {
    types: &'a [String],
    function: &'a TraceFunction,
    module: &'a CompiledModule,
    offset: u16,
}

/// Columns, each with whether the operand is a signed integer.
type Widths = Vec<(usize, bool)>;

impl Place<'_> {
    fn ty(&self, index: u32) -> Option<&str> {
        self.types.get(index as usize).map(String::as_str)
    }

    /// The operand under `n` others before the instruction.
    fn operand(&self, n: usize) -> Option<&str> {
        let operands = self.function.operands_at(self.offset);
        self.ty(operands.get(operands.len().checked_sub(n + 1)?)?.ty)
    }

    /// The top `n` operands before the instruction at `offset`.
    fn top(&self, offset: u16, n: usize) -> Option<Widths> {
        let operands = self.function.operands_at(offset);
        let operands = operands.get(operands.len().checked_sub(n)?..)?;
        if operands.is_empty() {
            return Some(vec![(NONE, false)]);
        }
        operands
            .iter()
            .map(|place| Some(width(self.ty(place.ty)?)))
            .collect()
    }

    /// The first result of the instruction.
    fn result(&self) -> Option<&str> {
        let operands = self.function.operands_at(self.offset + 1);
        self.ty(operands.last()?.ty)
    }

    fn widths(&self, instruction: &Bytecode) -> Option<Widths> {
        use Bytecode as B;
        let one = |text: &str| Some(vec![width(text)]);
        match instruction {
            B::Nop | B::Branch(_) => Some(vec![(NONE, false)]),
            B::Pop | B::BrTrue(_) | B::BrFalse(_) | B::Abort | B::Not | B::Negate => {
                one(self.operand(0)?)
            }
            B::CastU8
            | B::CastU16
            | B::CastU32
            | B::CastU64
            | B::CastU128
            | B::CastU256
            | B::CastI8
            | B::CastI16
            | B::CastI32
            | B::CastI64
            | B::CastI128
            | B::CastI256 => one(self.operand(0)?),
            B::Add
            | B::Sub
            | B::Mul
            | B::Div
            | B::Mod
            | B::BitOr
            | B::BitAnd
            | B::Xor
            | B::Or
            | B::And
            | B::Shl
            | B::Shr
            | B::Lt
            | B::Gt
            | B::Le
            | B::Ge => one(self.operand(1)?),
            B::Eq | B::Neq | B::ReadRef | B::WriteRef | B::FreezeRef => {
                one(referent(self.operand(0)?))
            }
            B::CopyLoc(local)
            | B::MoveLoc(local)
            | B::StLoc(local)
            | B::MutBorrowLoc(local)
            | B::ImmBorrowLoc(local) => {
                one(self.ty(self.function.locals.get(usize::from(*local))?.ty)?)
            }
            B::MutBorrowField(_)
            | B::ImmBorrowField(_)
            | B::MutBorrowFieldGeneric(_)
            | B::ImmBorrowFieldGeneric(_)
            | B::MutBorrowVariantField(_)
            | B::ImmBorrowVariantField(_)
            | B::MutBorrowVariantFieldGeneric(_)
            | B::ImmBorrowVariantFieldGeneric(_) => one(referent(self.result()?)),
            B::Pack(_) | B::PackGeneric(_) | B::PackVariant(_) | B::PackVariantGeneric(_) => {
                self.top(self.offset, members(self.module, instruction)?)
            }
            B::Unpack(_)
            | B::UnpackGeneric(_)
            | B::UnpackVariant(_)
            | B::UnpackVariantGeneric(_) => {
                self.top(self.offset + 1, members(self.module, instruction)?)
            }
            B::Call(_) | B::CallGeneric(_) => {
                self.top(self.offset, parameters(self.module, instruction)?)
            }
            B::PackClosure(_, mask) | B::PackClosureGeneric(_, mask) => {
                self.top(self.offset, mask.0.count_ones() as usize)
            }
            B::CallClosure(signature) => {
                let [SignatureToken::Function(arguments, ..)] =
                    self.module.signature_at(*signature).tokens()
                else {
                    return None;
                };
                // The closure is on top.
                let mut widths = self.top(self.offset, arguments.len() + 1)?;
                widths.pop();
                Some(if widths.is_empty() {
                    vec![(NONE, false)]
                } else {
                    widths
                })
            }
            B::Ret => self.top(self.offset, self.function.operands_at(self.offset).len()),
            B::VecPack(..) => one(element(self.result()?)?),
            B::VecUnpack(..) | B::VecLen(_) | B::VecPopBack(_) => one(element(self.operand(0)?)?),
            B::VecImmBorrow(_) | B::VecMutBorrow(_) | B::VecPushBack(_) => {
                one(element(self.operand(1)?)?)
            }
            B::VecSwap(_) => one(element(self.operand(2)?)?),
            B::TestVariant(_)
            | B::TestVariantGeneric(_)
            | B::Exists(_)
            | B::ExistsGeneric(_)
            | B::MoveFrom(_)
            | B::MoveFromGeneric(_)
            | B::MoveTo(_)
            | B::MoveToGeneric(_)
            | B::MutBorrowGlobal(_)
            | B::MutBorrowGlobalGeneric(_)
            | B::ImmBorrowGlobal(_)
            | B::ImmBorrowGlobalGeneric(_)
            | B::AbortMsg => Some(vec![(OTHER, false)]),
            B::LdU8(_)
            | B::LdU16(_)
            | B::LdU32(_)
            | B::LdU64(_)
            | B::LdU128(_)
            | B::LdU256(_)
            | B::LdI8(_)
            | B::LdI16(_)
            | B::LdI32(_)
            | B::LdI64(_)
            | B::LdI128(_)
            | B::LdI256(_)
            | B::LdTrue
            | B::LdFalse
            | B::LdConst(_) => one(self.result()?),
        }
    }
}

fn referent(text: &str) -> &str {
    let text = text.strip_prefix("&mut ").unwrap_or(text);
    text.strip_prefix('&').unwrap_or(text)
}

fn element(text: &str) -> Option<&str> {
    referent(text).strip_prefix("vector<")?.strip_suffix('>')
}

fn width(text: &str) -> (usize, bool) {
    match text {
        "bool" => (0, false),
        "address" => (5, false),
        _ => {
            let signed = text.starts_with('i');
            let bits = text.strip_prefix(['u', 'i']).unwrap_or("");
            let column = ["8", "16", "32", "64", "128", "256"]
                .iter()
                .position(|&known| known == bits);
            column.map_or((OTHER, false), |column| (column, signed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_has_a_row() {
        let opcodes = ROWS.iter().map(|row| row.0).collect::<BTreeSet<_>>();
        assert!(opcodes.into_iter().eq(1..=0x68));
    }

    #[test]
    fn widths_by_type() {
        assert_eq!(width("u8"), (0, false));
        assert_eq!(width("i256"), (5, true));
        assert_eq!(width("vector<u8>"), (OTHER, false));
        assert_eq!(width("0x1::i8::u8"), (OTHER, false));
        assert_eq!(width("&u8"), (OTHER, false));
        assert_eq!(element("&mut vector<vector<u8>>"), Some("vector<u8>"));
    }

    #[test]
    fn what_is_missing_is_listed() {
        let coverage = Coverage::default();
        assert_eq!(coverage.uncovered().len(), coverage.required());
        assert!(coverage.to_string().contains("MISSING"));
        assert!(coverage.uncovered().contains(&("add signed", "16")));
    }
}
