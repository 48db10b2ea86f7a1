//! `string_utils`: values as text.

use super::{NativeCall, abort, declared};
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::{Field, Int, Kind};
use crate::interp::Interpreter;
use crate::memory::Addr;
use crate::stop::{Run, Stop};
use crate::value::{VectorHeader, byte_vector, check_depth, closure, live_variant};
use ethnum::{I256, U256};
use monomove_format::StructFieldInformation;
use monomove_types::AccountAddress;
use std::fmt::Write;

/// The number of placeholders is not that of the values.
const ARGUMENTS_MISMATCH: u64 = 1;
/// The format is malformed.
const INVALID_FORMAT: u64 = 2;

/// A `vector<u8>`.
const BYTES: Kind = Kind::Vector(LayoutId(TypeId::U8.0));

/// What a text looks like.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// Structs with their full types.
    type_tags: bool,
    /// Addresses with all digits.
    canonical: bool,
    single_line: bool,
    /// Integers with their types.
    int_types: bool,
}

pub(super) fn native_format(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.string_utils_format_base)?;
    let flag = |n: usize| Ok::<bool, Stop>(run.memory.get::<u8>(call.param(n)?) != 0);
    let style = Style {
        type_tags: flag(1)?,
        canonical: flag(2)?,
        single_line: flag(3)?,
        int_types: flag(4)?,
    };
    let layout = run.layout_of(call.ty_arg(0)?)?;
    let value = run.referent_of(call, 0)?;
    let mut out = String::new();
    run.show(value, layout, style, &mut out, 1)?;
    run.return_text(call, &out)
}

/// Fills the placeholders of a format with the values of a list: nested `Cons { car, cdr }` that end in `NIL`.
pub(super) fn native_format_list(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.string_utils_format_base)?;
    let style = Style {
        type_tags: false,
        canonical: false,
        single_line: true,
        int_types: false,
    };
    let format = byte_vector(run.memory, run.referent_of(call, 0)?).to_vec();
    let format = String::from_utf8(format).map_err(|_| abort(INVALID_FORMAT))?;
    let mut list = (run.referent_of(call, 1)?, run.layout_of(call.ty_arg(0)?)?);
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('{', Some('{')) | ('}', Some('}')) => {
                chars.next();
                out.push(c);
            }
            ('{', Some('}')) => {
                chars.next();
                let Kind::Struct(fields) = &run.ctx.layout(list.1).kind else {
                    return Err(declared());
                };
                let [car, cdr] = **fields else {
                    return Err(abort(ARGUMENTS_MISMATCH));
                };
                let at = list.0;
                run.show(at + car.offset, car.layout, style, &mut out, 1)?;
                list = (at + cdr.offset, cdr.layout);
            }
            ('{' | '}', _) => return Err(abort(INVALID_FORMAT)),
            _ => out.push(c),
        }
    }
    if matches!(&run.ctx.layout(list.1).kind, Kind::Struct(fields) if fields.len() == 2) {
        return Err(abort(ARGUMENTS_MISMATCH));
    }
    run.return_text(call, &out)
}

