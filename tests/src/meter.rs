//! The slow meter: charges a recorded call instruction by instruction, from the bytecode, the operands in the recording and the prices of
//! `specs/gas.md`, and compares with what the machine charged block by block.
//!
//! It shares no code with the machine's gas; of the machine it knows how values lie in memory.

use monomove_core::{
    CallOutput, FrameRef, Outcome, Replay, Trace, TraceEnd, TraceEvent, TraceFunction,
};
use monomove_format::{Bytecode, CompiledModule, FunctionDefinition, FunctionHandle};
use monomove_types::StatusCode;

use crate::fields::{callee, members};
use crate::modules::Modules;
use crate::sizes::{Sizer, Ty};

/// What an instruction costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// So much.
    Exactly(u64),
    /// So much, and what a native or the storage charges on top, which is not instruction gas.
    AndOthers(u64),
    /// So much at least: it copies or compares a function value, whose size does not show in memory.
    AtLeast(u64),
    /// A call of a function value that failed before it began: the recording does not say what it would have called.
    SomeCall,
}

/// What a comparison came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Instructions compared.
    pub instructions: u64,
    /// Those among them whose price is known only from below.
    pub bounded: u64,
    /// Whether the recording was complete, so that totals were compared.
    pub complete: bool,
}

/// Compares what a recorded call was charged, instruction by instruction and in total.
pub fn check_gas(modules: &Modules, trace: &Trace, output: &CallOutput) -> Result<Metered, String> {
    if trace.is_empty() {
        return match (output.instructions, output.instruction_gas) {
            (0, 0) => Ok(Metered {
                complete: true,
                ..Metered::default()
            }),
            (count, gas) => Err(format!("{count} instructions, gas {gas}, no steps")),
        };
    }
    let mut replay = Replay::new(trace).map_err(|error| error.to_string())?;
    let complete = trace.header.end == TraceEnd::Complete;
    let mut metered = Metered {
        complete,
        ..Metered::default()
    };
    // The last instruction of a recording that was cut off has no end.
    let steps = trace.len() - usize::from(!complete);
    let mut total = 0u64;
    let types = trace
        .types
        .iter()
        .map(|text| Ty::parse(text))
        .collect::<Vec<_>>();
    for step in 0..steps {
        let lost = || format!("step {step}: the recording does not say where it is");
        let frame = *replay.frames().last().ok_or_else(lost)?;
        let function = trace
            .functions
            .get(frame.function as usize)
            .ok_or_else(lost)?;
        let (module, instruction) = modules
            .instruction(&function.module, function.index, frame.offset)
            .ok_or_else(lost)?;
        let charged = trace.gas_of(step);
        let refused = complete && step + 1 == steps && steps as u64 == output.instructions + 1;
        if refused {
            refusal(output, instruction, charged)
                .map_err(|error| format!("{}: {error}", place(function, &frame, instruction)))?;
        } else {
            let at = Place {
                modules,
                trace,
                replay: &replay,
                types: &types,
                module,
                function,
                frame,
                step,
            };
            let cost = at
                .cost(instruction)
                .ok_or_else(|| format!("{}: no price", place(function, &frame, instruction)))?;
            let some_call = charged
                .checked_sub(CALL)
                .is_some_and(|rest| rest.is_multiple_of(PER_ARGUMENT));
            let (price, fits) = match cost {
                Cost::SomeCall => {
                    metered.bounded += 1;
                    (charged, some_call)
                }
                Cost::Exactly(gas) => (gas, charged == gas),
                Cost::AndOthers(gas) => (gas, charged >= gas),
                Cost::AtLeast(gas) => {
                    metered.bounded += 1;
                    (
                        charged,
                        charged >= gas && (charged - gas).is_multiple_of(PER_UNIT),
                    )
                }
            };
            if !fits {
                let place = place(function, &frame, instruction);
                return Err(format!(
                    "{place}: charged {charged}, the slow meter {cost:?}"
                ));
            }
            total += price;
            metered.instructions += 1;
        }
        replay.forward().map_err(|error| error.to_string())?;
    }
    if complete && (metered.instructions, total) != (output.instructions, output.instruction_gas) {
        let (instructions, gas) = (output.instructions, output.instruction_gas);
        let ours = metered.instructions;
        return Err(format!(
            "{instructions} instructions, gas {gas}; the slow meter {ours} instructions, gas {total}"
        ));
    }
    Ok(metered)
}

fn place(function: &TraceFunction, frame: &FrameRef, instruction: &Bytecode) -> String {
    format!(
        "{}::{}@{} {}",
        function.module,
        function.name,
        frame.offset,
        instruction.mnemonic()
    )
}

