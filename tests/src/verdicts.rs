//! Recorded verdicts of the native verifier and linker, compared with ours. The formats and the configuration are those of `verdicts/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use monomove_format::{CompiledModule, DeserializerConfig, FormatError};
use monomove_types::{ModuleId, StatusCode};
use monomove_verifier::{
    Loading, PublishOptions, PublishedModules, VerifierConfig, VerifierError, VerifierResult,
    check_bundle, link_module, verify_module, verify_no_cycles,
};
use serde::Deserialize;

use crate::LoadError;

/// What comparing a file of verdicts found.
#[derive(Clone, Debug, Default)]
pub struct VerdictReport {
    /// Lines of the file whose verdicts are all the same.
    pub agree: usize,
    /// What differs, one entry for each line that does.
    pub differences: Vec<String>,
}

/// The reader's configuration under which the verdicts were recorded.
const DESERIALIZER: DeserializerConfig =
    DeserializerConfig::new(8, DeserializerConfig::MAX_IDENTIFIER_SIZE);

/// A line of `verdicts.jsonl`.
#[derive(Deserialize)]
struct ModuleLine {
    id: String,
    about: String,
    bytes: String,
    verdict: Recorded,
    verdict_production: Option<Recorded>,
}

/// A line of `linking.jsonl`.
#[derive(Deserialize)]
struct BundleLine {
    id: String,
    about: String,
    modules: Vec<BundleModule>,
    existing: Vec<BundleModule>,
    per_module: Vec<PerModule>,
    publish_lazy: Recorded,
    publish_eager: Recorded,
}

#[derive(Deserialize)]
struct BundleModule {
    bytes: String,
}

#[derive(Deserialize)]
struct PerModule {
    module: ModuleId,
    verify: Recorded,
    missing_dependencies: Vec<ModuleId>,
    dependencies: Option<Recorded>,
    cyclic: Option<Recorded>,
}

/// A verdict as it was recorded; one that accepts has no code.
#[derive(Deserialize)]
struct Recorded {
    code: Option<u64>,
    function_index: Option<u64>,
    offset: Option<u64>,
}

/// Our verdict: status, function and instruction; `None` accepts.
type Verdict = Option<(StatusCode, Option<u64>, Option<u64>)>;

/// Compares our verdicts with those of a file: the status, and function and instruction where they were recorded.
pub fn compare_verdicts(path: &Path) -> Result<VerdictReport, LoadError> {
    let text = fs::read_to_string(path).map_err(|source| LoadError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut report = VerdictReport::default();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let difference = compare_line(text).map_err(|message| LoadError::Line {
            path: path.to_owned(),
            line,
            message,
        })?;
        match difference {
            None => report.agree += 1,
            Some(difference) => report.differences.push(difference),
        }
    }
    Ok(report)
}

fn compare_line(text: &str) -> Result<Option<String>, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let is_bundle = value.get("modules").is_some();
    let (id, about, differences) = if is_bundle {
        let line = BundleLine::deserialize(value).map_err(|e| e.to_string())?;
        let differences = compare_bundle(&line)?;
        (line.id, line.about, differences)
    } else {
        let line = ModuleLine::deserialize(value).map_err(|e| e.to_string())?;
        let differences = compare_module(&line)?;
        (line.id, line.about, differences)
    };
    Ok((!differences.is_empty()).then(|| format!("{id} ({about}): {}", differences.join("; "))))
}

fn compare_module(line: &ModuleLine) -> Result<Vec<String>, String> {
    let bytes = decode(&line.bytes)?;
    let read = CompiledModule::deserialize_with(&bytes, &DESERIALIZER);
    let under = |config: &VerifierConfig| match &read {
        Err(error) => of_format(error),
        Ok(module) => of(verify_module(module, config)),
    };
    let mut differences = Vec::new();
    compare(
        "",
        &line.verdict,
        under(&VerifierConfig::aptos()),
        &mut differences,
    );
    if let Some(recorded) = &line.verdict_production {
        let got = under(&VerifierConfig::production());
        compare("production", recorded, got, &mut differences);
    }
    Ok(differences)
}

