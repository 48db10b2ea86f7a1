//! Reading what the user names: files, modules, functions, type lists.

use std::fmt;
use std::fs;
use std::path::Path;

use monomove::{Identifier, ModuleId, TypeTag};
use monomove_format::{CompiledModule, CompiledScript, FormatError};
use monomove_types::GenesisBlob;

use super::exit::CliError;

/// Largest file that is read as a binary.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A parsed binary.
pub(crate) enum Binary {
    /// A module.
    Module(Box<CompiledModule>),
    /// A script.
    Script(Box<CompiledScript>),
}

/// A module the user gave.
#[derive(Clone, Debug)]
pub(crate) struct ModuleFile {
    /// Its identity.
    pub(crate) id: ModuleId,
    /// The binary.
    pub(crate) bytes: Vec<u8>,
    /// The binary, parsed.
    pub(crate) module: CompiledModule,
}

/// A refused binary, for people: status, place, what was expected.
#[derive(Debug)]
pub(crate) struct BadBinary(pub(crate) FormatError);

impl fmt::Display for BadBinary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = &self.0;
        write!(f, "{} ({})", error.status, error.status.number())?;
        match (error.offset, error.function, error.code_offset) {
            (Some(offset), ..) => write!(f, " at byte {offset}")?,
            (None, Some(function), Some(offset)) => {
                write!(f, " in function {function} at instruction {offset}")?
            }
            (None, Some(function), None) => write!(f, " in function {function}")?,
            (None, None, Some(offset)) => write!(f, " at instruction {offset}")?,
            (None, None, None) => {}
        }
        write!(f, ": {}", error.message)
    }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let error = |error| CliError::at(path.display(), error);
    let meta = fs::metadata(path).map_err(error)?;
    if meta.is_dir() {
        return Err(CliError::at(
            path.display(),
            "is a directory; expected a file",
        ));
    }
    if meta.len() > MAX_FILE_BYTES {
        return Err(CliError::at(
            path.display(),
            format!(
                "has {} bytes; expected at most {MAX_FILE_BYTES}",
                meta.len()
            ),
        ));
    }
    fs::read(path).map_err(error)
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    String::from_utf8(read(path)?).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        CliError::at(
            path.display(),
            format!("at byte {offset}: expected UTF-8 text"),
        )
    })
}

/// A module or script; of two errors, that of the module.
///
/// A script can be read as a module without definitions, because bytes after a module are ignored; a module cannot be read as a script: it has tables that no
/// script has, or ends where the code of a script would begin.
pub(crate) fn parse(bytes: &[u8]) -> Result<Binary, BadBinary> {
    match CompiledScript::deserialize(bytes) {
        Ok(script) => Ok(Binary::Script(Box::new(script))),
        Err(_) => match CompiledModule::deserialize(bytes) {
            Ok(module) => Ok(Binary::Module(Box::new(module))),
            Err(error) => Err(BadBinary(error)),
        },
    }
}

/// All modules at or below `path`.
pub(crate) fn modules(path: &Path) -> Result<Vec<ModuleFile>, CliError> {
    let files = monomove_tests::mv_files(path)?;
    if files.is_empty() {
        return Err(CliError::at(path.display(), "expected .mv files in it"));
    }
    files
        .into_iter()
        .map(|path| module(&path, read(&path)?))
        .collect()
}

/// The genesis blob whose bytes were read from `path`.
pub(crate) fn genesis_blob(path: &Path, bytes: &[u8]) -> Result<GenesisBlob, CliError> {
    GenesisBlob::parse(bytes).map_err(|error| {
        CliError::at(
            path.display(),
            format!(
                "expected a genesis blob: at byte {}: {}",
                error.offset, error.kind
            ),
        )
    })
}

/// The module that was read from `path`.
pub(crate) fn module(path: &Path, bytes: Vec<u8>) -> Result<ModuleFile, CliError> {
    let module = CompiledModule::deserialize(&bytes).map_err(|error| {
        CliError::at(
            path.display(),
            format!("expected a Move module: {}", BadBinary(error)),
        )
    })?;
    Ok(ModuleFile {
        id: module.self_id(),
        bytes,
        module,
    })
}

/// `0x1::module::function`.
pub(crate) fn function(text: &str) -> Result<(ModuleId, Identifier), String> {
    let expected = || format!("`{text}`: expected a function such as 0x1::coin::transfer");
    let (module, name) = text.rsplit_once("::").ok_or_else(expected)?;
    Ok((
        module.parse().map_err(|_| expected())?,
        name.parse().map_err(|_| expected())?,
    ))
}

/// Types separated by commas; commas inside `<…>`, `|…|` and `(…)` do not separate.
pub(crate) fn type_list(text: &str) -> Result<Vec<TypeTag>, String> {
    let mut types = Vec::new();
    let (mut depth, mut start) = (0i64, 0);
    let mut in_bars = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' => depth += 1,
            b'>' | b')' => depth -= 1,
            b'|' => in_bars = !in_bars,
            b',' if depth == 0 && !in_bars => {
                types.push(one_type(&text[start..at])?);
                start = at + 1;
            }
            _ => {}
        }
    }
    types.push(one_type(&text[start..])?);
    Ok(types)
}

fn one_type(text: &str) -> Result<TypeTag, String> {
    text.parse()
        .map_err(|error| format!("type `{text}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions() {
        let (module, name) = function("0x1::m::f").unwrap();
        assert_eq!(
            (module.to_string().as_str(), name.as_str()),
            ("0x1::m", "f")
        );
        for bad in ["", "f", "0x1::m", "m::n::f", "0x1::m::f::g", "0x1::m::5"] {
            assert!(
                function(bad).unwrap_err().contains("expected a function"),
                "{bad}"
            );
        }
    }

    #[test]
    fn type_lists() {
        let types = type_list("u8, 0x1::m::P<u8,vector<bool>>,|u8,u8|(u8,bool)").unwrap();
        assert_eq!(types.len(), 3);
        assert!(type_list("u8,,u8").is_err());
        assert!(type_list("").is_err());
    }
}
