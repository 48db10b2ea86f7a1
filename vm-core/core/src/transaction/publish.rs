//! Publishing inside a transaction (AIP-107 §8): a bundle is checked as a whole against the state with the bundle on top, and the new modules
//! are initialized there, in a context of their own. Nothing of that context outlives the transaction.

use super::charges::{Allowance, Written};
use super::layers::{Changes, Layers};
use super::{Ended, Publishing, Purse, Spent, changes_of, charge_effects, metered};
use crate::context::Context;
use crate::globals::Change;
use crate::interp::{Effects, Interpreter};
use crate::invoke::{Callee, Invocation, Rules, invoke};
use crate::stop::{Run, Stop};
use crate::trace::NoTracer;
use crate::verify::Published;
use crate::{Failure, Location, Machine, StateError, StateView, Transaction, WriteOp};
use monomove_format::{CompiledModule, DeserializerConfig};
use monomove_types::{AccountAddress, Identifier, ModuleId, StateKey, StatusCode};
use monomove_verifier::{
    Bundle, ErrorLocation, INIT_MODULE, PublishOptions, UpgradePolicy, VerifierConfig,
    VerifierError, VerifierResult, check_bundle,
};
use std::collections::BTreeSet;

/// Policy of a package that anything may replace.
const ARBITRARY: u8 = 0;
/// Policy of a package whose upgrades keep it compatible. What is published as immutable must be compatible with what it replaces too.
pub(super) const COMPATIBLE: u8 = 1;

/// What is to be published.
pub(super) struct Publication {
    pub(super) owner: AccountAddress,
    /// The names that the modules must have; `None`: any.
    pub(super) names: Option<Vec<String>>,
    pub(super) bundle: Vec<Vec<u8>>,
    pub(super) policy: u8,
}

impl Machine {
    /// Publishes and initializes. Gives the effects so far and the writes of the modules.
    pub(super) fn publish(
        &mut self,
        transaction: &Transaction,
        allowance: &Allowance,
        layers: &mut Layers<'_>,
        publishing: Publishing,
        spent: &mut Spent,
    ) -> Result<(Effects, Vec<(StateKey, WriteOp)>), Ended> {
        let Publishing {
            publication,
            purse,
            effects,
        } = publishing;
        let checked = {
            let published = Published::new(layers, self.deserializer());
            check(
                &publication,
                &published,
                self.deserializer(),
                !self.config().accept_unstable,
            )
        };
        let bundle = checked.map_err(|error| Ended::Failed(Box::new(refused(error))))?;
        let mut modules = Vec::with_capacity(bundle.modules.len());
        let mut bundle_sizes = Vec::with_capacity(bundle.modules.len());
        for (module, bytes) in bundle.modules.iter().zip(&publication.bundle) {
            let key = StateKey::module(module.id.clone());
            let old = match layers.module(&module.id).map_err(unreadable)? {
                Some(old) if module.replaces => old.bytes.len() as u64,
                _ => 0,
            };
            let (change, write) = if module.replaces {
                (Change::Modify, WriteOp::Modify(bytes.clone()))
            } else {
                (Change::Create, WriteOp::Create(bytes.clone()))
            };
            bundle_sizes.push(Written {
                change,
                key: key.encode().len() as u64,
                old,
                new: bytes.len() as u64,
            });
            modules.push((key, write));
            layers.staged.insert(module.id.clone(), bytes.clone());
        }
        // What passed the verifier depends on nothing but content, so it is the one thing that both contexts share.
        let mut fresh = Context::new(self.config());
        fresh.verified = self.ctx.verified.take();
        let mut saved = (
            std::mem::replace(&mut self.ctx, fresh),
            std::mem::take(&mut self.code),
        );
        self.ctx.transaction = saved.0.transaction;
        self.begin_session();
        let mut run = self.interpreter(layers, transaction.hash);
        run.effects = effects;
        let initialized = metered(&mut run, purse, spent, |run| {
            for module in bundle.initializers() {
                initialize(run, &module.id, publication.owner)?;
            }
            Ok(())
        });
        let left = Purse {
            gas: run.gas,
            reserve: run.gas_reserve,
            io: run.io,
        };
        run.io = None;
        let mut changes = Changes::default();
        let changed = initialized.and_then(|()| changes_of(&mut run, &mut changes));
        let effects = std::mem::take(&mut run.effects);
        // In any case: what was loaded is not published yet.
        saved.0.verified = self.ctx.verified.take();
        (self.ctx, self.code) = saved;
        changed?;
        layers.changes.extend(changes);
        let mut writes = layers.changes.written();
        writes.extend(bundle_sizes);
        let mut run = self.interpreter(layers, transaction.hash);
        run.effects = effects;
        let fee = metered(&mut run, left, spent, |run| {
            charge_effects(run, &writes, allowance)
        })?;
        spent.occupies(fee, allowance);
        Ok((std::mem::take(&mut run.effects), modules))
    }

