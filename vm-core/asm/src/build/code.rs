//! Instructions.

use super::Builder;
use super::constant::{signed, unsigned};
use crate::ast::{Argument, ConstantData, Function, Instruction, Local, Value};
use crate::diagnostic::{Result, Span, quoted};
use monomove_format::{Bytecode, CodeOffset, I256Bytes, LocalIndex, U256Bytes};
use std::collections::BTreeMap;

/// The names that instructions of a function can use.
#[derive(Default)]
pub(super) struct CodeScope<'a> {
    /// Positions of parameters and locals.
    pub(super) locals: BTreeMap<&'a str, usize>,
    labels: BTreeMap<&'a str, usize>,
}

/// The arguments of an instruction, taken one by one.
pub(super) struct Arguments<'a> {
    rest: std::slice::Iter<'a, Argument<'a>>,
    /// The instruction's word, for messages about what is missing.
    at: Span,
}

impl<'a> Arguments<'a> {
    pub(super) fn next(&mut self) -> Option<&'a Argument<'a>> {
        self.rest.next()
    }

    pub(super) fn peek(&self) -> Option<&'a Argument<'a>> {
        self.rest.as_slice().first()
    }
}

fn place(argument: &Argument<'_>) -> Span {
    match argument {
        Argument::Value(_, at) | Argument::Bytes(_, at) | Argument::Types(_, at) => *at,
        Argument::Path(path, _) => path.at,
    }
}

