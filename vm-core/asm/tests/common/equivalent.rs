//! When two modules are equivalent: the same identity, version, friends and metadata in order; the same structs and
//! functions in order, with all names, types, abilities, attributes, access specifiers and instructions equal after
//! every index is replaced by what it refers to; and every other table holds the same entries. Only their order does not
//! matter.
//!
//! Written against the tables alone: it shares no code with assembler and printer.

use monomove_format::*;

/// A module without indices: lines of text, in order where order matters.
pub(crate) fn resolved(m: &CompiledModule) -> Vec<String> {
    let t = Tables {
        modules: &m.module_handles,
        structs: &m.struct_handles,
        functions: &m.function_handles,
        instantiations: &m.function_instantiations,
        signatures: &m.signatures,
        identifiers: &m.identifiers,
        addresses: &m.address_identifiers,
        constants: &m.constant_pool,
        module: Some(m),
    };
    let mut lines = vec![
        format!("version {}", m.version),
        format!("self {}", m.self_id()),
    ];
    for friend in &m.friend_decls {
        lines.push(format!("friend {}", t.module_of(friend)));
    }
    for entry in &m.metadata {
        lines.push(format!("metadata {entry:?}"));
    }
    for def in &m.struct_defs {
        lines.push(format!("struct {}", t.struct_(def.struct_handle)));
        match &def.field_information {
            StructFieldInformation::Native => lines.push(" native".into()),
            StructFieldInformation::Declared(fields) => t.fields(fields, &mut lines),
            StructFieldInformation::DeclaredVariants(variants) => {
                for variant in variants {
                    lines.push(format!(" variant {}", t.name(variant.name)));
                    t.fields(&variant.fields, &mut lines);
                }
            }
        }
    }
    for def in &m.function_defs {
        lines.push(format!("function {}", t.function(def.function)));
        lines.push(format!(" {:?} entry {}", def.visibility, def.is_entry));
        for acquired in &def.acquires_global_resources {
            lines.push(format!(" acquires {}", t.def(*acquired)));
        }
        match &def.code {
            None => lines.push(" native".into()),
            Some(code) => t.code(code, &mut lines),
        }
    }
    t.sets(&mut lines);
    lines
}

/// A script without indices.
pub(crate) fn resolved_script(s: &CompiledScript) -> Vec<String> {
    let t = Tables {
        modules: &s.module_handles,
        structs: &s.struct_handles,
        functions: &s.function_handles,
        instantiations: &s.function_instantiations,
        signatures: &s.signatures,
        identifiers: &s.identifiers,
        addresses: &s.address_identifiers,
        constants: &s.constant_pool,
        module: None,
    };
    let mut lines = vec![
        format!("version {}", s.version),
        format!("type parameters {:?}", s.type_parameters),
        format!("parameters {}", t.sig(s.parameters)),
        format!("access {}", t.access(s.access_specifiers.as_ref())),
        format!("metadata {:?}", s.metadata),
    ];
    t.code(&s.code, &mut lines);
    t.sets(&mut lines);
    lines
}

/// The first line in which two modules differ, for a message.
pub(crate) fn first_difference(left: &[String], right: &[String]) -> Option<String> {
    let longer = left.len().max(right.len());
    (0..longer)
        .find(|&i| left.get(i) != right.get(i))
        .map(|i| format!("line {i}: {:?} and {:?}", left.get(i), right.get(i)))
}

struct Tables<'a> {
    modules: &'a [ModuleHandle],
    structs: &'a [StructHandle],
    functions: &'a [FunctionHandle],
    instantiations: &'a [FunctionInstantiation],
    signatures: &'a [Signature],
    identifiers: &'a [Identifier],
    addresses: &'a [AccountAddress],
    constants: &'a [Constant],
    module: Option<&'a CompiledModule>,
}