    /// Which binaries are read.
    pub(crate) fn deserializer(&self) -> DeserializerConfig {
        DeserializerConfig {
            max_version: self.config().max_bytecode_version,
            ..DeserializerConfig::default()
        }
    }
}

/// Runs the `init_module` of a new module.
fn initialize(run: &mut Interpreter<'_>, module: &ModuleId, owner: AccountAddress) -> Run<()> {
    let name = Identifier::new(INIT_MODULE)
        .map_err(|_| Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR))?;
    let call = Invocation {
        callee: Callee::Function(module, &name),
        ty_args: &[],
        signers: &[owner],
        args: &[],
        rules: Rules::Any,
    };
    invoke(run, &call, &mut NoTracer)?;
    if run.effects.publish_request.take().is_some() {
        return Err(Stop::with_message(
            StatusCode::CONSTRAINT_NOT_SATISFIED,
            "a module is published while another one is initialized",
        ));
    }
    Ok(())
}

/// Checks a bundle as a whole.
fn check(
    publication: &Publication,
    published: &Published<'_>,
    deserializer: DeserializerConfig,
    refuse_unstable: bool,
) -> VerifierResult<Bundle> {
    if let Some(names) = &publication.names {
        let mut expected: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mismatch = |message: String| {
            Err(VerifierError::new(
                StatusCode::CONSTRAINT_NOT_SATISFIED,
                message,
            ))
        };
        for bytes in &publication.bundle {
            let module = CompiledModule::deserialize_with(bytes, &deserializer)
                .map_err(|error| VerifierError::new(error.status, error.message))?;
            let id = module.self_id();
            if !expected.remove(id.name.as_str()) {
                return mismatch(format!("module {id} is not among the announced ones"));
            }
        }
        if let Some(name) = expected.first() {
            return mismatch(format!("the announced module {name} is missing"));
        }
    }
    let options = PublishOptions {
        deserializer,
        verifier: VerifierConfig::aptos(),
        policy: match publication.policy {
            ARBITRARY => UpgradePolicy::Arbitrary,
            _ => UpgradePolicy::Compatible,
        },
        user_rules: true,
        refuse_unstable,
        ..PublishOptions::default()
    };
    check_bundle(publication.owner, &publication.bundle, published, &options)
}

/// The failure of a view that cannot say what is there.
fn unreadable(error: StateError) -> Ended {
    let error = VerifierError::new(StatusCode::STORAGE_ERROR, error.0);
    Ended::Failed(Box::new(refused(error)))
}

/// The failure of code that was refused.
pub(crate) fn refused(error: VerifierError) -> Failure {
    Failure {
        status: error.status,
        sub_status: None,
        message: Some(error.message),
        location: match error.location {
            ErrorLocation::Undefined => Location::Undefined,
            ErrorLocation::Module(id) => Location::Module(id),
            ErrorLocation::Script => Location::Script,
        },
        function: None,
        function_index: error.function.map(|index| index.0),
        offset: error.code_offset,
    }
}
