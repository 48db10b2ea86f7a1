//! Modules that no verifier would let pass, built by hand and run in paranoid mode: each ends with the status that names what it did.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

mod common;

use common::State;
use monomove_core::{Access, Call, CallOutput, Machine, MachineConfig, Outcome};
use monomove_format::{
    Ability, AbilitySet, AccountAddress, AddressIdentifierIndex, Bytecode as B, CodeUnit,
    CompiledModule, FieldDefinition, FieldHandle, FieldHandleIndex, FunctionDefinition,
    FunctionHandle, FunctionHandleIndex, Identifier, IdentifierIndex, ModuleHandle,
    ModuleHandleIndex, Signature, SignatureIndex, SignatureToken as T, StatusCode,
    StructDefinition, StructDefinitionIndex, StructFieldInformation, StructHandle,
    StructHandleIndex, StructTypeParameter, StructVariantHandle, StructVariantHandleIndex,
    TypeSignature, VariantDefinition, VariantFieldHandle, VariantFieldHandleIndex, Visibility,
};

/// A module under construction.
struct Builder(CompiledModule);

impl Builder {
    fn new(name: &str) -> Self {
        let mut this = Self(CompiledModule {
            version: 8,
            address_identifiers: vec!["0x42".parse().unwrap()],
            ..CompiledModule::default()
        });
        this.module(name);
        this
    }

    fn name(&mut self, name: &str) -> IdentifierIndex {
        let names = &mut self.0.identifiers;
        let at = names.iter().position(|n| n.as_str() == name);
        let at = at.unwrap_or_else(|| {
            names.push(Identifier::new(name).unwrap());
            names.len() - 1
        });
        IdentifierIndex(at as u16)
    }

    fn module(&mut self, name: &str) -> ModuleHandleIndex {
        let name = self.name(name);
        self.0.module_handles.push(ModuleHandle {
            address: AddressIdentifierIndex(0),
            name,
        });
        ModuleHandleIndex(self.0.module_handles.len() as u16 - 1)
    }

    fn types(&mut self, types: &[T]) -> SignatureIndex {
        self.0.signatures.push(Signature(types.to_vec()));
        SignatureIndex(self.0.signatures.len() as u16 - 1)
    }

    fn struct_handle(
        &mut self,
        module: ModuleHandleIndex,
        name: &str,
        abilities: AbilitySet,
    ) -> StructHandleIndex {
        let name = self.name(name);
        self.0.struct_handles.push(StructHandle {
            module,
            name,
            abilities,
            type_parameters: Vec::<StructTypeParameter>::new(),
        });
        StructHandleIndex(self.0.struct_handles.len() as u16 - 1)
    }

    fn fields(&mut self, types: &[T]) -> Vec<FieldDefinition> {
        types
            .iter()
            .enumerate()
            .map(|(i, ty)| FieldDefinition {
                name: self.name(&format!("f{i}")),
                signature: TypeSignature(ty.clone()),
            })
            .collect()
    }

    fn define(
        &mut self,
        struct_handle: StructHandleIndex,
        field_information: StructFieldInformation,
    ) -> StructDefinitionIndex {
        self.0.struct_defs.push(StructDefinition {
            struct_handle,
            field_information,
        });
        StructDefinitionIndex(self.0.struct_defs.len() as u16 - 1)
    }

    fn strukt(
        &mut self,
        name: &str,
        abilities: AbilitySet,
        fields: &[T],
    ) -> (T, StructDefinitionIndex) {
        let handle = self.struct_handle(ModuleHandleIndex(0), name, abilities);
        let fields = self.fields(fields);
        let def = self.define(handle, StructFieldInformation::Declared(fields));
        (T::Struct(handle), def)
    }

    fn handle(
        &mut self,
        module: ModuleHandleIndex,
        name: &str,
        params: &[T],
        results: &[T],
    ) -> FunctionHandleIndex {
        let handle = FunctionHandle {
            module,
            name: self.name(name),
            parameters: self.types(params),
            return_: self.types(results),
            type_parameters: Vec::new(),
            access_specifiers: None,
            attributes: Vec::new(),
        };
        self.0.function_handles.push(handle);
        FunctionHandleIndex(self.0.function_handles.len() as u16 - 1)
    }

