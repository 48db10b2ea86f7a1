//! Arguments from outside (verifier spec §13): which types they may have, and which bytes are values of them.
//!
//! Bytes make any value of a type, also one that the type's module would never make. So only types whose invariants are known here are let
//! in, and their invariants are checked.

use crate::context::Context;
use crate::context::ids::TypeId;
use crate::context::layout::Kind;
use crate::context::types::TypeNode;
use crate::interp::Interpreter;
use crate::memory::Addr;
use crate::stop::{Run, Stop};
use crate::value::{VectorHeader, byte_vector, live_variant};
use monomove_types::{AccountAddress, Identifier, ModuleId, StatusCode, TypeTag};

/// A value that only its module's constructor can vouch for.
pub(crate) struct Constructed {
    pub(crate) module: ModuleId,
    pub(crate) function: Identifier,
    pub(crate) ty_arg: TypeTag,
    pub(crate) address: AccountAddress,
}

/// The structs that may come from outside; all are of `0x1`.
enum Known {
    /// `string::String`: UTF-8.
    String,
    /// `option::Option<T>`: one value or none.
    Option(TypeId),
    /// `object::Object<T>`: there is such an object.
    Object(TypeId),
    /// `fixed_point32::FixedPoint32`, `fixed_point64::FixedPoint64`: any bits.
    FixedPoint,
}

impl Known {
    fn of(ctx: &Context, ty: TypeId) -> Option<Self> {
        let (module, name, args) = ctx.struct_parts(ty)?;
        let (address, module) = ctx.module_parts(module);
        if address != AccountAddress::ONE {
            return None;
        }
        let args = ctx.types.list(args);
        match (module, ctx.types.name_text(name), &*args) {
            ("string", "String", []) => Some(Self::String),
            ("option", "Option", &[inner]) => Some(Self::Option(inner)),
            ("object", "Object", &[inner]) => Some(Self::Object(inner)),
            ("fixed_point32", "FixedPoint32", []) | ("fixed_point64", "FixedPoint64", []) => {
                Some(Self::FixedPoint)
            }
            _ => None,
        }
    }
}

/// Refuses parameter `n` unless a value of its type may come from outside.
pub(crate) fn check_type(ctx: &Context, n: usize, ty: TypeId) -> Run<()> {
    if admissible(ctx, ty) {
        return Ok(());
    }
    Err(Stop::with_message(
        StatusCode::INVALID_MAIN_FUNCTION_SIGNATURE,
        format!("parameter {n} has a type that cannot come from outside"),
    ))
}

/// The depth of a type is bounded, so the recursion is.
fn admissible(ctx: &Context, ty: TypeId) -> bool {
    if ty.is_reference() || ty == TypeId::SIGNER {
        return false;
    }
    match ctx.types.node(ty) {
        None => true,
        Some(TypeNode::Vector(element)) => admissible(ctx, element),
        Some(TypeNode::Struct(..)) => match Known::of(ctx, ty) {
            Some(Known::Option(inner)) => admissible(ctx, inner),
            Some(_) => true,
            None => false,
        },
        Some(TypeNode::Function { .. }) => false,
    }
}

/// Checks the value at `at`, an admissible one, and notes what constructors must vouch for.
pub(crate) fn check_value(
    run: &mut Interpreter<'_>,
    n: usize,
    ty: TypeId,
    at: Addr,
    constructed: &mut Vec<Constructed>,
) -> Run<()> {
    let malformed = |what: &str| {
        Err(Stop::with_message(
            StatusCode::FAILED_TO_DESERIALIZE_ARGUMENT,
            format!("argument {n}: {what}"),
        ))
    };
    match run.ctx.types.node(ty) {
        None | Some(TypeNode::Function { .. }) => Ok(()),
        Some(TypeNode::Vector(element)) => {
            if element.compound_index().is_none() {
                return Ok(());
            }
            let header = VectorHeader::read(run.memory, at);
            let layout = run.ctx.layout_id(run.view, element)?;
            let size = run.ctx.layout(layout).size;
            (0..header.len).try_for_each(|i| {
                check_value(run, n, element, header.storage + i * size, constructed)
            })
        }
        Some(TypeNode::Struct(..)) => match Known::of(run.ctx, ty) {
            Some(Known::String) => {
                if std::str::from_utf8(byte_vector(run.memory, at)).is_err() {
                    return malformed("a string is not UTF-8");
                }
                Ok(())
            }
            Some(Known::Option(inner)) => {
                let layout = run.ctx.layout_id(run.view, ty)?;
                let layout = run.ctx.layout(layout).clone();
                match &layout.kind {
                    Kind::Struct(_) => {
                        let header = VectorHeader::read(run.memory, at);
                        match header.len {
                            0 => Ok(()),
                            1 => check_value(run, n, inner, header.storage, constructed),
                            _ => malformed("an option has more than one value"),
                        }
                    }
                    Kind::Enum(variants) => {
                        let live = live_variant(run.memory, variants, at)?;
                        match live.fields {
                            [field] => {
                                check_value(run, n, inner, live.at + field.offset, constructed)
                            }
                            _ => Ok(()),
                        }
                    }
                    _ => Ok(()),
                }
            }
            Some(Known::Object(inner)) => {
                let name = |text: &str| {
                    Identifier::new(text)
                        .map_err(|_| Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR))
                };
                constructed.push(Constructed {
                    module: ModuleId {
                        address: AccountAddress::ONE,
                        name: name("object")?,
                    },
                    function: name("address_to_object")?,
                    ty_arg: run.ctx.tag(inner)?,
                    address: run.address_at(at),
                });
                Ok(())
            }
            Some(Known::FixedPoint) => Ok(()),
            None => malformed("its type cannot come from outside"),
        },
    }
}
