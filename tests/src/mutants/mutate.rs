//! Mutations of modules. Some aim past the static checks: they keep the operand stack balanced and types in place.

use super::random::Random;
use monomove_format::{
    AbilitySet, Bytecode, ClosureMask, CompiledModule, ConstantPoolIndex, FieldHandleIndex,
    FieldInstantiationIndex, FunctionHandleIndex, FunctionInstantiationIndex, ModuleHandleIndex,
    Signature, SignatureIndex, SignatureToken, StructDefInstantiationIndex, StructDefinitionIndex,
    StructFieldInformation, StructHandleIndex, StructVariantHandleIndex, VariantFieldHandleIndex,
    Visibility,
};

/// Changes `module` in one to six places.
pub(super) fn mutate(random: &mut Random, module: &mut CompiledModule) {
    for _ in 0..=random.below(6) {
        match random.below(20) {
            0 => signature(random, module),
            1 => abilities(random, module),
            2 => handle(random, module),
            3 => field(random, module),
            4 => definition(random, module),
            5 | 6 => operand(random, module),
            7 => replace(random, module),
            8 => swap_instructions(random, module),
            9 => drop_instruction(random, module),
            10..=12 => locals(random, module),
            13..=15 => statement(random, module),
            _ => insertion(random, module),
        }
    }
}

/// A function with code: its parameters, its locals after them, its instructions.
fn code<'a>(
    random: &mut Random,
    module: &'a mut CompiledModule,
) -> Option<(Vec<SignatureToken>, &'a mut Vec<Bytecode>)> {
    let with_code: Vec<usize> = (0..module.function_defs.len())
        .filter(|&i| module.function_defs[i].code.is_some())
        .collect();
    let index = *random.one_of(&with_code)?;
    let def = &module.function_defs[index];
    let parameters = module.function_handles[usize::from(def.function.0)].parameters;
    let unit = def.code.as_ref()?;
    let types = module.signatures[usize::from(parameters.0)]
        .0
        .iter()
        .chain(&module.signatures[usize::from(unit.locals.0)].0)
        .cloned()
        .collect();
    let code = &mut module.function_defs[index].code.as_mut()?.code;
    (!code.is_empty()).then_some((types, code))
}

fn token(random: &mut Random, module: &CompiledModule) -> SignatureToken {
    let pool: Vec<&SignatureToken> = module.signatures.iter().flat_map(|s| &s.0).collect();
    let known = random.one_of(&pool).map(|t| (*t).clone());
    match random.below(8) {
        0 => SignatureToken::U64,
        1 => SignatureToken::U8,
        2 => SignatureToken::Vector(Box::new(known.unwrap_or(SignatureToken::U8))),
        3 => SignatureToken::Reference(Box::new(SignatureToken::U64)),
        4 => SignatureToken::TypeParameter(random.below(3) as u16),
        _ => known.unwrap_or(SignatureToken::Bool),
    }
}

fn signature(random: &mut Random, module: &mut CompiledModule) {
    let at = random.below(module.signatures.len());
    let new = token(random, module);
    let other = module
        .signatures
        .get(random.below(module.signatures.len()))
        .cloned();
    let Some(Signature(types)) = module.signatures.get_mut(at) else {
        return;
    };
    let n = random.below(types.len());
    match random.below(5) {
        0 => types.push(new),
        1 if !types.is_empty() => drop(types.remove(n)),
        2 => *types = other.unwrap_or_default().0,
        _ => {
            if let Some(slot) = types.get_mut(n) {
                *slot = new;
            }
        }
    }
}

fn set_of_abilities(random: &mut Random) -> AbilitySet {
    AbilitySet::from_u8(random.below(16) as u8).unwrap_or(AbilitySet::EMPTY)
}

fn abilities(random: &mut Random, module: &mut CompiledModule) {
    let set = set_of_abilities(random);
    if random.once_in(3) {
        let at = random.below(module.function_handles.len());
        if let Some(handle) = module.function_handles.get_mut(at) {
            let n = random.below(handle.type_parameters.len());
            handle
                .type_parameters
                .iter_mut()
                .skip(n)
                .take(1)
                .for_each(|p| *p = set);
        }
        return;
    }
    let at = random.below(module.struct_handles.len());
    if let Some(handle) = module.struct_handles.get_mut(at) {
        match handle.type_parameters.first_mut() {
            Some(parameter) if random.once_in(3) => {
                parameter.constraints = set;
                parameter.is_phantom ^= random.once_in(2);
            }
            _ => handle.abilities = set,
        }
    }
}

