//! The layout of a type byte by byte, for people.

use super::Context;
use super::ids::{LayoutId, TypeId};
use super::layout::{BOX_BYTES, Field, Kind, REFERENCE_BYTES, TAG_BYTES};
use crate::StateView;
use crate::memory::MAX_ALIGN;
use crate::stop::{Run, Stop};
use monomove_format::{FieldDefinition, StructFieldInformation};
use monomove_types::StatusCode;
use serde::Serialize;
use std::collections::BTreeSet;

/// Slots of all layouts together; more are refused.
const MAX_SLOTS: usize = 100_000;

/// What a few bytes of a value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// A primitive value.
    Scalar,
    /// The address of an object on the heap; 0 if there is none.
    Pointer,
    /// Elements of a vector.
    Length,
    /// Elements that fit into a vector's object.
    Capacity,
    /// Where the object or frame starts that a reference leads into.
    ReferenceBase,
    /// How far into it the referent lies.
    ReferenceOffset,
    /// Which variant of an enum is live.
    Tag,
    /// Bytes that belong to nothing.
    Padding,
}

impl SlotKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Pointer => "pointer",
            Self::Length => "length",
            Self::Capacity => "capacity",
            Self::ReferenceBase => "reference_base",
            Self::ReferenceOffset => "reference_offset",
            Self::Tag => "tag",
            Self::Padding => "padding",
        }
    }
}

/// A few bytes of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayoutSlot {
    /// Bytes from the start of the value.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Fields on the way, joined by dots; a variant of an enum is followed by `::`. Empty for the value itself.
    pub path: String,
    /// Type of the value that these bytes belong to.
    #[serde(rename = "type")]
    pub ty: String,
    /// What they are.
    pub kind: SlotKind,
}

/// How values of a type lie in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeLayout {
    /// The type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Bytes.
    pub size: u32,
    /// Its values start at multiples of this.
    pub align: u32,
    /// Whether a value is its bytes alone: a copy is a copy of bytes.
    pub plain: bool,
    /// Length of the BCS of any value, if it is the same for all.
    pub bcs_bytes: Option<u32>,
    /// Every byte, in order; variants of an enum one after the other, as they lie in the same place.
    pub slots: Vec<LayoutSlot>,
}

/// Layouts being made.
struct Lister<'a> {
    ctx: &'a mut Context,
    view: &'a mut dyn StateView,
    slots: usize,
    /// Types whose values lie behind pointers, and variants of enums that do, in the order they were met.
    behind: Vec<(LayoutId, Option<u16>)>,
    seen: BTreeSet<(u32, Option<u16>)>,
}

/// The layout of `ty`, then those of the elements of vectors and of the objects of enums in it, and of theirs.
pub(crate) fn layouts(
    ctx: &mut Context,
    view: &mut dyn StateView,
    ty: TypeId,
) -> Run<Vec<TypeLayout>> {
    let mut lister = Lister {
        ctx,
        view,
        slots: 0,
        behind: Vec::new(),
        seen: BTreeSet::new(),
    };
    let mut all = Vec::new();
    if ty.is_reference() {
        let slot = |offset, kind| LayoutSlot {
            offset,
            size: 4,
            path: String::new(),
            ty: String::new(),
            kind,
        };
        let mut slots = vec![
            slot(0, SlotKind::ReferenceBase),
            slot(4, SlotKind::ReferenceOffset),
        ];
        let mark = if ty.is_mutable_reference() {
            "&mut "
        } else {
            "&"
        };
        let name = format!("{mark}{}", lister.ctx.tag(ty.referent())?);
        slots.iter_mut().for_each(|slot| slot.ty.clone_from(&name));
        all.push(TypeLayout {
            ty: name,
            size: REFERENCE_BYTES,
            align: 8,
            plain: true,
            bcs_bytes: None,
            slots,
        });
    }
    let root = lister.ctx.layout_id(lister.view, ty.referent())?;
    lister.meet(root, None);
    let mut next = 0;
    while let Some(&(id, variant)) = lister.behind.get(next) {
        all.push(match variant {
            Some(tag) => lister.variant(id, tag)?,
            None => lister.layout(id)?,
        });
        next += 1;
    }
    Ok(all)
}

