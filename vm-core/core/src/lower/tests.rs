//! Everything in the corpora lowers to code that the checker accepts; damaged code is refused.

use super::check::{check, passes, target_index};
use super::code::{Code, Lowered};
use super::{Form, lower, select};
use crate::context::Context;
use crate::context::ids::{LayoutId, TargetId, TypeId};
use crate::gas::GasSchedule;
use crate::interp::op::Op;
use crate::interp::operands::{Operand, Width};
use crate::stop::{Fail, Stop};
use crate::{CodeToken, MachineConfig, ModuleCode, StateError, StateView};
use monomove_format::CompiledModule;
use monomove_types::{ModuleId, StateKey, StatusCode};
use std::collections::BTreeMap;
use std::path::Path;

/// Modules of directories below `tests/`.
struct Files(BTreeMap<ModuleId, Vec<u8>>);

impl Files {
    fn of(directories: &[&str]) -> Self {
        let mut files = BTreeMap::new();
        for directory in directories {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../tests")
                .join(directory);
            for entry in std::fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|e| e == "mv") {
                    let bytes = std::fs::read(path).unwrap();
                    let module = CompiledModule::deserialize(&bytes).unwrap();
                    files.insert(module.self_id(), bytes);
                }
            }
        }
        Self(files)
    }
}

