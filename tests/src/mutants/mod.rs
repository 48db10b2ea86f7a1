//! Mutants of the modules of the corpora, and calls of their functions with arbitrary arguments: what fuzzing is fed with.
//! The same seed gives the same mutant and the same calls everywhere.

mod calls;
mod mutate;
mod random;

pub use calls::{ACCOUNTS, ModulesById, call};
pub use random::Random;

use monomove_format::{
    CompiledModule, DeserializerConfig, Identifier, IdentifierIndex, VERSION_DEFAULT_MAX,
};
use mutate::{mutate, mutate_bytes};
use std::io;
use std::path::{Path, PathBuf};

/// The directories of `tests` whose modules are mutated: the newest bytecode version that every corpus has.
const DIRS: [&str; 5] = [
    "stdlib/bytecode/v8/std",
    "stdlib/bytecode/v8/framework",
    "stdlib/bytecode/v8/examples",
    "golden/bytecode/v8",
    "random/bytecode/v8",
];

/// The modules that mutants are made of.
#[derive(Clone, Debug, Default)]
pub struct Originals {
    /// Their binaries, in the order of their paths.
    pub binaries: Vec<Vec<u8>>,
    /// What they read as; of two with one id the later one.
    pub by_id: ModulesById,
    /// The values of `by_id`, to choose from.
    pub modules: Vec<CompiledModule>,
}

impl Originals {
    /// Reads the modules of the corpora.
    pub fn load() -> io::Result<Self> {
        let mut files = Vec::new();
        for dir in DIRS {
            collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut files)?;
        }
        files.sort();
        let mut originals = Self::default();
        for path in files {
            let bytes = std::fs::read(path)?;
            if let Ok(module) = read(&bytes) {
                originals.by_id.insert(module.self_id(), module);
                originals.binaries.push(bytes);
            }
        }
        originals.modules = originals.by_id.values().cloned().collect();
        Ok(originals)
    }

    /// A module in the place of another one: a changed copy of it that the reader accepts, with its binary. Sometimes there is none.
    pub fn mutant(&self, random: &mut Random) -> Option<(CompiledModule, Vec<u8>)> {
        let original = random.one_of(&self.modules)?;
        let bytes = changed(random, original.clone())?;
        let module = read(&bytes).ok()?;
        (module != *original && module.self_id() == original.self_id()).then_some((module, bytes))
    }

    /// The binary of a mutant with a name of its own, so that no module depends on it. Whether the reader accepts it is open.
    pub fn renamed_mutant(&self, random: &mut Random) -> Option<Vec<u8>> {
        let mut module = random.one_of(&self.modules)?.clone();
        rename(&mut module)?;
        changed(random, module)
    }
}

/// Reads a binary with no more than the bounds of the format.
pub fn read(bytes: &[u8]) -> Result<CompiledModule, monomove_format::FormatError> {
    let config = DeserializerConfig::new(VERSION_DEFAULT_MAX, 255);
    CompiledModule::deserialize_with(bytes, &config)
}

fn changed(random: &mut Random, mut module: CompiledModule) -> Option<Vec<u8>> {
    if random.once_in(8) {
        let mut bytes = module.serialize().ok()?;
        mutate_bytes(random, &mut bytes);
        Some(bytes)
    } else {
        mutate(random, &mut module);
        module.serialize().ok()
    }
}

fn rename(module: &mut CompiledModule) -> Option<()> {
    let name = Identifier::new("mutant").ok()?;
    let own = module.self_module_handle_idx.into_index();
    let old = module.module_handles.get(own)?.name;
    let users = module.module_handles.iter().filter(|m| m.name == old);
    let only_user = users.count() == 1
        && module.struct_handles.iter().all(|s| s.name != old)
        && module.function_handles.iter().all(|f| f.name != old);
    if only_user {
        *module.identifiers.get_mut(old.into_index())? = name;
    } else {
        let index = IdentifierIndex(u16::try_from(module.identifiers.len()).ok()?);
        module.identifiers.push(name);
        module.module_handles.get_mut(own)?.name = index;
    }
    Some(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "mv") {
            files.push(path);
        }
    }
    Ok(())
}
