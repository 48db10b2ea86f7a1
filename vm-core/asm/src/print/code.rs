//! Code: locals, labels and instructions.

use super::Printer;
use super::constant::integer_text;
use monomove_format::{
    Bytecode, CodeUnit, FieldHandleIndex, FunctionHandleIndex, FunctionInstantiationIndex,
    LocalIndex, SignatureIndex, StructDefinitionIndex, StructVariantHandleIndex,
    VariantFieldHandleIndex, VariantIndex,
};
use std::collections::BTreeMap;

/// Numbers of labels by their place.
type Labels = BTreeMap<usize, usize>;

impl Printer<'_> {
    /// Locals and instructions.
    pub(super) fn body(&mut self, unit: &CodeUnit, parameters: SignatureIndex) {
        let parameters = self.view.signature(parameters).len();
        let locals = self.view.signature(unit.locals);
        self.locals = parameters + locals.len();
        for (index, type_) in locals.iter().enumerate() {
            if self.out.is_full() {
                return;
            }
            self.out
                .push(&format!("    local l{}: ", parameters + index));
            self.type_(type_);
            self.out.push("\n");
        }
        let labels = labels(unit);
        for (index, instruction) in unit.code.iter().enumerate() {
            if self.out.is_full() {
                return;
            }
            if index > 0 && index % 5 == 0 {
                self.out.push(&format!("    // @{index}\n"));
            }
            match labels.get(&index) {
                Some(label) => self.out.push(&format!("l{label}: ")),
                None => self.out.push("    "),
            }
            self.instruction(instruction, &labels);
            self.out.push("\n");
        }
        match labels.get(&unit.code.len()) {
            Some(label) => self.out.push(&format!("l{label}:\n")),
            // A label tells empty code from a native function.
            None if unit.code.is_empty() => self.out.push("l0:\n"),
            None => {}
        }
    }

    fn instruction(&mut self, instruction: &Bytecode, labels: &Labels) {
        use Bytecode as B;
        self.out.push(instruction.mnemonic());
        match instruction {
            B::Branch(target) | B::BrTrue(target) | B::BrFalse(target) => {
                let text = match labels.get(&usize::from(*target)) {
                    Some(label) => format!(" l{label}"),
                    None => format!(" {target}"),
                };
                self.out.push(&text);
            }
            B::CopyLoc(local)
            | B::MoveLoc(local)
            | B::StLoc(local)
            | B::ImmBorrowLoc(local)
            | B::MutBorrowLoc(local) => self.local(*local),
            B::LdU8(value) => self.out.push(&format!(" {value}")),
            B::LdU16(value) => self.out.push(&format!(" {value}")),
            B::LdU32(value) => self.out.push(&format!(" {value}")),
            B::LdU64(value) => self.out.push(&format!(" {value}")),
            B::LdU128(value) => self.out.push(&format!(" {value}")),
            B::LdI8(value) => self.out.push(&format!(" {value}")),
            B::LdI16(value) => self.out.push(&format!(" {value}")),
            B::LdI32(value) => self.out.push(&format!(" {value}")),
            B::LdI64(value) => self.out.push(&format!(" {value}")),
            B::LdI128(value) => self.out.push(&format!(" {value}")),
            B::LdU256(value) => self.wide(&value.0, false),
            B::LdI256(value) => self.wide(&value.0, true),
            B::LdConst(index) => match self.view.constants.get(index.into_index()) {
                Some(constant) => self.constant(constant),
                None => self.out.unknown(),
            },
            B::Call(handle) => self.call(*handle),
            B::CallGeneric(index) => {
                self.out.push(" ");
                self.function_instantiation(*index);
            }
            B::PackClosure(handle, mask) => {
                self.call(*handle);
                self.out.push(&format!(", {}", mask.0));
            }
            B::PackClosureGeneric(index, mask) => {
                self.out.push(" ");
                self.function_instantiation(*index);
                self.out.push(&format!(", {}", mask.0));
            }
            B::CallClosure(types)
            | B::VecLen(types)
            | B::VecImmBorrow(types)
            | B::VecMutBorrow(types)
            | B::VecPushBack(types)
            | B::VecPopBack(types)
            | B::VecSwap(types) => {
                self.out.push(" ");
                self.type_arguments(*types);
            }
            B::VecPack(types, count) | B::VecUnpack(types, count) => {
                self.out.push(" ");
                self.type_arguments(*types);
                self.out.push(&format!(", {count}"));
            }
            _ => self.member_operand(instruction),
        }
    }

    /// Operands that name structs, fields and variants; nothing for the rest.
    fn member_operand(&mut self, instruction: &Bytecode) {
        use Bytecode as B;
        let module = self.view.module;
        match instruction {
            B::Pack(def)
            | B::Unpack(def)
            | B::Exists(def)
            | B::ImmBorrowGlobal(def)
            | B::MutBorrowGlobal(def)
            | B::MoveFrom(def)
            | B::MoveTo(def) => self.definition(Some(*def), None),
            B::PackGeneric(index)
            | B::UnpackGeneric(index)
            | B::ExistsGeneric(index)
            | B::ImmBorrowGlobalGeneric(index)
            | B::MutBorrowGlobalGeneric(index)
            | B::MoveFromGeneric(index)
            | B::MoveToGeneric(index) => {
                let found =
                    module.and_then(|m| m.struct_def_instantiations.get(index.into_index()));
                self.definition(found.map(|i| i.def), found.map(|i| i.type_parameters));
            }
            B::ImmBorrowField(handle) | B::MutBorrowField(handle) => {
                self.field(Some(*handle), None);
            }
            B::ImmBorrowFieldGeneric(index) | B::MutBorrowFieldGeneric(index) => {
                let found = module.and_then(|m| m.field_instantiations.get(index.into_index()));
                self.field(found.map(|i| i.handle), found.map(|i| i.type_parameters));
            }
            B::ImmBorrowVariantField(handle) | B::MutBorrowVariantField(handle) => {
                self.variant_field(Some(*handle), None);
            }
            B::ImmBorrowVariantFieldGeneric(index) | B::MutBorrowVariantFieldGeneric(index) => {
                let found =
                    module.and_then(|m| m.variant_field_instantiations.get(index.into_index()));
                self.variant_field(found.map(|i| i.handle), found.map(|i| i.type_parameters));
            }
            B::PackVariant(handle) | B::UnpackVariant(handle) | B::TestVariant(handle) => {
                self.variant_handle(Some(*handle), None);
            }
            B::PackVariantGeneric(index)
            | B::UnpackVariantGeneric(index)
            | B::TestVariantGeneric(index) => {
                let found =
                    module.and_then(|m| m.struct_variant_instantiations.get(index.into_index()));
                self.variant_handle(found.map(|i| i.handle), found.map(|i| i.type_parameters));
            }
            _ => {}
        }
    }

    fn local(&mut self, local: LocalIndex) {
        let prefix = if usize::from(local) < self.locals {
            "l"
        } else {
            ""
        };
        self.out.push(&format!(" {prefix}{local}"));
    }

    fn wide(&mut self, bytes: &[u8; 32], is_signed: bool) {
        match integer_text(bytes, is_signed) {
            Some(text) => self.out.push(&format!(" {text}")),
            None => self.out.unknown(),
        }
    }

    /// ` f`
    pub(super) fn call(&mut self, handle: FunctionHandleIndex) {
        self.out.push(" ");
        self.function(handle);
    }

    pub(super) fn function(&mut self, handle: FunctionHandleIndex) {
        match self.view.function_handle(handle) {
            Some(handle) => self.member(handle.module, self.view.identifier(handle.name)),
            None => self.out.unknown(),
        }
    }

    /// `f<T>`
    pub(super) fn function_instantiation(&mut self, index: FunctionInstantiationIndex) {
        let instantiations = self.view.function_instantiations;
        match instantiations.get(index.into_index()) {
            Some(instantiation) => {
                self.function(instantiation.handle);
                self.type_arguments(instantiation.type_parameters);
            }
            None => self.out.unknown(),
        }
    }

    /// `<T, U>`
    pub(super) fn type_arguments(&mut self, types: SignatureIndex) {
        let view = self.view;
        match view.signatures.get(types.into_index()) {
            Some(signature) => {
                self.out.push("<");
                self.list(", ", signature.tokens(), Self::type_);
                self.out.push(">");
            }
            None => self.out.unknown(),
        }
    }

    /// ` S<T>`
    pub(super) fn definition(
        &mut self,
        def: Option<StructDefinitionIndex>,
        types: Option<SignatureIndex>,
    ) {
        self.out.push(" ");
        self.name(def.and_then(|def| self.view.struct_name(def)));
        if let Some(types) = types {
            self.type_arguments(types);
        }
    }

    /// ` S<T>, field`
    pub(super) fn field(
        &mut self,
        handle: Option<FieldHandleIndex>,
        types: Option<SignatureIndex>,
    ) {
        let view = self.view;
        let handle = handle.and_then(|handle| view.module?.field_handles.get(handle.into_index()));
        self.definition(handle.map(|handle| handle.owner), types);
        let Some(handle) = handle else {
            return self.out.unknown();
        };
        self.out.push(", ");
        match view.field_name(handle.owner, None, handle.field) {
            Some(name) => self.name(Some(name)),
            None => self.out.push(&handle.field.to_string()),
        }
    }

    /// ` E<T>, V`
    pub(super) fn variant_handle(
        &mut self,
        handle: Option<StructVariantHandleIndex>,
        types: Option<SignatureIndex>,
    ) {
        let view = self.view;
        let handle =
            handle.and_then(|handle| view.module?.struct_variant_handles.get(handle.into_index()));
        self.definition(handle.map(|handle| handle.struct_index), types);
        let Some(handle) = handle else {
            return self.out.unknown();
        };
        self.out.push(", ");
        self.variant(handle.struct_index, handle.variant);
    }

    fn variant(&mut self, def: StructDefinitionIndex, variant: VariantIndex) {
        match self.view.variant_name(def, variant) {
            Some(name) => self.name(Some(name)),
            None => self.out.push(&variant.to_string()),
        }
    }

    /// ` E<T>, V::f, W::f`, or ` E<T>, 0, V, W` if a variant has no such field.
    pub(super) fn variant_field(
        &mut self,
        handle: Option<VariantFieldHandleIndex>,
        types: Option<SignatureIndex>,
    ) {
        let view = self.view;
        let handle =
            handle.and_then(|handle| view.module?.variant_field_handles.get(handle.into_index()));
        self.definition(handle.map(|handle| handle.struct_index), types);
        let Some(handle) = handle else {
            return self.out.unknown();
        };
        let def = handle.struct_index;
        let names: Option<Vec<_>> = handle
            .variants
            .iter()
            .map(|&variant| {
                Some((
                    view.variant_name(def, variant)?,
                    view.field_name(def, Some(variant), handle.field)?,
                ))
            })
            .collect();
        self.out.push(", ");
        match names.filter(|names| !names.is_empty()) {
            Some(names) => self.list(", ", names, |printer, (variant, field)| {
                printer.name(Some(variant));
                printer.out.push("::");
                printer.name(Some(field));
            }),
            None => {
                self.out.push(&handle.field.to_string());
                for &variant in &handle.variants {
                    self.out.push(", ");
                    self.variant(def, variant);
                }
            }
        }
    }
}

/// Labels for the targets of branches, numbered in the order in which branches name them. A target beyond the end of
/// the code has none.
fn labels(unit: &CodeUnit) -> Labels {
    let mut labels = Labels::new();
    for target in unit.code.iter().filter_map(Bytecode::branch_target) {
        let target = usize::from(target);
        let next = labels.len();
        if target <= unit.code.len() {
            labels.entry(target).or_insert(next);
        }
    }
    labels
}