impl Interpreter<'_> {
    fn return_text(&mut self, call: &NativeCall, text: &str) -> Run<()> {
        self.charge(
            self.schedule
                .string_utils_format_per_byte
                .saturating_mul(text.len() as u64),
        )?;
        self.return_bytes(call, text.as_bytes())
    }

    fn address_text(&self, address: AccountAddress, style: Style, out: &mut String) {
        out.push('@');
        if style.canonical {
            out.push_str(&address.to_long_string())
        } else {
            push(out, address)
        }
    }

    fn show(
        &mut self,
        at: Addr,
        id: LayoutId,
        style: Style,
        out: &mut String,
        depth: u32,
    ) -> Run<()> {
        check_depth(depth)?;
        let layout = self.ctx.layout(id).clone();
        let ty = layout.ty;
        match &layout.kind {
            Kind::Bool => out.push_str(if self.memory.get::<u8>(at) != 0 {
                "true"
            } else {
                "false"
            }),
            Kind::Int(int) => self.show_int(at, *int, style, out),
            Kind::Address => self.address_text(self.address_at(at), style, out),
            Kind::Signer => {
                out.push_str("signer(");
                self.address_text(self.address_at(at), style, out);
                out.push(')');
            }
            Kind::Vector(element) if self.ctx.layout(*element).ty == TypeId::U8 => {
                out.push_str("0x");
                let bytes = byte_vector(self.memory, at);
                bytes
                    .iter()
                    .for_each(|b| push(out, format_args!("{b:02x}")));
            }
            Kind::Vector(element) => {
                let header = VectorHeader::read(self.memory, at);
                let size = self.ctx.layout(*element).size;
                let items = (0..header.len)
                    .map(|i| (String::new(), header.storage + i * size, *element))
                    .collect();
                self.show_list(items, ('[', ']'), style, out, depth)?;
            }
            Kind::Struct(fields) => self.show_struct(ty, at, fields, None, style, out, depth)?,
            Kind::Enum(variants) => {
                let live = live_variant(self.memory, variants, at)?;
                let tag = Some(live.tag);
                self.show_struct(ty, live.at, live.fields, tag, style, out, depth)?;
            }
            Kind::Closure => {
                let (object, kind) = closure(self.ctx, self.memory, at)?;
                let kind = kind.clone();
                let (address, module) = self.ctx.module_parts(kind.module);
                push(
                    out,
                    format_args!(
                        "{address}::{module}::{}",
                        self.ctx.types.name_text(kind.name)
                    ),
                );
                let items = kind
                    .captured
                    .iter()
                    .map(|f| (String::new(), object + f.offset, f.layout))
                    .collect();
                self.show_list(items, ('(', ')'), style, out, depth)?;
            }
        }
        Ok(())
    }

    fn show_int(&self, at: Addr, int: Int, style: Style, out: &mut String) {
        match int {
            Int::U8 => push(out, self.memory.get::<u8>(at)),
            Int::U16 => push(out, self.memory.get::<u16>(at)),
            Int::U32 => push(out, self.memory.get::<u32>(at)),
            Int::U64 => push(out, self.memory.get::<u64>(at)),
            Int::U128 => push(out, self.memory.get::<u128>(at)),
            Int::U256 => push(out, self.memory.get::<U256>(at)),
            Int::I8 => push(out, self.memory.get::<i8>(at)),
            Int::I16 => push(out, self.memory.get::<i16>(at)),
            Int::I32 => push(out, self.memory.get::<i32>(at)),
            Int::I64 => push(out, self.memory.get::<i64>(at)),
            Int::I128 => push(out, self.memory.get::<i128>(at)),
            Int::I256 => push(out, self.memory.get::<I256>(at)),
        }
        if style.int_types {
            push(
                out,
                format_args!(
                    "{}{}",
                    if int.is_signed() { 'i' } else { 'u' },
                    int.bytes() * 8
                ),
            );
        }
    }

    /// A bracketed list: on one line, or an item a line.
    fn show_list(
        &mut self,
        items: Vec<(String, Addr, LayoutId)>,
        (open, close): (char, char),
        style: Style,
        out: &mut String,
        depth: u32,
    ) -> Run<()> {
        out.push(open);
        if items.is_empty() {
            out.push(close);
            return Ok(());
        }
        for (i, (label, at, layout)) in items.into_iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            if style.single_line {
                out.push(' ');
            } else {
                out.push('\n');
                (0..depth).for_each(|_| out.push_str("  "));
            }
            out.push_str(&label);
            self.show(at, layout, style, out, depth + 1)?;
        }
        if style.single_line {
            out.push(' ');
        } else {
            out.push('\n');
            (1..depth).for_each(|_| out.push_str("  "));
        }
        out.push(close);
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one struct value")]
    fn show_struct(
        &mut self,
        ty: TypeId,
        at: Addr,
        fields: &[Field],
        variant: Option<u16>,
        style: Style,
        out: &mut String,
        depth: u32,
    ) -> Run<()> {
        let (module_ref, name, _) = self.ctx.struct_parts(ty).ok_or_else(declared)?;
        let one = self.ctx.module_parts(module_ref) == (AccountAddress::ONE, "string")
            || self.ctx.module_parts(module_ref) == (AccountAddress::ONE, "option");
        if one {
            match (self.ctx.module_parts(module_ref).1, fields) {
                ("string", [bytes]) if self.ctx.layout(bytes.layout).kind == BYTES => {
                    let text = byte_vector(self.memory, at + bytes.offset);
                    push(out, format_args!("{:?}", String::from_utf8_lossy(text)));
                    return Ok(());
                }
                ("option", [vector]) if variant.is_none() => {
                    let Kind::Vector(element) = self.ctx.layout(vector.layout).kind else {
                        return Err(declared());
                    };
                    let header = VectorHeader::read(self.memory, at + vector.offset);
                    if header.len == 0 {
                        out.push_str("None");
                        return Ok(());
                    }
                    out.push_str("Some(");
                    self.show(header.storage, element, style, out, depth + 1)?;
                    out.push(')');
                    return Ok(());
                }
                _ => {}
            }
        }
        let module = self.ctx.module(self.view, module_ref)?;
        let (def, _) = module.struct_by_name(name).ok_or_else(declared)?;
        let (label, definitions) = match (&def.field_information, variant) {
            (StructFieldInformation::Declared(fields), None) => {
                (self.ctx.types.name_text(name).to_owned(), fields)
            }
            (StructFieldInformation::DeclaredVariants(variants), Some(tag)) => {
                let variant = variants.get(usize::from(tag)).ok_or_else(declared)?;
                let text = self
                    .ctx
                    .types
                    .name_text(module.names[usize::from(variant.name.0)]);
                (text.to_owned(), &variant.fields)
            }
            _ => return Err(declared()),
        };
        if style.type_tags && variant.is_none() {
            push(out, self.ctx.tag(ty)?);
        } else {
            out.push_str(&label);
        }
        out.push(' ');
        let items = fields
            .iter()
            .zip(definitions)
            .map(|(field, definition)| {
                let name = self
                    .ctx
                    .types
                    .name_text(module.names[usize::from(definition.name.0)]);
                (format!("{name}: "), at + field.offset, field.layout)
            })
            .collect();
        self.show_list(items, ('{', '}'), style, out, depth)
    }
}

/// Appends text; writing to a `String` cannot fail.
fn push(out: &mut String, text: impl std::fmt::Display) {
    let _ = write!(out, "{text}");
}
