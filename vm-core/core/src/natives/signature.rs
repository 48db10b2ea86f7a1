//! Signatures of natives: what a native relies on about the frame it works in.
//!
//! A declaration in a module is not trusted: it must fit the text here, in which `T0`, `T1`, … are the type arguments, and these
//! words stand for kinds of types that library versions spell differently:
//! `bytes` (a `vector<u8>` or a struct that is nothing but one), `list` (a vector of `bytes`), `handle` (a struct that starts with an address),
//! `ordering` (an enum of at least three variants without fields), `option` (an `Option<u64>`, as struct or enum), `type`
//! (a struct of an address and two `bytes`), `result` (an enum of two variants with a field each, a `T0` and an enum of at least five
//! variants without fields).

use crate::StateView;
use crate::context::Context;
use crate::context::ids::TypeId;
use crate::context::layout::{Field, Kind};
use crate::stop::Run;

/// Whether a native with this signature may be declared with these types.
pub(super) fn fits(
    ctx: &mut Context,
    view: &mut dyn StateView,
    signature: &str,
    params: &[TypeId],
    results: &[TypeId],
    ty_args: &[TypeId],
) -> Run<bool> {
    let (takes, gives) = signature.split_once("->").unwrap_or((signature, ""));
    for (words, types) in [(takes, params), (gives, results)] {
        let words: Vec<&str> = words
            .split(',')
            .map(str::trim)
            .filter(|w| !w.is_empty())
            .collect();
        if words.len() != types.len() {
            return Ok(false);
        }
        for (word, &ty) in words.into_iter().zip(types) {
            if !fits_word(ctx, view, word, ty, ty_args)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn fits_word(
    ctx: &mut Context,
    view: &mut dyn StateView,
    word: &str,
    ty: TypeId,
    ty_args: &[TypeId],
) -> Run<bool> {
    if let Some(referent) = word.strip_prefix("&mut ") {
        return Ok(
            ty.is_mutable_reference() && fits_word(ctx, view, referent, ty.referent(), ty_args)?
        );
    }
    if let Some(referent) = word.strip_prefix('&') {
        let immutable = ty.is_reference() && !ty.is_mutable_reference();
        return Ok(immutable && fits_word(ctx, view, referent, ty.referent(), ty_args)?);
    }
    let argument = |n: usize| ty_args.get(n) == Some(&ty);
    Ok(match word {
        "T0" => argument(0),
        "T1" => argument(1),
        "T2" => argument(2),
        "vector<T0>" => match ty_args.first() {
            Some(&element) => ctx.types.vector(element)? == ty,
            None => false,
        },
        "u8" => ty == TypeId::U8,
        "u64" => ty == TypeId::U64,
        "bool" => ty == TypeId::BOOL,
        "address" => ty == TypeId::ADDRESS,
        "signer" => ty == TypeId::SIGNER,
        _ if ty.is_reference() => false,
        _ => {
            let kind = ctx.layout_id(view, ty)?;
            let kind = ctx.layout(kind).kind.clone();
            match (word, &kind) {
                ("bytes", kind) => is_bytes(ctx, kind),
                ("list", Kind::Vector(element)) => is_bytes(ctx, &ctx.layout(*element).kind),
                ("handle", Kind::Struct(fields)) => fields
                    .first()
                    .is_some_and(|f| field_type(ctx, f) == TypeId::ADDRESS),
                ("ordering", kind) => is_plain_enum(kind, 3),
                ("option", Kind::Struct(fields)) => match **fields {
                    [vector] => is_vector_of(ctx, &ctx.layout(vector.layout).kind, TypeId::U64),
                    _ => false,
                },
                ("option", Kind::Enum(variants)) => match &*variants.fields {
                    [none, some] => {
                        none.is_empty()
                            && matches!(**some, [f] if field_type(ctx, &f) == TypeId::U64)
                    }
                    _ => false,
                },
                ("result", Kind::Enum(variants)) => match &*variants.fields {
                    [ok, err] => match (&**ok, &**err) {
                        ([ok], [err]) => {
                            ty_args.first() == Some(&field_type(ctx, ok))
                                && is_plain_enum(&ctx.layout(err.layout).kind, 5)
                        }
                        _ => false,
                    },
                    _ => false,
                },
                ("type", Kind::Struct(fields)) => match **fields {
                    [account, module, name] => {
                        let bytes = |f: Field| is_bytes(ctx, &ctx.layout(f.layout).kind);
                        field_type(ctx, &account) == TypeId::ADDRESS && bytes(module) && bytes(name)
                    }
                    _ => false,
                },
                _ => false,
            }
        }
    })
}

fn field_type(ctx: &Context, field: &Field) -> TypeId {
    ctx.layout(field.layout).ty
}

fn is_vector_of(ctx: &Context, kind: &Kind, element: TypeId) -> bool {
    matches!(kind, Kind::Vector(inner) if ctx.layout(*inner).ty == element)
}

/// An enum of at least so many variants, all without fields.
fn is_plain_enum(kind: &Kind, least: usize) -> bool {
    matches!(kind, Kind::Enum(variants) if variants.fields.len() >= least && variants.fields.iter().all(|v| v.is_empty()))
}

/// A `vector<u8>`, or a struct that is nothing but one.
fn is_bytes(ctx: &Context, kind: &Kind) -> bool {
    match kind {
        Kind::Struct(fields) => {
            matches!(**fields, [only] if is_vector_of(ctx, &ctx.layout(only.layout).kind, TypeId::U8))
        }
        kind => is_vector_of(ctx, kind, TypeId::U8),
    }
}
