//! What a parallel run did, as numbers and as events.

use monomove_types::ModuleId;
use std::fmt::Write;

/// Numbers of one block, or of many together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BlockMetrics {
    /// Blocks.
    pub blocks: u64,
    /// Transactions committed.
    pub committed: u64,
    /// Executions, also those that came to nothing.
    pub executions: u64,
    /// Of those, with everything before the transaction committed.
    pub final_executions: u64,
    /// Executions given up because they met an estimate.
    pub suspensions: u64,
    /// Validations before commit.
    pub validations: u64,
    /// Executions found stale, by them or at commit.
    pub aborts: u64,
    /// Highest incarnation that was executed, counted from 0.
    pub highest_incarnation: u64,
    /// Executions that broke the sandbox, panicked, or could not read the state, and did not count.
    pub unsound: u64,
    /// Questions of transactions to the state.
    pub reads: u64,
    /// Of those, captured: the first for their key in a transaction.
    pub captured_reads: u64,
    /// Of those, asked of the state below the block; the others were answered within it.
    pub base_reads: u64,
    /// Most bytes of written values, of all versions, that the map of a block had at its end.
    pub version_bytes: u64,
    /// Most bytes of outputs that a block had.
    pub output_bytes: u64,
    /// Bytes of the values that were answered; modules do not count.
    pub bytes_read: u64,
    /// Bytes of the values written, of all executions.
    pub bytes_written: u64,
    /// Blocks that were run in sequence after all.
    pub fallbacks: u64,
    /// Large values that an instance had to decode.
    pub flat_values_decoded: u64,
    /// Large values that came to an instance as images.
    pub flat_values_used: u64,
    /// Images of large values that transactions wrote, of all executions.
    pub flat_values_written: u64,
    /// Bytes of all images of values that instances gave.
    pub flat_value_bytes: u64,
    /// Images of contexts made between blocks.
    pub images_built: u64,
    /// Workers that gave up a warm instance for an image.
    pub workers_restored: u64,
}

impl BlockMetrics {
    /// Adds the numbers of `other`.
    pub fn add(&mut self, other: &Self) {
        for (most, value) in self.gauges_mut().into_iter().zip(other.gauges()) {
            *most = (*most).max(value.2);
        }
        for (sum, (_, _, value)) in self.counters_mut().into_iter().zip(other.counters()) {
            *sum += value;
        }
    }

    /// Reads answered within the block: what other transactions wrote or read, or the transaction itself asked before.
    pub fn cache_hits(&self) -> u64 {
        self.reads - self.base_reads.min(self.reads)
    }

    fn counters_mut(&mut self) -> [&mut u64; 20] {
        [
            &mut self.blocks,
            &mut self.committed,
            &mut self.executions,
            &mut self.final_executions,
            &mut self.suspensions,
            &mut self.validations,
            &mut self.aborts,
            &mut self.unsound,
            &mut self.reads,
            &mut self.captured_reads,
            &mut self.base_reads,
            &mut self.bytes_read,
            &mut self.bytes_written,
            &mut self.fallbacks,
            &mut self.flat_values_decoded,
            &mut self.flat_values_used,
            &mut self.flat_values_written,
            &mut self.flat_value_bytes,
            &mut self.images_built,
            &mut self.workers_restored,
        ]
    }

    /// Name, explanation and value of what only grows.
    fn counters(&self) -> [(&'static str, &'static str, u64); 20] {
        [
            ("blocks", "Blocks executed", self.blocks),
            (
                "transactions_committed",
                "Transactions committed",
                self.committed,
            ),
            ("executions", "Executions of transactions", self.executions),
            (
                "final_executions",
                "Executions on committed predecessors",
                self.final_executions,
            ),
            (
                "suspensions",
                "Executions that met an estimate",
                self.suspensions,
            ),
            ("validations", "Validations before commit", self.validations),
            ("aborts", "Executions found stale", self.aborts),
            (
                "unsound_executions",
                "Executions whose fault did not count",
                self.unsound,
            ),
            ("reads", "Questions to the state", self.reads),
            (
                "captured_reads",
                "First reads of a key",
                self.captured_reads,
            ),
            (
                "base_reads",
                "Questions to the state below the block",
                self.base_reads,
            ),
            ("read_bytes", "Bytes of values read", self.bytes_read),
            ("written_bytes", "Bytes of writes", self.bytes_written),
            (
                "fallbacks",
                "Blocks run in sequence after all",
                self.fallbacks,
            ),
            (
                "flat_values_decoded",
                "Large values decoded",
                self.flat_values_decoded,
            ),
            (
                "flat_values_used",
                "Large values taken over as images",
                self.flat_values_used,
            ),
            (
                "flat_values_written",
                "Images of large values written",
                self.flat_values_written,
            ),
            (
                "flat_value_bytes",
                "Bytes of images of values",
                self.flat_value_bytes,
            ),
            (
                "images_built",
                "Images of contexts made between blocks",
                self.images_built,
            ),
            (
                "workers_restored",
                "Workers that gave up a warm instance for an image",
                self.workers_restored,
            ),
        ]
    }

    fn gauges_mut(&mut self) -> [&mut u64; 3] {
        [
            &mut self.highest_incarnation,
            &mut self.version_bytes,
            &mut self.output_bytes,
        ]
    }

    /// Name, explanation and value of what is the most of all blocks.
    fn gauges(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            (
                "highest_incarnation",
                "Highest incarnation executed",
                self.highest_incarnation,
            ),
            (
                "version_bytes",
                "Most bytes of written versions in a block",
                self.version_bytes,
            ),
            (
                "output_bytes",
                "Most bytes of outputs in a block",
                self.output_bytes,
            ),
        ]
    }

    /// The numbers in the text format of Prometheus.
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, help: &str, kind: &str, value: u64| {
            let name = format!("monomove_{name}");
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "# HELP {name} {help}.\n# TYPE {name} {kind}\n{name} {value}"
            );
        };
        for (name, help, value) in self.counters() {
            metric(&format!("{name}_total"), help, "counter", value);
        }
        for (name, help, value) in self.gauges() {
            metric(name, help, "gauge", value);
        }
        text
    }
}

/// Told what happens to the transactions of a block, from all workers. It changes no result; every method does nothing by default.
pub trait BlockInspector: Sync {
    /// An incarnation of a transaction is about to be executed.
    fn on_execute(&self, transaction: usize, incarnation: u32) {
        let _ = (transaction, incarnation);
    }

    /// An execution met an estimate of `writer`.
    fn on_suspend(&self, transaction: usize, writer: usize) {
        let _ = (transaction, writer);
    }

    /// An incarnation was validated.
    fn on_validate(&self, transaction: usize, incarnation: u32, is_valid: bool) {
        let _ = (transaction, incarnation, is_valid);
    }

    /// An incarnation was found stale and will be replaced.
    fn on_abort(&self, transaction: usize, incarnation: u32) {
        let _ = (transaction, incarnation);
    }

    /// A transaction is committed.
    fn on_commit(&self, transaction: usize, incarnation: u32) {
        let _ = (transaction, incarnation);
    }

    /// A transaction that published this module is committed.
    fn on_publish(&self, transaction: usize, module: &ModuleId, code: &[u8]) {
        let _ = (transaction, module, code);
    }

    /// The block is run in sequence after all.
    fn on_fallback(&self, reason: &str) {
        let _ = reason;
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlockInspector;

impl BlockInspector for NoBlockInspector {}