fn handle(random: &mut Random, module: &mut CompiledModule) {
    let (modules, signatures) = (module.module_handles.len(), module.signatures.len());
    let functions = module.function_handles.len();
    match random.below(4) {
        0 => {
            let at = random.below(module.struct_handles.len());
            if let Some(handle) = module.struct_handles.get_mut(at) {
                handle.module = ModuleHandleIndex(random.below(modules) as u16);
            }
        }
        1 => {
            if let Some(handle) = module.function_handles.get_mut(random.below(functions)) {
                handle.parameters = SignatureIndex(random.below(signatures) as u16);
            }
        }
        2 => {
            if let Some(handle) = module.function_handles.get_mut(random.below(functions)) {
                handle.return_ = SignatureIndex(random.below(signatures) as u16);
            }
        }
        _ => {
            let (a, b) = (random.below(functions), random.below(functions));
            let names = (
                module.function_handles.get(a).map(|h| h.name),
                module.function_handles.get(b).map(|h| h.name),
            );
            if let (Some(_), Some(name)) = names {
                module.function_handles[a].name = name;
            }
        }
    }
}

fn field(random: &mut Random, module: &mut CompiledModule) {
    let new = token(random, module);
    let at = random.below(module.struct_defs.len());
    let Some(def) = module.struct_defs.get_mut(at) else {
        return;
    };
    let fields = match &mut def.field_information {
        StructFieldInformation::Native => return,
        StructFieldInformation::Declared(fields) => fields,
        StructFieldInformation::DeclaredVariants(variants) => {
            let n = random.below(variants.len());
            match variants.get_mut(n) {
                Some(variant) => &mut variant.fields,
                None => return,
            }
        }
    };
    let n = random.below(fields.len());
    match random.below(4) {
        0 if !fields.is_empty() => drop(fields.remove(n)),
        1 if !fields.is_empty() => {
            let copy = fields[n].clone();
            fields.push(copy);
        }
        _ => {
            if let Some(field) = fields.get_mut(n) {
                field.signature.0 = new;
            }
        }
    }
}

fn definition(random: &mut Random, module: &mut CompiledModule) {
    let handles = module.struct_handles.len();
    match random.below(4) {
        0 => {
            let at = random.below(module.struct_defs.len());
            if let Some(def) = module.struct_defs.get_mut(at) {
                def.struct_handle = StructHandleIndex(random.below(handles) as u16);
            }
        }
        1 => {
            let at = random.below(module.constant_pool.len());
            if let Some(constant) = module.constant_pool.get_mut(at) {
                let n = random.below(constant.data.len());
                match constant.data.get_mut(n) {
                    Some(byte) => *byte = random.bits() as u8,
                    None => constant.data.push(1),
                }
            }
        }
        2 => {
            let at = random.below(module.function_defs.len());
            if let Some(def) = module.function_defs.get_mut(at) {
                def.visibility = *random
                    .one_of(&[Visibility::Private, Visibility::Public, Visibility::Friend])
                    .unwrap_or(&Visibility::Public);
            }
        }
        _ => {
            let at = random.below(module.function_defs.len());
            let signatures = module.signatures.len();
            if let Some(unit) = module
                .function_defs
                .get_mut(at)
                .and_then(|d| d.code.as_mut())
            {
                unit.locals = SignatureIndex(random.below(signatures) as u16);
            }
        }
    }
}