impl Lister<'_> {
    fn meet(&mut self, id: LayoutId, variant: Option<u16>) {
        if self.seen.insert((id.0, variant)) {
            self.behind.push((id, variant));
        }
    }

    fn layout(&mut self, id: LayoutId) -> Run<TypeLayout> {
        let layout = self.ctx.layout(id).clone();
        let mut slots = Vec::new();
        self.value(id, 0, "", &mut slots)?;
        Ok(TypeLayout {
            ty: self.ctx.tag(layout.ty)?.to_string(),
            size: layout.size,
            align: layout.align,
            plain: layout.plain,
            bcs_bytes: layout.fixed_bcs,
            slots,
        })
    }

    fn push(
        &mut self,
        slots: &mut Vec<LayoutSlot>,
        (offset, size): (u32, u32),
        path: &str,
        ty: &str,
        kind: SlotKind,
    ) -> Run<()> {
        self.slots += 1;
        if self.slots > MAX_SLOTS {
            return Err(Stop::with_message(
                StatusCode::TOO_MANY_TYPE_NODES,
                "the layout has too many parts to list",
            ));
        }
        slots.push(LayoutSlot {
            offset,
            size,
            path: path.to_owned(),
            ty: ty.to_owned(),
            kind,
        });
        Ok(())
    }

    /// The bytes of a value at `at`. The recursion follows the nesting of types.
    fn value(&mut self, id: LayoutId, at: u32, path: &str, out: &mut Vec<LayoutSlot>) -> Run<()> {
        let layout = self.ctx.layout(id).clone();
        let ty = self.ctx.tag(layout.ty)?.to_string();
        match &layout.kind {
            Kind::Bool | Kind::Int(_) | Kind::Address | Kind::Signer => {
                self.push(out, (at, layout.size), path, &ty, SlotKind::Scalar)
            }
            Kind::Vector(element) => {
                self.meet(*element, None);
                self.push(out, (at, 4), path, &ty, SlotKind::Pointer)?;
                self.push(out, (at + 4, 4), path, &ty, SlotKind::Length)?;
                self.push(out, (at + 8, 4), path, &ty, SlotKind::Capacity)
            }
            Kind::Closure => self.push(out, (at, 4), path, &ty, SlotKind::Pointer),
            Kind::Struct(fields) => {
                let names = self.names(layout.ty, None)?;
                self.fields(fields, &names.1, (at, 0, layout.size), path, &ty, out)
            }
            Kind::Enum(variants) => {
                if variants.is_boxed() {
                    (0..variants.fields.len() as u16).for_each(|tag| self.meet(id, Some(tag)));
                    return self.push(out, (at, BOX_BYTES), path, &ty, SlotKind::Pointer);
                }
                self.push(out, (at, TAG_BYTES), path, &ty, SlotKind::Tag)?;
                for (tag, fields) in (0..).zip(variants.fields.iter()) {
                    let (variant, names) = self.names(layout.ty, Some(tag))?;
                    let path = format!(
                        "{path}{}{variant}::",
                        if path.is_empty() { "" } else { "." }
                    );
                    let range = (at, TAG_BYTES, layout.size);
                    self.fields(fields, &names, range, &path, &ty, out)?;
                }
                Ok(())
            }
        }
    }

    /// The object of a variant.
    fn variant(&mut self, id: LayoutId, tag: u16) -> Run<TypeLayout> {
        let layout = self.ctx.layout(id).clone();
        let unknown = || Stop::status(StatusCode::TYPE_RESOLUTION_FAILURE);
        let Kind::Enum(variants) = &layout.kind else {
            return Err(unknown());
        };
        let fields = variants.of(tag).ok_or_else(unknown)?;
        let size = variants.object_bytes(tag).ok_or_else(unknown)?;
        let (variant, names) = self.names(layout.ty, Some(tag))?;
        let ty = self.ctx.tag(layout.ty)?.to_string();
        let mut slots = Vec::new();
        self.push(&mut slots, (0, TAG_BYTES), "", &ty, SlotKind::Tag)?;
        let path = format!("{variant}::");
        let range = (0, TAG_BYTES, size);
        self.fields(fields, &names, range, &path, &ty, &mut slots)?;
        Ok(TypeLayout {
            ty: format!("{ty}::{variant}"),
            size,
            align: MAX_ALIGN,
            plain: fields.iter().all(|f| self.ctx.layout(f.layout).plain),
            bcs_bytes: None,
            slots,
        })
    }

    /// The fields of a struct or variant at `at`, which take the bytes from `start` to `end`.
    fn fields(
        &mut self,
        fields: &[Field],
        names: &[String],
        (at, start, end): (u32, u32, u32),
        path: &str,
        ty: &str,
        out: &mut Vec<LayoutSlot>,
    ) -> Run<()> {
        let mut used = start;
        for (field, name) in fields.iter().zip(names) {
            if field.offset > used {
                let gap = (at + used, field.offset - used);
                self.push(out, gap, path, ty, SlotKind::Padding)?;
            }
            let dot = if path.is_empty() || path.ends_with("::") {
                ""
            } else {
                "."
            };
            let inner = format!("{path}{dot}{name}");
            self.value(field.layout, at + field.offset, &inner, out)?;
            used = field.offset + self.ctx.layout(field.layout).size;
        }
        if end > used {
            self.push(out, (at + used, end - used), path, ty, SlotKind::Padding)?;
        }
        Ok(())
    }

    /// The names of the fields of a struct, or of a variant with its own name.
    fn names(&mut self, ty: TypeId, variant: Option<u16>) -> Run<(String, Vec<String>)> {
        let unknown = || Stop::status(StatusCode::TYPE_RESOLUTION_FAILURE);
        let (module, name, _) = self.ctx.struct_parts(ty).ok_or_else(unknown)?;
        let module = self.ctx.module(self.view, module)?;
        let (definition, _) = module.struct_by_name(name).ok_or_else(unknown)?;
        let text = |index: monomove_format::IdentifierIndex| {
            let name = module.names[usize::from(index.0)];
            self.ctx.types.name_text(name).to_owned()
        };
        let list = |fields: &[FieldDefinition]| fields.iter().map(|f| text(f.name)).collect();
        match (&definition.field_information, variant) {
            (StructFieldInformation::Declared(fields), None) => Ok((String::new(), list(fields))),
            (StructFieldInformation::DeclaredVariants(variants), Some(tag)) => {
                let variant = variants.get(usize::from(tag)).ok_or_else(unknown)?;
                Ok((text(variant.name), list(&variant.fields)))
            }
            _ => Err(unknown()),
        }
    }
}
