//! Signature checker: references are where they may be, and type arguments have the abilities that are asked of them (verifier spec §5).
//!
//! Each type is walked once by itself, without knowing what its type parameters can do; the walk collects what it asks of them. Where the type is used,
//! that is compared with the constraints that hold there. So the pass is linear although a signature can be used from many places.

use crate::{VerifierError, VerifierResult, abilities};
use monomove_format::{
    Ability, AbilitySet, Bytecode, CompiledModule, FieldDefinition, FunctionDefinition,
    FunctionDefinitionIndex, Signature, SignatureIndex, SignatureToken,
    StructDefInstantiationIndex, StructDefinition, StructDefinitionIndex, StructFieldInformation,
    StructHandle, TypeParameterIndex,
};
use monomove_types::StatusCode;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Type parameters from this index on are refused wherever they occur.
const MAX_TYPE_PARAMETERS: usize = 256;

pub(crate) fn verify(module: &CompiledModule) -> VerifierResult {
    let mut checker = Checker {
        module,
        collector: Collector::new(),
        signatures: Vec::with_capacity(module.signatures.len()),
        arguments: BTreeMap::new(),
        resources: vec![None; module.struct_def_instantiations.len()],
    };
    for signature in &module.signatures {
        let needs = checker.list(signature)?;
        checker.signatures.push(needs);
    }
    let uses = checker.instantiations()?;
    checker.function_handles()?;
    for (index, definition) in module.struct_defs.iter().enumerate() {
        checker
            .struct_definition(definition)
            .map_err(|error| VerifierError {
                message: format!("{} in struct {index}", error.message),
                ..error
            })?;
    }
    for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
        checker
            .function(definition, &uses)
            .map_err(|error| error.in_function(FunctionDefinitionIndex(index)))?;
    }
    Ok(())
}

/// What type parameters must be able to do, ordered by parameter.
type Needs = Rc<[(TypeParameterIndex, AbilitySet)]>;

/// What the instantiations ask of the type parameters around them, by table.
struct Instantiations {
    functions: Vec<Needs>,
    structs: Vec<Needs>,
    fields: Vec<Needs>,
    variants: Vec<Needs>,
    variant_fields: Vec<Needs>,
}

struct Checker<'a> {
    module: &'a CompiledModule,
    collector: Collector<'a>,
    /// Of each signature as a list of types.
    signatures: Vec<Needs>,
    /// Of a type in a signature as an argument for a parameter with these constraints.
    arguments: BTreeMap<(SignatureIndex, usize, AbilitySet), Needs>,
    /// Of each struct instantiation as a resource, where it is used as one.
    resources: Vec<Option<Needs>>,
}

impl<'a> Checker<'a> {
    /// A list of parameters, results, locals or arguments: references may be at the top.
    fn list(&mut self, signature: &'a Signature) -> VerifierResult<Needs> {
        for token in &signature.0 {
            self.collector
                .walk(self.module, token, AbilitySet::EMPTY, true)?;
        }
        Ok(self.collector.take())
    }

    fn instantiations(&mut self) -> VerifierResult<Instantiations> {
        let module = self.module;
        Ok(Instantiations {
            functions: self.table(&module.function_instantiations, |inst| {
                let handle = module.function_handle_at(inst.handle);
                (handle.type_parameters.clone(), inst.type_parameters)
            })?,
            structs: self.table(&module.struct_def_instantiations, |inst| {
                (constraints_of(module, inst.def), inst.type_parameters)
            })?,
            fields: self.table(&module.field_instantiations, |inst| {
                let owner = module.field_handle_at(inst.handle).owner;
                (constraints_of(module, owner), inst.type_parameters)
            })?,
            variants: self.table(&module.struct_variant_instantiations, |inst| {
                let owner = module.struct_variant_handle_at(inst.handle).struct_index;
                (constraints_of(module, owner), inst.type_parameters)
            })?,
            variant_fields: self.table(&module.variant_field_instantiations, |inst| {
                let owner = module.variant_field_handle_at(inst.handle).struct_index;
                (constraints_of(module, owner), inst.type_parameters)
            })?,
        })
    }

    fn table<T>(
        &mut self,
        table: &'a [T],
        parts: impl Fn(&T) -> (Vec<AbilitySet>, SignatureIndex),
    ) -> VerifierResult<Vec<Needs>> {
        table
            .iter()
            .map(|inst| {
                let (constraints, arguments) = parts(inst);
                self.type_arguments(arguments, &constraints)
            })
            .collect()
    }

