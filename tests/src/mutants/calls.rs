//! Calls with arbitrary arguments.

use super::random::Random;
use monomove_core::{Access, Call};
use monomove_format::{CompiledModule, SignatureToken, StructFieldInformation};
use monomove_types::{AccountAddress, ModuleId, TypeTag};
use std::collections::BTreeMap;

/// Nesting of an argument.
const MAX_DEPTH: u32 = 8;

/// Accounts that calls use.
pub const ACCOUNTS: [&str; 3] = ["0x1", "0xa1", "0xcafe"];

/// Modules that struct arguments may be of.
pub type ModulesById = BTreeMap<ModuleId, CompiledModule>;

fn account(random: &mut Random) -> AccountAddress {
    random
        .one_of(&ACCOUNTS)
        .and_then(|a| a.parse().ok())
        .unwrap_or(AccountAddress::ONE)
}

fn type_argument(random: &mut Random) -> (TypeTag, SignatureToken) {
    match random.below(5) {
        0 => (TypeTag::U8, SignatureToken::U8),
        1 => (TypeTag::Bool, SignatureToken::Bool),
        2 => (TypeTag::Address, SignatureToken::Address),
        3 => (
            TypeTag::Vector(Box::new(TypeTag::U8)),
            SignatureToken::Vector(Box::new(SignatureToken::U8)),
        ),
        _ => (TypeTag::U64, SignatureToken::U64),
    }
}

/// A call of function definition `index` of `module`.
pub fn call(
    random: &mut Random,
    modules: &ModulesById,
    module: &CompiledModule,
    index: usize,
    gas_limit: u64,
) -> Option<Call> {
    let def = &module.function_defs[index];
    let handle = module.function_handles.get(usize::from(def.function.0))?;
    let (ty_args, tokens): (Vec<_>, Vec<_>) = handle
        .type_parameters
        .iter()
        .map(|_| type_argument(random))
        .unzip();
    let (mut signers, mut args) = (Vec::new(), Vec::new());
    for token in &module.signatures[usize::from(handle.parameters.0)].0 {
        let token = match token {
            SignatureToken::Reference(inner) | SignatureToken::MutableReference(inner) => inner,
            other => other,
        };
        if *token == SignatureToken::Signer && args.is_empty() {
            signers.push(account(random));
            continue;
        }
        let mut bytes = Vec::new();
        // What cannot be made is garbage; the call then fails, which is fine too.
        let _ = value(random, modules, module, token, &tokens, &mut bytes, 0);
        args.push(bytes);
    }
    let name = &module.identifiers[usize::from(handle.name.0)];
    Some(Call {
        module: module.self_id(),
        function: name.clone(),
        ty_args,
        signers,
        args,
        access: Access::Any,
        gas_limit,
        txn_hash: [7; 32],
    })
}

fn bytes(random: &mut Random, count: usize, out: &mut Vec<u8>) {
    // Mostly small numbers: they get further than large ones.
    let small = !random.once_in(4);
    for i in 0..count {
        out.push(match (small, i) {
            (true, 0) => random.below(9) as u8,
            (true, _) => 0,
            _ => random.bits() as u8,
        });
    }
}

fn value(
    random: &mut Random,
    modules: &ModulesById,
    module: &CompiledModule,
    token: &SignatureToken,
    args: &[SignatureToken],
    out: &mut Vec<u8>,
    depth: u32,
) -> Option<()> {
    use SignatureToken as T;
    if depth > MAX_DEPTH {
        return None;
    }
    match token {
        T::Bool => out.push(random.below(2) as u8),
        T::U8 | T::I8 => bytes(random, 1, out),
        T::U16 | T::I16 => bytes(random, 2, out),
        T::U32 | T::I32 => bytes(random, 4, out),
        T::U64 | T::I64 => bytes(random, 8, out),
        T::U128 | T::I128 => bytes(random, 16, out),
        T::U256 | T::I256 => bytes(random, 32, out),
        T::Address => out.extend(account(random).0),
        T::Vector(element) => {
            let len = random.below(5);
            out.push(len as u8);
            for _ in 0..len {
                value(random, modules, module, element, args, out, depth + 1)?;
            }
        }
        T::TypeParameter(i) => {
            let arg = args.get(usize::from(*i))?.clone();
            value(random, modules, module, &arg, &[], out, depth + 1)?;
        }
        T::Struct(handle) => strukt(random, modules, module, handle.0, &[], out, depth)?,
        T::StructInstantiation(handle, inner) => {
            let args: Option<Vec<_>> = inner.iter().map(|t| substitute(t, args)).collect();
            strukt(random, modules, module, handle.0, &args?, out, depth)?;
        }
        _ => return None,
    }
    Some(())
}

/// Type arguments that mean the same in every module.
fn substitute(token: &SignatureToken, args: &[SignatureToken]) -> Option<SignatureToken> {
    use SignatureToken as T;
    match token {
        T::TypeParameter(i) => args.get(usize::from(*i)).cloned(),
        T::Vector(element) => Some(T::Vector(Box::new(substitute(element, args)?))),
        T::Struct(_) | T::StructInstantiation(..) | T::Function(..) => None,
        other => Some(other.clone()),
    }
}

fn strukt(
    random: &mut Random,
    modules: &ModulesById,
    module: &CompiledModule,
    handle: u16,
    args: &[SignatureToken],
    out: &mut Vec<u8>,
    depth: u32,
) -> Option<()> {
    let handle = module.struct_handles.get(usize::from(handle))?;
    let name = &module.identifiers[usize::from(handle.name.0)];
    let id = module.module_id_for_handle(module.module_handles.get(usize::from(handle.module.0))?);
    let home = if id == module.self_id() {
        module
    } else {
        modules.get(&id)?
    };
    let def = home.struct_defs.iter().find(|def| {
        let handle = &home.struct_handles[usize::from(def.struct_handle.0)];
        home.identifiers[usize::from(handle.name.0)] == *name
    })?;
    let fields = match &def.field_information {
        StructFieldInformation::Native => return None,
        StructFieldInformation::Declared(fields) => fields,
        StructFieldInformation::DeclaredVariants(variants) => {
            let variant = random.below(variants.len());
            out.push(variant as u8);
            &variants.get(variant)?.fields
        }
    };
    for field in fields {
        value(
            random,
            modules,
            home,
            &field.signature.0,
            args,
            out,
            depth + 1,
        )?;
    }
    Some(())
}
