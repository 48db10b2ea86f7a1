//! Types and code of a run: the interned table, and functions at every level of lowering.

use super::Session;
use super::report::{FieldLayout, LoweredLine, Lowering, LoweringLevel, TypeInfo, VariantLayout};
use crate::error::Error;
use crate::state::View;
use monomove_core::{Part, Stage, TypeShape};
use monomove_format::{CompiledModule, disassemble_linked};
use monomove_text::{StructLayout, StructLayouts};
use monomove_types::TypeTag;

impl Session {
    /// The interned type table of the run.
    pub fn types(&mut self) -> Vec<TypeInfo> {
        let mut view = View {
            state: &self.state,
            writes: &self.writes,
        };
        let shapes = self.machine.types(&mut view);
        let users = self.users();
        let of = |shape: TypeShape| {
            let name = shape.tag.to_string();
            let used_by = users.iter().filter(|(_, names)| names.contains(&name));
            let used_by = used_by.map(|(index, _)| *index).collect();
            self.type_info(shape, name, used_by)
        };
        shapes.into_iter().map(of).collect()
    }

    /// Of each function that was met: the types of its locals and its type arguments.
    fn users(&self) -> Vec<(u32, Vec<String>)> {
        let windows = self.windows.iter().map(|window| &*window.trace);
        let all = self.outline.as_deref().into_iter().chain(windows);
        let Some(trace) = all.max_by_key(|trace| trace.functions.len()) else {
            return Vec::new();
        };
        let name = |ty: u32| {
            let name = trace.types.get(ty as usize)?;
            let value = name
                .strip_prefix("&mut ")
                .or_else(|| name.strip_prefix('&'));
            Some(value.unwrap_or(name).to_owned())
        };
        let functions = (0..).zip(&trace.functions);
        let names = functions.map(|(index, function)| {
            let types = function.ty_args.iter().copied();
            let types = types.chain(function.locals.iter().map(|place| place.ty));
            (index, types.filter_map(name).collect())
        });
        names.collect()
    }

    fn type_info(&self, shape: TypeShape, name: String, used_by: Vec<u32>) -> TypeInfo {
        let (mut kind, mut fields, mut variants) = ("struct", Vec::new(), None);
        match &shape.tag {
            TypeTag::Vector(_) => (kind, fields) = ("vector", vector_header()),
            TypeTag::Function(_) => kind = "function",
            TypeTag::Struct(tag) => match self.layouts.layout(tag) {
                Some(StructLayout::Enum(declared)) => {
                    kind = "enum";
                    let laid_out = declared
                        .iter()
                        .enumerate()
                        .map(|(index, (name, declared))| {
                            let names = declared.iter().map(|field| field.name.clone());
                            VariantLayout {
                                name: name.clone(),
                                fields: named(shape.parts.get(index), names),
                            }
                        });
                    variants = Some(laid_out.collect());
                    fields = vec![match shape.boxed {
                        true => word("variant", 0, 4, "u32", "pointer"),
                        false => word("tag", 0, 2, "u16", "tag"),
                    }];
                }
                Some(StructLayout::Struct(declared)) => {
                    let names = declared.iter().map(|field| field.name.clone());
                    fields = named(shape.parts.first(), names);
                }
                None => fields = named(shape.parts.first(), std::iter::empty()),
            },
            _ => kind = "primitive",
        }
        TypeInfo {
            id: shape.id,
            name,
            kind,
            abilities: shape
                .abilities
                .iter()
                .map(|ability| ability.name())
                .collect(),
            size: shape.layout.map(|(size, _)| size),
            align: shape.layout.map(|(_, align)| align),
            refers_to: refers_to(&shape),
            fields,
            variants,
            used_by,
        }
    }