impl<'a> Builder<'a, '_> {
    /// The names of a function; one that is given twice is an error.
    pub(super) fn code_scope(&mut self, function: &'a Function<'a>) -> CodeScope<'a> {
        let mut scope = CodeScope::default();
        let variables = function.header.parameters.iter().chain(&function.locals);
        for (index, variable) in variables.enumerate() {
            let name = variable.name;
            if scope.locals.insert(name.text, index).is_some() {
                let message = format!("there are two locals {}", quoted(name.text));
                self.reporter.report(name.at, message);
            }
        }
        for (name, target) in &function.labels {
            if scope.labels.insert(name.text, *target).is_some() {
                let message = format!("there are two labels {}", quoted(name.text));
                self.reporter.report(name.at, message);
            }
        }
        scope
    }

    /// An instruction with its operands entered into the tables.
    pub(super) fn instruction(
        &mut self,
        instruction: &'a Instruction<'a>,
        scope: &CodeScope<'a>,
    ) -> Result<Bytecode> {
        let word = instruction.mnemonic;
        let mut arguments = Arguments {
            rest: instruction.arguments.iter(),
            at: word.at,
        };
        // The longest word has 24 letters.
        let lower = match word.text.len() {
            0..=24 => word.text.to_ascii_lowercase(),
            _ => String::new(),
        };
        let made = match plain(&lower) {
            Some(made) => made,
            None => self.with_operands(&lower, word.at, &mut arguments, scope)?,
        };
        if let Some(extra) = arguments.next() {
            return self
                .reporter
                .fail(place(extra), "expected end of line after the operands");
        }
        let (version, what) = match made.opcode() {
            0x48..=0x4d => (6, "operations on u16, u32 and u256"),
            0x4e..=0x57 => (7, "operations on enums"),
            0x58..=0x5a => (8, "operations on closures"),
            0x5b..=0x67 => (9, "operations on signed integers"),
            0x68 => (10, "aborts with a message"),
            _ => (0, ""),
        };
        self.since(version, what, word.at)?;
        Ok(made)
    }

    #[rustfmt::skip]
    fn with_operands(
        &mut self,
        word: &str,
        at: Span,
        args: &mut Arguments<'a>,
        scope: &CodeScope<'a>,
    ) -> Result<Bytecode> {
        use Bytecode as B;
        Ok(match word {
            "branch" => B::Branch(self.target(args, scope)?),
            "br_true" => B::BrTrue(self.target(args, scope)?),
            "br_false" => B::BrFalse(self.target(args, scope)?),
            "copy_loc" => B::CopyLoc(self.local_argument(args, scope)?),
            "move_loc" => B::MoveLoc(self.local_argument(args, scope)?),
            "st_loc" => B::StLoc(self.local_argument(args, scope)?),
            "borrow_loc" => B::ImmBorrowLoc(self.local_argument(args, scope)?),
            "mut_borrow_loc" => B::MutBorrowLoc(self.local_argument(args, scope)?),
            "ld_u8" => B::LdU8(u8::from_le_bytes(self.literal(args, false)?)),
            "ld_u16" => B::LdU16(u16::from_le_bytes(self.literal(args, false)?)),
            "ld_u32" => B::LdU32(u32::from_le_bytes(self.literal(args, false)?)),
            "ld_u64" => B::LdU64(u64::from_le_bytes(self.literal(args, false)?)),
            "ld_u128" => B::LdU128(u128::from_le_bytes(self.literal(args, false)?)),
            "ld_u256" => B::LdU256(U256Bytes(self.literal(args, false)?)),
            "ld_i8" => B::LdI8(i8::from_le_bytes(self.literal(args, true)?)),
            "ld_i16" => B::LdI16(i16::from_le_bytes(self.literal(args, true)?)),
            "ld_i32" => B::LdI32(i32::from_le_bytes(self.literal(args, true)?)),
            "ld_i64" => B::LdI64(i64::from_le_bytes(self.literal(args, true)?)),
            "ld_i128" => B::LdI128(i128::from_le_bytes(self.literal(args, true)?)),
            "ld_i256" => B::LdI256(I256Bytes(self.literal(args, true)?)),
            "ld_const" => self.load_constant(args)?,
            "call" => self.call(args)?,
            "pack_closure" => self.pack_closure(args)?,
            "call_closure" => B::CallClosure(self.type_operand(args)?),
            "pack" => self.struct_operand(args, B::Pack, B::PackGeneric)?,
            "unpack" => self.struct_operand(args, B::Unpack, B::UnpackGeneric)?,
            "exists" => self.struct_operand(args, B::Exists, B::ExistsGeneric)?,
            "borrow_global" => self.struct_operand(args, B::ImmBorrowGlobal, B::ImmBorrowGlobalGeneric)?,
            "mut_borrow_global" => self.struct_operand(args, B::MutBorrowGlobal, B::MutBorrowGlobalGeneric)?,
            "move_from" => self.struct_operand(args, B::MoveFrom, B::MoveFromGeneric)?,
            "move_to" => self.struct_operand(args, B::MoveTo, B::MoveToGeneric)?,
            "borrow_field" => self.field_operand(args, B::ImmBorrowField, B::ImmBorrowFieldGeneric)?,
            "mut_borrow_field" => self.field_operand(args, B::MutBorrowField, B::MutBorrowFieldGeneric)?,
            "borrow_variant_field" =>
                self.variant_field_operand(args, B::ImmBorrowVariantField, B::ImmBorrowVariantFieldGeneric)?,
            "mut_borrow_variant_field" =>
                self.variant_field_operand(args, B::MutBorrowVariantField, B::MutBorrowVariantFieldGeneric)?,
            "pack_variant" => self.variant_operand(args, B::PackVariant, B::PackVariantGeneric)?,
            "unpack_variant" => self.variant_operand(args, B::UnpackVariant, B::UnpackVariantGeneric)?,
            "test_variant" => self.variant_operand(args, B::TestVariant, B::TestVariantGeneric)?,
            "vec_pack" => B::VecPack(self.type_operand(args)?, self.number_argument(args, 8)?),
            "vec_unpack" => B::VecUnpack(self.type_operand(args)?, self.number_argument(args, 8)?),
            "vec_len" => B::VecLen(self.type_operand(args)?),
            "vec_borrow" => B::VecImmBorrow(self.type_operand(args)?),
            "vec_mut_borrow" => B::VecMutBorrow(self.type_operand(args)?),
            "vec_push_back" => B::VecPushBack(self.type_operand(args)?),
            "vec_pop_back" => B::VecPopBack(self.type_operand(args)?),
            "vec_swap" => B::VecSwap(self.type_operand(args)?),
            _ => return self.reporter.fail(at, "expected an instruction, found another word"),
        })
    }

    pub(super) fn wrong_argument<T>(
        &mut self,
        found: Option<&Argument<'a>>,
        arguments: &Arguments<'a>,
        what: &str,
    ) -> Result<T> {
        match found {
            Some(argument) => self
                .reporter
                .fail(place(argument), format!("expected {what}")),
            None => self
                .reporter
                .fail(arguments.at, format!("expected {what} after this")),
        }
    }

    fn value_argument(&mut self, arguments: &mut Arguments<'a>) -> Result<(&'a Value, Span)> {
        match arguments.next() {
            Some(Argument::Value(value, at)) => Ok((value, *at)),
            other => self.wrong_argument(other, arguments, "a number"),
        }
    }

    /// A number of the width of the result, little endian.
    fn literal<const WIDTH: usize>(
        &mut self,
        arguments: &mut Arguments<'a>,
        is_signed: bool,
    ) -> Result<[u8; WIDTH]> {
        let (value, at) = self.value_argument(arguments)?;
        let Value::Number(magnitude, is_negative) = *value else {
            return self.reporter.fail(at, "expected a number");
        };
        let bytes = if is_signed {
            signed(magnitude, is_negative, WIDTH)
        } else {
            unsigned(magnitude, is_negative, WIDTH)
        };
        match bytes.and_then(|bytes| bytes.first_chunk().copied()) {
            Some(bytes) => Ok(bytes),
            None => self.out_of_range(is_signed, WIDTH, at),
        }
    }

    /// An unsigned number of at most eight bytes.
    pub(super) fn number_argument(
        &mut self,
        arguments: &mut Arguments<'a>,
        width: usize,
    ) -> Result<u64> {
        let (value, at) = self.value_argument(arguments)?;
        self.number(value, at, width)
    }

    fn number(&mut self, value: &Value, at: Span, width: usize) -> Result<u64> {
        let bytes = match *value {
            Value::Number(magnitude, is_negative) => unsigned(magnitude, is_negative, width),
            Value::Vector(_) => None,
        };
        match bytes.as_ref().and_then(|bytes| bytes.first_chunk()) {
            Some(bytes) => Ok(u64::from_le_bytes(*bytes)),
            None => self.out_of_range(false, width, at),
        }
    }

    /// An unsigned number of one byte.
    pub(super) fn small(&mut self, value: &Value, at: Span, width: usize) -> Result<u8> {
        let number = self.number(value, at, width)?;
        Ok(u8::try_from(number).unwrap_or(u8::MAX))
    }

    /// A label; or the position of an instruction (extension).
    fn target(
        &mut self,
        arguments: &mut Arguments<'a>,
        scope: &CodeScope<'a>,
    ) -> Result<CodeOffset> {
        let (target, at) = match arguments.next() {
            Some(Argument::Value(value, at)) => (Some(self.number(value, *at, 2)?), *at),
            Some(Argument::Path(path, None)) if path.parts.len() == 1 => {
                let name = path.parts.first().map_or("", |name| name.text);
                let Some(&target) = scope.labels.get(name) else {
                    let message = format!("there is no label {}", quoted(name));
                    return self.reporter.fail(path.at, message);
                };
                (u64::try_from(target).ok(), path.at)
            }
            other => return self.wrong_argument(other, arguments, "a label"),
        };
        match target.and_then(|target| u16::try_from(target).ok()) {
            Some(target) => Ok(target),
            None => self
                .reporter
                .fail(at, "a branch reaches only the first 65536 instructions"),
        }
    }

    fn local_argument(
        &mut self,
        arguments: &mut Arguments<'a>,
        scope: &CodeScope<'a>,
    ) -> Result<LocalIndex> {
        let local = match arguments.next() {
            Some(&Argument::Value(ref value, at)) => Local::Number(self.small(value, at, 1)?),
            Some(Argument::Path(path, None)) => match path.parts[..] {
                [name] if path.address.is_none() => Local::Name(name),
                _ => return self.reporter.fail(path.at, "expected the name of a local"),
            },
            other => return self.wrong_argument(other, arguments, "the name of a local"),
        };
        self.local(local, scope)
    }

    /// The number of a local.
    pub(super) fn local(&mut self, local: Local<'a>, scope: &CodeScope<'a>) -> Result<LocalIndex> {
        let name = match local {
            Local::Number(number) => return Ok(number),
            Local::Name(name) => name,
        };
        match scope.locals.get(name.text).map(|&i| u8::try_from(i)) {
            Some(Ok(index)) => Ok(index),
            Some(Err(_)) => self
                .reporter
                .fail(name.at, "code reaches only the first 256 locals"),
            None => {
                let message = format!("there is no parameter or local {}", quoted(name.text));
                self.reporter.fail(name.at, message)
            }
        }
    }

    /// `ld_const<T> VALUE`, or x"hex" for the bytes themselves (extension).
    fn load_constant(&mut self, arguments: &mut Arguments<'a>) -> Result<Bytecode> {
        let (type_, at) = match arguments.next() {
            Some(Argument::Types(types, at)) => match &types[..] {
                [type_] => (self.type_(type_)?, *at),
                _ => return self.reporter.fail(*at, "expected one type"),
            },
            other => {
                return self.wrong_argument(other, arguments, "a type between `<` and `>`");
            }
        };
        let data = match arguments.next() {
            Some(Argument::Bytes(bytes, _)) => ConstantData::Bytes(bytes.clone()),
            Some(Argument::Value(value, at)) => ConstantData::Value(value.clone(), *at),
            other => return self.wrong_argument(other, arguments, "a number or `[`"),
        };
        self.constant(type_, &data, at).map(Bytecode::LdConst)
    }
}

