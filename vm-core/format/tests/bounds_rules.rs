//! The rules of the bounds checks, each with the status it is refused with (binary-format spec §13), on a module that has
//! something of everything.

#![allow(clippy::unwrap_used, reason = "helpers are test code as well")]

use monomove_format::*;

type Change = fn(&mut CompiledModule);

const OUT_OF_BOUNDS: u64 = 1001;

fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

fn field(name: u16, token: SignatureToken) -> FieldDefinition {
    FieldDefinition {
        name: IdentifierIndex(name),
        signature: TypeSignature(token),
    }
}

/// `0x1::m` with struct `S { x: u64 }`, generic enum `E<T> { A { x: T }, B }` and generic function
/// `f<T>(u64): T` whose body has one local.
fn module() -> CompiledModule {
    let one = SignatureIndex(1);
    CompiledModule {
        version: 10,
        module_handles: vec![ModuleHandle {
            address: AddressIdentifierIndex(0),
            name: IdentifierIndex(0),
        }],
        struct_handles: vec![
            StructHandle {
                module: ModuleHandleIndex(0),
                name: IdentifierIndex(1),
                abilities: AbilitySet::ALL,
                type_parameters: vec![],
            },
            StructHandle {
                module: ModuleHandleIndex(0),
                name: IdentifierIndex(2),
                abilities: AbilitySet::EMPTY,
                type_parameters: vec![StructTypeParameter {
                    constraints: AbilitySet::EMPTY,
                    is_phantom: false,
                }],
            },
        ],
        function_handles: vec![FunctionHandle {
            module: ModuleHandleIndex(0),
            name: IdentifierIndex(3),
            parameters: one,
            return_: SignatureIndex(2),
            type_parameters: vec![AbilitySet::EMPTY],
            access_specifiers: None,
            attributes: vec![],
        }],
        field_handles: vec![FieldHandle {
            owner: StructDefinitionIndex(0),
            field: 0,
        }],
        friend_decls: vec![ModuleHandle {
            address: AddressIdentifierIndex(0),
            name: IdentifierIndex(4),
        }],
        struct_def_instantiations: vec![StructDefInstantiation {
            def: StructDefinitionIndex(1),
            type_parameters: one,
        }],
        function_instantiations: vec![FunctionInstantiation {
            handle: FunctionHandleIndex(0),
            type_parameters: one,
        }],
        field_instantiations: vec![FieldInstantiation {
            handle: FieldHandleIndex(0),
            type_parameters: one,
        }],
        signatures: vec![
            Signature(vec![]),
            Signature(vec![SignatureToken::U64]),
            Signature(vec![SignatureToken::TypeParameter(0)]),
            // Not used: may name any type parameter.
            Signature(vec![SignatureToken::TypeParameter(9)]),
        ],
        identifiers: ["m", "S", "E", "f", "x", "A", "B"].map(name).to_vec(),
        address_identifiers: vec![AccountAddress::ONE],
        constant_pool: vec![Constant {
            type_: SignatureToken::U8,
            data: vec![1],
        }],
        struct_defs: vec![
            StructDefinition {
                struct_handle: StructHandleIndex(0),
                field_information: StructFieldInformation::Declared(vec![field(
                    4,
                    SignatureToken::U64,
                )]),
            },
            StructDefinition {
                struct_handle: StructHandleIndex(1),
                field_information: StructFieldInformation::DeclaredVariants(vec![
                    VariantDefinition {
                        name: IdentifierIndex(5),
                        fields: vec![field(4, SignatureToken::TypeParameter(0))],
                    },
                    VariantDefinition {
                        name: IdentifierIndex(6),
                        fields: vec![],
                    },
                ]),
            },
        ],
        function_defs: vec![FunctionDefinition {
            function: FunctionHandleIndex(0),
            visibility: Visibility::Public,
            is_entry: false,
            acquires_global_resources: vec![StructDefinitionIndex(0)],
            code: Some(CodeUnit {
                locals: one,
                code: vec![Bytecode::Nop, Bytecode::Ret],
            }),
        }],
        struct_variant_handles: vec![StructVariantHandle {
            struct_index: StructDefinitionIndex(1),
            variant: 0,
        }],
        struct_variant_instantiations: vec![StructVariantInstantiation {
            handle: StructVariantHandleIndex(0),
            type_parameters: one,
        }],
        variant_field_handles: vec![VariantFieldHandle {
            struct_index: StructDefinitionIndex(1),
            variants: vec![0],
            field: 0,
        }],
        variant_field_instantiations: vec![VariantFieldInstantiation {
            handle: VariantFieldHandleIndex(0),
            type_parameters: one,
        }],
        ..CompiledModule::default()
    }
}

