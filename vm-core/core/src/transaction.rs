//! A whole transaction: prologue, payload and epilogue in one go.
//!
//! What succeeds runs in one session, over one working set of global values. When payload or epilogue fails, the session's effects are dropped
//! back to what the prologue left, and the epilogue runs in a session of its own.

mod charges;
mod layers;
pub(crate) mod publish;

use crate::globals::key_bytes;
use crate::interp::{Effects, Interpreter};
use crate::invoke::{Callee, Invocation, Rules, invoke};
use crate::machine::{MAX_RESTARTS, failure, unstable};
use crate::stop::{Run, Stop};
use crate::trace::NoTracer;
use crate::{
    CallOutput, Extent, Failure, Fees, Location, Machine, Outcome, StateView, Transaction,
    TransactionOutput, TransactionPayload, TypedValue, WriteOp,
};
use charges::{Allowance, StorageFee, Written};
use layers::{Changes, Layers};
use monomove_types::{StateKey, StatusCode};
use publish::Publication;

/// Why a part of a transaction did not come to its end.
enum Ended {
    /// Cached code is not what the state holds: the transaction starts anew.
    Stale,
    /// It failed.
    Failed(Box<Failure>),
}

/// What the sender pays for.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    gas: u64,
    instruction_gas: u64,
    instructions: u64,
    fees: Fees,
}

/// The gas that is left to the payload.
#[derive(Clone, Copy, Debug)]
struct Purse {
    /// For execution.
    gas: u64,
    /// Not for execution.
    reserve: u64,
    /// What storage may still use of both; `None` if it costs nothing.
    io: Option<u64>,
}

impl Purse {
    fn of(allowance: &Allowance) -> Self {
        let total = allowance.total - allowance.intrinsic;
        let gas = total.min(allowance.execution);
        Self {
            gas,
            reserve: total - gas,
            io: allowance.io,
        }
    }
}

/// How the first session of a transaction ended.
enum First {
    /// Not admitted.
    Discarded(Failure),
    /// Admitted, and nothing else was asked for.
    Admitted,
    /// Everything went well.
    Done(Box<CallOutput>),
    /// The payload went well, and asks for modules to be published.
    Publish(Box<Publishing>),
    /// The payload or the epilogue failed.
    Failed(Box<Failure>),
}

/// A payload that asks for modules to be published. What it changed is in the layers.
struct Publishing {
    publication: Publication,
    purse: Purse,
    effects: Effects,
}

impl Machine {
    /// Runs a whole transaction against `view`.
    pub fn transaction(
        &mut self,
        transaction: &Transaction,
        view: &mut dyn StateView,
    ) -> TransactionOutput {
        if self.ctx.has_many_scripts() {
            self.reset_context();
        }
        for _ in 0..MAX_RESTARTS {
            match self.attempt_transaction(transaction, view) {
                Some(output) => return output,
                None => self.reset_context(),
            }
        }
        TransactionOutput::Discarded(failure(&self.ctx, unstable(), None))
    }

    /// One attempt; `None` if cached code was stale.
    fn attempt_transaction(
        &mut self,
        transaction: &Transaction,
        view: &mut dyn StateView,
    ) -> Option<TransactionOutput> {
        let allowance = match Allowance::of(transaction, &self.schedule) {
            Ok(allowance) => allowance,
            Err(status) => return Some(TransactionOutput::Discarded(refusal(status))),
        };
        self.begin_transaction();
        let mut layers = Layers::new(view);
        let mut spent = Spent {
            gas: allowance.intrinsic,
            fees: Fees {
                intrinsic_gas: allowance.intrinsic,
                ..Fees::default()
            },
            ..Spent::default()
        };
        let (first, checkpoint) =
            self.first_session(transaction, &allowance, &mut layers, &mut spent)?;
        let failure = match first {
            First::Discarded(failure) => return Some(TransactionOutput::Discarded(failure)),
            First::Admitted => return Some(TransactionOutput::Kept(returned(Spent::default()))),
            First::Done(output) => return Some(TransactionOutput::Kept(*output)),
            First::Failed(failure) => failure,
            First::Publish(publishing) => {
                match self.published(
                    transaction,
                    &allowance,
                    &mut layers,
                    *publishing,
                    &mut spent,
                ) {
                    Ok(output) => return Some(TransactionOutput::Kept(output)),
                    Err(Ended::Stale) => return None,
                    Err(Ended::Failed(failure)) => failure,
                }
            }
        };
        (layers.changes, layers.staged) = (checkpoint.0, Default::default());
        self.failed_session(
            transaction,
            &allowance,
            layers,
            checkpoint.1,
            spent,
            *failure,
        )
    }