    /// A function at every level.
    pub fn lowering(&mut self, index: u32) -> Result<Lowering, Error> {
        let functions = self.functions();
        let function = functions.get(index as usize);
        let function =
            function.ok_or_else(|| Error::argument(format!("function {index} was not met yet")))?;
        let unknown = || Error::argument(format!("{} is not at hand", function.module));
        let id = function.module.parse().map_err(|_| unknown())?;
        let name = function.name.parse().map_err(|_| unknown())?;
        let tags = function
            .type_arguments
            .iter()
            .filter_map(|ty| ty.parse().ok());
        let tags = tags.collect::<Vec<TypeTag>>();
        let module = self.layouts.module(&id).ok_or_else(unknown)?;
        let mut levels = vec![LoweringLevel {
            name: "bytecode",
            lines: bytecode(module, function.definition),
        }];
        let mut view = View {
            state: &self.state,
            writes: &self.writes,
        };
        for (level, stage) in [
            ("stackless", Stage::Stackless),
            ("micro-ops", Stage::MicroOps),
        ] {
            if let Ok(text) = self.machine.listing(&id, &name, &tags, stage, &mut view) {
                let lines = text.lines().map(line).collect();
                levels.push(LoweringLevel { name: level, lines });
            }
        }
        Ok(Lowering {
            function: format!("{}::{}", function.module, function.name),
            type_arguments: function.type_arguments.clone(),
            levels,
        })
    }
}

/// The lines of a function in the disassembly of its module: from the empty line before it to the next one.
fn bytecode(module: &CompiledModule, definition: u16) -> Vec<LoweredLine> {
    let listing = disassemble_linked(module);
    let own = listing
        .instructions
        .iter()
        .filter(|link| link.function.0 == definition);
    let own = own
        .map(|link| (link.line as usize, link.offset))
        .collect::<Vec<_>>();
    let (Some(&(first, _)), Some(&(last, _))) = (own.first(), own.last()) else {
        return Vec::new();
    };
    let lines = listing.text.lines().collect::<Vec<_>>();
    let before = lines[..first].iter().rposition(|line| line.is_empty());
    let start = before.map_or(0, |line| line + 1);
    let mut links = own.into_iter().peekable();
    let numbered = (start..).zip(&lines[start..=last]);
    let linked = numbered.map(|(number, text)| LoweredLine {
        text: (*text).to_owned(),
        offset: links.next_if(|link| link.0 == number).map(|link| link.1),
    });
    linked.collect()
}

/// A line of a listing of the core: those of instructions begin with the code offset.
fn line(text: &str) -> LoweredLine {
    let number = text.trim_start().split_once(": ").map(|(number, _)| number);
    LoweredLine {
        text: text.to_owned(),
        offset: number.and_then(|number| number.parse().ok()),
    }
}

fn word(name: &str, offset: u32, size: u32, ty: &str, slot: &'static str) -> FieldLayout {
    FieldLayout {
        name: name.to_owned(),
        offset,
        size,
        r#type: ty.to_owned(),
        type_id: None,
        slot,
    }
}

fn vector_header() -> Vec<FieldLayout> {
    vec![
        word("storage", 0, 4, "u32", "pointer"),
        word("length", 4, 4, "u32", "plain"),
        word("capacity", 8, 4, "u32", "plain"),
    ]
}

fn named(parts: Option<&Vec<Part>>, names: impl Iterator<Item = String>) -> Vec<FieldLayout> {
    let mut names = names;
    let field = |part: &Part| FieldLayout {
        name: names.next().unwrap_or_default(),
        offset: part.offset,
        size: part.size,
        r#type: part.ty.to_string(),
        type_id: part.type_id,
        slot: match (part.pointer, part.plain) {
            (true, _) => "pointer",
            (_, true) => "plain",
            _ => "mixed",
        },
    };
    parts.map_or_else(Vec::new, |parts| parts.iter().map(field).collect())
}

fn refers_to(shape: &TypeShape) -> Vec<u32> {
    let fields = shape.parts.iter().flatten().filter_map(|part| part.type_id);
    let mut ids = shape
        .names
        .iter()
        .copied()
        .chain(fields)
        .collect::<Vec<_>>();
    ids.sort_unstable();
    ids.dedup();
    ids
}