/// The instruction without operands that a word names.
#[rustfmt::skip]
fn plain(word: &str) -> Option<Bytecode> {
    use Bytecode as B;
    Some(match word {
        "pop" => B::Pop, "ret" => B::Ret, "nop" => B::Nop, "abort" => B::Abort, "abort_msg" => B::AbortMsg,
        "ld_true" => B::LdTrue, "ld_false" => B::LdFalse,
        "cast_u8" => B::CastU8, "cast_u16" => B::CastU16, "cast_u32" => B::CastU32,
        "cast_u64" => B::CastU64, "cast_u128" => B::CastU128, "cast_u256" => B::CastU256,
        "cast_i8" => B::CastI8, "cast_i16" => B::CastI16, "cast_i32" => B::CastI32,
        "cast_i64" => B::CastI64, "cast_i128" => B::CastI128, "cast_i256" => B::CastI256,
        "negate" => B::Negate,
        "read_ref" => B::ReadRef, "write_ref" => B::WriteRef, "freeze_ref" => B::FreezeRef,
        "add" => B::Add, "sub" => B::Sub, "mul" => B::Mul, "mod" => B::Mod, "div" => B::Div,
        "bit_or" => B::BitOr, "bit_and" => B::BitAnd, "xor" => B::Xor, "shl" => B::Shl, "shr" => B::Shr,
        "or" => B::Or, "and" => B::And, "not" => B::Not,
        "eq" => B::Eq, "neq" => B::Neq, "lt" => B::Lt, "gt" => B::Gt, "le" => B::Le, "ge" => B::Ge,
        _ => return None,
    })
}