    /// Runs everything, as long as it goes well. Second: what to go back to if it does not.
    fn first_session(
        &mut self,
        transaction: &Transaction,
        allowance: &Allowance,
        layers: &mut Layers<'_>,
        spent: &mut Spent,
    ) -> Option<(First, (Changes, Effects))> {
        let nothing = || (Changes::default(), Effects::default());
        let mut run = self.interpreter(layers, transaction.hash);
        match admit(&mut run, transaction) {
            Ok(()) => {}
            Err(Ended::Stale) => return None,
            Err(Ended::Failed(failure)) => return Some((First::Discarded(*failure), nothing())),
        }
        if transaction.extent == Extent::Admission {
            return Some((First::Admitted, nothing()));
        }
        match serialize(&mut run) {
            Ok(()) => {}
            Err(Ended::Stale) => return None,
            Err(Ended::Failed(failure)) => return Some((First::Discarded(*failure), nothing())),
        }
        let (checkpoint, emitted) = (run.globals.checkpoint(), run.effects.clone());
        let paid = match pay(&mut run, transaction, allowance, spent) {
            Ok(None) => {
                epilogue(&mut run, transaction, allowance, spent).and_then(|()| writes(&mut run))
            }
            Ok(Some((publication, purse))) => {
                let mut changes = Changes::default();
                match changes_of(&mut run, &mut changes) {
                    Ok(()) => {
                        let effects = std::mem::take(&mut run.effects);
                        let back = match Changes::of(run.ctx, run.globals, checkpoint) {
                            Ok(back) => back,
                            Err(stop) => return discarded(&mut run, stop),
                        };
                        layers.changes = changes;
                        let publishing = Publishing {
                            publication,
                            purse,
                            effects,
                        };
                        return Some((First::Publish(Box::new(publishing)), (back, emitted)));
                    }
                    Err(ended) => Err(ended),
                }
            }
            Err(ended) => Err(ended),
        };
        let first = match paid {
            Ok(writes) => {
                let effects = std::mem::take(&mut run.effects);
                let output = CallOutput {
                    writes,
                    ..with_effects(*spent, effects)
                };
                return Some((First::Done(Box::new(output)), nothing()));
            }
            Err(Ended::Stale) => return None,
            Err(Ended::Failed(failure)) => First::Failed(failure),
        };
        let back = match Changes::of(run.ctx, run.globals, checkpoint) {
            Ok(back) => back,
            Err(stop) => return discarded(&mut run, stop),
        };
        Some((first, (back, emitted)))
    }

    /// Publishes what a payload asked for, and runs the epilogue.
    fn published(
        &mut self,
        transaction: &Transaction,
        allowance: &Allowance,
        layers: &mut Layers<'_>,
        publishing: Publishing,
        spent: &mut Spent,
    ) -> Result<CallOutput, Ended> {
        let (effects, modules) = self.publish(transaction, allowance, layers, publishing, spent)?;
        // The epilogue still runs with the code that was there.
        layers.staged.clear();
        self.begin_session();
        let mut run = self.interpreter(layers, transaction.hash);
        run.effects = effects;
        let mut changes = Changes::default();
        epilogue(&mut run, transaction, allowance, spent)?;
        changes_of(&mut run, &mut changes)?;
        let effects = std::mem::take(&mut run.effects);
        layers.changes.extend(changes);
        let mut writes = std::mem::take(&mut layers.changes).into_writes();
        writes.extend(modules);
        writes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(CallOutput {
            writes,
            ..with_effects(*spent, effects)
        })
    }

