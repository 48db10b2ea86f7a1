//! Any bytes: the reader, the writer and the printers do not panic.

mod common;

use common::binary::*;
use monomove_format::{
    Bytecode, ClosureMask, CompiledModule, CompiledScript, ConstantPoolIndex, FieldHandleIndex,
    FieldInstantiationIndex, FunctionHandleIndex, FunctionInstantiationIndex, MAX_ITEM,
    SignatureIndex, StructDefInstantiationIndex, StructDefinitionIndex, StructVariantHandleIndex,
    StructVariantInstantiationIndex, VariantFieldHandleIndex, VariantFieldInstantiationIndex,
    disassemble, instruction_to_string,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CompiledModule::deserialize(&bytes);
        let _ = CompiledScript::deserialize(&bytes);
    }

    #[test]
    fn any_tables(
        version in 1..12u32,
        tables in prop::collection::btree_map(1..0x15u8, prop::collection::vec(0..24u8, 1..60), 0..8),
        tail in prop::collection::vec(0..24u8, 0..20),
    ) {
        let mut binary = Binary::module(version);
        for (kind, table) in tables {
            binary = binary.with(kind, table);
        }
        binary.tail.extend(tail);
        let _ = binary.read_script();
        if let Ok(module) = binary.read() {
            prop_assert!(disassemble(&module).starts_with("module"));
            if module.version >= 5 {
                prop_assert!(module.serialize().is_ok());
            }
        }
    }

    #[test]
    fn instructions_with_any_index(index in any::<u16>(), value in any::<u64>()) {
        let module = Binary::module(8).read().unwrap();
        for instruction in [
            Bytecode::LdConst(ConstantPoolIndex(index)),
            Bytecode::Call(FunctionHandleIndex(index)),
            Bytecode::CallGeneric(FunctionInstantiationIndex(index)),
            Bytecode::PackClosureGeneric(FunctionInstantiationIndex(index), ClosureMask(value)),
            Bytecode::Pack(StructDefinitionIndex(index)),
            Bytecode::PackGeneric(StructDefInstantiationIndex(index)),
            Bytecode::MutBorrowField(FieldHandleIndex(index)),
            Bytecode::ImmBorrowFieldGeneric(FieldInstantiationIndex(index)),
            Bytecode::TestVariant(StructVariantHandleIndex(index)),
            Bytecode::TestVariantGeneric(StructVariantInstantiationIndex(index)),
            Bytecode::ImmBorrowVariantField(VariantFieldHandleIndex(index)),
            Bytecode::MutBorrowVariantFieldGeneric(VariantFieldInstantiationIndex(index)),
            Bytecode::VecPack(SignatureIndex(index), value),
        ] {
            let text = instruction_to_string(&module, &instruction);
            prop_assert!(text.starts_with(instruction.mnemonic()));
            prop_assert!(text.len() <= MAX_ITEM);
        }
    }
}

#[test]
fn the_empty_module_can_be_printed() {
    assert!(disassemble(&CompiledModule::default()).contains("?module[0]"));
}

/// Tables that refer to one large type from everywhere: reading, writing and printing stay linear.
#[test]
fn a_large_type_used_from_everywhere_is_walked_once() {
    let mut signatures = vec![0, 0xff, 1];
    for _ in 0..255 {
        signatures.extend([0x0a; 250]);
        signatures.push(2);
    }
    let mut code = vec![0, 0, 0, 0, 0, 0xff, 0xff, 3];
    code.extend([0x41, 1].repeat(65535));
    let binary = Binary::module(8)
        .with(SIGNATURES, signatures)
        .with(FUNCTION_HANDLES, [0, 0, 1, 1, 0, 1, 0].repeat(60_000))
        .with(FUNCTION_DEFS, code.repeat(4))
        .with(STRUCT_HANDLES, [0, 0, 0, 0]);
    // 255 parameters and no further locals are just allowed.
    let start = std::time::Instant::now();
    let module = binary.read().unwrap();
    println!(
        "{} bytes read after {:?}",
        binary.bytes().len(),
        start.elapsed()
    );
    let start = std::time::Instant::now();
    let listing = disassemble(&module);
    println!(
        "{} bytes of listing after {:?}",
        listing.len(),
        start.elapsed()
    );
    assert!(listing.len() <= monomove_format::MAX_LISTING + 4);
}