fn status(module: &CompiledModule) -> u64 {
    module
        .check_bounds()
        .err()
        .map_or(0, |error| error.status.number())
}

fn generic(module: &mut CompiledModule, token: SignatureToken) {
    module.signatures[1] = Signature(vec![token]);
}

#[test]
fn tables() {
    let good = module();
    assert_eq!(status(&good), 0);
    let bytes = good.serialize().unwrap();
    assert_eq!(CompiledModule::deserialize(&bytes).as_ref(), Ok(&good));

    let cases: &[(&str, u64, Change)] = &[
        ("no module handles", 1068, |m| m.module_handles.clear()),
        ("self", OUT_OF_BOUNDS, |m| m.self_module_handle_idx.0 = 1),
        ("module address", OUT_OF_BOUNDS, |m| {
            m.module_handles[0].address.0 = 1
        }),
        ("module name", OUT_OF_BOUNDS, |m| {
            m.module_handles[0].name.0 = 7
        }),
        ("friend address", OUT_OF_BOUNDS, |m| {
            m.friend_decls[0].address.0 = 1
        }),
        ("friend name", OUT_OF_BOUNDS, |m| {
            m.friend_decls[0].name.0 = 7
        }),
        ("struct module", OUT_OF_BOUNDS, |m| {
            m.struct_handles[0].module.0 = 1
        }),
        ("struct name", OUT_OF_BOUNDS, |m| {
            m.struct_handles[0].name.0 = 7
        }),
        ("function module", OUT_OF_BOUNDS, |m| {
            m.function_handles[0].module.0 = 1
        }),
        ("function name", OUT_OF_BOUNDS, |m| {
            m.function_handles[0].name.0 = 7
        }),
        ("parameters", OUT_OF_BOUNDS, |m| {
            m.function_handles[0].parameters.0 = 4
        }),
        ("results", OUT_OF_BOUNDS, |m| {
            m.function_handles[0].return_.0 = 4
        }),
        ("type parameter of parameters", OUT_OF_BOUNDS, |m| {
            m.function_handles[0].parameters.0 = 3
        }),
        ("type parameter of results", OUT_OF_BOUNDS, |m| {
            m.function_handles[0].type_parameters.clear()
        }),
        ("type parameter of locals", OUT_OF_BOUNDS, |m| {
            m.function_defs[0].code.as_mut().unwrap().locals.0 = 3;
        }),
        ("locals", OUT_OF_BOUNDS, |m| {
            m.function_defs[0].code.as_mut().unwrap().locals.0 = 4
        }),
        ("field owner", OUT_OF_BOUNDS, |m| {
            m.field_handles[0].owner.0 = 2
        }),
        ("field", OUT_OF_BOUNDS, |m| m.field_handles[0].field = 1),
        ("field of an enum", OUT_OF_BOUNDS, |m| {
            m.field_handles[0].owner.0 = 1
        }),
        ("struct of instantiation", OUT_OF_BOUNDS, |m| {
            m.struct_def_instantiations[0].def.0 = 2
        }),
        ("arguments of struct", OUT_OF_BOUNDS, |m| {
            m.struct_def_instantiations[0].type_parameters.0 = 4
        }),
        ("function of instantiation", OUT_OF_BOUNDS, |m| {
            m.function_instantiations[0].handle.0 = 1
        }),
        ("arguments of function", OUT_OF_BOUNDS, |m| {
            m.function_instantiations[0].type_parameters.0 = 4
        }),
        ("unused arguments with type parameter", 0, |m| {
            m.function_instantiations[0].type_parameters.0 = 3
        }),
        ("field of instantiation", OUT_OF_BOUNDS, |m| {
            m.field_instantiations[0].handle.0 = 1
        }),
        ("arguments of field", OUT_OF_BOUNDS, |m| {
            m.field_instantiations[0].type_parameters.0 = 4
        }),
        ("variant owner", OUT_OF_BOUNDS, |m| {
            m.struct_variant_handles[0].struct_index.0 = 2
        }),
        ("variant of a struct", OUT_OF_BOUNDS, |m| {
            m.struct_variant_handles[0].struct_index.0 = 0
        }),
        ("variant", OUT_OF_BOUNDS, |m| {
            m.struct_variant_handles[0].variant = 2
        }),
        ("variant of instantiation", OUT_OF_BOUNDS, |m| {
            m.struct_variant_instantiations[0].handle.0 = 1
        }),
        ("arguments of variant", OUT_OF_BOUNDS, |m| {
            m.struct_variant_instantiations[0].type_parameters.0 = 4
        }),
        ("variant field owner", OUT_OF_BOUNDS, |m| {
            m.variant_field_handles[0].struct_index.0 = 2
        }),
        ("no variants of field", 1130, |m| {
            m.variant_field_handles[0].variants.clear()
        }),
        ("variant of field", OUT_OF_BOUNDS, |m| {
            m.variant_field_handles[0].variants[0] = 2
        }),
        ("variant without the field", OUT_OF_BOUNDS, |m| {
            m.variant_field_handles[0].variants.push(1)
        }),
        ("variant field", OUT_OF_BOUNDS, |m| {
            m.variant_field_handles[0].field = 1
        }),
        ("variant field of instantiation", OUT_OF_BOUNDS, |m| {
            m.variant_field_instantiations[0].handle.0 = 1
        }),
        ("arguments of variant field", OUT_OF_BOUNDS, |m| {
            m.variant_field_instantiations[0].type_parameters.0 = 4;
        }),
        ("struct definition", OUT_OF_BOUNDS, |m| {
            m.struct_defs[0].struct_handle.0 = 2
        }),
        ("enum without variants", 1130, |m| {
            m.struct_defs[1].field_information = StructFieldInformation::DeclaredVariants(vec![]);
        }),
        ("field name", OUT_OF_BOUNDS, |m| {
            m.struct_defs[0].field_information =
                StructFieldInformation::Declared(vec![field(7, SignatureToken::U8)]);
        }),
        ("type parameter of field", OUT_OF_BOUNDS, |m| {
            m.struct_defs[0].field_information =
                StructFieldInformation::Declared(vec![field(4, SignatureToken::TypeParameter(0))]);
        }),
        ("function definition", OUT_OF_BOUNDS, |m| {
            m.function_defs[0].function.0 = 1
        }),
        ("acquired struct", OUT_OF_BOUNDS, |m| {
            m.function_defs[0].acquires_global_resources[0].0 = 2
        }),
        ("struct in a signature", OUT_OF_BOUNDS, |m| {
            generic(m, SignatureToken::Struct(StructHandleIndex(2)));
        }),
        ("struct in a constant", OUT_OF_BOUNDS, |m| {
            m.constant_pool[0].type_ = SignatureToken::Struct(StructHandleIndex(2));
        }),
        ("generic struct without arguments", 1076, |m| {
            generic(m, SignatureToken::Struct(StructHandleIndex(1)));
        }),
        ("struct with an argument", 1076, |m| {
            let args = vec![SignatureToken::U8];
            generic(
                m,
                SignatureToken::StructInstantiation(StructHandleIndex(0), args),
            );
        }),
        ("generic struct with an argument", 0, |m| {
            let args = vec![SignatureToken::U8];
            generic(
                m,
                SignatureToken::StructInstantiation(StructHandleIndex(1), args),
            );
        }),
        ("too many arguments deep inside", 1076, |m| {
            let args = vec![SignatureToken::U8; 2];
            let token = SignatureToken::StructInstantiation(StructHandleIndex(1), args);
            let token = SignatureToken::Vector(Box::new(token));
            generic(
                m,
                SignatureToken::Function(vec![], vec![token], AbilitySet::EMPTY),
            );
        }),
        ("254 locals and a parameter", 0, |m| {
            m.signatures[0] = Signature(vec![SignatureToken::U8; 254]);
            m.function_defs[0].code.as_mut().unwrap().locals.0 = 0;
        }),
        ("255 locals and a parameter", 1089, |m| {
            m.signatures[0] = Signature(vec![SignatureToken::U8; 255]);
            m.function_defs[0].code.as_mut().unwrap().locals.0 = 0;
        }),
    ];
    for (name, expected, change) in cases {
        let mut module = good.clone();
        change(&mut module);
        assert_eq!(
            status(&module),
            *expected,
            "{name}: {:?}",
            module.check_bounds()
        );
        // The reader says the same.
        let read = CompiledModule::deserialize(&module.serialize().unwrap());
        assert_eq!(
            read.err().map_or(0, |error| error.status.number()),
            *expected,
            "{name}"
        );
    }
}

