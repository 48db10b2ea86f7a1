//! Maintenance between blocks: what workers had to lower in the last ones becomes an image, and workers start from it.
//!
//! Nothing here can change a result, and nothing that fails here ends a block: it then runs on what the workers have.

use crate::block::SandboxRunner;
use crate::engine::Engine;
use crate::image::{Image, ImageBuilder};
use crate::state::StateView;
use crate::stm::BlockMetrics;
use monomove_core::{LoadRequest, WriteOp};
use monomove_types::{Path, StateKey};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An image is made anew when what workers reported since is one part in so many of it. Making one costs in proportion to its size (it is copied as
/// a whole), so that all images together cost no more than a few times the last one, however slowly the code in use grows.
const GROWTH: usize = 8;

/// A warm worker gives up its instance for an image that has so many functions which the instance lacks, or more. Fewer are lowered in less
/// time than mapping an image and copying its first pages takes, and the instance keeps the values that it has decoded.
const WORTHWHILE: usize = 8;

/// What the executor keeps to make images.
#[derive(Debug)]
pub(crate) struct Maintenance {
    builder: ImageBuilder,
    /// Functions that workers lowered and the image has not.
    pending: BTreeSet<LoadRequest>,
    /// Whether modules were written since the image was compared with the state.
    wrote_code: bool,
    /// What the instance of each worker has.
    workers: Vec<Holding>,
}

/// The functions of one instance, as numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Holding {
    /// In the image that it started from.
    from_image: usize,
    /// Lowered by itself.
    own: usize,
}