    /// A list of type arguments for type parameters with these constraints.
    fn type_arguments(
        &mut self,
        index: SignatureIndex,
        constraints: &[AbilitySet],
    ) -> VerifierResult<Needs> {
        let arguments = &self.module.signature_at(index).0;
        if arguments.len() != constraints.len() {
            return Err(VerifierError::new(
                StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH,
                format!(
                    "{} type arguments for {} type parameters",
                    arguments.len(),
                    constraints.len()
                ),
            ));
        }
        let mut all = Vec::with_capacity(arguments.len());
        for (position, (argument, required)) in arguments.iter().zip(constraints).enumerate() {
            let key = (index, position, *required);
            let needs = match self.arguments.get(&key) {
                Some(needs) => Rc::clone(needs),
                None => {
                    self.collector
                        .walk(self.module, argument, *required, false)?;
                    let needs = self.collector.take();
                    self.arguments.insert(key, Rc::clone(&needs));
                    needs
                }
            };
            all.push(needs);
        }
        for (parameter, abilities) in all.iter().flat_map(|needs| needs.iter()) {
            self.collector.need(*parameter, *abilities)?;
        }
        Ok(self.collector.take())
    }

    /// An instantiated struct in global storage: it must have `key`.
    fn resource(&mut self, index: StructDefInstantiationIndex) -> VerifierResult<Needs> {
        if let Some(needs) = &self.resources[index.into_index()] {
            return Ok(Rc::clone(needs));
        }
        let instantiation = self.module.struct_instantiation_at(index);
        let definition = self.module.struct_def_at(instantiation.def);
        let handle = self.module.struct_handle_at(definition.struct_handle);
        let key = AbilitySet::from(Ability::Key);
        if !key.is_subset(handle.abilities) {
            return Err(unsatisfied(key));
        }
        let required: Vec<_> = handle
            .type_parameters
            .iter()
            .map(|parameter| match parameter.is_phantom {
                true => parameter.constraints,
                false => parameter.constraints.union(key.required_of_parts()),
            })
            .collect();
        let needs = self.type_arguments(instantiation.type_parameters, &required)?;
        self.resources[index.into_index()] = Some(Rc::clone(&needs));
        Ok(needs)
    }

    fn function_handles(&self) -> VerifierResult {
        for (index, handle) in self.module.function_handles.iter().enumerate() {
            for signature in [handle.parameters, handle.return_] {
                satisfied(
                    &self.signatures[signature.into_index()],
                    &handle.type_parameters,
                )
                .map_err(|error| VerifierError {
                    message: format!("{} in function handle {index}", error.message),
                    ..error
                })?;
            }
        }
        Ok(())
    }

    fn struct_definition(&mut self, definition: &'a StructDefinition) -> VerifierResult {
        let handle = self.module.struct_handle_at(definition.struct_handle);
        match &definition.field_information {
            StructFieldInformation::Native => {}
            StructFieldInformation::Declared(fields) => self.fields(handle, fields)?,
            StructFieldInformation::DeclaredVariants(variants) => {
                for variant in variants {
                    self.fields(handle, &variant.fields)?;
                }
            }
        }
        Ok(())
    }

    fn fields(&mut self, owner: &StructHandle, fields: &'a [FieldDefinition]) -> VerifierResult {
        let constraints: Vec<_> = owner
            .type_parameters
            .iter()
            .map(|parameter| parameter.constraints)
            .collect();
        let everything = vec![AbilitySet::ALL; constraints.len()];
        let required = owner.abilities.required_of_parts();
        for field in fields {
            let token = &field.signature.0;
            self.collector
                .walk(self.module, token, AbilitySet::EMPTY, false)?;
            satisfied(&self.collector.take(), &constraints)?;
            if !required.is_subset(abilities(self.module, token, &everything)) {
                return Err(VerifierError::new(
                    StatusCode::FIELD_MISSING_TYPE_ABILITY,
                    format!("a field does not have {required}, which it needs"),
                ));
            }
            phantom_positions(self.module, owner, token)?;
        }
        Ok(())
    }