    fn function(
        &mut self,
        name: &str,
        params: &[T],
        results: &[T],
        locals: &[T],
        code: &[B],
    ) -> FunctionHandleIndex {
        let function = self.handle(ModuleHandleIndex(0), name, params, results);
        let locals = self.types(locals);
        self.0.function_defs.push(FunctionDefinition {
            function,
            visibility: Visibility::Private,
            is_entry: false,
            acquires_global_resources: Vec::new(),
            code: Some(CodeUnit {
                locals,
                code: code.to_vec(),
            }),
        });
        function
    }
}

fn vector(element: T) -> T {
    T::Vector(Box::new(element))
}

fn reference(referent: T) -> T {
    T::MutableReference(Box::new(referent))
}

fn abilities(list: &[Ability]) -> AbilitySet {
    list.iter().fold(AbilitySet::EMPTY, |set, &a| set.with(a))
}

/// Runs `f()` of a module in paranoid mode, then sees that the machine still does a plain call.
fn run_in(modules: &[Builder], signers: usize) -> CallOutput {
    let mut state = State::default();
    for Builder(module) in modules {
        let bytes = module.serialize().unwrap();
        CompiledModule::deserialize(&bytes).unwrap();
        state.add(bytes);
    }
    let mut sound = Builder::new("sound");
    let code = [B::MoveLoc(0), B::LdU64(1), B::Add, B::Ret];
    sound.function("f", &[T::U64], &[T::U64], &[], &code);
    state.add(sound.0.serialize().unwrap());
    let mut machine = Machine::new(MachineConfig {
        paranoid: true,
        verify: false,
        ..MachineConfig::default()
    });
    let call = |module: &CompiledModule, signers, args| Call {
        module: module.self_id(),
        function: Identifier::new("f").unwrap(),
        ty_args: Vec::new(),
        signers,
        args,
        access: Access::Any,
        gas_limit: 10_000_000,
        txn_hash: [0; 32],
    };
    let account: AccountAddress = "0xa1".parse().unwrap();
    let output = machine.call(
        &call(&modules[0].0, vec![account; signers], Vec::new()),
        &mut state,
    );
    let arg = vec![41u64.to_le_bytes().to_vec()];
    let after = machine.call(&call(&sound.0, Vec::new(), arg), &mut state);
    match after.outcome {
        Outcome::Returned { values, .. } => assert_eq!(values[0].bcs, 42u64.to_le_bytes()),
        Outcome::Failed(failure) => panic!("the machine is broken: {failure:?}"),
    }
    output
}

fn end(output: &CallOutput) -> (StatusCode, Option<u64>) {
    match &output.outcome {
        Outcome::Returned { values, .. } => panic!("returned {values:?}"),
        Outcome::Failed(failure) => (failure.status, failure.sub_status),
    }
}

/// The end of `f()` with these locals and code in a module that `make` prepares.
fn f(locals: &[T], code: &[B], make: impl FnOnce(&mut Builder)) -> (StatusCode, Option<u64>) {
    let mut builder = Builder::new("hostile");
    make(&mut builder);
    builder.function("f", &[], &[], locals, code);
    end(&run_in(&[builder], 0))
}

const CHECK: (StatusCode, Option<u64>) = (StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR, Some(1));
const DANGLING: (StatusCode, Option<u64>) =
    (StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR, Some(3));
const VARIANT: (StatusCode, Option<u64>) = (StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR, Some(4));
const STATIC: (StatusCode, Option<u64>) = (StatusCode::VERIFICATION_ERROR, None);
const TYPES: (StatusCode, Option<u64>) = (StatusCode::INTERNAL_TYPE_ERROR, None);

#[test]
fn a_local_is_read_before_it_is_set() {
    for code in [
        [B::MoveLoc(0), B::Pop, B::Ret],
        [B::CopyLoc(0), B::Pop, B::Ret],
        [B::MutBorrowLoc(0), B::Pop, B::Ret],
    ] {
        assert_eq!(f(&[vector(T::U8)], &code, |_| ()), CHECK);
    }
}