/// Whether the last instruction may have failed before it was charged (`golden/GAS.md`, "Failures").
fn refusal(output: &CallOutput, instruction: &Bytecode, charged: u64) -> Result<(), String> {
    use Bytecode as B;
    let Outcome::Failed(failure) = &output.outcome else {
        return Err("not charged, but nothing failed".to_owned());
    };
    let status = failure.status;
    let may = match instruction {
        B::CopyLoc(_) | B::ReadRef | B::Eq | B::Neq => {
            status == StatusCode::VM_MAX_VALUE_DEPTH_REACHED
        }
        B::Pack(_)
        | B::PackGeneric(_)
        | B::PackVariant(_)
        | B::PackVariantGeneric(_)
        | B::VecPack(..) =>
        // The depth of the type, seen here or where its layout is made.
        {
            status == StatusCode::VM_MAX_TYPE_DEPTH_REACHED
                || status == StatusCode::VM_MAX_VALUE_DEPTH_REACHED
        }
        // What they name cannot be resolved.
        B::Call(_)
        | B::CallGeneric(_)
        | B::PackClosure(..)
        | B::PackClosureGeneric(..)
        | B::CallClosure(_) => true,
        _ => (1000..4000).contains(&status.number()),
    };
    if may && charged == 0 {
        Ok(())
    } else {
        Err(format!(
            "not counted, charged {charged}, at {}",
            status.name()
        ))
    }
}

/// Gas for each unit of abstract size.
const PER_UNIT: u64 = 140;
/// Gas of a call, and what each argument, local and type argument adds.
const CALL: u64 = 36760;
const PER_ARGUMENT: u64 = 3670;

struct Place<'a> {
    modules: &'a Modules,
    trace: &'a Trace,
    replay: &'a Replay<&'a Trace>,
    types: &'a [Option<Ty>],
    module: &'a CompiledModule,
    function: &'a TraceFunction,
    frame: FrameRef,
    step: usize,
}