    fn function(
        &mut self,
        definition: &FunctionDefinition,
        uses: &Instantiations,
    ) -> VerifierResult {
        let Some(unit) = &definition.code else {
            return Ok(());
        };
        let constraints = &self.module.handle_of_definition(definition).type_parameters;
        satisfied(&self.signatures[unit.locals.into_index()], constraints)?;
        for instruction in &unit.code {
            self.instruction(instruction, constraints, uses)?;
        }
        Ok(())
    }

    fn instruction(
        &mut self,
        instruction: &Bytecode,
        constraints: &[AbilitySet],
        uses: &Instantiations,
    ) -> VerifierResult {
        use Bytecode as B;
        let needs = match instruction {
            B::CallGeneric(index) | B::PackClosureGeneric(index, _) => {
                &uses.functions[index.into_index()]
            }
            B::PackGeneric(index) | B::UnpackGeneric(index) => &uses.structs[index.into_index()],
            B::ExistsGeneric(index)
            | B::MutBorrowGlobalGeneric(index)
            | B::ImmBorrowGlobalGeneric(index)
            | B::MoveFromGeneric(index)
            | B::MoveToGeneric(index) => {
                return satisfied(&self.resource(*index)?, constraints);
            }
            B::MutBorrowFieldGeneric(index) | B::ImmBorrowFieldGeneric(index) => {
                &uses.fields[index.into_index()]
            }
            B::PackVariantGeneric(index)
            | B::UnpackVariantGeneric(index)
            | B::TestVariantGeneric(index) => &uses.variants[index.into_index()],
            B::MutBorrowVariantFieldGeneric(index) | B::ImmBorrowVariantFieldGeneric(index) => {
                &uses.variant_fields[index.into_index()]
            }
            B::VecPack(index, _)
            | B::VecLen(index)
            | B::VecImmBorrow(index)
            | B::VecMutBorrow(index)
            | B::VecPushBack(index)
            | B::VecPopBack(index)
            | B::VecUnpack(index, _)
            | B::VecSwap(index) => {
                let needs = self.type_arguments(*index, &[AbilitySet::EMPTY])?;
                return satisfied(&needs, constraints);
            }
            B::CallClosure(index) => {
                let types = &self.module.signature_at(*index).0;
                if !matches!(types.as_slice(), [SignatureToken::Function(..)]) {
                    return Err(VerifierError::new(
                        StatusCode::CLOSURE_CALL_REQUIRES_FUNCTION,
                        "the signature of a closure call is one function type",
                    ));
                }
                &self.signatures[index.into_index()]
            }
            _ => return Ok(()),
        };
        satisfied(needs, constraints)
    }
}

fn constraints_of(module: &CompiledModule, index: StructDefinitionIndex) -> Vec<AbilitySet> {
    module
        .struct_handle_at(module.struct_def_at(index).struct_handle)
        .type_parameters
        .iter()
        .map(|parameter| parameter.constraints)
        .collect()
}

/// Whether type parameters with these constraints can do what is needed of them.
fn satisfied(
    needs: &[(TypeParameterIndex, AbilitySet)],
    constraints: &[AbilitySet],
) -> VerifierResult {
    for (parameter, needed) in needs {
        let constraint = constraints
            .get(usize::from(*parameter))
            .copied()
            .unwrap_or_default();
        if !needed.is_subset(constraint) {
            return Err(unsatisfied(*needed));
        }
    }
    Ok(())
}

fn unsatisfied(needed: AbilitySet) -> VerifierError {
    VerifierError::new(
        StatusCode::CONSTRAINT_NOT_SATISFIED,
        format!("a type does not have {needed}, which it needs"),
    )
}

/// Phantom parameters of `owner` must occur as arguments of phantom parameters only.
fn phantom_positions(
    module: &CompiledModule,
    owner: &StructHandle,
    token: &SignatureToken,
) -> VerifierResult {
    let mut stack = vec![token];
    while let Some(token) = stack.pop() {
        match token {
            SignatureToken::TypeParameter(index) => {
                let parameter = owner.type_parameters.get(usize::from(*index));
                if parameter.is_some_and(|parameter| parameter.is_phantom) {
                    return Err(VerifierError::new(
                        StatusCode::INVALID_PHANTOM_TYPE_PARAM_POSITION,
                        format!("phantom type parameter {index} is used"),
                    ));
                }
            }
            SignatureToken::StructInstantiation(handle, arguments) => {
                let parameters = &module.struct_handle_at(*handle).type_parameters;
                stack.extend(
                    arguments
                        .iter()
                        .zip(parameters)
                        .filter(|(argument, parameter)| {
                            // Directly as a phantom argument is the one place where it may be.
                            !(parameter.is_phantom
                                && matches!(argument, SignatureToken::TypeParameter(_)))
                        })
                        .map(|(argument, _)| argument),
                );
            }
            _ => stack.extend(token.children()),
        }
    }
    Ok(())
}

