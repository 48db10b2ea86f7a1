//! What is kept of code between blocks, and whether it is of use for the next one: checked when a block begins.

use super::block::BlockCode;
use super::cache::CachedModule;
use super::global::GlobalModules;
use crate::engine::Engine;
use crate::state::{StateError, StateView};
use monomove_types::{AccountAddress, ModuleId, StateKey, StructTag};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Resources of `0x1` that say under which rules code runs.
const RULES: [&str; 4] = [
    "0x1::features::Features",
    "0x1::gas_schedule::GasScheduleV2",
    "0x1::version::Version",
    "0x1::chain_id::ChainId",
];

/// Bounds of the modules that are kept between blocks. Beyond them all are dropped when a block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeCacheConfig {
    /// Bytes of modules, with what an entry takes.
    pub max_bytes: usize,
    /// Modules.
    pub max_modules: usize,
}

impl Default for CodeCacheConfig {
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_modules: 1 << 16,
        }
    }
}

/// Numbers about the modules that are kept within blocks and between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CodeCacheMetrics {
    /// Questions for modules that were answered with what an earlier block left.
    pub global_hits: u64,
    /// Those answered with what was read in the same block.
    pub block_hits: u64,
    /// Those for which the state was asked.
    pub misses: u64,
    /// Modules published by committed transactions.
    pub published: u64,
    /// Entries that these made outdated.
    pub invalidations: u64,
    /// Times that everything was dropped.
    pub flushes: u64,
    /// Entries that are kept now.
    pub modules: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Contents of modules that are known to pass the verifier.
    pub verified_modules: u64,
    /// The same of scripts.
    pub verified_scripts: u64,
}

impl CodeCacheMetrics {
    /// The numbers in the text format of Prometheus.
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        let rows = [
            ("global_hits_total", "counter", self.global_hits),
            ("block_hits_total", "counter", self.block_hits),
            ("misses_total", "counter", self.misses),
            ("published_total", "counter", self.published),
            ("invalidations_total", "counter", self.invalidations),
            ("flushes_total", "counter", self.flushes),
            ("modules", "gauge", self.modules),
            ("bytes", "gauge", self.bytes),
            ("verified_modules", "gauge", self.verified_modules),
            ("verified_scripts", "gauge", self.verified_scripts),
        ];
        for (name, kind, value) in rows {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "# TYPE monomove_code_cache_{name} {kind}\nmonomove_code_cache_{name} {value}"
            );
        }
        text
    }
}

/// Under which rules code runs. Equal environments: what was kept is of use.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Environment {
    /// What the engine decides: guest, gas schedule, configuration of machine and verifier.
    engine: [u8; 32],
    /// What the chain decides.
    rules: Vec<Option<Arc<[u8]>>>,
}

impl Environment {
    fn of(engine: &Engine, view: &dyn StateView) -> Result<Self, StateError> {
        let mut rules = Vec::with_capacity(RULES.len());
        for tag in RULES {
            let tag = tag.parse::<StructTag>();
            let tag = tag.map_err(|error| StateError::Unavailable(error.to_string()))?;
            rules.push(view.get(&StateKey::resource(AccountAddress::ONE, tag))?);
        }
        Ok(Self {
            engine: engine.environment(),
            rules,
        })
    }
}

/// The modules that are kept between blocks, with what they depend on.
#[derive(Debug, Default)]
pub(crate) struct CodeManager {
    config: CodeCacheConfig,
    modules: GlobalModules,
    environment: Option<Environment>,
    metrics: CodeCacheMetrics,
}

impl CodeManager {
    pub(crate) fn new(config: CodeCacheConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Before a block: drops what is of no use for it. Only a block that `follows` the last one, by what it says itself, finds anything.
    pub(crate) fn start_block(&mut self, engine: &Engine, follows: bool, view: &dyn StateView) {
        let environment = Environment::of(engine, view).ok();
        let fits = self.modules.bytes() <= self.config.max_bytes
            && self.modules.len() <= self.config.max_modules;
        if !follows || !fits || environment.is_none() || environment != self.environment {
            self.flush();
        }
        self.environment = environment;
    }

    /// The code of the block that begins on `view`.
    pub(crate) fn block<'a>(
        &'a self,
        engine: &'a Engine,
        view: &'a dyn StateView,
    ) -> BlockCode<'a> {
        BlockCode::new(view, &self.modules, engine.verified())
    }

    /// After a block that came to an end: takes over what it left.
    pub(crate) fn finish_block(&mut self, finished: Finished) {
        let Finished {
            modules,
            is_abandoned,
            metrics,
        } = finished;
        self.metrics.global_hits += metrics.global_hits;
        self.metrics.block_hits += metrics.block_hits;
        self.metrics.misses += metrics.misses;
        self.metrics.published += metrics.published;
        self.metrics.invalidations += metrics.invalidations;
        match is_abandoned {
            true => self.flush(),
            false => self.modules.promote(modules),
        }
    }

    /// Drops everything.
    pub(crate) fn flush(&mut self) {
        if self.modules.len() > 0 {
            self.metrics.flushes += 1;
        }
        self.modules.flush();
    }

    pub(crate) fn metrics(&self, engine: &Engine) -> CodeCacheMetrics {
        let (modules, scripts) = engine.verified().sizes();
        CodeCacheMetrics {
            verified_modules: modules as u64,
            verified_scripts: scripts as u64,
            modules: self.modules.len() as u64,
            bytes: self.modules.bytes() as u64,
            ..self.metrics
        }
    }

    #[cfg(test)]
    pub(super) fn modules_mut(&mut self) -> &mut GlobalModules {
        &mut self.modules
    }
}

/// What a block left.
pub(crate) struct Finished {
    modules: Vec<(ModuleId, CachedModule)>,
    is_abandoned: bool,
    metrics: CodeCacheMetrics,
}

impl From<BlockCode<'_>> for Finished {
    fn from(block: BlockCode<'_>) -> Self {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let metrics = CodeCacheMetrics {
            global_hits: count(&block.counts.global_hits),
            block_hits: count(&block.counts.block_hits),
            misses: count(&block.counts.misses),
            published: count(&block.counts.published),
            invalidations: count(&block.counts.invalidations),
            ..CodeCacheMetrics::default()
        };
        Self {
            is_abandoned: block.is_abandoned(),
            modules: block.into_verified(),
            metrics,
        }
    }
}