#[test]
fn code() {
    use Bytecode as B;
    let in_range = vec![
        B::CopyLoc(1),
        B::MoveLoc(0),
        B::StLoc(1),
        B::MutBorrowLoc(1),
        B::ImmBorrowLoc(0),
        B::BrTrue(0),
        B::BrFalse(0),
        B::Branch(1),
        B::LdConst(ConstantPoolIndex(0)),
        B::MutBorrowField(FieldHandleIndex(0)),
        B::ImmBorrowField(FieldHandleIndex(0)),
        B::MutBorrowFieldGeneric(FieldInstantiationIndex(0)),
        B::ImmBorrowFieldGeneric(FieldInstantiationIndex(0)),
        B::Call(FunctionHandleIndex(0)),
        B::CallGeneric(FunctionInstantiationIndex(0)),
        B::PackClosure(FunctionHandleIndex(0), ClosureMask(u64::MAX)),
        B::PackClosureGeneric(FunctionInstantiationIndex(0), ClosureMask(1)),
        B::CallClosure(SignatureIndex(1)),
        B::Pack(StructDefinitionIndex(1)),
        B::Unpack(StructDefinitionIndex(1)),
        B::Exists(StructDefinitionIndex(1)),
        B::MutBorrowGlobal(StructDefinitionIndex(1)),
        B::ImmBorrowGlobal(StructDefinitionIndex(1)),
        B::MoveFrom(StructDefinitionIndex(1)),
        B::MoveTo(StructDefinitionIndex(1)),
        B::PackGeneric(StructDefInstantiationIndex(0)),
        B::UnpackGeneric(StructDefInstantiationIndex(0)),
        B::ExistsGeneric(StructDefInstantiationIndex(0)),
        B::MutBorrowGlobalGeneric(StructDefInstantiationIndex(0)),
        B::ImmBorrowGlobalGeneric(StructDefInstantiationIndex(0)),
        B::MoveFromGeneric(StructDefInstantiationIndex(0)),
        B::MoveToGeneric(StructDefInstantiationIndex(0)),
        B::PackVariant(StructVariantHandleIndex(0)),
        B::UnpackVariant(StructVariantHandleIndex(0)),
        B::TestVariant(StructVariantHandleIndex(0)),
        B::PackVariantGeneric(StructVariantInstantiationIndex(0)),
        B::UnpackVariantGeneric(StructVariantInstantiationIndex(0)),
        B::TestVariantGeneric(StructVariantInstantiationIndex(0)),
        B::MutBorrowVariantField(VariantFieldHandleIndex(0)),
        B::ImmBorrowVariantField(VariantFieldHandleIndex(0)),
        B::MutBorrowVariantFieldGeneric(VariantFieldInstantiationIndex(0)),
        B::ImmBorrowVariantFieldGeneric(VariantFieldInstantiationIndex(0)),
        B::VecPack(SignatureIndex(2), u64::MAX),
        B::VecUnpack(SignatureIndex(2), 0),
        B::VecLen(SignatureIndex(2)),
        B::VecImmBorrow(SignatureIndex(2)),
        B::VecMutBorrow(SignatureIndex(2)),
        B::VecPushBack(SignatureIndex(2)),
        B::VecPopBack(SignatureIndex(2)),
        B::VecSwap(SignatureIndex(2)),
    ];
    let good = module();
    let with = |instruction: Bytecode| {
        let mut module = good.clone();
        module.function_defs[0].code.as_mut().unwrap().code[1] = instruction;
        module
    };
    for instruction in in_range {
        let module = with(instruction.clone());
        assert_eq!(module.check_bounds(), Ok(()), "{instruction:?}");
        let bytes = module.serialize().unwrap();
        assert_eq!(CompiledModule::deserialize(&bytes).as_ref(), Ok(&module));
        assert!(!instruction_to_string(&module, &instruction).contains('?'));

        let module = with(one_further(&instruction));
        let error = module
            .check_bounds()
            .expect_err(&format!("{instruction:?}"));
        assert_eq!(error.status.number(), OUT_OF_BOUNDS);
        assert_eq!(error.function, Some(FunctionDefinitionIndex(0)));
        assert_eq!(error.code_offset, Some(1));
    }
    // Type arguments that name a type parameter which the function does not have.
    let arguments: [(Bytecode, Change); 5] = [
        (B::CallGeneric(FunctionInstantiationIndex(0)), |m| {
            m.function_instantiations[0].type_parameters.0 = 3;
        }),
        (B::PackGeneric(StructDefInstantiationIndex(0)), |m| {
            m.struct_def_instantiations[0].type_parameters.0 = 3;
        }),
        (B::ImmBorrowFieldGeneric(FieldInstantiationIndex(0)), |m| {
            m.field_instantiations[0].type_parameters.0 = 3;
        }),
        (
            B::TestVariantGeneric(StructVariantInstantiationIndex(0)),
            |m| {
                m.struct_variant_instantiations[0].type_parameters.0 = 3;
            },
        ),
        (
            B::ImmBorrowVariantFieldGeneric(VariantFieldInstantiationIndex(0)),
            |m| {
                m.variant_field_instantiations[0].type_parameters.0 = 3;
            },
        ),
    ];
    for (instruction, change) in arguments {
        let mut module = with(instruction);
        change(&mut module);
        assert_eq!(status(&module), OUT_OF_BOUNDS);
    }
    for instruction in [
        B::VecLen(SignatureIndex(3)),
        B::CallClosure(SignatureIndex(3)),
    ] {
        assert_eq!(status(&with(instruction)), OUT_OF_BOUNDS);
    }
}