#[test]
fn a_local_is_moved_twice_and_both_are_pushed_to() {
    let e = SignatureIndex(0);
    let push = |local, value| [B::MutBorrowLoc(local), B::LdU64(value), B::VecPushBack(e)];
    let mut code = vec![B::VecPack(e, 0), B::StLoc(0)];
    code.extend(push(0, 1));
    code.extend([B::MoveLoc(0), B::StLoc(1), B::MoveLoc(0), B::StLoc(2)]);
    code.extend(push(1, 2));
    code.extend(push(2, 3));
    code.push(B::Ret);
    let v = vector(T::U64);
    let end = f(&[v.clone(), v.clone(), v], &code, |b| {
        b.types(&[T::U64]);
    });
    assert_eq!(end, CHECK);
}

#[test]
fn a_reference_outlives_the_value_of_its_local() {
    // r = &mut x; move x away; read r
    let code = [
        B::LdU64(7),
        B::StLoc(0),
        B::MutBorrowLoc(0),
        B::StLoc(1),
        B::MoveLoc(0),
        B::Pop,
        B::MoveLoc(1),
        B::ReadRef,
        B::Pop,
        B::Ret,
    ];
    assert_eq!(f(&[T::U64, reference(T::U64)], &code, |_| ()), DANGLING);
}

#[test]
fn a_reference_outlives_its_frame() {
    let mut builder = Builder::new("hostile");
    let r = reference(T::U64);
    let code = [B::LdU64(7), B::StLoc(0), B::MutBorrowLoc(0), B::Ret];
    let g = builder.function("g", &[], std::slice::from_ref(&r), &[T::U64], &code);
    let code = [B::Call(g), B::ReadRef, B::Pop, B::Ret];
    builder.function("f", &[], &[], &[], &code);
    assert_eq!(end(&run_in(&[builder], 0)), DANGLING);
}

/// `v = [1, 2]`, `r = &mut v[0]`, then `change`, then a write through `r`.
fn element_after(change: &[B]) -> (StatusCode, Option<u64>) {
    let e = SignatureIndex(0);
    let mut code = vec![
        B::LdU64(1),
        B::LdU64(2),
        B::VecPack(e, 2),
        B::StLoc(0),
        B::MutBorrowLoc(0),
        B::LdU64(0),
        B::VecMutBorrow(e),
        B::StLoc(1),
    ];
    code.extend_from_slice(change);
    code.extend([B::LdU64(9), B::MoveLoc(1), B::WriteRef, B::Ret]);
    f(&[vector(T::U64), reference(T::U64)], &code, |b| {
        b.types(&[T::U64]);
    })
}

#[test]
fn a_reference_outlives_its_element() {
    let e = SignatureIndex(0);
    let push = [B::MutBorrowLoc(0), B::LdU64(3), B::VecPushBack(e)];
    let pop = [B::MutBorrowLoc(0), B::VecPopBack(e), B::Pop];
    let unpack = [B::MoveLoc(0), B::VecUnpack(e, 2), B::Pop, B::Pop];
    assert_eq!(element_after(&push), DANGLING);
    assert_eq!(element_after(&pop), DANGLING);
    assert_eq!(element_after(&unpack), DANGLING);
}

#[test]
fn a_popped_vector_is_pushed_to_where_it_was() {
    // v = [[1]]; r = &mut v[0]; x = pop(v); push through r: two owners of one storage.
    let (e, inner) = (SignatureIndex(0), SignatureIndex(1));
    let code = [
        B::LdU64(1),
        B::VecPack(e, 1),
        B::VecPack(inner, 1),
        B::StLoc(0),
        B::MutBorrowLoc(0),
        B::LdU64(0),
        B::VecMutBorrow(inner),
        B::StLoc(1),
        B::MutBorrowLoc(0),
        B::VecPopBack(inner),
        B::StLoc(2),
        B::MoveLoc(1),
        B::LdU64(5),
        B::VecPushBack(e),
        B::Ret,
    ];
    let v = vector(T::U64);
    let locals = [vector(v.clone()), reference(v.clone()), v.clone()];
    let end = f(&locals, &code, |b| {
        b.types(&[T::U64]);
        b.types(&[v]);
    });
    assert_eq!(end, DANGLING);
}