    /// Charges for a transaction that failed with `failure`, on what the prologue left.
    fn failed_session(
        &mut self,
        transaction: &Transaction,
        allowance: &Allowance,
        mut layers: Layers<'_>,
        effects: Effects,
        mut spent: Spent,
        failure: Failure,
    ) -> Option<TransactionOutput> {
        // What the payload deleted is there again.
        spent.fees.storage_refund = 0;
        self.begin_session();
        let mut run = self.interpreter(&mut layers, transaction.hash);
        run.effects = effects;
        let mut changes = Changes::default();
        let charged = epilogue(&mut run, transaction, allowance, &spent)
            .and_then(|()| changes_of(&mut run, &mut changes));
        let effects = std::mem::take(&mut run.effects);
        match charged {
            Ok(()) => {
                layers.changes.extend(changes);
                let output = CallOutput {
                    outcome: Outcome::Failed(failure),
                    writes: layers.changes.into_writes(),
                    ..with_effects(spent, effects)
                };
                Some(TransactionOutput::Kept(output))
            }
            Err(Ended::Stale) => None,
            Err(Ended::Failed(failure)) => Some(TransactionOutput::Discarded(unexpected(*failure))),
        }
    }
}

/// The end of a first session that cannot say what its prologue changed.
fn discarded(run: &mut Interpreter<'_>, stop: Stop) -> Option<(First, (Changes, Effects))> {
    match ended(run, stop) {
        Ended::Stale => None,
        Ended::Failed(failure) => Some((First::Discarded(*failure), Default::default())),
    }
}

/// Prologue and checks.
fn admit(run: &mut Interpreter<'_>, transaction: &Transaction) -> Result<(), Ended> {
    if let Some(prologue) = &transaction.prologue {
        step(run, &Invocation::from(prologue), transaction.step_gas)?;
    }
    for check in &transaction.checks {
        let values = step(run, &Invocation::from(&check.step), transaction.step_gas);
        let otherwise = |status| Err(Ended::Failed(Box::new(refusal(status))));
        match values {
            Ok(values) => match (&check.expected, &*values) {
                (None, _) => {}
                (Some(expected), [value]) if value.bcs == *expected => {}
                _ => return otherwise(check.otherwise),
            },
            Err(Ended::Stale) => return Err(Ended::Stale),
            Err(Ended::Failed(_)) => return otherwise(check.on_failure),
        }
    }
    Ok(())
}

/// The payload, and what its effects cost. Gives what it asks to be published, and the gas that is left for that.
fn pay(
    run: &mut Interpreter<'_>,
    transaction: &Transaction,
    allowance: &Allowance,
    spent: &mut Spent,
) -> Result<Option<(Publication, Purse)>, Ended> {
    let purse = Purse::of(allowance);
    let mut fee = StorageFee::default();
    let result = metered(run, purse, spent, |run| {
        payload(run, transaction)?;
        let publication = match (&transaction.payload, run.effects.publish_request.take()) {
            (TransactionPayload::Modules(bundle), _) => Publication {
                owner: transaction.signers.first().copied().unwrap_or_default(),
                names: None,
                bundle: bundle.clone(),
                policy: publish::COMPATIBLE,
            },
            (_, Some(request)) => Publication {
                owner: request.owner,
                names: Some(request.expected_modules),
                bundle: request.bundle,
                policy: request.policy,
            },
            (_, None) => {
                run.globals.serialize(run.ctx, run.memory)?;
                let written = written(run)?;
                fee = charge_effects(run, &written, allowance)?;
                return Ok(None);
            }
        };
        Ok(Some(publication))
    });
    let left = Purse {
        gas: run.gas,
        reserve: run.gas_reserve,
        io: run.io,
    };
    run.io = None;
    spent.occupies(fee, allowance);
    Ok(result?.map(|publication| (publication, left)))
}

