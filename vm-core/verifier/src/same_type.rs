//! Types of two modules compared by what they mean: struct handles of different tables are equal if they name the same struct.

use monomove_format::{
    AccountAddress, CompiledModule, Identifier, ModuleHandleIndex, Signature, SignatureToken,
    StructHandleIndex,
};

/// Two modules whose types are compared.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) left: &'a CompiledModule,
    pub(crate) right: &'a CompiledModule,
}

impl Pair<'_> {
    /// Whether two lists of types are the same.
    pub(crate) fn same_list(self, left: &Signature, right: &Signature) -> bool {
        left.len() == right.len()
            && left
                .0
                .iter()
                .zip(&right.0)
                .all(|(left, right)| self.same(left, right))
    }

    /// Whether two types are the same. Function types need equal abilities. Without recursion.
    pub(crate) fn same(self, left: &SignatureToken, right: &SignatureToken) -> bool {
        let mut stack = vec![(left, right)];
        while let Some((left, right)) = stack.pop() {
            if !self.same_head(left, right) {
                return false;
            }
            stack.extend(left.children().zip(right.children()));
        }
        true
    }

    /// Whether two types are the same but for their parts, of which there are equally many.
    fn same_head(self, left: &SignatureToken, right: &SignatureToken) -> bool {
        use SignatureToken as T;
        match (left, right) {
            (T::Vector(_), T::Vector(_))
            | (T::Reference(_), T::Reference(_))
            | (T::MutableReference(_), T::MutableReference(_)) => true,
            (T::Struct(left), T::Struct(right)) => self.same_struct(*left, *right),
            (T::StructInstantiation(left, of_left), T::StructInstantiation(right, of_right)) => {
                of_left.len() == of_right.len() && self.same_struct(*left, *right)
            }
            (
                T::Function(parameters, results, abilities),
                T::Function(other_parameters, other_results, other_abilities),
            ) => {
                parameters.len() == other_parameters.len()
                    && results.len() == other_results.len()
                    && abilities == other_abilities
            }
            (T::TypeParameter(left), T::TypeParameter(right)) => left == right,
            _ => left.children().next().is_none() && left == right && !is_named(left),
        }
    }

    /// Whether two struct handles name the same struct.
    pub(crate) fn same_struct(self, left: StructHandleIndex, right: StructHandleIndex) -> bool {
        let (left, right) = (
            self.left.struct_handle_at(left),
            self.right.struct_handle_at(right),
        );
        self.left.identifier_at(left.name) == self.right.identifier_at(right.name)
            && self.same_module(left.module, right.module)
    }

    /// Whether two module handles name the same module.
    pub(crate) fn same_module(self, left: ModuleHandleIndex, right: ModuleHandleIndex) -> bool {
        module_name(self.left, left) == module_name(self.right, right)
    }
}

/// The module that a handle names, without a copy.
pub(crate) fn module_name(
    module: &CompiledModule,
    handle: ModuleHandleIndex,
) -> (&AccountAddress, &Identifier) {
    let handle = module.module_handle_at(handle);
    (
        module.address_identifier_at(handle.address),
        module.identifier_at(handle.name),
    )
}

fn is_named(token: &SignatureToken) -> bool {
    matches!(
        token,
        SignatureToken::Struct(_) | SignatureToken::StructInstantiation(..)
    )
}