#[test]
fn a_reference_outlives_its_variant() {
    // e = A { 5 }; r = &mut e.A.0; e = B { [] }; read r, which is a vector now
    let mut builder = Builder::new("hostile");
    let all = abilities(&[Ability::Copy, Ability::Drop]);
    let handle = builder.struct_handle(ModuleHandleIndex(0), "E", all);
    let variant = |b: &mut Builder, name: &str, ty: T| VariantDefinition {
        name: b.name(name),
        fields: b.fields(&[ty]),
    };
    let variants = vec![
        variant(&mut builder, "A", T::U64),
        variant(&mut builder, "B", vector(T::U8)),
    ];
    let struct_index = builder.define(handle, StructFieldInformation::DeclaredVariants(variants));
    for variant in 0..2 {
        builder.0.struct_variant_handles.push(StructVariantHandle {
            struct_index,
            variant,
        });
    }
    builder.0.variant_field_handles.push(VariantFieldHandle {
        struct_index,
        variants: vec![0],
        field: 0,
    });
    let e = builder.types(&[T::U8]);
    let enum_type = T::Struct(handle);
    let code = [
        B::LdU64(5),
        B::PackVariant(StructVariantHandleIndex(0)),
        B::StLoc(0),
        B::MutBorrowLoc(0),
        B::StLoc(2),
        B::CopyLoc(2),
        B::MutBorrowVariantField(VariantFieldHandleIndex(0)),
        B::StLoc(1),
        B::VecPack(e, 0),
        B::PackVariant(StructVariantHandleIndex(1)),
        B::MoveLoc(2),
        B::WriteRef,
        B::MoveLoc(1),
        B::ReadRef,
        B::Pop,
        B::Ret,
    ];
    let locals = [enum_type.clone(), reference(T::U64), reference(enum_type)];
    builder.function("f", &[], &[], &locals, &code);
    assert_eq!(end(&run_in(&[builder], 0)), VARIANT);
}

#[test]
fn a_resource_is_copied_dropped_or_forgotten() {
    let key = abilities(&[Ability::Key]);
    let make = |code: &[B]| {
        let mut builder = Builder::new("hostile");
        let (ty, _) = builder.strukt("R", key, &[T::U64]);
        builder.function("f", &[], &[], &[ty.clone(), ty], code);
        end(&run_in(&[builder], 0))
    };
    let pack = [B::LdU64(1), B::Pack(StructDefinitionIndex(0))];
    let with = |rest: &[B]| [&pack[..], rest].concat();
    assert_eq!(make(&with(&[B::Pop, B::Ret])), STATIC);
    assert_eq!(make(&with(&[B::StLoc(0), B::Ret])), CHECK);
    let copied = [B::StLoc(0), B::CopyLoc(0), B::StLoc(1), B::Ret];
    assert_eq!(make(&with(&copied)), STATIC);
    let mut twice = with(&[B::StLoc(0)]);
    twice.extend(with(&[B::StLoc(0), B::Ret]));
    assert_eq!(make(&twice), CHECK);
}

#[test]
fn a_resource_hides_in_a_struct_with_copy() {
    let mut builder = Builder::new("hostile");
    let (resource, _) = builder.strukt("R", abilities(&[Ability::Key, Ability::Store]), &[T::U64]);
    let all = abilities(&[Ability::Copy, Ability::Drop]);
    let (wrapper, _) = builder.strukt("W", all, &[resource]);
    let code = [
        B::LdU64(1),
        B::Pack(StructDefinitionIndex(0)),
        B::Pack(StructDefinitionIndex(1)),
        B::StLoc(0),
        B::CopyLoc(0),
        B::Pop,
        B::Ret,
    ];
    builder.function("f", &[], &[], &[wrapper], &code);
    let (status, _) = end(&run_in(&[builder], 0));
    assert_eq!(status, StatusCode::FIELD_MISSING_TYPE_ABILITY);
}

