//! Abstract sizes of values in a recording.

use monomove_core::{MachineConfig, Replay, Trace};
use monomove_format::{CompiledModule, FieldDefinition, SignatureToken, StructFieldInformation};
use monomove_types::TypeTag;

use crate::modules::Modules;

/// Size of a scalar, and of the shell of a struct, a vector, a tag.
const UNIT: u64 = 40;
const VECTOR: u32 = 12;
const REFERENCE: u32 = 8;
const CLOSURE: u32 = 4;
/// An enum that is an object.
const BOXED: (u32, u32) = (4, 4);

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    /// Bytes, and whether a vector of it counts packed in comparisons too.
    Int(u32, bool),
    Address,
    Signer,
    Vector(Box<Ty>),
    Struct(String, String, Vec<Ty>),
    Function,
    Reference(Box<Ty>),
}

impl Ty {
    /// Reads canonical text, references included.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(referent) = text.strip_prefix('&') {
            let referent = referent.strip_prefix("mut ").unwrap_or(referent);
            return Some(Self::Reference(Box::new(Self::parse(referent)?)));
        }
        text.parse().ok().as_ref().map(Self::of_tag)
    }

    fn of_tag(tag: &TypeTag) -> Self {
        match tag {
            TypeTag::Bool => Self::Bool,
            TypeTag::U8 => Self::Int(1, true),
            TypeTag::U16 => Self::Int(2, false),
            TypeTag::U32 => Self::Int(4, false),
            TypeTag::U64 => Self::Int(8, true),
            TypeTag::U128 => Self::Int(16, true),
            TypeTag::U256 => Self::Int(32, false),
            TypeTag::I8 => Self::Int(1, true),
            TypeTag::I16 => Self::Int(2, true),
            TypeTag::I32 => Self::Int(4, true),
            TypeTag::I64 => Self::Int(8, true),
            TypeTag::I128 => Self::Int(16, true),
            TypeTag::I256 => Self::Int(32, true),
            TypeTag::Address => Self::Address,
            TypeTag::Signer => Self::Signer,
            TypeTag::Vector(element) => Self::Vector(Box::new(Self::of_tag(element))),
            TypeTag::Struct(tag) => Self::Struct(
                format!("{}::{}", tag.address, tag.module),
                tag.name.to_string(),
                tag.type_args.iter().map(Self::of_tag).collect(),
            ),
            TypeTag::Function(_) => Self::Function,
        }
    }

    /// A type as a module writes it, under type arguments.
    fn of_token(module: &CompiledModule, token: &SignatureToken, args: &[Self]) -> Option<Self> {
        use SignatureToken as T;
        let of_struct = |index, args: Vec<Self>| {
            let handle = module.struct_handle_at(index);
            let owner = module.module_id_of_struct(handle).to_string();
            Self::Struct(owner, module.identifier_at(handle.name).to_string(), args)
        };
        Some(match token {
            T::Bool => Self::Bool,
            T::U8 => Self::of_tag(&TypeTag::U8),
            T::U16 => Self::of_tag(&TypeTag::U16),
            T::U32 => Self::of_tag(&TypeTag::U32),
            T::U64 => Self::of_tag(&TypeTag::U64),
            T::U128 => Self::of_tag(&TypeTag::U128),
            T::U256 => Self::of_tag(&TypeTag::U256),
            T::I8 => Self::of_tag(&TypeTag::I8),
            T::I16 => Self::of_tag(&TypeTag::I16),
            T::I32 => Self::of_tag(&TypeTag::I32),
            T::I64 => Self::of_tag(&TypeTag::I64),
            T::I128 => Self::of_tag(&TypeTag::I128),
            T::I256 => Self::of_tag(&TypeTag::I256),
            T::Address => Self::Address,
            T::Signer => Self::Signer,
            T::Vector(element) => Self::Vector(Box::new(Self::of_token(module, element, args)?)),
            T::Function(..) => Self::Function,
            T::Struct(index) => of_struct(*index, Vec::new()),
            T::StructInstantiation(index, given) => {
                let given = given
                    .iter()
                    .map(|token| Self::of_token(module, token, args));
                of_struct(*index, given.collect::<Option<_>>()?)
            }
            T::Reference(referent) | T::MutableReference(referent) => {
                Self::Reference(Box::new(Self::of_token(module, referent, args)?))
            }
            T::TypeParameter(index) => args.get(usize::from(*index))?.clone(),
        })
    }

    /// Whether a value can hold a function value.
    pub(crate) fn has_functions(&self, modules: &Modules) -> bool {
        match self {
            Self::Function => true,
            Self::Vector(element) => element.has_functions(modules),
            Self::Struct(..) => {
                let variants = self.variants(modules).unwrap_or_default();
                variants
                    .iter()
                    .flatten()
                    .any(|ty| ty.has_functions(modules))
            }
            _ => false,
        }
    }

    /// The field types of each variant; those of a struct as the only variant.
    fn variants(&self, modules: &Modules) -> Option<Vec<Vec<Self>>> {
        let Self::Struct(owner, name, args) = self else {
            return None;
        };
        let module = modules.get(owner)?;
        let fields = |fields: &[FieldDefinition]| {
            let types = fields
                .iter()
                .map(|field| Self::of_token(module, &field.signature.0, args));
            types.collect::<Option<Vec<_>>>()
        };
        match &module.find_struct(name)?.1.field_information {
            StructFieldInformation::Native => None,
            StructFieldInformation::Declared(list) => Some(vec![fields(list)?]),
            StructFieldInformation::DeclaredVariants(list) => {
                list.iter().map(|variant| fields(&variant.fields)).collect()
            }
        }
    }

    fn is_enum(&self, modules: &Modules) -> Option<bool> {
        let Self::Struct(owner, name, _) = self else {
            return Some(false);
        };
        let (_, definition) = modules.get(owner)?.find_struct(name)?;
        Some(matches!(
            definition.field_information,
            StructFieldInformation::DeclaredVariants(_)
        ))
    }
}