impl Tables<'_> {
    fn name(&self, i: IdentifierIndex) -> &Identifier {
        &self.identifiers[i.into_index()]
    }

    fn module_of(&self, handle: &ModuleHandle) -> String {
        let address = self.addresses[handle.address.into_index()];
        format!("{address}::{}", self.name(handle.name))
    }

    fn module_at(&self, i: ModuleHandleIndex) -> String {
        self.module_of(&self.modules[i.into_index()])
    }

    fn struct_name(&self, i: StructHandleIndex) -> String {
        let h = &self.structs[i.into_index()];
        format!("{}::{}", self.module_at(h.module), self.name(h.name))
    }

    fn struct_(&self, i: StructHandleIndex) -> String {
        let h = &self.structs[i.into_index()];
        format!(
            "{} {:?} {:?}",
            self.struct_name(i),
            h.abilities,
            h.type_parameters
        )
    }

    fn def(&self, i: StructDefinitionIndex) -> String {
        let defs = &self.module.unwrap().struct_defs;
        self.struct_name(defs[i.into_index()].struct_handle)
    }

    fn function_name(&self, i: FunctionHandleIndex) -> String {
        let h = &self.functions[i.into_index()];
        format!("{}::{}", self.module_at(h.module), self.name(h.name))
    }

    fn function(&self, i: FunctionHandleIndex) -> String {
        let h = &self.functions[i.into_index()];
        format!(
            "{}<{:?}>({}): ({}) {:?} access {}",
            self.function_name(i),
            h.type_parameters,
            self.sig(h.parameters),
            self.sig(h.return_),
            h.attributes,
            self.access(h.access_specifiers.as_ref())
        )
    }

    fn inst(&self, i: FunctionInstantiationIndex) -> String {
        let inst = self.instantiations[i.into_index()];
        format!(
            "{}<{}>",
            self.function_name(inst.handle),
            self.sig(inst.type_parameters)
        )
    }

    fn access(&self, specifiers: Option<&Vec<AccessSpecifier>>) -> String {
        let Some(specifiers) = specifiers else {
            return "any".into();
        };
        let mut text = String::new();
        for s in specifiers {
            text += &format!("{:?} {} ", s.kind, s.negated);
            // Readers do not check these indices; one out of range stands for itself.
            let address = |a: AddressIdentifierIndex| match self.addresses.get(a.into_index()) {
                Some(address) => address.to_string(),
                None => format!("{a:?}"),
            };
            let struct_ = |h: StructHandleIndex| match self.structs.get(h.into_index()) {
                Some(_) => self.struct_name(h),
                None => format!("{h:?}"),
            };
            text += &match s.resource {
                ResourceSpecifier::Any => "any".into(),
                ResourceSpecifier::DeclaredAtAddress(a) => address(a),
                ResourceSpecifier::DeclaredInModule(m) => match self.modules.get(m.into_index()) {
                    Some(_) => self.module_at(m),
                    None => format!("{m:?}"),
                },
                ResourceSpecifier::Resource(h) => struct_(h),
                ResourceSpecifier::ResourceInstantiation(h, s) => {
                    match self.signatures.get(s.into_index()) {
                        Some(_) => format!("{}<{}>", struct_(h), self.sig(s)),
                        None => format!("{}{s:?}", struct_(h)),
                    }
                }
            };
            text += &match s.address {
                AddressSpecifier::Any => " any;".into(),
                AddressSpecifier::Literal(a) => format!(" {};", address(a)),
                AddressSpecifier::Parameter(l, None) => format!(" local {l};"),
                AddressSpecifier::Parameter(l, Some(f)) => {
                    match self.instantiations.get(f.into_index()) {
                        Some(_) => format!(" {}({l});", self.inst(f)),
                        None => format!(" {f:?}({l});"),
                    }
                }
            };
        }
        text
    }

    fn sig(&self, i: SignatureIndex) -> String {
        self.list(&self.signatures[i.into_index()].0)
    }

    fn list(&self, tokens: &[SignatureToken]) -> String {
        let types: Vec<_> = tokens.iter().map(|t| self.token(t)).collect();
        types.join(", ")
    }

    fn token(&self, token: &SignatureToken) -> String {
        use SignatureToken as T;
        match token {
            T::Vector(t) => format!("vector[{}]", self.token(t)),
            T::Reference(t) => format!("&[{}]", self.token(t)),
            T::MutableReference(t) => format!("&mut[{}]", self.token(t)),
            T::Function(a, r, abilities) => {
                format!("fn[{}][{}]{abilities:?}", self.list(a), self.list(r))
            }
            T::Struct(h) => self.struct_name(*h),
            T::StructInstantiation(h, a) => format!("{}<{}>", self.struct_name(*h), self.list(a)),
            other => format!("{other:?}"),
        }
    }

    fn fields(&self, fields: &[FieldDefinition], lines: &mut Vec<String>) {
        for f in fields {
            lines.push(format!(
                "  {}: {}",
                self.name(f.name),
                self.token(&f.signature.0)
            ));
        }
    }

    fn constant(&self, c: &Constant) -> String {
        format!("{}: {:?}", self.token(&c.type_), c.data)
    }

    fn code(&self, code: &CodeUnit, lines: &mut Vec<String>) {
        lines.push(format!(" locals {}", self.sig(code.locals)));
        for instruction in &code.code {
            lines.push(format!(
                "  {:#x} {}",
                instruction.opcode(),
                self.operands(instruction)
            ));
        }
    }

    fn operands(&self, instruction: &Bytecode) -> String {
        use Bytecode as B;
        let m = || self.module.unwrap();
        let def_inst = |i: StructDefInstantiationIndex| {
            let inst = m().struct_def_instantiations[i.into_index()];
            format!("{}<{}>", self.def(inst.def), self.sig(inst.type_parameters))
        };
        let field = |i: FieldHandleIndex| {
            let h = m().field_handles[i.into_index()];
            format!("{}.{}", self.def(h.owner), h.field)
        };
        let variant = |i: StructVariantHandleIndex| {
            let h = m().struct_variant_handles[i.into_index()];
            format!("{}.{}", self.def(h.struct_index), h.variant)
        };
        let variant_field = |i: VariantFieldHandleIndex| {
            let h = &m().variant_field_handles[i.into_index()];
            format!("{}.{}.{:?}", self.def(h.struct_index), h.field, h.variants)
        };
        match instruction {
            B::LdConst(i) => self.constant(&self.constants[i.into_index()]),
            B::Call(i) => self.function_name(*i),
            B::CallGeneric(i) => self.inst(*i),
            B::PackClosure(i, mask) => format!("{} {mask:?}", self.function_name(*i)),
            B::PackClosureGeneric(i, mask) => format!("{} {mask:?}", self.inst(*i)),
            B::Pack(i)
            | B::Unpack(i)
            | B::Exists(i)
            | B::MoveFrom(i)
            | B::MoveTo(i)
            | B::ImmBorrowGlobal(i)
            | B::MutBorrowGlobal(i) => self.def(*i),
            B::PackGeneric(i)
            | B::UnpackGeneric(i)
            | B::ExistsGeneric(i)
            | B::MoveFromGeneric(i)
            | B::MoveToGeneric(i)
            | B::ImmBorrowGlobalGeneric(i)
            | B::MutBorrowGlobalGeneric(i) => def_inst(*i),
            B::ImmBorrowField(i) | B::MutBorrowField(i) => field(*i),
            B::ImmBorrowFieldGeneric(i) | B::MutBorrowFieldGeneric(i) => {
                let inst = m().field_instantiations[i.into_index()];
                format!("{}<{}>", field(inst.handle), self.sig(inst.type_parameters))
            }
            B::ImmBorrowVariantField(i) | B::MutBorrowVariantField(i) => variant_field(*i),
            B::ImmBorrowVariantFieldGeneric(i) | B::MutBorrowVariantFieldGeneric(i) => {
                let inst = m().variant_field_instantiations[i.into_index()];
                let types = self.sig(inst.type_parameters);
                format!("{}<{types}>", variant_field(inst.handle))
            }
            B::PackVariant(i) | B::UnpackVariant(i) | B::TestVariant(i) => variant(*i),
            B::PackVariantGeneric(i) | B::UnpackVariantGeneric(i) | B::TestVariantGeneric(i) => {
                let inst = m().struct_variant_instantiations[i.into_index()];
                format!(
                    "{}<{}>",
                    variant(inst.handle),
                    self.sig(inst.type_parameters)
                )
            }
            B::CallClosure(i)
            | B::VecLen(i)
            | B::VecImmBorrow(i)
            | B::VecMutBorrow(i)
            | B::VecPushBack(i)
            | B::VecPopBack(i)
            | B::VecSwap(i) => self.sig(*i),
            B::VecPack(i, n) | B::VecUnpack(i, n) => format!("{} {n}", self.sig(*i)),
            // What is left has no index in it.
            other => format!("{other:?}"),
        }
    }

    /// Imports, constants and instantiations, without order.
    fn sets(&self, lines: &mut Vec<String>) {
        let mut set: Vec<String> = Vec::new();
        for i in (0..=u16::MAX).take(self.structs.len()) {
            set.push(format!("handle {}", self.struct_(StructHandleIndex(i))));
        }
        for i in (0..=u16::MAX).take(self.functions.len()) {
            set.push(format!("handle {}", self.function(FunctionHandleIndex(i))));
        }
        for i in (0..=u16::MAX).take(self.instantiations.len()) {
            set.push(format!("inst {}", self.inst(FunctionInstantiationIndex(i))));
        }
        for constant in self.constants {
            set.push(format!("const {}", self.constant(constant)));
        }
        for name in self.identifiers {
            set.push(format!("name {name}"));
        }
        for address in self.addresses {
            set.push(format!("address {address}"));
        }
        for handle in self.modules {
            set.push(format!("module {}", self.module_of(handle)));
        }
        for signature in self.signatures {
            set.push(format!("types {}", self.list(&signature.0)));
        }
        if let Some(m) = self.module {
            self.member_sets(m, &mut set);
        }
        set.sort();
        lines.append(&mut set);
    }

    fn member_sets(&self, m: &CompiledModule, set: &mut Vec<String>) {
        use Bytecode as B;
        let mut add = |length: usize, make: &dyn Fn(u16) -> B| {
            for i in (0..=u16::MAX).take(length) {
                let instruction = make(i);
                set.push(format!(
                    "{:#x} {}",
                    instruction.opcode(),
                    self.operands(&instruction)
                ));
            }
        };
        add(m.struct_def_instantiations.len(), &|i| {
            B::PackGeneric(StructDefInstantiationIndex(i))
        });
        add(m.field_handles.len(), &|i| {
            B::ImmBorrowField(FieldHandleIndex(i))
        });
        add(m.field_instantiations.len(), &|i| {
            B::ImmBorrowFieldGeneric(FieldInstantiationIndex(i))
        });
        add(m.struct_variant_handles.len(), &|i| {
            B::PackVariant(StructVariantHandleIndex(i))
        });
        add(m.struct_variant_instantiations.len(), &|i| {
            B::PackVariantGeneric(StructVariantInstantiationIndex(i))
        });
        add(m.variant_field_handles.len(), &|i| {
            B::ImmBorrowVariantField(VariantFieldHandleIndex(i))
        });
        add(m.variant_field_instantiations.len(), &|i| {
            B::ImmBorrowVariantFieldGeneric(VariantFieldInstantiationIndex(i))
        });
    }
}