/// Any instruction, with operands that exist.
fn any_instruction(random: &mut Random, module: &CompiledModule, locals: usize) -> Bytecode {
    use Bytecode as B;
    let local = random.below(locals) as u8;
    let mut index = |len: usize| random.below(len) as u16;
    let signature = SignatureIndex(index(module.signatures.len()));
    let def = StructDefinitionIndex(index(module.struct_defs.len()));
    let instance = StructDefInstantiationIndex(index(module.struct_def_instantiations.len()));
    let call = FunctionHandleIndex(index(module.function_handles.len()));
    let generic = FunctionInstantiationIndex(index(module.function_instantiations.len()));
    let field = FieldHandleIndex(index(module.field_handles.len()));
    let generic_field = FieldInstantiationIndex(index(module.field_instantiations.len()));
    let variant = StructVariantHandleIndex(index(module.struct_variant_handles.len()));
    let variant_field = VariantFieldHandleIndex(index(module.variant_field_handles.len()));
    let constant = ConstantPoolIndex(index(module.constant_pool.len()));
    let mask = ClosureMask(u64::from(index(8)));
    let count = u64::from(index(4));
    let all = [
        B::Pop,
        B::Ret,
        B::LdU64(count),
        B::LdU8(count as u8),
        B::LdTrue,
        B::LdConst(constant),
        B::CopyLoc(local),
        B::MoveLoc(local),
        B::StLoc(local),
        B::MutBorrowLoc(local),
        B::ImmBorrowLoc(local),
        B::MutBorrowField(field),
        B::ImmBorrowField(field),
        B::MutBorrowFieldGeneric(generic_field),
        B::Call(call),
        B::CallGeneric(generic),
        B::Pack(def),
        B::PackGeneric(instance),
        B::Unpack(def),
        B::UnpackGeneric(instance),
        B::PackVariant(variant),
        B::UnpackVariant(variant),
        B::TestVariant(variant),
        B::MutBorrowVariantField(variant_field),
        B::ReadRef,
        B::WriteRef,
        B::FreezeRef,
        B::Add,
        B::Div,
        B::Shl,
        B::Eq,
        B::Not,
        B::Lt,
        B::CastU8,
        B::CastU256,
        B::Abort,
        B::Exists(def),
        B::MoveFrom(def),
        B::MoveTo(def),
        B::MutBorrowGlobal(def),
        B::ImmBorrowGlobal(def),
        B::MoveFromGeneric(instance),
        B::MutBorrowGlobalGeneric(instance),
        B::VecPack(signature, count),
        B::VecUnpack(signature, count),
        B::VecLen(signature),
        B::VecImmBorrow(signature),
        B::VecMutBorrow(signature),
        B::VecPushBack(signature),
        B::VecPopBack(signature),
        B::VecSwap(signature),
        B::PackClosure(call, mask),
        B::PackClosureGeneric(generic, mask),
        B::CallClosure(signature),
    ];
    random.one_of(&all).cloned().unwrap_or(B::Nop)
}

/// The same instruction with another operand, or a near relative of it.
fn operand(random: &mut Random, module: &mut CompiledModule) {
    use Bytecode as B;
    let signatures = module.signatures.len();
    let fields = module.field_handles.len();
    let handles = module.function_handles.len();
    let variants = module.struct_variant_handles.len();
    let Some((types, code)) = code(random, module) else {
        return;
    };
    let (len, at) = (code.len(), random.below(code.len()));
    let local = random.below(types.len()) as u8;
    let signature = SignatureIndex(random.below(signatures) as u16);
    let flip = random.once_in(2);
    let op = &mut code[at];
    *op = match op.clone() {
        B::CopyLoc(l) if flip => B::MoveLoc(l),
        B::MoveLoc(l) if flip => B::CopyLoc(l),
        B::CopyLoc(_) => B::CopyLoc(local),
        B::MoveLoc(_) => B::MoveLoc(local),
        B::StLoc(_) => B::StLoc(local),
        B::MutBorrowLoc(l) if flip => B::ImmBorrowLoc(l),
        B::ImmBorrowLoc(l) if flip => B::MutBorrowLoc(l),
        B::MutBorrowLoc(_) => B::MutBorrowLoc(local),
        B::ImmBorrowLoc(_) => B::ImmBorrowLoc(local),
        B::BrTrue(t) if flip => B::BrFalse(t),
        B::BrFalse(t) if flip => B::BrTrue(t),
        B::BrTrue(_) => B::BrTrue(random.below(len) as u16),
        B::BrFalse(_) => B::BrFalse(random.below(len) as u16),
        B::Branch(_) => B::Branch(random.below(len) as u16),
        B::LdU64(v) if flip => B::LdU64(v.wrapping_add(1)),
        B::LdU64(_) => B::LdU64(random.bits()),
        B::MutBorrowField(_) => B::MutBorrowField(FieldHandleIndex(random.below(fields) as u16)),
        B::ImmBorrowField(_) => B::ImmBorrowField(FieldHandleIndex(random.below(fields) as u16)),
        B::Call(_) => B::Call(FunctionHandleIndex(random.below(handles) as u16)),
        B::PackVariant(_) => {
            B::PackVariant(StructVariantHandleIndex(random.below(variants) as u16))
        }
        B::VecPack(s, n) if flip => B::VecPack(s, n + 1),
        B::VecPack(_, n) => B::VecPack(signature, n),
        B::VecLen(_) => B::VecLen(signature),
        B::VecPushBack(_) => B::VecPushBack(signature),
        B::VecPopBack(s) if flip => B::VecPopBack(s),
        B::VecPopBack(_) => B::VecPopBack(signature),
        B::PackClosure(f, m) => B::PackClosure(f, ClosureMask(m.0 ^ 1)),
        B::Lt => B::Gt,
        B::Eq => B::Neq,
        B::Add => B::Sub,
        B::ReadRef => B::FreezeRef,
        other => other,
    };
}