/// What the session changed so far, by sizes.
fn written(run: &Interpreter<'_>) -> Run<Vec<Written>> {
    let size = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u64);
    let written = |(change, key, old, new)| {
        Ok(Written {
            change,
            key: key_bytes(run.ctx, key)?,
            old: size(old),
            new: size(new),
        })
    };
    run.globals.changed().map(written).collect()
}

/// Charges for writes, and for the events so far.
fn charge_effects(
    run: &mut Interpreter<'_>,
    writes: &[Written],
    allowance: &Allowance,
) -> Run<StorageFee> {
    let cost = charges::effects(run.schedule, writes, &run.effects.events)?;
    run.charge_io(cost)?;
    if run.io.is_none() {
        return Ok(StorageFee::default());
    }
    let fee = StorageFee::of(run.schedule, writes)?;
    run.charge_storage(fee.gas(allowance))?;
    Ok(fee)
}

/// Does `work` with the gas in `purse`, and adds what it costs to `spent`.
fn metered<A>(
    run: &mut Interpreter<'_>,
    purse: Purse,
    spent: &mut Spent,
    work: impl FnOnce(&mut Interpreter<'_>) -> Run<A>,
) -> Result<A, Ended> {
    run.begin_step();
    (run.gas, run.gas_reserve, run.io) = (purse.gas, purse.reserve, purse.io);
    let result = work(run);
    let total = purse.gas + purse.reserve;
    let io = purse.io.zip(run.io).map_or(0, |(all, left)| all - left);
    spent.fees.io_gas = spent.fees.io_gas.saturating_add(io);
    let used = total - run.gas - run.gas_reserve;
    match result {
        Ok(answer) => {
            spent.add(used, used - run.other_gas, run.instructions);
            Ok(answer)
        }
        Err(Stop::Stale | Stop::Untraceable | Stop::Enough) => Err(Ended::Stale),
        Err(Stop::Fail(mut fail)) => {
            let unwound = run.unwind(fail.uncharged);
            let used = used.saturating_sub(unwound.gas);
            let instructions = run.instructions.saturating_sub(unwound.instructions);
            let instruction_gas = used.saturating_sub(run.other_gas);
            let charged = match fail.status {
                // Execution may use no more, but there is gas left.
                StatusCode::OUT_OF_GAS if run.gas_reserve > 0 => {
                    fail.status = StatusCode::EXECUTION_LIMIT_REACHED;
                    used
                }
                StatusCode::OUT_OF_GAS => total,
                _ => used,
            };
            spent.add(charged, instruction_gas, instructions);
            Err(Ended::Failed(Box::new(failure(run.ctx, *fail, unwound.at))))
        }
    }
}

fn payload(run: &mut Interpreter<'_>, transaction: &Transaction) -> Run<()> {
    let signers = &transaction.signers;
    match &transaction.payload {
        TransactionPayload::EntryFunction {
            module,
            function,
            ty_args,
            args,
        } => {
            let call = Invocation {
                callee: Callee::Function(module, function),
                ty_args,
                signers,
                args,
                rules: Rules::Payload,
            };
            invoke(run, &call, &mut NoTracer)?;
        }
        TransactionPayload::Script {
            code,
            ty_args,
            args,
        } => {
            let script = run.ctx.script(run.view, code)?;
            let call = Invocation {
                callee: Callee::Script(&script),
                ty_args,
                signers,
                args,
                rules: Rules::Payload,
            };
            invoke(run, &call, &mut NoTracer)?;
        }
        TransactionPayload::Modules(_) => {}
    }
    Ok(())
}

/// Tells the epilogue how much gas is left.
fn epilogue(
    run: &mut Interpreter<'_>,
    transaction: &Transaction,
    allowance: &Allowance,
    spent: &Spent,
) -> Result<(), Ended> {
    let Some(epilogue) = &transaction.epilogue else {
        return Ok(());
    };
    let left = spent.units_left(allowance);
    let mut args = epilogue.args.clone();
    args.push(left.to_le_bytes().to_vec());
    let call = Invocation {
        args: &args,
        ..Invocation::from(epilogue)
    };
    step(run, &call, transaction.step_gas)?;
    Ok(())
}

/// Runs one function of the machine's own.
fn step(
    run: &mut Interpreter<'_>,
    call: &Invocation<'_>,
    gas: u64,
) -> Result<Vec<TypedValue>, Ended> {
    run.begin_step();
    (run.gas, run.gas_reserve) = (gas, 0);
    match invoke(run, call, &mut NoTracer) {
        Ok(finished) => Ok(finished.values),
        Err(stop) => Err(ended(run, stop)),
    }
}

fn ended(run: &mut Interpreter<'_>, stop: Stop) -> Ended {
    match stop {
        Stop::Stale | Stop::Untraceable | Stop::Enough => Ended::Stale,
        Stop::Fail(fail) => {
            let unwound = run.unwind(fail.uncharged);
            Ended::Failed(Box::new(failure(run.ctx, *fail, unwound.at)))
        }
    }
}

fn writes(run: &mut Interpreter<'_>) -> Result<Vec<(StateKey, WriteOp)>, Ended> {
    let writes = run.globals.changes(run.ctx, run.memory);
    writes
        .and_then(|writes| run.share_written(&writes).map(|()| writes))
        .map_err(|stop| ended(run, stop))
}

/// Serializes what the session changed so far.
fn serialize(run: &mut Interpreter<'_>) -> Result<(), Ended> {
    run.globals
        .serialize(run.ctx, run.memory)
        .map_err(|stop| ended(run, stop))
}

/// Adds what the session changed so far to `changes`.
fn changes_of(run: &mut Interpreter<'_>, changes: &mut Changes) -> Result<(), Ended> {
    let writes = writes(run)?;
    changes.apply(run.ctx, run.globals, writes);
    Ok(())
}

impl Spent {
    /// Notes the storage fee, and what is given back: at most what the transaction costs.
    fn occupies(&mut self, fee: StorageFee, allowance: &Allowance) {
        let cost = self
            .gas
            .div_ceil(allowance.per_unit)
            .saturating_mul(allowance.price);
        self.fees.storage_gas = fee.gas(allowance);
        self.fees.storage_fee = fee.fee;
        self.fees.storage_refund = fee.refund.min(cost);
    }

    /// The gas units that are not paid: those left, and as many as the refund buys.
    fn units_left(&self, allowance: &Allowance) -> u64 {
        let left = allowance.total.saturating_sub(self.gas) / allowance.per_unit;
        let refund = self.fees.storage_refund.checked_div(allowance.price);
        left.saturating_add(refund.unwrap_or(0))
    }

    fn add(&mut self, gas: u64, instruction_gas: u64, instructions: u64) {
        self.gas = self.gas.saturating_add(gas);
        self.instruction_gas = self.instruction_gas.saturating_add(instruction_gas);
        self.instructions = self.instructions.saturating_add(instructions);
    }
}

/// A failure that no code is to blame for.
fn refusal(status: StatusCode) -> Failure {
    Failure {
        status,
        sub_status: None,
        message: None,
        location: Location::Undefined,
        function: None,
        function_index: None,
        offset: None,
    }
}

/// The failure of an epilogue that must not fail.
fn unexpected(failure: Failure) -> Failure {
    Failure {
        message: Some(format!("the epilogue failed with {}", failure.status)),
        status: StatusCode::UNEXPECTED_ERROR_FROM_KNOWN_MOVE_FUNCTION,
        ..failure
    }
}

/// The output of what returned, without effects.
fn returned(spent: Spent) -> CallOutput {
    with_effects(spent, Effects::default())
}

fn with_effects(spent: Spent, effects: Effects) -> CallOutput {
    CallOutput {
        outcome: Outcome::Returned {
            values: Vec::new(),
            mut_args: Vec::new(),
        },
        gas_used: spent.gas,
        instruction_gas: spent.instruction_gas,
        instructions: spent.instructions,
        fees: spent.fees,
        writes: Vec::new(),
        events: effects.events,
        new_tables: effects.new_tables,
        removed_tables: effects.removed_tables,
        publish_request: effects.publish_request,
    }
}
