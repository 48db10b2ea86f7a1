//! `pool` lines (extension): for entries that nothing refers to, or for all.

use super::Printer;
use super::used::Used;
use monomove_format::{FieldHandleIndex, StructVariantHandleIndex, VariantFieldHandleIndex};
use std::collections::BTreeSet;

impl Printer<'_> {
    /// Lines for the entries that are not in `used`, table by table in their order. Entries are written after those they
    /// consist of, so that for all entries a line makes one entry only. Handles need no lines to be kept: they are there
    /// with `exact`, for their order.
    pub(super) fn pools(&mut self, used: &Used, exact: bool) {
        let view = self.view;
        self.type_parameters = 0;
        for (_, identifier) in rest(view.identifiers, &used.identifiers) {
            self.entry("identifier ", |printer| printer.name(Some(identifier)));
        }
        for (_, address) in rest(view.addresses, &used.addresses) {
            self.entry(&format!("address {address}"), |_| {});
        }
        for (_, module) in rest(view.module_handles, &used.modules) {
            self.entry("module ", |printer| printer.module_handle(module));
        }
        if exact {
            for handle in view.struct_handles {
                self.entry("struct ", |printer| printer.struct_type(handle));
            }
        }
        for (_, signature) in rest(view.signatures, &used.signatures) {
            self.entry("signature (", |printer| {
                printer.list(", ", signature.tokens(), Self::type_);
                printer.out.push(")");
            });
        }
        if exact {
            for handle in view.function_handles {
                self.entry("fun ", |printer| {
                    printer.member(handle.module, view.identifier(handle.name));
                });
            }
        }
        for (_, constant) in rest(view.constants, &used.constants) {
            self.entry("const ", |printer| printer.constant(constant));
        }
        for (_, inst) in rest(view.function_instantiations, &used.function_instantiations) {
            self.entry("operand call", |printer| {
                printer.call(inst.handle);
                printer.type_arguments(inst.type_parameters);
            });
        }
        self.member_pools(used);
    }

    fn member_pools(&mut self, used: &Used) {
        let Some(module) = self.view.module else {
            return;
        };
        let insts = &module.struct_def_instantiations;
        for (_, inst) in rest(insts, &used.struct_instantiations) {
            self.entry("operand pack", |printer| {
                printer.definition(Some(inst.def), Some(inst.type_parameters));
            });
        }
        for (index, _) in rest(&module.field_handles, &used.fields) {
            self.entry("operand borrow_field", |printer| {
                printer.field(Some(FieldHandleIndex(index)), None);
            });
        }
        let insts = &module.field_instantiations;
        for (_, inst) in rest(insts, &used.field_instantiations) {
            self.entry("operand borrow_field", |printer| {
                printer.field(Some(inst.handle), Some(inst.type_parameters));
            });
        }
        for (index, _) in rest(&module.variant_field_handles, &used.variant_fields) {
            self.entry("operand borrow_variant_field", |printer| {
                printer.variant_field(Some(VariantFieldHandleIndex(index)), None);
            });
        }
        let insts = &module.variant_field_instantiations;
        for (_, inst) in rest(insts, &used.variant_field_instantiations) {
            self.entry("operand borrow_variant_field", |printer| {
                printer.variant_field(Some(inst.handle), Some(inst.type_parameters));
            });
        }
        for (index, _) in rest(&module.struct_variant_handles, &used.variants) {
            self.entry("operand test_variant", |printer| {
                printer.variant_handle(Some(StructVariantHandleIndex(index)), None);
            });
        }
        let insts = &module.struct_variant_instantiations;
        for (_, inst) in rest(insts, &used.variant_instantiations) {
            self.entry("operand test_variant", |printer| {
                printer.variant_handle(Some(inst.handle), Some(inst.type_parameters));
            });
        }
    }

    fn entry(&mut self, kind: &str, print: impl FnOnce(&mut Self)) {
        if self.out.is_full() {
            return;
        }
        self.out.push("pool ");
        self.out.push(kind);
        print(self);
        self.out.push("\n");
    }
}

/// The entries of a table that are not used, with their indices.
fn rest<'a, T>(table: &'a [T], used: &BTreeSet<u16>) -> impl Iterator<Item = (u16, &'a T)> {
    (0..=u16::MAX)
        .zip(table)
        .filter(|(index, _)| !used.contains(index))
}
