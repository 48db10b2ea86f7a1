//! Abilities of types as the binary writes them.

use monomove_format::{AbilitySet, CompiledModule, SignatureToken};

/// The abilities of `token` in `module`, where `type_parameters` are the constraints of the type parameters around it. A type parameter
/// that is not there has none.
///
/// A type has an ability if it declares it and all its parts that are not phantom have what that ability requires of parts. What is required of the
/// parts of a part is the same again, so one walk over everything that is not phantom does, without recursion.
pub fn abilities(
    module: &CompiledModule,
    token: &SignatureToken,
    type_parameters: &[AbilitySet],
) -> AbilitySet {
    let own = declared(module, token, type_parameters);
    let mut parts = AbilitySet::ALL;
    let mut stack: Vec<&SignatureToken> = Vec::new();
    push_parts(module, token, &mut stack);
    while let Some(part) = stack.pop() {
        parts = parts.intersect(declared(module, part, type_parameters));
        if parts.is_empty() {
            break;
        }
        push_parts(module, part, &mut stack);
    }
    own.iter()
        .filter(|ability| parts.has_ability(ability.required_of_parts()))
        .collect()
}

/// What the type's head declares, whatever its arguments.
fn declared(
    module: &CompiledModule,
    token: &SignatureToken,
    type_parameters: &[AbilitySet],
) -> AbilitySet {
    use SignatureToken as T;
    match token {
        T::Bool
        | T::U8
        | T::U16
        | T::U32
        | T::U64
        | T::U128
        | T::U256
        | T::I8
        | T::I16
        | T::I32
        | T::I64
        | T::I128
        | T::I256
        | T::Address => AbilitySet::PRIMITIVES,
        T::Signer => AbilitySet::SIGNER,
        T::Reference(_) | T::MutableReference(_) => AbilitySet::REFERENCES,
        T::Vector(_) => AbilitySet::VECTOR,
        T::Function(_, _, abilities) => *abilities,
        T::Struct(handle) | T::StructInstantiation(handle, _) => {
            module.struct_handle_at(*handle).abilities
        }
        T::TypeParameter(index) => type_parameters
            .get(usize::from(*index))
            .copied()
            .unwrap_or_default(),
    }
}

/// Pushes the element of a vector and the arguments of a struct that are not phantom.
fn push_parts<'a>(
    module: &CompiledModule,
    token: &'a SignatureToken,
    stack: &mut Vec<&'a SignatureToken>,
) {
    match token {
        SignatureToken::Vector(element) => stack.push(element),
        SignatureToken::StructInstantiation(handle, arguments) => {
            let parameters = &module.struct_handle_at(*handle).type_parameters;
            stack.extend(
                arguments
                    .iter()
                    .zip(parameters)
                    .filter(|(_, parameter)| !parameter.is_phantom)
                    .map(|(argument, _)| argument),
            );
        }
        _ => {}
    }
}