impl Place<'_> {
    /// The operand under `n` others: its type and its address.
    fn operand(&self, n: usize) -> Option<(&Ty, u32)> {
        let operands = self.function.operands_at(self.frame.offset);
        let place = operands.get(operands.len().checked_sub(n + 1)?)?;
        let ty = self.types.get(place.ty as usize)?.as_ref()?;
        Some((ty, self.frame.fp + place.slot))
    }

    fn sizer(&self) -> Sizer<'_> {
        Sizer {
            modules: self.modules,
            replay: self.replay,
            stack_start: self.trace.header.stack_start,
            heap_start: self.trace.header.heap_start,
        }
    }

    /// Base, and the abstract sizes of these values.
    fn sized(&self, base: u64, values: &[(&Ty, u32)], equality: bool) -> Option<Cost> {
        let mut units = 0;
        for (ty, at) in values {
            if ty.has_functions(self.modules) {
                return Some(Cost::AtLeast(base));
            }
            units += self.sizer().units(ty, *at, equality)?;
        }
        Some(Cost::Exactly(base + PER_UNIT * units))
    }

    /// A value, or what a reference refers to.
    fn through<'t>(&self, (ty, at): (&'t Ty, u32)) -> Option<(&'t Ty, u32)> {
        match ty {
            Ty::Reference(ty) => Some((&**ty, self.sizer().reference(at)?)),
            _ => Some((ty, at)),
        }
    }

    /// Parameters and all locals of the definition behind a handle; a native has no locals.
    fn definition(
        &self,
        handle: &FunctionHandle,
    ) -> Option<(&CompiledModule, &FunctionDefinition)> {
        let module = self
            .modules
            .get(&self.module.module_id_of_function(handle).to_string())?;
        let name = self.module.identifier_at(handle.name);
        Some((module, module.find_function(name.as_str())?.1))
    }

    fn cost(&self, instruction: &Bytecode) -> Option<Cost> {
        use Bytecode as B;
        let module = self.module;
        let fields = |base: u64, more: u64| {
            Some(Cost::Exactly(
                base + 1470 * (members(module, instruction)? as u64 + more),
            ))
        };
        let gas = match instruction {
            B::Nop | B::FreezeRef => 360,
            B::Pop => 1470,
            B::Ret
            | B::Abort
            | B::LdTrue
            | B::LdFalse
            | B::MutBorrowLoc(_)
            | B::ImmBorrowLoc(_) => 2200,
            B::LdU8(_)
            | B::LdU16(_)
            | B::LdU32(_)
            | B::LdU64(_)
            | B::LdI8(_)
            | B::LdI16(_)
            | B::LdI32(_)
            | B::LdI64(_) => 2200,
            B::Branch(_) | B::LdU128(_) | B::LdU256(_) | B::LdI128(_) | B::LdI256(_) => 2940,
            B::BrTrue(_) | B::BrFalse(_) | B::MoveLoc(_) | B::StLoc(_) => 4410,
            B::CastU8
            | B::CastU16
            | B::CastU32
            | B::CastU64
            | B::CastU128
            | B::CastU256
            | B::CastI8
            | B::CastI16
            | B::CastI32
            | B::CastI64
            | B::CastI128
            | B::CastI256 => 4410,
            B::Add
            | B::Sub
            | B::Mul
            | B::Mod
            | B::Div
            | B::Negate
            | B::BitOr
            | B::BitAnd
            | B::Xor
            | B::Shl
            | B::Shr
            | B::Or
            | B::And
            | B::Not
            | B::Lt
            | B::Gt
            | B::Le
            | B::Ge => 5880,
            B::MutBorrowField(_)
            | B::ImmBorrowField(_)
            | B::MutBorrowFieldGeneric(_)
            | B::ImmBorrowFieldGeneric(_)
            | B::WriteRef => 7350,
            B::MutBorrowVariantField(_)
            | B::ImmBorrowVariantField(_)
            | B::MutBorrowVariantFieldGeneric(_)
            | B::ImmBorrowVariantFieldGeneric(_) => 8350,
            B::TestVariant(_) | B::TestVariantGeneric(_) => 5350,
            B::VecLen(_) => 8080,
            B::VecImmBorrow(_) | B::VecMutBorrow(_) => 12130,
            B::VecPushBack(_) => 13960,
            B::VecPopBack(_) => 9550,
            B::VecSwap(_) => 11020,
            B::VecPack(_, count) => 22050 + 1470 * count,
            B::VecUnpack(_, count) => 18380 + 1470 * count,
            B::LdConst(at) => 23890 + 1280 * module.constant_at(*at).data.len() as u64,
            B::Exists(_) | B::ExistsGeneric(_) => return Some(Cost::AndOthers(9190)),
            B::MoveFrom(_) | B::MoveFromGeneric(_) => return Some(Cost::AndOthers(12860)),
            B::MoveTo(_)
            | B::MoveToGeneric(_)
            | B::MutBorrowGlobal(_)
            | B::MutBorrowGlobalGeneric(_)
            | B::ImmBorrowGlobal(_)
            | B::ImmBorrowGlobalGeneric(_) => return Some(Cost::AndOthers(18380)),
            B::Pack(_)
            | B::PackGeneric(_)
            | B::Unpack(_)
            | B::UnpackGeneric(_)
            | B::PackVariant(_)
            | B::PackVariantGeneric(_) => return fields(8080, 0),
            // The tag counts.
            B::UnpackVariant(_) | B::UnpackVariantGeneric(_) => return fields(8080, 1),
            B::PackClosure(_, mask) | B::PackClosureGeneric(_, mask) => {
                9080 + 1470 * u64::from(mask.0.count_ones())
            }
            B::CopyLoc(local) => {
                let place = self.function.locals.get(usize::from(*local))?;
                let ty = self.types.get(place.ty as usize)?.as_ref()?;
                return self.sized(2940, &[(ty, self.frame.fp + place.slot)], false);
            }
            B::ReadRef => return self.sized(7350, &[self.through(self.operand(0)?)?], false),
            B::Eq | B::Neq => {
                let (a, b) = (
                    self.through(self.operand(0)?)?,
                    self.through(self.operand(1)?)?,
                );
                return self.sized(3670, &[a, b], true);
            }
            B::AbortMsg => {
                let (_, at) = self.operand(0)?;
                4400 + 450 * u64::from(self.sizer().len(at)?)
            }
            B::Call(_) | B::CallGeneric(_) => {
                let handle = module.function_handle_at(callee(module, instruction)?);
                let (owner, definition) = self.definition(handle)?;
                let cost = call(owner, definition, handle.type_parameters.len());
                return Some(match definition.code {
                    Some(_) => Cost::Exactly(cost),
                    None => Cost::AndOthers(cost),
                });
            }
            B::CallClosure(_) => {
                let events = self.trace.events_of(self.step);
                let called =
                    events
                        .into_iter()
                        .find_map(|row| match self.trace.events.at(row)? {
                            TraceEvent::Call {
                                function,
                                by_closure: true,
                                ..
                            } => Some(function),
                            _ => None,
                        });
                // A call that failed before it began does not say of what.
                let Some(called) = called else {
                    return Some(Cost::SomeCall);
                };
                let called = self.trace.functions.get(called as usize)?;
                let owner = self.modules.get(&called.module)?;
                let definition = owner.function_defs.get(usize::from(called.index))?;
                let cost = call(owner, definition, 0);
                return Some(if called.native {
                    Cost::AndOthers(cost)
                } else {
                    Cost::Exactly(cost)
                });
            }
        };
        Some(Cost::Exactly(gas))
    }
}

/// Base, type arguments, arguments, and the whole table of locals, in which parameters are paid again.
fn call(owner: &CompiledModule, definition: &FunctionDefinition, type_arguments: usize) -> u64 {
    let handle = owner.handle_of_definition(definition);
    let parameters = owner.signature_at(handle.parameters).len();
    let locals = definition
        .code
        .as_ref()
        .map_or(0, |unit| parameters + owner.signature_at(unit.locals).len());
    CALL + PER_ARGUMENT * (type_arguments + parameters + locals) as u64
}