/// Reads values out of a recording.
pub(crate) struct Sizer<'a> {
    pub(crate) modules: &'a Modules,
    pub(crate) replay: &'a Replay<&'a Trace>,
    /// Where the frame stack and the heap begin.
    pub(crate) stack_start: u32,
    pub(crate) heap_start: u32,
}

impl Sizer<'_> {
    fn u32_at(&self, at: u32) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(at)?))
    }

    /// Bytes at an address. The frame stack ends, in a recording, where nothing but zeros was ever written.
    fn bytes<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        if at >= self.heap_start {
            return self.replay.bytes(at, N as u32)?.try_into().ok();
        }
        let from = at.checked_sub(self.stack_start)? as usize;
        let stack = self.replay.stack();
        Some(std::array::from_fn(|i| {
            stack.get(from + i).copied().unwrap_or(0)
        }))
    }

    /// Where the reference at this address refers to.
    pub(crate) fn reference(&self, at: u32) -> Option<u32> {
        Some(self.u32_at(at)?.wrapping_add(self.u32_at(at + 4)?))
    }

    /// Elements of the vector at this address.
    pub(crate) fn len(&self, at: u32) -> Option<u32> {
        self.u32_at(at + 4)
    }

    /// Size and alignment of a type in memory.
    fn slot(&self, ty: &Ty) -> Option<(u32, u32)> {
        Some(match ty {
            Ty::Bool => (1, 1),
            Ty::Int(bytes, _) => (*bytes, (*bytes).min(8)),
            Ty::Address | Ty::Signer => (32, 8),
            Ty::Vector(_) => (VECTOR, 4),
            Ty::Function => (CLOSURE, 4),
            Ty::Reference(_) => (REFERENCE, 8),
            Ty::Struct(..) if self.is_boxed(ty)? => BOXED,
            Ty::Struct(..) => self.inline(ty)?,
        })
    }

    /// Whether a value is a pointer to an object with its tag and fields: machines under the meter have the bound that is the default.
    fn is_boxed(&self, ty: &Ty) -> Option<bool> {
        let bound = MachineConfig::default().enum_inline_bytes;
        Some(ty.is_enum(self.modules)? && self.inline(ty)?.0 > bound)
    }

    /// Size and alignment of the fields of a struct, or of an enum with its tag.
    fn inline(&self, ty: &Ty) -> Option<(u32, u32)> {
        let (start, mut align) = self.start(ty)?;
        let mut size = start;
        for fields in ty.variants(self.modules)? {
            let mut end = start;
            for field in &fields {
                let slot = self.slot(field)?;
                end = end.next_multiple_of(slot.1) + slot.0;
                align = align.max(slot.1);
            }
            size = size.max(end);
        }
        Some((size.next_multiple_of(align), align))
    }

    /// Where the first field may begin, and the alignment without fields: an enum begins with its tag.
    fn start(&self, ty: &Ty) -> Option<(u32, u32)> {
        Some(if ty.is_enum(self.modules)? {
            (2, 2)
        } else {
            (0, 1)
        })
    }

    /// Abstract size of the value at an address; comparisons pack fewer vectors.
    pub(crate) fn units(&self, ty: &Ty, at: u32, equality: bool) -> Option<u64> {
        Some(match ty {
            Ty::Bool | Ty::Int(..) | Ty::Address | Ty::Reference(_) => UNIT,
            Ty::Signer => 3 * UNIT,
            Ty::Function => return None,
            Ty::Vector(element) => {
                let (storage, len) = (self.u32_at(at)?, self.len(at)?);
                let packed = match **element {
                    Ty::Bool => Some(1),
                    Ty::Address => Some(32),
                    Ty::Int(bytes, also) if also || !equality => Some(u64::from(bytes)),
                    _ => None,
                };
                if let Some(bytes) = packed {
                    return Some(UNIT + u64::from(len) * bytes);
                }
                let (size, _) = self.slot(element)?;
                let mut units = UNIT;
                for i in 0..len {
                    units += self.units(element, storage + i * size, equality)?;
                }
                units
            }
            Ty::Struct(..) => {
                let at = match self.is_boxed(ty)? {
                    true => self.u32_at(at)?,
                    false => at,
                };
                let (mut end, _) = self.start(ty)?;
                let (mut units, mut variant) = (UNIT, 0);
                if end > 0 {
                    let tag = u16::from_le_bytes(self.bytes(at)?);
                    (units, variant) = (2 * UNIT, usize::from(tag));
                }
                for field in ty.variants(self.modules)?.get(variant)? {
                    let (size, align) = self.slot(field)?;
                    let offset = end.next_multiple_of(align);
                    units += self.units(field, at + offset, equality)?;
                    end = offset + size;
                }
                units
            }
        })
    }
}