/// Walks types and collects what they ask of type parameters.
struct Collector<'a> {
    needed: Vec<Option<AbilitySet>>,
    touched: Vec<TypeParameterIndex>,
    stack: Vec<Visit<'a>>,
}

struct Visit<'a> {
    token: &'a SignatureToken,
    required: AbilitySet,
    may_be_reference: bool,
}

impl<'a> Collector<'a> {
    fn new() -> Self {
        Self {
            needed: vec![None; MAX_TYPE_PARAMETERS],
            touched: Vec::new(),
            stack: Vec::new(),
        }
    }

    /// What was collected since the last time.
    fn take(&mut self) -> Needs {
        self.touched.sort_unstable();
        self.touched
            .drain(..)
            .filter_map(|parameter| {
                let needed = self.needed[usize::from(parameter)].take()?;
                (!needed.is_empty()).then_some((parameter, needed))
            })
            .collect()
    }

    fn need(&mut self, parameter: TypeParameterIndex, abilities: AbilitySet) -> VerifierResult {
        let Some(needed) = self.needed.get_mut(usize::from(parameter)) else {
            return Err(VerifierError::new(
                StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
                format!("type parameter {parameter} is beyond the limit of {MAX_TYPE_PARAMETERS}"),
            ));
        };
        match needed {
            Some(needed) => *needed = needed.union(abilities),
            None => {
                *needed = Some(abilities);
                self.touched.push(parameter);
            }
        }
        Ok(())
    }

    /// Checks a type of which `required` is asked.
    fn walk(
        &mut self,
        module: &CompiledModule,
        token: &'a SignatureToken,
        required: AbilitySet,
        may_be_reference: bool,
    ) -> VerifierResult {
        self.stack.clear();
        self.stack.push(Visit {
            token,
            required,
            may_be_reference,
        });
        while let Some(visit) = self.stack.pop() {
            self.visit(module, &visit)?;
        }
        Ok(())
    }

    fn visit(&mut self, module: &CompiledModule, visit: &Visit<'a>) -> VerifierResult {
        use SignatureToken as T;
        let required = visit.required;
        let first = self.stack.len();
        let declared = match visit.token {
            T::TypeParameter(parameter) => return self.need(*parameter, required),
            T::Reference(inner) | T::MutableReference(inner) => {
                if !visit.may_be_reference {
                    return Err(VerifierError::new(
                        StatusCode::INVALID_SIGNATURE_TOKEN,
                        "a reference where none may be",
                    ));
                }
                self.push(inner, AbilitySet::EMPTY, false);
                AbilitySet::REFERENCES
            }
            T::Vector(element) => {
                self.push(element, required.required_of_parts(), false);
                AbilitySet::VECTOR
            }
            T::Function(parameters, results, declared) => {
                for token in parameters.iter().chain(results) {
                    self.push(token, AbilitySet::EMPTY, true);
                }
                *declared
            }
            T::Struct(handle) => module.struct_handle_at(*handle).abilities,
            T::StructInstantiation(handle, arguments) => {
                let handle = module.struct_handle_at(*handle);
                let of_parts = required.required_of_parts();
                for (argument, parameter) in arguments.iter().zip(&handle.type_parameters) {
                    let asked = if parameter.is_phantom {
                        parameter.constraints
                    } else {
                        parameter.constraints.union(of_parts)
                    };
                    self.push(argument, asked, false);
                }
                handle.abilities
            }
            T::Signer => AbilitySet::SIGNER,
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
        };
        self.stack[first..].reverse();
        if required.is_subset(declared) {
            Ok(())
        } else {
            Err(unsatisfied(required))
        }
    }

    fn push(&mut self, token: &'a SignatureToken, required: AbilitySet, may_be_reference: bool) {
        self.stack.push(Visit {
            token,
            required,
            may_be_reference,
        });
    }
}
