//! The worst that can be done to the passes over code: each module is accepted, or refused as too complex, in a bounded time.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking"
)]

use monomove_format::{
    AbilitySet, AccountAddress, AddressIdentifierIndex, Bytecode as B, CodeUnit, CompiledModule,
    FieldDefinition, FieldHandle, FieldHandleIndex, FunctionDefinition, FunctionHandle,
    FunctionHandleIndex, FunctionInstantiation, FunctionInstantiationIndex, IdentifierIndex,
    ModuleHandle, ModuleHandleIndex, Signature, SignatureIndex, SignatureToken as T,
    StructDefinition, StructDefinitionIndex, StructFieldInformation, StructHandle,
    StructHandleIndex, TypeSignature, Visibility,
};
use monomove_types::StatusCode;
use monomove_verifier::{VerifierConfig, verify_module};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Far above what any case takes on a quiet machine, far below what a quadratic pass would.
const TOO_LONG: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 6 });

const MAX_CODE: usize = 65_535;

/// A module under construction.
struct Builder(CompiledModule);

impl Builder {
    fn new() -> Self {
        let mut builder = Self(CompiledModule {
            version: 8,
            address_identifiers: vec![AccountAddress::ONE],
            ..CompiledModule::default()
        });
        let name = builder.name();
        builder.0.module_handles.push(ModuleHandle {
            address: AddressIdentifierIndex(0),
            name,
        });
        builder
    }

    fn name(&mut self) -> IdentifierIndex {
        let index = self.0.identifiers.len();
        self.0
            .identifiers
            .push(format!("n{index}").parse().unwrap());
        IdentifierIndex(index as u16)
    }

    fn signature(&mut self, types: Vec<T>) -> SignatureIndex {
        let signature = Signature(types);
        let known = self
            .0
            .signatures
            .iter()
            .position(|other| *other == signature);
        SignatureIndex(known.unwrap_or_else(|| {
            self.0.signatures.push(signature);
            self.0.signatures.len() - 1
        }) as u16)
    }

    fn structure(&mut self, fields: Vec<T>) -> StructHandleIndex {
        let name = self.name();
        let handle = StructHandleIndex(self.0.struct_handles.len() as u16);
        self.0.struct_handles.push(StructHandle {
            module: ModuleHandleIndex(0),
            name,
            abilities: AbilitySet::PRIMITIVES,
            type_parameters: Vec::new(),
        });
        let fields = fields
            .into_iter()
            .enumerate()
            .map(|(index, type_)| FieldDefinition {
                name: IdentifierIndex(index as u16),
                signature: TypeSignature(type_),
            })
            .collect();
        self.0.struct_defs.push(StructDefinition {
            struct_handle: handle,
            field_information: StructFieldInformation::Declared(fields),
        });
        handle
    }

    fn function(
        &mut self,
        parameters: Vec<T>,
        results: Vec<T>,
        locals: Vec<T>,
        code: Option<Vec<B>>,
    ) -> FunctionHandleIndex {
        let (name, parameters, return_, locals) = (
            self.name(),
            self.signature(parameters),
            self.signature(results),
            self.signature(locals),
        );
        let handle = FunctionHandleIndex(self.0.function_handles.len() as u16);
        self.0.function_handles.push(FunctionHandle {
            module: ModuleHandleIndex(0),
            name,
            parameters,
            return_,
            type_parameters: Vec::new(),
            access_specifiers: None,
            attributes: Vec::new(),
        });
        self.0.function_defs.push(FunctionDefinition {
            function: handle,
            visibility: Visibility::Private,
            is_entry: false,
            acquires_global_resources: Vec::new(),
            code: code.map(|code| CodeUnit { locals, code }),
        });
        handle
    }

    /// Writes the module into the directory `MONOMOVE_WORST`, under its number, for `monomove verify --time`.
    fn keep(&self) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if let (Some(dir), Ok(binary)) = (std::env::var_os("MONOMOVE_WORST"), self.0.serialize()) {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            std::fs::write(Path::new(&dir).join(format!("{number}.mv")), binary).unwrap();
        }
    }

    /// Verifies; gives the status, and fails if that took too long.
    fn verify(&self, config: &VerifierConfig) -> Option<StatusCode> {
        self.0.check_bounds().unwrap();
        self.keep();
        let start = Instant::now();
        let result = verify_module(&self.0, config);
        let took = start.elapsed();
        println!("{took:?} {result:?}");
        assert!(took < TOO_LONG, "{took:?}");
        result.err().map(|error| error.status)
    }
}

/// With the limits on blocks out of the way, which would refuse most of this.
fn large_blocks() -> VerifierConfig {
    VerifierConfig {
        max_basic_blocks: None,
        max_push_size: None,
        ..VerifierConfig::aptos()
    }
}