fn replace(random: &mut Random, module: &mut CompiledModule) {
    let copy = module.clone();
    let mut pick = random.clone();
    let Some((types, code)) = code(random, module) else {
        return;
    };
    let at = random.below(code.len());
    code[at] = any_instruction(&mut pick, &copy, types.len());
}

fn swap_instructions(random: &mut Random, module: &mut CompiledModule) {
    if let Some((_, code)) = code(random, module) {
        let (a, b) = (random.below(code.len()), random.below(code.len()));
        code.swap(a, b);
    }
}

fn drop_instruction(random: &mut Random, module: &mut CompiledModule) {
    if let Some((_, code)) = code(random, module) {
        let at = random.below(code.len());
        code[at] = Bytecode::Nop;
    }
}

/// A local that has the type of `local`, which may be itself.
fn same_type(random: &mut Random, types: &[SignatureToken], local: u8) -> u8 {
    let Some(ty) = types.get(usize::from(local)) else {
        return local;
    };
    let same: Vec<u8> = (0..types.len())
        .filter(|&i| types[i] == *ty)
        .map(|i| i as u8)
        .collect();
    random.one_of(&same).copied().unwrap_or(local)
}

/// Well-typed changes of how locals are used: copies become moves, one local stands for another of its type.
fn locals(random: &mut Random, module: &mut CompiledModule) {
    use Bytecode as B;
    let Some((types, code)) = code(random, module) else {
        return;
    };
    let at: Vec<usize> = (0..code.len())
        .filter(|&i| {
            matches!(
                code[i],
                B::CopyLoc(_)
                    | B::MoveLoc(_)
                    | B::StLoc(_)
                    | B::MutBorrowLoc(_)
                    | B::ImmBorrowLoc(_)
            )
        })
        .collect();
    let Some(&at) = random.one_of(&at) else {
        return;
    };
    let flip = random.once_in(2);
    let op = code[at].clone();
    code[at] = match op {
        B::CopyLoc(l) if flip => B::MoveLoc(l),
        B::MoveLoc(l) if flip => B::CopyLoc(l),
        B::CopyLoc(l) => B::CopyLoc(same_type(random, &types, l)),
        B::MoveLoc(l) => B::MoveLoc(same_type(random, &types, l)),
        B::StLoc(l) => B::StLoc(same_type(random, &types, l)),
        B::MutBorrowLoc(l) => B::MutBorrowLoc(same_type(random, &types, l)),
        B::ImmBorrowLoc(l) => B::ImmBorrowLoc(same_type(random, &types, l)),
        other => other,
    };
}

/// Puts instructions at `at`; branches keep their targets.
fn insert(code: &mut Vec<Bytecode>, at: usize, new: Vec<Bytecode>) {
    let by = new.len() as u16;
    for op in code.iter_mut() {
        if let Bytecode::BrTrue(t) | Bytecode::BrFalse(t) | Bytecode::Branch(t) = op
            && usize::from(*t) >= at
        {
            *t = t.saturating_add(by);
        }
    }
    code.splice(at..at, new);
}