#[test]
fn a_reference_outlives_its_resource() {
    // move_to(s, R); r = &mut R; move_from R; write r; put it back
    let mut builder = Builder::new("hostile");
    let (ty, def) = builder.strukt("R", abilities(&[Ability::Key]), &[T::U64]);
    builder.0.field_handles.push(FieldHandle {
        owner: def,
        field: 0,
    });
    let code = [
        B::CopyLoc(0),
        B::LdU64(1),
        B::Pack(def),
        B::MoveTo(def),
        B::LdConst(monomove_format::ConstantPoolIndex(0)),
        B::MutBorrowGlobal(def),
        B::StLoc(1),
        B::LdConst(monomove_format::ConstantPoolIndex(0)),
        B::MoveFrom(def),
        B::Unpack(def),
        B::Pop,
        B::LdU64(9),
        B::MoveLoc(1),
        B::MutBorrowField(FieldHandleIndex(0)),
        B::WriteRef,
        B::Ret,
    ];
    let account: AccountAddress = "0xa1".parse().unwrap();
    builder.0.constant_pool.push(monomove_format::Constant {
        type_: T::Address,
        data: account.0.to_vec(),
    });
    let signer = T::Reference(Box::new(T::Signer));
    builder.function("f", &[signer], &[], &[reference(ty)], &code);
    assert_eq!(end(&run_in(&[builder], 1)), DANGLING);
}

/// A module with a resource `R` and a private function `secret`, and a builder that names both from outside.
fn victim() -> (Builder, Builder, StructHandleIndex, ModuleHandleIndex) {
    let key = abilities(&[Ability::Key, Ability::Store, Ability::Drop]);
    let mut victim = Builder::new("victim");
    victim.strukt("R", key, &[T::U64]);
    victim.function("secret", &[], &[T::U64], &[], &[B::LdU64(1), B::Ret]);
    let mut builder = Builder::new("hostile");
    let module = builder.module("victim");
    let handle = builder.struct_handle(module, "R", key);
    (victim, builder, handle, module)
}

#[test]
fn a_struct_of_another_module_is_packed() {
    let (victim, mut builder, handle, _) = victim();
    let fields = builder.fields(&[T::U64]);
    let def = builder.define(handle, StructFieldInformation::Declared(fields));
    let code = [B::LdU64(1), B::Pack(def), B::Unpack(def), B::Pop, B::Ret];
    builder.function("f", &[], &[], &[], &code);
    let bytes = builder.0.serialize().unwrap();
    if CompiledModule::deserialize(&bytes).is_ok() {
        assert_eq!(end(&run_in(&[builder, victim], 0)), CHECK);
    }
}

#[test]
fn a_private_function_of_another_module_is_called() {
    let (victim, mut builder, _, module) = victim();
    let secret = builder.handle(module, "secret", &[], &[T::U64]);
    builder.function("f", &[], &[], &[], &[B::Call(secret), B::Pop, B::Ret]);
    assert_eq!(end(&run_in(&[builder, victim], 0)), STATIC);
}

#[test]
fn a_number_is_used_as_a_reference() {
    let code = [B::LdU64(64), B::ReadRef, B::Pop, B::Ret];
    assert_eq!(f(&[], &code, |_| ()), TYPES);
    let code = [
        B::LdU64(64),
        B::StLoc(0),
        B::MoveLoc(0),
        B::VecLen(SignatureIndex(0)),
        B::Pop,
        B::Ret,
    ];
    let end = f(&[reference(vector(T::U8))], &code, |b| {
        b.types(&[T::U8]);
    });
    assert_eq!(end, TYPES);
}

#[test]
fn a_loop_ends_with_its_gas() {
    assert_eq!(f(&[], &[B::Branch(0)], |_| ()).0, StatusCode::OUT_OF_GAS);
}