fn unmetered() -> VerifierConfig {
    VerifierConfig {
        max_units_per_function: None,
        max_units_per_module: None,
        ..large_blocks()
    }
}

const TOO_COMPLEX: Option<StatusCode> = Some(StatusCode::CONSTRAINT_NOT_SATISFIED);

fn imm(type_: T) -> T {
    T::Reference(Box::new(type_))
}

fn mutable(type_: T) -> T {
    T::MutableReference(Box::new(type_))
}

/// Straight code of the greatest length, all locals in use.
#[test]
fn long_code() {
    let mut code = Vec::new();
    while code.len() < MAX_CODE - 3 {
        let local = (code.len() / 2 % 254) as u8;
        code.extend([B::CopyLoc(local), B::StLoc(local + 1)]);
    }
    code.push(B::Ret);
    let mut builder = Builder::new();
    let mut types = vec![T::U64; 127];
    builder.function(types.clone(), vec![], vec![T::U64; 128], Some(code.clone()));
    assert_eq!(builder.verify(&large_blocks()), TOO_COMPLEX);
    assert_eq!(builder.verify(&unmetered()), None);
    // The same with references: a graph that is a long chain.
    let mut builder = Builder::new();
    types = vec![mutable(T::U64); 127];
    builder.function(types, vec![], vec![mutable(T::U64); 128], Some(code));
    assert_eq!(builder.verify(&large_blocks()), TOO_COMPLEX);
}

/// As many blocks as there can be, each a jump to the next, and a jump back from each to the first.
#[test]
fn many_blocks() {
    let mut code = Vec::new();
    while code.len() < MAX_CODE - 3 {
        code.extend([B::CopyLoc(0), B::BrTrue(0)]);
    }
    code.push(B::Ret);
    let mut builder = Builder::new();
    builder.function(vec![T::Bool], vec![], vec![], Some(code));
    assert_eq!(builder.verify(&large_blocks()), None);
    assert_eq!(
        builder.verify(&VerifierConfig::aptos()),
        Some(StatusCode::TOO_MANY_BASIC_BLOCKS)
    );
}

/// Jumps forward over everything, and loops of which each has the one before inside: graphs on which naive searches for loops are slow.
#[test]
fn tangled_jumps() {
    let half = MAX_CODE / 4;
    let mut code = Vec::new();
    for index in 0..half {
        code.extend([B::CopyLoc(0), B::BrTrue((4 * half - 2 * index - 2) as u16)]);
    }
    for _ in 0..half {
        code.extend([B::Nop, B::Nop]);
    }
    code.push(B::Ret);
    let mut builder = Builder::new();
    builder.function(vec![T::Bool], vec![], vec![], Some(code));
    assert_eq!(builder.verify(&large_blocks()), None);
    for version in [5, 8] {
        let mut code = vec![B::Nop; MAX_CODE / 3];
        for target in (0..MAX_CODE / 3).rev() {
            code.extend([B::CopyLoc(0), B::BrTrue(target as u16)]);
        }
        code.truncate(MAX_CODE - 2);
        let whole = code.len() - (code.len() - MAX_CODE / 3) % 2;
        code.truncate(whole);
        code.push(B::Ret);
        let mut builder = Builder::new();
        builder.0.version = version;
        builder.function(vec![T::Bool], vec![], vec![], Some(code));
        let config = VerifierConfig {
            max_loop_depth: None,
            ..large_blocks()
        };
        assert_eq!(builder.verify(&config), None);
    }
}

/// Loops inside each other, each of which empties another local, so that what is known about locals changes as often as it can.
#[test]
fn slow_fixpoint() {
    let locals = 250;
    let mut code = vec![];
    let mut heads = Vec::new();
    for depth in 0..5 {
        heads.push(code.len() as u16);
        for local in (depth..locals).step_by(5) {
            // Moved on one of two ways.
            let next = code.len() as u16 + 4;
            code.extend([B::LdTrue, B::BrTrue(next), B::LdU64(1), B::StLoc(local)]);
        }
    }
    for head in heads.iter().rev() {
        for local in 0..locals {
            let next = code.len() as u16 + 4;
            code.extend([B::LdTrue, B::BrTrue(next), B::Nop, B::StLoc(local)]);
            let last = code.len() - 2;
            code[last] = B::LdU64(1);
        }
        code.extend([B::LdTrue, B::BrTrue(*head)]);
    }
    code.push(B::Ret);
    let mut builder = Builder::new();
    builder.function(
        vec![],
        vec![],
        vec![T::U64; usize::from(locals)],
        Some(code),
    );
    assert_eq!(builder.verify(&large_blocks()), None);
}

