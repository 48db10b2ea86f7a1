//! Finding and reading the files of a corpus.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error;

use crate::gas::{DepsKind, GasTable};
use crate::model::Case;

/// Names of the files with cases in a corpus directory.
const CASE_FILES: [&str; 5] = [
    "cases.jsonl",
    "stateful.jsonl",
    "selfcheck.jsonl",
    "framework.jsonl",
    "examples.jsonl",
];

/// Deepest directory that is searched for modules.
const MAX_SEARCH_DEPTH: usize = 16;

/// Why a corpus cannot be read.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file or directory cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A directory lacks what makes it a corpus.
    #[error("{}: expected {expected}", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
}

/// A module as it lies in a file.
#[derive(Clone, Debug)]
pub struct ModuleBinary {
    /// The file.
    pub path: PathBuf,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// A corpus directory, read.
#[derive(Debug)]
pub struct Corpus {
    /// The cases of all its files, in order.
    pub cases: Vec<Case>,
    /// Golden gas, if there is a `gas.jsonl`.
    pub gas: Option<GasTable>,
    /// Which lines of it apply.
    pub deps_kind: DepsKind,
    /// All modules to load for each bytecode version: dependencies first, then those of the version's own directory.
    pub modules: BTreeMap<u32, Vec<ModuleBinary>>,
}

impl Corpus {
    /// Reads the corpus at `path`: a directory with case files, or one `.jsonl` file.
    ///
    /// Modules come from `bytecode/v<N>` next to the case files. `deps`, if any, take the place of the corpus' own
    /// dependencies, which are `deps`, or else `../bytecode/v<N>`.
    pub fn load(path: &Path, deps: &[PathBuf]) -> Result<Self, LoadError> {
        let (dir, files) = case_files(path)?;
        let mut cases = Vec::new();
        for file in files {
            let text = read_text(&file)?;
            for (line, text) in (1..)
                .zip(text.lines())
                .filter(|(_, text)| !text.trim().is_empty())
            {
                let case = Case::parse(text);
                cases.push(case.map_err(|message| LoadError::Line {
                    path: file.clone(),
                    line,
                    message,
                })?);
            }
        }
        Ok(Self {
            cases,
            gas: gas_table(&dir)?,
            deps_kind: if deps.is_empty() && dir.join("deps").is_dir() {
                DepsKind::Corpus
            } else {
                DepsKind::Own
            },
            modules: modules(&dir, deps)?,
        })
    }
}

/// All `.mv` files at or below `path`, in the order of their paths.
pub fn mv_files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    collect(path, MAX_SEARCH_DEPTH, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let meta = fs::metadata(path).map_err(|source| io_error(path, source))?;
    if !meta.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|source| io_error(path, source))? {
        let entry = entry.map_err(|source| io_error(path, source))?.path();
        if entry.is_dir() {
            if depth > 0 {
                collect(&entry, depth - 1, found)?;
            }
        } else if entry.extension().is_some_and(|extension| extension == "mv") {
            found.push(entry);
        }
    }
    Ok(())
}

fn case_files(path: &Path) -> Result<(PathBuf, Vec<PathBuf>), LoadError> {
    if path.is_file() {
        let dir = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        return Ok((dir.to_owned(), vec![path.to_owned()]));
    }
    fs::read_dir(path).map_err(|source| io_error(path, source))?;
    let files = CASE_FILES
        .map(|name| path.join(name))
        .into_iter()
        .filter(|file| file.is_file())
        .collect::<Vec<_>>();
    if files.is_empty() {
        let expected =
            "cases.jsonl, stateful.jsonl, selfcheck.jsonl, framework.jsonl or examples.jsonl in it";
        return Err(LoadError::Missing {
            path: path.to_owned(),
            expected,
        });
    }
    Ok((path.to_owned(), files))
}

/// The `gas.jsonl` of the corpus, or of the corpus around it (bench kernels).
fn gas_table(dir: &Path) -> Result<Option<GasTable>, LoadError> {
    for path in [dir.join("gas.jsonl"), dir.join("../gas.jsonl")] {
        if path.is_file() {
            let table = GasTable::parse(&read_text(&path)?);
            return table.map(Some).map_err(|(line, message)| LoadError::Line {
                path,
                line,
                message,
            });
        }
    }
    Ok(None)
}