impl Maintenance {
    /// Nothing yet.
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            builder: ImageBuilder::new(engine),
            pending: BTreeSet::new(),
            wrote_code: false,
            workers: Vec::new(),
        }
    }

    /// Bytes of the image that workers start from.
    pub(crate) fn image_bytes(&self) -> u64 {
        self.builder.image().map_or(0, |image| image.bytes() as u64)
    }

    /// Before a block on `view`: takes in what workers report, makes an image if that is due, and gives it to those who need it. Without news
    /// it asks each worker, and that is all.
    pub(crate) fn before_block(
        &mut self,
        runners: &mut [SandboxRunner],
        view: &dyn StateView,
    ) -> BlockMetrics {
        let mut metrics = BlockMetrics::default();
        self.workers.resize(runners.len(), Holding::default());
        let mut is_news = std::mem::take(&mut self.wrote_code);
        for (runner, holding) in runners.iter_mut().zip(&mut self.workers) {
            if !runner.sandbox.is_warm() {
                // It broke, and starts from the image if there is one.
                let image = self.builder.image();
                *holding = Holding {
                    from_image: image.map_or(0, |image| image.functions().len()),
                    own: 0,
                };
                continue;
            }
            let reported = runner.sandbox.take_load_requests();
            is_news |= !reported.is_empty();
            holding.own += reported.len();
            let builder = &self.builder;
            let fresh = reported
                .into_iter()
                .filter(|request| !builder.knows(request));
            self.pending.extend(fresh);
        }
        if !is_news {
            return metrics;
        }
        let code_changed = match self.builder.image().map(|image| image.is_current(view)) {
            None => false,
            Some(Ok(is_current)) => !is_current,
            // Whoever needs it will meet the error.
            Some(Err(_)) => return metrics,
        };
        let functions = self.builder.image().map_or(0, |i| i.functions().len());
        let is_due = !self.pending.is_empty() && self.pending.len() * GROWTH >= functions;
        if !code_changed && !is_due {
            return metrics;
        }
        let pending = std::mem::take(&mut self.pending);
        let image = match self.builder.update(pending, code_changed, view) {
            Ok(image) => image,
            Err(error) => {
                tracing::warn!(%error, "no image was made; workers go on with what they have");
                return metrics;
            }
        };
        metrics.images_built += u64::from(image.is_some());
        metrics.workers_restored += self.hand_out(image.as_ref(), code_changed, runners);
        metrics
    }

    /// Gives a new image to the workers. How many warm ones start from it.
    fn hand_out(
        &mut self,
        image: Option<&Arc<Image>>,
        code_changed: bool,
        runners: &mut [SandboxRunner],
    ) -> u64 {
        let functions = image.map_or(0, |image| image.functions().len());
        let mut restored = 0;
        for (runner, holding) in runners.iter_mut().zip(&mut self.workers) {
            let has = holding.from_image + holding.own;
            let is_worthwhile = code_changed || has + WORTHWHILE <= functions;
            let is_warm = runner.sandbox.is_warm();
            match image {
                Some(image) if is_worthwhile || !is_warm => {
                    restored += u64::from(is_warm);
                    runner.sandbox.restore(image);
                    *holding = Holding {
                        from_image: functions,
                        own: 0,
                    };
                }
                image => runner.sandbox.start_from(image),
            }
        }
        restored
    }

    /// After a block with these changes.
    pub(crate) fn after_block(&mut self, writes: &[(StateKey, WriteOp)]) {
        let is_code = |key: &StateKey| {
            matches!(
                key,
                StateKey::AccessPath {
                    path: Path::Code(_),
                    ..
                }
            )
        };
        self.wrote_code |= writes.iter().any(|(key, _)| is_code(key));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Access, Call, Limits, MemoryState};
    use monomove_guest::abi::InjectedFault;

    fn call(function: &str) -> Call {
        Call {
            module: "0x1::math64".parse().unwrap(),
            function: function.parse().unwrap(),
            ty_args: vec![],
            signers: vec![],
            args: vec![vec![7; 8], vec![3; 8]],
            access: Access::Any,
            gas_limit: 1_000_000_000,
            txn_hash: [0; 32],
        }
    }

    #[test]
    fn replacements_start_from_the_image_and_warm_workers_when_it_pays() {
        let engine = Engine::new(Limits::default()).unwrap();
        let mut state = MemoryState::new();
        for (_, module) in monomove_stdlib::std_and_framework() {
            state.insert_module(module).unwrap();
        }
        let mut runners = [SandboxRunner::new(&engine), SandboxRunner::new(&engine)];
        let mut maintenance = Maintenance::new(&engine);
        let mut between = |runners: &mut [SandboxRunner]| {
            let metrics = maintenance.before_block(runners, &state);
            (metrics.images_built, metrics.workers_restored)
        };
        assert_eq!(between(&mut runners), (0, 0));
        // One worker does everything. The other, which has lowered one function, lacks few.
        for function in ["max", "min"] {
            runners[0].sandbox.execute(&call(function), &state).unwrap();
        }
        runners[1].sandbox.execute(&call("max"), &state).unwrap();
        assert_eq!(between(&mut runners), (1, 0));
        assert_eq!(between(&mut runners), (0, 0));
        // A replacement has all of it.
        let sandbox = &mut runners[1].sandbox;
        sandbox.inject_fault(InjectedFault::Panic).unwrap();
        assert_eq!(between(&mut runners), (0, 0));
        for runner in &mut runners {
            for function in ["max", "min"] {
                let outcome = runner.sandbox.execute(&call(function), &state).unwrap();
                assert!(outcome.success().is_some(), "{outcome:?}");
            }
            assert!(runner.sandbox.take_load_requests().is_empty());
        }
        // Now it lacks many.
        let more = [
            ("average", 2),
            ("lcm", 2),
            ("pow", 2),
            ("sqrt", 1),
            ("clamp", 3),
        ];
        for (function, arity) in more {
            for (module, width) in [("0x1::math64", 8), ("0x1::math128", 16)] {
                let call = Call {
                    module: module.parse().unwrap(),
                    args: vec![vec![3; width]; arity],
                    ..call(function)
                };
                runners[0].sandbox.execute(&call, &state).unwrap();
            }
        }
        assert_eq!(between(&mut runners), (1, 1));
    }
}
