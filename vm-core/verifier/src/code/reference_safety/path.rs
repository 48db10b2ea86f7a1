//! Paths: from what a reference points to, to a part of it. Interned per function, so that equal paths have equal ids.

use monomove_format::{LocalIndex, MemberCount, StructDefinitionIndex, StructHandleIndex};
use std::collections::BTreeMap;

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// A local of the frame.
    Local(LocalIndex),
    /// A resource of any address, whatever its type arguments.
    Global(StructDefinitionIndex),
    /// A field by position: of a struct, or of whatever variant an enum is.
    Field(StructHandleIndex, MemberCount),
}

/// An interned path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathId(u32);

impl PathId {
    /// The whole of what a reference points to.
    pub(super) const EMPTY: Self = Self(0);
}

/// Labels that the paths of a function may have together: far more than those of any program that does something.
const MAX_LABELS: usize = 1 << 20;

/// The paths of a function.
#[derive(Debug)]
pub(super) struct Paths {
    labels: Vec<Label>,
    /// Start and length in `labels`.
    paths: Vec<(u32, u32)>,
    ids: BTreeMap<Vec<Label>, PathId>,
    scratch: Vec<Label>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            paths: vec![(0, 0)],
            ids: BTreeMap::new(),
            scratch: Vec::new(),
        }
    }
}

impl Paths {
    /// Forgets all paths.
    pub(super) fn clear(&mut self) {
        self.labels.clear();
        self.paths.truncate(1);
        self.ids.clear();
    }

    /// Whether there are so many paths that the function is too complex.
    pub(super) fn is_full(&self) -> bool {
        self.labels.len() > MAX_LABELS
    }

    /// The labels of a path.
    pub(super) fn labels(&self, path: PathId) -> &[Label] {
        let (start, len) = self.paths[path.0 as usize];
        &self.labels[start as usize..][..len as usize]
    }

    /// The first label of a path.
    pub(super) fn first(&self, path: PathId) -> Option<Label> {
        self.labels(path).first().copied()
    }

    /// The path with one label.
    pub(super) fn single(&mut self, label: Label) -> PathId {
        self.scratch.clear();
        self.scratch.push(label);
        self.intern()
    }

    /// One path after the other.
    pub(super) fn join(&mut self, first: PathId, second: PathId) -> PathId {
        if first == PathId::EMPTY {
            return second;
        }
        if second == PathId::EMPTY {
            return first;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(self.labels(first));
        scratch.extend_from_slice(self.labels(second));
        self.scratch = scratch;
        self.intern()
    }

    /// What is left of a path behind its first `count` labels.
    pub(super) fn suffix(&mut self, path: PathId, count: usize) -> PathId {
        if count == 0 {
            return path;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(self.labels(path).get(count..).unwrap_or_default());
        self.scratch = scratch;
        self.intern()
    }

    /// Whether `path` begins with `prefix`.
    pub(super) fn is_prefix(&self, prefix: PathId, path: PathId) -> bool {
        prefix == PathId::EMPTY
            || prefix == path
            || self.labels(path).starts_with(self.labels(prefix))
    }

    fn intern(&mut self) -> PathId {
        if self.scratch.is_empty() {
            return PathId::EMPTY;
        }
        if let Some(&id) = self.ids.get(&self.scratch) {
            return id;
        }
        let id = PathId(self.paths.len() as u32);
        self.paths
            .push((self.labels.len() as u32, self.scratch.len() as u32));
        self.labels.extend_from_slice(&self.scratch);
        self.ids.insert(self.scratch.clone(), id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algebra() {
        let mut paths = Paths::default();
        let a = paths.single(Label::Local(1));
        let b = paths.single(Label::Field(StructHandleIndex(0), 2));
        let ab = paths.join(a, b);
        assert_eq!(paths.join(a, PathId::EMPTY), a);
        assert_eq!(paths.join(PathId::EMPTY, ab), ab);
        assert_eq!(paths.join(a, b), ab);
        assert_eq!(paths.suffix(ab, 1), b);
        assert_eq!(paths.suffix(ab, 2), PathId::EMPTY);
        assert!(paths.is_prefix(a, ab));
        assert!(!paths.is_prefix(b, ab));
        assert!(paths.is_prefix(PathId::EMPTY, b));
        assert!(!paths.is_prefix(ab, a));
        assert_eq!(paths.first(ab), Some(Label::Local(1)));
        assert_eq!(paths.first(PathId::EMPTY), None);
    }
}