fn modules(dir: &Path, deps: &[PathBuf]) -> Result<BTreeMap<u32, Vec<ModuleBinary>>, LoadError> {
    let bytecode = dir.join("bytecode");
    let mut versions = BTreeMap::new();
    for version in 5..=10u32 {
        let own = bytecode.join(format!("v{version}"));
        let sibling = dir.join("../bytecode").join(format!("v{version}"));
        if !own.is_dir() && !sibling.is_dir() {
            continue;
        }
        let mut files = Vec::new();
        if !deps.is_empty() {
            for dep in deps {
                files.extend(mv_files(dep)?);
            }
        } else if dir.join("deps").is_dir() {
            files.extend(mv_files(&dir.join("deps"))?);
        } else if sibling.is_dir() {
            files.extend(mv_files(&sibling)?);
        }
        if own.is_dir() {
            let mut list = Vec::new();
            // Subdirectories hold variants (stubs) and are not searched.
            collect(&own, 0, &mut list)?;
            list.sort();
            files.extend(list);
        }
        let read = |path: PathBuf| match fs::read(&path) {
            Ok(bytes) => Ok(ModuleBinary { path, bytes }),
            Err(source) => Err(io_error(&path, source)),
        };
        versions.insert(
            version,
            files.into_iter().map(read).collect::<Result<_, _>>()?,
        );
    }
    if versions.is_empty() {
        return Err(LoadError::Missing {
            path: dir.to_owned(),
            expected: "bytecode/v5 to v10 in it",
        });
    }
    Ok(versions)
}

fn read_text(path: &Path) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(|source| io_error(path, source))
}

fn io_error(path: &Path, source: io::Error) -> LoadError {
    LoadError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    #[test]
    fn the_whole_corpus_reads() {
        let own = [
            here("stdlib/bytecode/v8/std"),
            here("stdlib/bytecode/v8/framework"),
        ];
        let golden = Corpus::load(&here("golden"), &own).unwrap();
        assert_eq!(golden.cases.len(), 701 + 42);
        assert_eq!(
            golden.modules.keys().copied().collect::<Vec<_>>(),
            [6, 7, 8]
        );
        assert_eq!(golden.deps_kind, DepsKind::Own);
        assert_eq!(
            Corpus::load(&here("golden/bench"), &own)
                .unwrap()
                .cases
                .len(),
            21
        );
        assert_eq!(
            Corpus::load(&here("random"), &[]).unwrap().cases.len(),
            2918
        );
        let stdlib = Corpus::load(&here("stdlib/tests"), &[]).unwrap();
        assert_eq!(stdlib.cases.len(), 9 + 6 + 31);
        assert_eq!(stdlib.modules[&8].len(), 18 + 21 + 5 + 1);
        let one = Corpus::load(&here("stdlib/tests/examples.jsonl"), &[]).unwrap();
        assert_eq!(one.cases.len(), 31);
    }

    #[test]
    fn every_case_has_its_gas() {
        for dir in ["golden", "golden/bench", "random", "opcodes"] {
            let corpus = Corpus::load(&here(dir), &[]).unwrap();
            let gas = corpus.gas.unwrap();
            for case in &corpus.cases {
                let versions = corpus
                    .modules
                    .keys()
                    .copied()
                    .filter(|version| *version >= case.min_version);
                for version in versions {
                    let steps = gas.steps(&case.id, version, DepsKind::Own, false);
                    assert_eq!(
                        steps.map(<[_]>::len),
                        Some(case.steps.len()),
                        "{} v{version}",
                        case.id
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Corpus::load(&here("src"), &[]).unwrap_err().to_string();
        assert!(error.contains("src: expected cases.jsonl"), "{error}");
        let error = Corpus::load(&here("nowhere"), &[]).unwrap_err().to_string();
        assert!(error.contains("nowhere: "), "{error}");
    }
}
