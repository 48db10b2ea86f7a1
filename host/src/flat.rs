//! Flat values that the instances of one engine share: what one has decoded, or written, the others copy.
//!
//! An image belongs to the bytes that it was decoded from, under their key. So it does not matter which version of the state, which run of which
//! transaction, or which block the bytes come from. What the image looks like, and whether it fits a reader's type, is between the
//! instances; the host gives an instance only what came from one of the same engine, and forgets what an instance gave in a call that broke it. If
//! another instance took such an image meanwhile, the values are *tainted*: whatever was run since does not count.
//!
//! Who asks first for a value that nobody has decoded is to decode it; whoever asks meanwhile waits, so that a value is decoded once.

use crate::stm::BlockMetrics;
use monomove_types::StateKey;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of images and values that are kept before all is forgotten.
const MAX_BYTES: usize = 64 << 20;

/// Latest versions of a value that are kept.
const VERSIONS: usize = 8;

/// How long somebody waits for another to decode a value. An instance that decodes asks nothing meanwhile, so it only takes longer if it is not
/// given time to run; then the value is decoded twice.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an instance is told about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its image.
    Here(Arc<[u8]>),
    /// The instance has to decode it, and to say so.
    Missing,
}

/// The shared values.
#[derive(Default)]
pub(crate) struct FlatValues {
    inner: Mutex<Inner>,
    /// Somebody has decoded a value, or given up.
    news: Condvar,
}

#[derive(Default)]
struct Inner {
    values: HashMap<StateKey, Vec<Version>>,
    bytes: usize,
    metrics: BlockMetrics,
    /// Whether an image may have been taken that an instance gave in a call that broke it.
    is_tainted: bool,
}

/// A value with its image; without one, somebody is decoding it.
struct Version {
    bytes: Arc<[u8]>,
    image: Option<Arc<[u8]>>,
    /// Whether anybody took the image.
    is_taken: bool,
}

impl Version {
    fn footprint(&self) -> usize {
        self.bytes.len() + self.image.as_ref().map_or(0, |image| image.len())
    }
}