impl StateView for Files {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        Ok(self.0.get(id).map(|bytes| ModuleCode {
            token: CodeToken(0),
            bytes: bytes.clone(),
        }))
    }

    fn is_current(&mut self, _token: CodeToken) -> Result<bool, StateError> {
        Ok(true)
    }

    fn value(&mut self, _key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

/// Lowers every function of `files` in all forms, generic ones for some types, and shows each to `see`; those that are not generic in
/// paranoid mode too.
fn for_each_function(mut files: Files, see: &mut impl FnMut(&Context, &Code, &Lowered)) {
    for paranoid in [false, true] {
        for_each_in_mode(&mut files, paranoid, see);
    }
}

fn for_each_in_mode(
    files: &mut Files,
    paranoid: bool,
    see: &mut impl FnMut(&Context, &Code, &Lowered),
) {
    let mut ctx = Context::new(&MachineConfig {
        paranoid,
        ..MachineConfig::default()
    });
    let (mut code, gas) = (Code::default(), GasSchedule::default());
    ctx.transaction = 1;
    let bytes = ctx.types.vector(TypeId::U8).unwrap();
    for id in files.0.keys().cloned().collect::<Vec<_>>() {
        let module = ctx.module_ref(&id).unwrap();
        let module = ctx.module(files, module).unwrap();
        for index in 0..module.binary.function_defs.len() as u16 {
            let (def, handle) = module.function(index);
            let arity = handle.type_parameters.len();
            if paranoid && arity > 0 {
                continue;
            }
            let choices = [TypeId::U64, bytes, TypeId::U8];
            for &ty in choices.iter().take(if arity == 0 { 1 } else { 3 }) {
                for form in [Form::Fast, Form::Checked, Form::Traced] {
                    let (ctx, code, args) = (&mut ctx, &mut code, vec![ty; arity]);
                    let lowered = if def.code.is_some() {
                        lower(ctx, files, code, &gas, &module, index, &args, form)
                    } else {
                        crate::natives::lower(ctx, files, code, &module, index, &args)
                    };
                    match lowered {
                        Ok(lowered) => see(ctx, code, &lowered),
                        Err(Stop::Fail(fail)) => assert_explained(&id, &fail),
                        Err(Stop::Stale | Stop::Untraceable | Stop::Enough) => {
                            panic!("nothing changes here")
                        }
                    }
                }
            }
        }
    }
}

/// Natives that we lack do not lower, nor those of `table` with another type in the place of its boxes.
fn assert_explained(id: &ModuleId, fail: &Fail) {
    let table = id.name.as_str() == "table" && fail.status == StatusCode::TYPE_MISMATCH;
    assert!(
        table || fail.status == StatusCode::MISSING_DEPENDENCY,
        "{id}: {} {:?}",
        fail.status,
        fail.message
    );
}

const LIBRARY: [&str; 2] = ["stdlib/bytecode/v8/std", "stdlib/bytecode/v8/framework"];

fn with_library(own: &str) -> Files {
    Files::of(&[&LIBRARY[..], &[own]].concat())
}

#[test]
fn all_corpora_pass() {
    let mut functions = 0;
    for corpus in [
        "golden/bytecode/v6",
        "golden/bytecode/v7",
        "golden/bytecode/v8",
        "golden/bench/bytecode/v8",
        "random/bytecode/v8",
        "stdlib/bytecode/v8/examples",
    ] {
        for_each_function(with_library(corpus), &mut |_, _, _| functions += 1);
    }
    assert!(functions > 5000, "only {functions}");
}

/// Ways to damage a function; each yields functions that must not pass.
fn damaged(f: &Lowered) -> Vec<(&'static str, Lowered)> {
    let mut all = Vec::new();
    let mut add = |what, change: &dyn Fn(&mut Lowered)| {
        let mut copy = f.clone();
        change(&mut copy);
        all.push((what, copy));
    };
    add("no code", &|f| {
        (f.code, f.origins) = (Box::default(), Box::default())
    });
    add("the last op is missing", &|f| {
        let last = f.code.len() - 1;
        f.code = f.code[..last].into();
        f.origins = f.origins[..last].into();
    });
    add("an origin is missing", &|f| {
        f.origins = f.origins[1..].into()
    });
    add("an origin is outside the code", &|f| {
        f.origins[0] = f.costs.len() as u16
    });
    add("the frame exceeds the extent", &|f| f.frame = f.extent + 1);
    add("a huge frame", &|f| {
        (f.frame, f.extent) = (1 << 30, 1 << 30)
    });
    add("another shape", &|f| f.shape.bytes += 8);
    add("a block more", &|f| {
        f.costs = [&f.costs[..], &[1]].concat().into()
    });
    add("a charge too many", &|f| {
        f.code = [&f.code[..1], &f.code].concat().into();
        f.origins = [&f.origins[..1], &f.origins].concat().into();
    });
    macro_rules! shorter {
        ($($table:ident)*) => {$(
            if !f.$table.is_empty() {
                add(stringify!($table), &|f| f.$table = f.$table[1..].into());
            }
        )*};
    }
    shorter!(pool constants failures operand_lists slot_lists closure_calls comparisons variant_fields blocks);
    for at in 0..f.code.len() {
        let mut put = |what, op: Op| add(what, &|f: &mut Lowered| f.code[at] = op);
        match f.code[at] {
            Op::Charge { instructions, gas } => {
                let more = instructions + 1;
                put(
                    "instructions",
                    Op::Charge {
                        instructions: more,
                        gas,
                    },
                );
                put(
                    "gas",
                    Op::Charge {
                        instructions,
                        gas: gas + 1,
                    },
                );
                put("no charge", Op::Jump { target: 0 });
            }
            Op::Call {
                target,
                frame,
                height,
            } => {
                let (next, more) = (frame + 8, f.max_height + 1);
                put(
                    "frame of a callee",
                    Op::Call {
                        target,
                        frame: next,
                        height,
                    },
                );
                put(
                    "height",
                    Op::Call {
                        target,
                        frame,
                        height: more,
                    },
                );
                put(
                    "callee",
                    Op::Call {
                        target: TargetId(!0),
                        frame,
                        height,
                    },
                );
            }
            Op::VecPush8 { vec, src, element } => {
                put("element size", Op::VecPush4 { vec, src, element });
                let element = LayoutId(!0);
                put("layout", Op::VecPush8 { vec, src, element });
            }
            Op::AddImmU8 { dst, a, .. } => put("immediate", Op::AddImmU8 { dst, a, imm: 256 }),
            _ => {}
        }
        for far in [1, 1 << 20] {
            let mut jump = f.code[at];
            if let Some(target) = select::target_mut(&mut jump) {
                *target = target.wrapping_add(far);
                let index = target_index(at, *target).unwrap_or(usize::MAX);
                if !matches!(f.code.get(index), Some(Op::Charge { .. })) {
                    put("target", jump);
                }
            }
        }
    }
    all
}

#[test]
fn damage_is_refused() {
    let mut refused = BTreeMap::new();
    for corpus in ["golden/bytecode/v8", "golden/bench/bytecode/v8"] {
        for_each_function(with_library(corpus), &mut |ctx, code, f| {
            if f.is_native || f.code.len() > 200 {
                return;
            }
            for (what, damaged) in damaged(f) {
                let result = check(ctx, code, &damaged);
                let Err(Stop::Fail(fail)) = result else {
                    panic!("{what}: {:#?}", damaged.code);
                };
                assert_eq!(fail.status, StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR);
                *refused.entry(what).or_insert(0) += 1;
            }
        });
    }
    assert!(refused.len() >= 26, "{refused:?}");
}

/// Every operand needs its last byte: an op passes in a frame that ends behind it, and in none that ends before.
#[test]
fn every_operand_is_inside_the_frame() {
    let mut kinds = BTreeMap::new();
    for_each_function(with_library("golden/bytecode/v8"), &mut |ctx, code, f| {
        for (at, op) in f.code.iter().enumerate() {
            let (mut end, mut alone) = (0, true);
            op.operands(&mut |_, operand| match operand {
                Operand::Write(slot, Width::Bytes(n)) | Operand::Read(slot, Width::Bytes(n)) => {
                    end = end.max(slot + n)
                }
                Operand::Write(..)
                | Operand::Read(..)
                | Operand::Packed(_)
                | Operand::Unpacked(_)
                | Operand::Captured(..)
                | Operand::PackedFields(..)
                | Operand::UnpackedFields(..)
                | Operand::ClosureCall(_)
                | Operand::Callee(_)
                | Operand::Address(_) => alone = false,
                _ => {}
            });
            if end == 0 || !alone {
                continue;
            }
            let mut copy = f.clone();
            (copy.frame, copy.extent) = (end, end);
            assert!(passes(ctx, code, &copy, at), "{op:?}");
            (copy.frame, copy.extent) = (end - 1, end - 1);
            assert!(!passes(ctx, code, &copy, at), "{op:?}");
            (copy.frame, copy.extent) = (end - 1, end);
            let across = passes(ctx, code, &copy, at);
            *kinds.entry(across).or_insert(0) += 1;
        }
    });
    assert!(kinds[&false] > 5_000, "{kinds:?}");
}

/// Ops of one function in another: the checker decides, it does not panic.
#[test]
fn foreign_ops_are_decided() {
    let mut last: Option<Lowered> = None;
    let (mut passed, mut refused) = (0, 0);
    for_each_function(with_library("golden/bytecode/v8"), &mut |ctx, code, f| {
        if let Some(other) = &last {
            for at in 0..f.code.len().min(other.code.len()).min(60) {
                let mut copy = f.clone();
                copy.code[at] = other.code[at];
                match check(ctx, code, &copy) {
                    Ok(()) => passed += 1,
                    Err(_) => refused += 1,
                }
            }
        }
        last = Some(f.clone());
    });
    assert!(passed > 0 && refused > 0, "{passed} {refused}");
}
