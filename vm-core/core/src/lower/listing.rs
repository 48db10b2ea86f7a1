//! Lowered functions as text, for people: the stackless form, or the frame and the micro-ops.

use super::check::target_index;
use super::code::{Code, Lowered};
use super::destack::{Stackless, Temp};
use super::frame_map::FrameMap;
use super::{Form, Stages, lower_stages};
use crate::context::Context;
use crate::context::ids::{LayoutId, ModuleRef, NameId, TypeId, TypeListId};
use crate::context::module::Module;
use crate::interp::op::Op;
use crate::interp::operands::Operand;
use crate::lower::Source;
use crate::stop::Run;
use monomove_format::{
    Bytecode, CompiledModule, SignatureToken, Visibility, instruction_to_string,
    signature_token_to_string,
};
use std::fmt::{self, Display, Write};
use std::rc::Rc;

/// Which form of a function to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Bytecode without its operand stack: polymorphic, one line an instruction, `%n` what was on the stack.
    Stackless,
    /// What the interpreter executes: the frame, and the micro-ops of each block.
    MicroOps,
}

/// Bytes of a listing; a longer one is cut at the end of a line.
const MAX_LISTING: usize = 16 << 20;
/// Bytes of a constant that are shown.
const SHOWN_BYTES: usize = 32;

/// The listing of function definition `index` of `module`; type arguments matter for micro-ops only.
pub(crate) fn listing(
    source: Source<'_>,
    module: &Rc<Module>,
    index: u16,
    ty_args: &[TypeId],
    stage: Stage,
) -> Run<String> {
    let mut text = String::new();
    let (def, _) = module.function(index);
    // Writing to a string does not fail.
    let _ = match stage {
        Stage::Stackless if def.code.is_none() => {
            header(&mut text, &module.binary, index).and_then(|()| text.write_str(";\n"))
        }
        Stage::Stackless => {
            let stackless = module.stackless(index)?;
            stackless_form(&mut text, &module.binary, index, &stackless)
        }
        Stage::MicroOps => {
            let Source {
                ctx,
                view,
                code,
                gas,
            } = source;
            let (lowered, map) = if def.code.is_some() {
                let Stages {
                    mono,
                    plan,
                    lowered,
                } = lower_stages(ctx, view, code, gas, module, index, ty_args, Form::Fast)?;
                let map = FrameMap::new(ctx, &lowered, &mono, &plan);
                (lowered, map)
            } else {
                let lowered = crate::natives::lower(ctx, view, code, module, index, ty_args)?;
                let map = FrameMap::of_native(ctx, &lowered);
                (lowered, map)
            };
            MicroOps {
                ctx,
                code,
                function: &lowered,
                map: &map,
                labels: labels(&lowered),
            }
            .write(&mut text)
        }
    };
    Ok(text)
}

/// `%0, %1`.
fn temps(temps: &[Temp]) -> String {
    list(temps.iter().map(|temp| format!("%{temp}")))
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for item in items {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{item}");
    }
    text
}

// --- Stackless -------------------------------------------------------------------------------------------------------------

fn tokens(module: &CompiledModule, index: monomove_format::SignatureIndex) -> &[SignatureToken] {
    &module.signatures[usize::from(index.0)].0
}

/// `public fun 0x1::m::f<T0>(p0: u64): bool`.
fn header(out: &mut String, module: &CompiledModule, index: u16) -> fmt::Result {
    let def = &module.function_defs[usize::from(index)];
    let handle = &module.function_handles[usize::from(def.function.0)];
    out.write_str(match def.visibility {
        Visibility::Public => "public ",
        Visibility::Friend => "friend ",
        Visibility::Private => "",
    })?;
    let name = &module.identifiers[usize::from(handle.name.0)];
    let native = if def.code.is_none() { "native " } else { "" };
    write!(out, "{native}fun {}::{name}", module.self_id())?;
    if !handle.type_parameters.is_empty() {
        let parameters = 0..handle.type_parameters.len();
        write!(out, "<{}>", list(parameters.map(|i| format!("T{i}"))))?;
    }
    let types = |index| {
        tokens(module, index)
            .iter()
            .map(|t| signature_token_to_string(module, t))
    };
    let parameters = types(handle.parameters)
        .enumerate()
        .map(|(i, ty)| format!("p{i}: {ty}"));
    write!(out, "({})", list(parameters))?;
    let results = list(types(handle.return_));
    match tokens(module, handle.return_).len() {
        0 => Ok(()),
        1 => write!(out, ": {results}"),
        _ => write!(out, ": ({results})"),
    }
}