/// References that may all be borrowed from each other.
#[test]
fn dense_graph() {
    let references = 120u8;
    let mut builder = Builder::new();
    let callee = builder.function(vec![imm(T::U64); 5], vec![imm(T::U64)], vec![], None);
    let mut code = Vec::new();
    // Each turn, each reference becomes one of five others.
    let mut next = 7u32;
    for _ in 0..40 {
        let head = code.len() as u16;
        for local in 0..references {
            for _ in 0..5 {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                code.push(B::CopyLoc((next >> 16) as u8 % references));
            }
            code.extend([B::Call(callee), B::StLoc(local)]);
        }
        code.extend([B::LdTrue, B::BrTrue(head)]);
    }
    code.push(B::Ret);
    builder.function(
        vec![imm(T::U64); usize::from(references)],
        vec![],
        vec![],
        Some(code),
    );
    assert_eq!(builder.verify(&VerifierConfig::aptos()), TOO_COMPLEX);
}

/// Paths as long as types are deep.
#[test]
fn long_paths() {
    let depth = 20_000;
    let mut builder = Builder::new();
    let mut inner = builder.structure(vec![T::U64]);
    for _ in 1..depth {
        inner = builder.structure(vec![T::Struct(inner)]);
    }
    builder.0.field_handles = (0..depth)
        .map(|index| FieldHandle {
            owner: StructDefinitionIndex(index as u16),
            field: 0,
        })
        .collect();
    // Everything stays borrowed from the parameter.
    let mut code = vec![B::CopyLoc(0)];
    let mut locals = Vec::new();
    for index in (1..depth).rev() {
        code.push(B::MutBorrowField(FieldHandleIndex(index as u16)));
        if index % (depth / 120) == 0 && index > depth / 2 {
            // Keep a reference on the way.
            let local = locals.len() as u8 + 1;
            locals.push(mutable(T::Struct(StructHandleIndex(index as u16 - 1))));
            code.extend([B::StLoc(local), B::CopyLoc(local)]);
        }
    }
    code.extend([B::Pop, B::Ret]);
    builder.function(vec![mutable(T::Struct(inner))], vec![], locals, Some(code));
    assert_eq!(builder.verify(&large_blocks()), TOO_COMPLEX);
}

/// Types that grow where they are instantiated, over and over.
#[test]
fn large_types() {
    let mut builder = Builder::new();
    let wide = |inner: T| {
        (0..4).fold(inner, |inner, _| {
            T::Function(vec![inner.clone(), inner], vec![], AbilitySet::PRIMITIVES)
        })
    };
    let parameter = wide(T::TypeParameter(0));
    let callee = builder.function(vec![], vec![], vec![], None);
    builder.0.function_handles[callee.into_index()].type_parameters = vec![AbilitySet::EMPTY];
    let results = builder.signature(vec![parameter; 30]);
    builder.0.function_handles[callee.into_index()].return_ = results;
    let mut code = Vec::new();
    for index in 0..1000u16 {
        let argument = wide(match index % 2 {
            0 => T::U64,
            _ => T::Bool,
        });
        let argument = (0..index / 2 % 15).fold(argument, |inner, _| T::Vector(Box::new(inner)));
        let arguments = builder.signature(vec![argument]);
        let known = builder
            .0
            .function_instantiations
            .iter()
            .position(|inst| inst.type_parameters == arguments);
        let instantiation = known.unwrap_or_else(|| {
            builder
                .0
                .function_instantiations
                .push(FunctionInstantiation {
                    handle: callee,
                    type_parameters: arguments,
                });
            builder.0.function_instantiations.len() - 1
        });
        code.push(B::CallGeneric(FunctionInstantiationIndex(
            instantiation as u16,
        )));
        code.extend(vec![B::Pop; 30]);
    }
    code.push(B::Ret);
    builder.function(vec![], vec![], vec![], Some(code));
    assert_eq!(builder.verify(&large_blocks()), TOO_COMPLEX);
}

/// A great many values in each block.
#[test]
fn many_pushes() {
    let mut builder = Builder::new();
    let element = builder.signature(vec![T::U64]);
    let vector = T::Vector(Box::new(T::U64));
    let mut code = Vec::new();
    while code.len() < MAX_CODE - 2100 {
        code.extend([B::CopyLoc(0), B::VecUnpack(element, 1000)]);
        code.extend([B::VecPack(element, 1000), B::Pop]);
    }
    code.push(B::Ret);
    for (offset, op) in code.iter_mut().enumerate().skip(3) {
        // Ends the block before it pushes too much.
        if offset % 16 == 3 {
            *op = B::StLoc(1);
        }
    }
    builder.function(vec![vector.clone()], vec![], vec![vector], Some(code));
    assert_eq!(builder.verify(&large_blocks()), TOO_COMPLEX);
}