/// The instruction with its index beyond the end of the table.
fn one_further(instruction: &Bytecode) -> Bytecode {
    use Bytecode as B;
    let mut instruction = instruction.clone();
    match &mut instruction {
        B::CopyLoc(local)
        | B::MoveLoc(local)
        | B::StLoc(local)
        | B::MutBorrowLoc(local)
        | B::ImmBorrowLoc(local) => {
            *local = 2;
        }
        B::BrTrue(target) | B::BrFalse(target) | B::Branch(target) => *target = 2,
        B::LdConst(index) => index.0 = 1,
        B::MutBorrowField(index) | B::ImmBorrowField(index) => index.0 = 1,
        B::MutBorrowFieldGeneric(index) | B::ImmBorrowFieldGeneric(index) => index.0 = 1,
        B::Call(index) | B::PackClosure(index, _) => index.0 = 1,
        B::CallGeneric(index) | B::PackClosureGeneric(index, _) => index.0 = 1,
        B::Pack(index)
        | B::Unpack(index)
        | B::Exists(index)
        | B::MutBorrowGlobal(index)
        | B::ImmBorrowGlobal(index)
        | B::MoveFrom(index)
        | B::MoveTo(index) => index.0 = 2,
        B::PackGeneric(index)
        | B::UnpackGeneric(index)
        | B::ExistsGeneric(index)
        | B::MutBorrowGlobalGeneric(index)
        | B::ImmBorrowGlobalGeneric(index)
        | B::MoveFromGeneric(index)
        | B::MoveToGeneric(index) => index.0 = 1,
        B::PackVariant(index) | B::UnpackVariant(index) | B::TestVariant(index) => index.0 = 1,
        B::PackVariantGeneric(index)
        | B::UnpackVariantGeneric(index)
        | B::TestVariantGeneric(index) => {
            index.0 = 1;
        }
        B::MutBorrowVariantField(index) | B::ImmBorrowVariantField(index) => index.0 = 1,
        B::MutBorrowVariantFieldGeneric(index) | B::ImmBorrowVariantFieldGeneric(index) => {
            index.0 = 1
        }
        B::VecPack(index, _)
        | B::VecUnpack(index, _)
        | B::VecLen(index)
        | B::VecImmBorrow(index)
        | B::VecMutBorrow(index)
        | B::VecPushBack(index)
        | B::VecPopBack(index)
        | B::VecSwap(index)
        | B::CallClosure(index) => index.0 = 4,
        _ => {}
    }
    instruction
}

