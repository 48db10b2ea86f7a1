//! Constant accessors: functions `const$NAME` that return one constant and nothing else (verifier spec §10, version 11 and later).

use crate::{VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, CompiledModule, FunctionAttribute, FunctionDefinition, SignatureToken, Visibility,
};
use monomove_types::StatusCode;

/// First binary version that has the attribute.
pub(crate) const FIRST_VERSION: u32 = 11;

/// Checks one function, native or not.
pub(crate) fn verify(module: &CompiledModule, definition: &FunctionDefinition) -> VerifierResult {
    let handle = module.handle_of_definition(definition);
    let count = |attribute: FunctionAttribute| {
        let same = handle.attributes.iter().filter(|one| **one == attribute);
        same.count()
    };
    let accessors = count(FunctionAttribute::ConstantAccessor);
    if accessors > 1 {
        return Err(refused("more than one constant accessor attribute"));
    }
    let name = module.function_name(definition).as_str();
    let named = name
        .strip_prefix("const$")
        .is_some_and(|rest| !rest.is_empty());
    match (named, accessors > 0) {
        (false, false) => return Ok(()),
        (true, true) => {}
        _ => {
            return Err(refused(
                "name and attribute of a constant accessor go together",
            ));
        }
    }
    if definition.visibility != Visibility::Public && count(FunctionAttribute::Immutable) > 0 {
        return Err(refused("an immutable constant accessor is public"));
    }
    let Some(unit) = &definition.code else {
        return Err(refused("a constant accessor is not native"));
    };
    if !module.signature_at(handle.parameters).is_empty() {
        return Err(refused("a constant accessor has no parameters"));
    }
    let [result] = module.signature_at(handle.return_).tokens() else {
        return Err(refused("a constant accessor has one result"));
    };
    let [load, Bytecode::Ret] = unit.code.as_slice() else {
        return Err(refused("a constant accessor loads and returns"));
    };
    match loads(module, load, result) {
        true => Ok(()),
        false => Err(refused("a constant accessor loads its result")),
    }
}

/// Whether the instruction is the one that loads a constant of this type.
fn loads(module: &CompiledModule, load: &Bytecode, type_: &SignatureToken) -> bool {
    use Bytecode as B;
    use SignatureToken as T;
    match (load, type_) {
        (B::LdTrue | B::LdFalse, T::Bool)
        | (B::LdU8(_), T::U8)
        | (B::LdU16(_), T::U16)
        | (B::LdU32(_), T::U32)
        | (B::LdU64(_), T::U64)
        | (B::LdU128(_), T::U128)
        | (B::LdU256(_), T::U256)
        | (B::LdI8(_), T::I8)
        | (B::LdI16(_), T::I16)
        | (B::LdI32(_), T::I32)
        | (B::LdI64(_), T::I64)
        | (B::LdI128(_), T::I128)
        | (B::LdI256(_), T::I256) => true,
        (B::LdConst(index), T::Address | T::Vector(_)) => {
            module.constant_at(*index).type_ == *type_
        }
        _ => false,
    }
}

fn refused(message: &str) -> VerifierError {
    VerifierError::new(StatusCode::INVALID_CONST_API_CODE, message)
}