fn stackless_form(
    out: &mut String,
    module: &CompiledModule,
    index: u16,
    form: &Stackless,
) -> fmt::Result {
    header(out, module, index)?;
    let def = &module.function_defs[usize::from(index)];
    let handle = &module.function_handles[usize::from(def.function.0)];
    let Some(unit) = &def.code else {
        return Ok(());
    };
    writeln!(out, " {{  // at most {} operands", form.max_height)?;
    let parameters = tokens(module, handle.parameters).len();
    for (i, ty) in tokens(module, unit.locals).iter().enumerate() {
        let ty = signature_token_to_string(module, ty);
        writeln!(out, "    local l{}: {ty}", parameters + i)?;
    }
    let local = |local: u8| {
        let kind = if usize::from(local) < parameters {
            'p'
        } else {
            'l'
        };
        format!("{kind}{local}")
    };
    let label = |target: u16| {
        let block = form.blocks.binary_search_by_key(&target, |b| b.start);
        block.map_or_else(|_| target.to_string(), |block| format!("B{block}"))
    };
    for (number, block) in form.blocks.iter().enumerate() {
        writeln!(out, "  B{number}:")?;
        for offset in block.clone() {
            if out.len() > MAX_LISTING {
                return out.write_str("…\n");
            }
            let op = &unit.code[usize::from(offset)];
            let mut text = match op {
                Bytecode::CopyLoc(x)
                | Bytecode::MoveLoc(x)
                | Bytecode::StLoc(x)
                | Bytecode::MutBorrowLoc(x)
                | Bytecode::ImmBorrowLoc(x) => format!("{} {}", op.mnemonic(), local(*x)),
                Bytecode::BrTrue(to) | Bytecode::BrFalse(to) | Bytecode::Branch(to) => {
                    format!("{} {}", op.mnemonic(), label(*to))
                }
                _ => instruction_to_string(module, op),
            };
            let (sources, results) = (form.sources(offset), form.results(offset));
            if !sources.is_empty() {
                let separator = if text == op.mnemonic() { " " } else { ", " };
                text = format!("{text}{separator}{}", temps(sources));
            }
            if !results.is_empty() {
                text = format!("{} = {text}", temps(results));
            }
            writeln!(out, "    {offset:>4}: {text}")?;
        }
    }
    out.write_str("}\n")
}

// --- Micro-ops -------------------------------------------------------------------------------------------------------------

/// Number of the block that starts at each op; by op.
fn labels(function: &Lowered) -> Vec<Option<usize>> {
    let mut blocks = 0..;
    let charges = function.code.iter();
    charges
        .map(|op| matches!(op, Op::Charge { .. }).then(|| blocks.next().unwrap_or(0)))
        .collect()
}

/// A type; references are marked.
pub(super) fn type_text(ctx: &Context, ty: TypeId) -> String {
    let tag = ctx
        .tag(ty)
        .map_or_else(|_| "?".to_owned(), |tag| tag.to_string());
    match (ty.is_reference(), ty.is_mutable_reference()) {
        (_, true) => format!("&mut {tag}"),
        (true, false) => format!("&{tag}"),
        _ => tag,
    }
}

/// A lowered function on its way to text.
struct MicroOps<'a> {
    ctx: &'a Context,
    code: &'a Code,
    function: &'a Lowered,
    map: &'a FrameMap,
    labels: Vec<Option<usize>>,
}