fn is_same(a: &Arc<[u8]>, b: &Arc<[u8]>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

impl Inner {
    fn find(&mut self, key: &StateKey, bytes: &Arc<[u8]>) -> Option<&mut Version> {
        let versions = self.values.get_mut(key)?;
        versions
            .iter_mut()
            .rev()
            .find(|version| is_same(&version.bytes, bytes))
    }

    /// Adds a version, in place of the oldest if there are many.
    fn add(&mut self, key: &StateKey, version: Version) {
        if self.bytes + version.footprint() > MAX_BYTES {
            self.values.clear();
            self.bytes = 0;
        }
        self.bytes += version.footprint();
        let versions = self.values.entry(key.clone()).or_default();
        if versions.len() >= VERSIONS {
            self.bytes -= versions.remove(0).footprint();
        }
        versions.push(version);
    }

    fn remove(&mut self, key: &StateKey, is_gone: impl Fn(&Version) -> bool) {
        let Some(versions) = self.values.get_mut(key) else {
            return;
        };
        let before: usize = versions.iter().map(Version::footprint).sum();
        versions.retain(|version| !is_gone(version));
        let after: usize = versions.iter().map(Version::footprint).sum();
        self.bytes -= before - after;
        if versions.is_empty() {
            self.values.remove(key);
        }
    }
}

impl FlatValues {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The image of a value, if there is one. If not, the caller has to decode it: [`Given`] must hear of it.
    fn ask(&self, key: &StateKey, bytes: &Arc<[u8]>) -> Answer {
        let start = Instant::now();
        let mut inner = self.lock();
        loop {
            let found = inner.find(key, bytes).map(|version| {
                version.is_taken = version.image.is_some();
                version.image.clone()
            });
            match found {
                Some(Some(image)) => {
                    inner.metrics.flat_values_used += 1;
                    return Answer::Here(image);
                }
                Some(None) if start.elapsed() < PATIENCE => {
                    let waited = self.news.wait_timeout(inner, PATIENCE);
                    inner = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                found => {
                    if found.is_none() {
                        let version = Version {
                            bytes: bytes.clone(),
                            image: None,
                            is_taken: false,
                        };
                        inner.add(key, version);
                    }
                    inner.metrics.flat_values_decoded += 1;
                    return Answer::Missing;
                }
            }
        }
    }

    /// Takes an image in.
    fn give(&self, key: &StateKey, bytes: &Arc<[u8]>, image: Arc<[u8]>) {
        let mut inner = self.lock();
        inner.metrics.flat_value_bytes += image.len() as u64;
        inner.remove(key, |version| is_same(&version.bytes, bytes));
        inner.add(
            key,
            Version {
                bytes: bytes.clone(),
                image: Some(image),
                is_taken: false,
            },
        );
        self.news.notify_all();
    }

    /// Forgets that somebody decodes a value.
    fn forget_claim(&self, key: &StateKey, bytes: &Arc<[u8]>) {
        self.lock().remove(key, |version| {
            is_same(&version.bytes, bytes) && version.image.is_none()
        });
        self.news.notify_all();
    }

    /// Forgets the image of a value, which is not to be trusted.
    fn retract(&self, key: &StateKey, bytes: &Arc<[u8]>) {
        let mut inner = self.lock();
        // What is not there any more may have been taken before.
        let is_taken = inner
            .find(key, bytes)
            .is_none_or(|version| version.is_taken);
        inner.is_tainted |= is_taken;
        inner.remove(key, |version| is_same(&version.bytes, bytes));
        self.news.notify_all();
    }

    /// Whether results may rest on an image that is not to be trusted, since this was asked last.
    pub(crate) fn take_taint(&self) -> bool {
        std::mem::take(&mut self.lock().is_tainted)
    }

    /// What happened since this was asked last.
    pub(crate) fn take_metrics(&self) -> BlockMetrics {
        std::mem::take(&mut self.lock().metrics)
    }

    /// Bytes of images and values.
    pub(crate) fn bytes(&self) -> u64 {
        self.lock().bytes as u64
    }
}

impl fmt::Debug for FlatValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatValues")
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// A value by its key and bytes.
type Named = (StateKey, Arc<[u8]>);

/// The shared values as one instance sees them, and what it did with them in this call.
#[derive(Debug, Default)]
pub(crate) struct Given {
    shared: Option<Arc<FlatValues>>,
    /// The value that the instance is to decode.
    claim: Option<Named>,
    /// The values whose images it gave.
    given: Vec<Named>,
}

impl Given {
    /// For an instance that shares values with others, or with nobody.
    pub(crate) fn new(shared: Option<Arc<FlatValues>>) -> Self {
        Self {
            shared,
            claim: None,
            given: Vec::new(),
        }
    }

    /// Whether anybody wants images.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// See [`FlatValues::ask`]; `None` if the instance shares with nobody.
    pub(crate) fn ask(&mut self, key: &StateKey, bytes: &Arc<[u8]>) -> Option<Answer> {
        self.release();
        let answer = self.shared.as_ref()?.ask(key, bytes);
        if answer == Answer::Missing {
            self.claim = Some((key.clone(), bytes.clone()));
        }
        Some(answer)
    }

    /// The image of the value that the instance had to decode, or nothing if it has none.
    pub(crate) fn decoded(&mut self, image: Option<&[u8]>) {
        if let (Some(shared), Some(image)) = (&self.shared, image)
            && let Some((key, bytes)) = self.claim.take()
        {
            shared.give(&key, &bytes, image.into());
            self.given.push((key, bytes));
        }
        self.release();
    }

    /// The image of a value that a transaction wrote.
    pub(crate) fn wrote(&mut self, key: StateKey, bytes: Arc<[u8]>, image: &[u8]) {
        if let Some(shared) = &self.shared {
            shared.give(&key, &bytes, image.into());
            shared.lock().metrics.flat_values_written += 1;
            self.given.push((key, bytes));
        }
    }

    /// Gives the claim up.
    fn release(&mut self) {
        if let (Some(shared), Some((key, bytes))) = (&self.shared, self.claim.take()) {
            shared.forget_claim(&key, &bytes);
        }
    }

    /// After a call: what the instance gave stays if it `is_sound`.
    pub(crate) fn finish(&mut self, is_sound: bool) {
        self.release();
        let given = std::mem::take(&mut self.given);
        if let Some(shared) = &self.shared
            && !is_sound
        {
            for (key, bytes) in given {
                shared.retract(&key, &bytes);
            }
        }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        // A panic unwound through the call, or there was none: who waits must not wait for this instance.
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(n: u8) -> Named {
        (StateKey::Raw(vec![n]), vec![n; 600].into())
    }

    #[test]
    fn the_first_decodes_and_the_others_wait() {
        let shared = Arc::new(FlatValues::default());
        let (key, bytes) = named(1);
        let mut first = Given::new(Some(shared.clone()));
        assert_eq!(first.ask(&key, &bytes), Some(Answer::Missing));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (key, bytes, shared) = (&key, bytes.to_vec().into(), shared.clone());
                scope.spawn(move || {
                    let answer = Given::new(Some(shared)).ask(key, &bytes);
                    assert_eq!(answer, Some(Answer::Here([7; 9].as_slice().into())));
                });
            }
            first.decoded(Some(&[7; 9]));
        });
        first.finish(true);
        let metrics = shared.take_metrics();
        assert_eq!(metrics.flat_values_decoded, 1);
        assert_eq!(metrics.flat_values_used, 4);
        // Other bytes are another value.
        assert_eq!(first.ask(&key, &named(2).1), Some(Answer::Missing));
    }

    #[test]
    fn claims_end_with_their_call_and_images_with_their_instance() {
        let shared = Arc::new(FlatValues::default());
        let (one, two) = (named(1), named(2));
        let mut first = Given::new(Some(shared.clone()));
        let mut second = Given::new(Some(shared.clone()));
        let missing = Some(Answer::Missing);
        assert_eq!(first.ask(&one.0, &one.1), missing);
        first.finish(true);
        assert_eq!(second.ask(&one.0, &one.1), missing);
        second.decoded(None);
        assert_eq!(first.ask(&one.0, &one.1), missing);
        first.decoded(Some(&[1]));
        first.wrote(two.0.clone(), two.1.clone(), &[2]);
        assert!(matches!(
            second.ask(&two.0, &two.1),
            Some(Answer::Here(image)) if *image == [2]
        ));
        // It broke, after somebody took one of its images.
        assert!(!shared.take_taint());
        first.finish(false);
        assert!(shared.take_taint() && !shared.take_taint());
        assert_eq!(second.ask(&one.0, &one.1), missing);
        assert_eq!(second.ask(&two.0, &two.1), missing);
        // Nobody took this one.
        second.wrote(two.0.clone(), two.1.clone(), &[3]);
        second.finish(false);
        assert!(!shared.take_taint());
        drop(second);
        assert_eq!(shared.bytes(), 0);
        assert_eq!(Given::default().ask(&one.0, &one.1), None);
    }

    #[test]
    fn memory_is_bounded() {
        let shared = FlatValues::default();
        let big: Arc<[u8]> = vec![0; MAX_BYTES / 4].into();
        for n in 0..50 {
            let (key, bytes) = named(n);
            shared.give(&key, &bytes, big.clone());
            assert!(shared.bytes() <= MAX_BYTES as u64);
            shared.give(&named(0).0, &bytes, [1].as_slice().into());
        }
        assert!(shared.lock().values.values().all(|v| v.len() <= VERSIONS));
    }
}