fn compare_bundle(line: &BundleLine) -> Result<Vec<String>, String> {
    let bytes = |modules: &[BundleModule]| {
        let decoded = modules.iter().map(|module| decode(&module.bytes));
        decoded.collect::<Result<Vec<_>, _>>()
    };
    let bundle = bytes(&line.modules)?;
    let existing = Existing::read(&bytes(&line.existing)?)?;
    // The bundle takes the place of what exists.
    let mut all = existing.0.clone();
    all.extend(Existing::read(&bundle)?.0);
    let sender = match bundle.first() {
        Some(binary) => *read(binary)?.self_address(),
        None => return Err("expected modules in the bundle".to_owned()),
    };

    let mut differences = Vec::new();
    for recorded in &line.per_module {
        compare_per_module(recorded, &all, &mut differences)?;
    }
    for (name, loading, recorded) in [
        ("publish lazily", Loading::Lazy, &line.publish_lazy),
        ("publish eagerly", Loading::Eager, &line.publish_eager),
    ] {
        let options = PublishOptions {
            deserializer: DESERIALIZER,
            loading,
            ..PublishOptions::default()
        };
        let got = check_bundle(sender, &bundle, &existing, &options);
        compare(name, recorded, of(got.map(drop)), &mut differences);
    }
    Ok(differences)
}

fn compare_per_module(
    recorded: &PerModule,
    all: &BTreeMap<ModuleId, Arc<CompiledModule>>,
    differences: &mut Vec<String>,
) -> Result<(), String> {
    let id = &recorded.module;
    let module = all.get(id).ok_or_else(|| format!("no module {id}"))?;
    let verified = verify_module(module, &VerifierConfig::aptos());
    compare(
        &format!("{id}: verify"),
        &recorded.verify,
        of(verified),
        differences,
    );
    let missing: Vec<_> = module
        .immediate_dependencies()
        .into_iter()
        .filter(|dependency| !all.contains_key(dependency))
        .collect();
    if missing != recorded.missing_dependencies {
        differences.push(format!(
            "{id}: recorded missing {:?}, got {missing:?}",
            recorded.missing_dependencies
        ));
    }
    if let Some(recorded) = &recorded.dependencies {
        let linked = link_module(module, all.values().map(Arc::as_ref));
        compare(&format!("{id}: link"), recorded, of(linked), differences);
    }
    if let Some(recorded) = &recorded.cyclic {
        let cycles = verify_no_cycles(module, |id| all.get(id).map(Arc::as_ref));
        compare(&format!("{id}: cycles"), recorded, of(cycles), differences);
    }
    Ok(())
}

fn compare(what: &str, recorded: &Recorded, got: Verdict, differences: &mut Vec<String>) {
    let (status, function, offset) = match got {
        None => (None, None, None),
        Some((status, function, offset)) => (Some(status), function, offset),
    };
    let same = status.map(StatusCode::number) == recorded.code
        && (recorded.function_index.is_none() || recorded.function_index == function)
        && (recorded.offset.is_none() || recorded.offset == offset);
    if same {
        return;
    }
    let space = if what.is_empty() { "" } else { " " };
    differences.push(format!(
        "{what}{space}recorded {}, got {}",
        describe(recorded.code, recorded.function_index, recorded.offset),
        describe(status.map(StatusCode::number), function, offset)
    ));
}

fn describe(code: Option<u64>, function: Option<u64>, offset: Option<u64>) -> String {
    let Some(code) = code else {
        return "ok".to_owned();
    };
    let name = StatusCode::from_number(code).map_or("unknown status", StatusCode::name);
    let mut text = format!("{name} ({code})");
    if let Some(function) = function {
        text += &format!(" in function {function}");
    }
    if let Some(offset) = offset {
        text += &format!(" at instruction {offset}");
    }
    text
}

fn of(result: VerifierResult) -> Verdict {
    let VerifierError {
        status,
        function,
        code_offset,
        ..
    } = result.err()?;
    Some((
        status,
        function.map(|index| index.0.into()),
        code_offset.map(Into::into),
    ))
}

fn of_format(error: &FormatError) -> Verdict {
    Some((
        error.status,
        error.function.map(|index| index.0.into()),
        error.code_offset.map(Into::into),
    ))
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|error| format!("expected base64: {error}"))
}

fn read(binary: &[u8]) -> Result<CompiledModule, String> {
    CompiledModule::deserialize_with(binary, &DESERIALIZER).map_err(|error| error.to_string())
}

/// What is published before a bundle.
struct Existing(BTreeMap<ModuleId, Arc<CompiledModule>>);

impl Existing {
    fn read(binaries: &[Vec<u8>]) -> Result<Self, String> {
        let modules = binaries.iter().map(|binary| {
            let module = read(binary)?;
            Ok((module.self_id(), Arc::new(module)))
        });
        modules.collect::<Result<_, String>>().map(Self)
    }
}

impl PublishedModules for Existing {
    fn module(&self, id: &ModuleId) -> VerifierResult<Option<Arc<CompiledModule>>> {
        Ok(self.0.get(id).cloned())
    }
}