/// Whether an instruction often ends a statement: the operand stack is empty after it.
fn ends_statement(op: &Bytecode) -> bool {
    use Bytecode as B;
    matches!(
        op,
        B::StLoc(_)
            | B::Pop
            | B::WriteRef
            | B::VecPushBack(_)
            | B::VecSwap(_)
            | B::MoveTo(_)
            | B::BrTrue(_)
            | B::BrFalse(_)
            | B::Nop
    )
}

/// Repeats, moves or drops what looks like a whole statement.
fn statement(random: &mut Random, module: &mut CompiledModule) {
    let Some((_, code)) = code(random, module) else {
        return;
    };
    let mut bounds: Vec<usize> = vec![0];
    bounds.extend(
        (0..code.len())
            .filter(|&i| ends_statement(&code[i]))
            .map(|i| i + 1),
    );
    let n = random.below(bounds.len().saturating_sub(1));
    let (Some(&start), Some(&end)) = (bounds.get(n), bounds.get(n + 1)) else {
        return;
    };
    let text = code[start..end].to_vec();
    let to = random.one_of(&bounds).copied().unwrap_or(0);
    if !random.once_in(3) {
        insert(code, to, text);
    }
    if random.once_in(2) {
        for op in &mut code[start..end] {
            *op = Bytecode::Nop;
        }
    }
}

/// Puts a short balanced sequence on locals somewhere.
fn insertion(random: &mut Random, module: &mut CompiledModule) {
    use Bytecode as B;
    let vectors: Vec<(SignatureToken, SignatureIndex)> = (0..module.signatures.len())
        .filter_map(|i| match module.signatures[i].0.as_slice() {
            [only] => Some((only.clone(), SignatureIndex(i as u16))),
            _ => None,
        })
        .collect();
    let Some((types, code)) = code(random, module) else {
        return;
    };
    let a = random.below(types.len()) as u8;
    let b = same_type(random, &types, a);
    let element = match types.get(usize::from(a)) {
        Some(SignatureToken::Vector(element)) => vectors.iter().find(|(t, _)| t == &**element),
        _ => None,
    };
    let new = match (random.below(8), element) {
        (0 | 1, Some((_, e))) => vec![B::MutBorrowLoc(a), B::VecPopBack(*e), B::Pop],
        (2, Some((_, e))) => vec![
            B::MutBorrowLoc(a),
            B::MutBorrowLoc(b),
            B::VecPopBack(*e),
            B::VecPushBack(*e),
        ],
        (3, Some((_, e))) => vec![
            B::MutBorrowLoc(a),
            B::LdU64(0),
            B::VecMutBorrow(*e),
            B::MoveLoc(a),
            B::StLoc(b),
            B::ReadRef,
            B::Pop,
        ],
        (4, Some((_, e))) => vec![B::VecPack(*e, 0), B::StLoc(a)],
        (0, _) => vec![B::MoveLoc(a), B::Pop],
        (1, _) => vec![B::CopyLoc(a), B::StLoc(b)],
        (2, _) => vec![B::MoveLoc(a), B::StLoc(b)],
        (3, _) => vec![B::MutBorrowLoc(a), B::Pop],
        (4, _) => vec![B::CopyLoc(b), B::MutBorrowLoc(a), B::WriteRef],
        (5, _) => vec![
            B::MutBorrowLoc(a),
            B::MoveLoc(a),
            B::StLoc(b),
            B::ReadRef,
            B::Pop,
        ],
        (6, _) => vec![B::MoveLoc(b), B::MutBorrowLoc(a), B::WriteRef],
        _ => vec![B::ImmBorrowLoc(a), B::ReadRef, B::StLoc(b)],
    };
    // At the start of a statement the operand stack is likely to be empty.
    let mut bounds: Vec<usize> = vec![0];
    bounds.extend(
        (0..code.len())
            .filter(|&i| ends_statement(&code[i]))
            .map(|i| i + 1),
    );
    let at = random.one_of(&bounds).copied().unwrap_or(0);
    insert(code, at, new);
}

/// Changes bytes of a binary, mostly behind its header.
pub(super) fn mutate_bytes(random: &mut Random, bytes: &mut [u8]) {
    let header = bytes.len().min(70);
    for _ in 0..=random.below(4) {
        let at = header + random.below(bytes.len() - header);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = match random.below(3) {
                0 => random.bits() as u8,
                1 => byte.wrapping_add(1),
                _ => *byte ^ (1 << random.below(8)),
            };
        }
    }
}