#[test]
fn look_ups() {
    let mut module = module();
    assert_eq!(module.self_id().to_string(), "0x1::m");
    assert_eq!(module.self_name(), &name("m"));
    assert_eq!(module.immediate_dependencies(), []);
    assert_eq!(module.immediate_friends().len(), 1);
    module.module_handles.push(ModuleHandle {
        address: AddressIdentifierIndex(0),
        name: IdentifierIndex(6),
    });
    assert_eq!(module.immediate_dependencies()[0].to_string(), "0x1::B");
    assert_eq!(
        module.find_function("f").unwrap().0,
        FunctionDefinitionIndex(0)
    );
    assert_eq!(module.find_struct("E").unwrap().0, StructDefinitionIndex(1));
    assert!(module.find_struct("f").is_none());
}

/// One listing, whole: what is printed, and how.
#[test]
fn listing() {
    use Bytecode as B;
    let mut module = module();
    module.metadata.push(Metadata {
        key: b"key\n\x1b".to_vec(),
        value: vec![0; 3],
    });
    module.function_handles[0].attributes = vec![
        FunctionAttribute::Persistent,
        FunctionAttribute::PackVariant(1),
    ];
    module.function_handles[0].access_specifiers = Some(vec![AccessSpecifier {
        kind: AccessKind::Reads,
        negated: true,
        resource: ResourceSpecifier::Resource(StructHandleIndex(0)),
        address: AddressSpecifier::Literal(AddressIdentifierIndex(0)),
    }]);
    module.function_defs[0].is_entry = true;
    module.function_defs[0].code.as_mut().unwrap().code = vec![
        B::LdU256(U256Bytes([1; 32])),
        B::LdI256(I256Bytes([0xff; 32])),
        B::LdI8(-7),
        B::LdConst(ConstantPoolIndex(0)),
        B::BrTrue(6),
        B::Branch(0),
        B::CallGeneric(FunctionInstantiationIndex(0)),
        B::ImmBorrowField(FieldHandleIndex(0)),
        B::PackVariantGeneric(StructVariantInstantiationIndex(0)),
        B::MutBorrowVariantFieldGeneric(VariantFieldInstantiationIndex(0)),
        B::PackClosure(FunctionHandleIndex(0), ClosureMask(5)),
        B::VecPack(SignatureIndex(2), 3),
        B::StLoc(1),
        B::CopyLoc(0),
        B::AbortMsg,
    ];
    let expected = r#"module 0x1::m  // bytecode v10
friend 0x1::x
// metadata b"key\n\x1b" (3 bytes)

struct S has copy + drop + store + key {
    x: u64,
}

enum E<T0> {
    A {
        x: T0,
    },
    B,
}

#[persistent, pack_variant(1)]
public entry fun f<T0>(p0: u64): T0 acquires S !reads S(@0x1)
    local l1: u64
  L0:
       0: ld_u256 454086624460063511464984254936031011189294057512315937409637584344757371137
       1: ld_i256 -1
       2: ld_i8 -7
       3: ld_const<u8> 1
       4: br_true L1 (6)
       5: branch L0 (0)
  L1:
       6: call f<u64>
       7: borrow_field S.x
       8: pack_variant E<u64>::A
       9: mut_borrow_variant_field E<u64>, A.x
      10: pack_closure f, 0b101
      11: vec_pack<T0> 3
      12: st_loc l1
      13: copy_loc p0
      14: abort_msg
"#;
    assert_eq!(disassemble(&module), expected);
}