impl MicroOps<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let f = self.function;
        let native = if f.is_native { "native " } else { "" };
        let types = |list: &[TypeId]| -> Vec<String> {
            list.iter().map(|&ty| type_text(self.ctx, ty)).collect()
        };
        let ty_args = self.ctx_types(&f.ty_args);
        let name = self.name(f.module, f.name);
        let params = types(&f.params).into_iter().enumerate();
        let params = list(params.map(|(i, ty)| format!("p{i}: {ty}")));
        writeln!(out, "{native}fun {name}{ty_args}({params}) {{")?;
        writeln!(
            out,
            "  frame {} bytes, with callees' values {}; at most {} operands",
            f.frame, f.extent, f.max_height
        )?;
        self.map.write(out, self.ctx)?;
        let mut blocks = f.blocks.iter();
        for (at, (op, origin)) in f.code.iter().zip(&f.origins).enumerate() {
            if out.len() > MAX_LISTING {
                return out.write_str("…\n");
            }
            if let Op::Charge { instructions, gas } = op {
                let label = self.label(at);
                let range = blocks.next().map_or(String::new(), |b| {
                    format!("bytecode {}..{}, ", b.start, b.end)
                });
                writeln!(
                    out,
                    "  {label}:  // {range}instructions {instructions}, gas {gas}"
                )?;
                continue;
            }
            writeln!(out, "    {origin:>4}: {}", self.op(at, op))?;
        }
        out.write_str("}\n")
    }

    /// `results <- Name operands`.
    fn op(&self, at: usize, op: &Op) -> String {
        let (mut written, mut rest) = (Vec::new(), Vec::new());
        op.operands(&mut |_, operand| match operand {
            Operand::Write(slot, _) => written.push(self.map.name(slot)),
            Operand::Unpacked(index) => written.extend(self.operand_list(index)),
            Operand::UnpackedFields(index, ..) => written.extend(self.slot_list(index)),
            // Where the frame of a callee starts is the same for all.
            Operand::Frame(_) => {}
            _ => rest.push(self.operand(at, operand)),
        });
        let mut text = String::new();
        if !written.is_empty() {
            text = format!("{} <- ", list(written));
        }
        text.push_str(&op.name());
        if !rest.is_empty() {
            let _ = write!(text, " {}", list(rest));
        }
        text
    }

    fn operand(&self, at: usize, operand: Operand) -> String {
        let f = self.function;
        match operand {
            Operand::Write(slot, _) | Operand::Read(slot, _) => self.map.name(slot),
            Operand::Address(slot) => format!("&{}", self.map.name(slot)),
            Operand::Immediate(value, _) => value.to_string(),
            Operand::Offset(offset) => format!("+{offset}"),
            Operand::Size(size) => format!("size {size}"),
            Operand::Tag(tag) => format!("variant {tag}"),
            Operand::Integer(int) => type_text(self.ctx, int.ty()),
            Operand::Mutable(mutable) => if mutable { "mutable" } else { "immutable" }.to_owned(),
            Operand::Cost { instructions, gas } => {
                format!("instructions {instructions}, gas {gas}")
            }
            Operand::Target(target) => {
                target_index(at, target).map_or_else(|| "?".to_owned(), |index| self.label(index))
            }
            Operand::Callee(target) => match self.code.get(target) {
                Some(target) => self.callee(target.key.module, target.key.name, target.key.ty_args),
                None => "?".to_owned(),
            },
            Operand::Frame(frame) => format!("frame {frame}"),
            Operand::Step(offset) => format!("@{offset}"),
            Operand::Height(height) => format!("height {height}"),
            Operand::Native(_) => self.name(f.module, f.name),
            Operand::Closure(kind) => match self.ctx.closures.at(kind) {
                Ok(kind) => {
                    let callee = self.callee(kind.module, kind.name, kind.ty_args);
                    format!("{callee}, mask {:#b}", kind.mask)
                }
                Err(_) => "?".to_owned(),
            },
            Operand::Layout(layout) | Operand::Element(layout, _) => self.layout(layout),
            Operand::Pool(start, size) => {
                let bytes = f.pool.get(start as usize..(start as usize + size as usize));
                hex(bytes.unwrap_or_default())
            }
            Operand::Constant(index) => match f.constants.get(index as usize) {
                Some(constant) => {
                    format!("{} {}", self.layout(constant.layout), hex(&constant.bytes))
                }
                None => "?".to_owned(),
            },
            Operand::Shadow(index) => match f.shadow.get(index as usize) {
                Some(step) => format!("{step:?}"),
                None => "?".to_owned(),
            },
            Operand::Failure(index) => match f.failures.get(index as usize) {
                Some(fail) => match &fail.message {
                    Some(message) => format!("{}: {message}", fail.status),
                    None => fail.status.to_string(),
                },
                None => "?".to_owned(),
            },
            Operand::Captured(index, _)
            | Operand::PackedFields(index, ..)
            | Operand::UnpackedFields(index, ..) => {
                format!("({})", list(self.slot_list(index)))
            }
            Operand::ClosureCall(index) => match f.closure_calls.get(index as usize) {
                Some(call) => {
                    let arguments = call.arguments.iter().map(|&(slot, _)| self.map.name(slot));
                    format!("({}), height {}", list(arguments), call.height)
                }
                None => "?".to_owned(),
            },
            Operand::Comparison(index) => match f.comparisons.get(usize::from(index)) {
                Some(how) => {
                    let not = if how.negated { "not " } else { "" };
                    let by = if how.by_reference { "&" } else { "" };
                    format!("{not}equal {by}{}", self.layout(how.layout))
                }
                None => "?".to_owned(),
            },
            Operand::VariantFields(index) => match f.variant_fields.get(index as usize) {
                Some(offsets) => {
                    let known = offsets.iter().enumerate();
                    let known = known.filter_map(|(tag, o)| o.map(|o| format!("{tag}: +{o}")));
                    format!("{{{}}}", list(known))
                }
                None => "?".to_owned(),
            },
            Operand::Packed(index) | Operand::Unpacked(index) => {
                format!("[{}]", list(self.operand_list(index)))
            }
        }
    }

    fn slot_list(&self, index: u32) -> Vec<String> {
        let slots = self.function.slot_lists.get(index as usize);
        let slots = slots.map_or(&[][..], |slots| slots);
        slots.iter().map(|&slot| self.map.name(slot)).collect()
    }

    fn operand_list(&self, index: u32) -> Vec<String> {
        let list = self.function.operand_lists.get(index as usize);
        let slots = list.map_or(&[][..], |list| &list.slots);
        slots.iter().map(|&slot| self.map.name(slot)).collect()
    }

    fn label(&self, at: usize) -> String {
        let number = self.labels.get(at).copied().flatten();
        number.map_or_else(|| "?".to_owned(), |number| format!("B{number}"))
    }

    fn layout(&self, id: LayoutId) -> String {
        let layout = self.ctx.known_layout(id);
        layout.map_or_else(|| "?".to_owned(), |layout| type_text(self.ctx, layout.ty))
    }

    fn name(&self, module: ModuleRef, name: NameId) -> String {
        let (address, module) = self.ctx.module_parts(module);
        let name = self.ctx.types.name_text(name);
        format!("{address}::{module}::{name}")
    }

    fn callee(&self, module: ModuleRef, name: NameId, ty_args: TypeListId) -> String {
        let ty_args = self.ctx_types(&self.ctx.types.list(ty_args));
        format!("{}{ty_args}", self.name(module, name))
    }

    /// `<u64, bool>`; nothing for no types.
    fn ctx_types(&self, types: &[TypeId]) -> String {
        if types.is_empty() {
            return String::new();
        }
        format!(
            "<{}>",
            list(types.iter().map(|&ty| type_text(self.ctx, ty)))
        )
    }
}

/// The start of `bytes` as `x"00ff"`.
fn hex(bytes: &[u8]) -> String {
    let mut text = "x\"".to_owned();
    for byte in bytes.iter().take(SHOWN_BYTES) {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str(if bytes.len() > SHOWN_BYTES {
        "…\""
    } else {
        "\""
    });
    text
}
