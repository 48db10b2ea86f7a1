//! `monomove verify`: reads binaries, verifies and links them, writes them back; compares with recorded verdicts.

mod library;
mod time;

use std::path::{Path, PathBuf};

use clap::Args;
use monomove_format::FormatError;
use monomove_types::{Path as StatePath, StateKey};
use monomove_verifier::{VerifierConfig, VerifierError, verify_module, verify_script};
use serde::Serialize;

use library::Library;

use super::exit::{CliError, Exit};
use super::input::{self, BadBinary, Binary};
use super::output::{BAD, GOOD, Output, escape_line, styled};
use super::progress::Progress;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.verify/1";
/// Version of the JSON form of a comparison with recorded verdicts.
const VERDICTS_SCHEMA: &str = "monomove.verdicts/1";

/// Arguments of `monomove verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove verify build/
  monomove verify --deps stdlib/ build/hello.mv
  monomove verify --roundtrip genesis.blob
  monomove verify --verdicts verdicts.jsonl
  monomove verify --time genesis.blob

One line for each file: `<file>: ok` or `<file>: <STATUS_NAME> (<number>) <where>`; the last line is `N ok, M refused`.
With --verdicts one line for each recorded verdict that differs; the last line is `N agree, M differ`.")]
pub(crate) struct VerifyArgs {
    /// Modules or scripts (.mv), directories, or genesis blobs (.blob)
    #[arg(required_unless_present = "verdicts")]
    paths: Vec<PathBuf>,
    /// Compare with recorded verdicts of the native verifier, or of linker and publisher: a .jsonl file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "roundtrip", "deps", "state"])]
    verdicts: Option<PathBuf>,
    /// Also link: against the files themselves and the modules in this file, directory or blob (repeatable)
    #[arg(long, value_name = "PATH")]
    deps: Vec<PathBuf>,
    /// Also link: against the files themselves and the state in this directory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Also write each binary back and compare it with what was read
    #[arg(long)]
    roundtrip: bool,
    /// Measure how long all modules together take in the sandbox, against native code
    #[arg(long, conflicts_with_all = ["verdicts", "roundtrip", "deps", "state"])]
    time: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    files: Vec<Verdict>,
    ok: usize,
    refused: usize,
}

/// What came of one binary.
#[derive(Serialize)]
struct Verdict {
    file: String,
    ok: bool,
    error: Option<Box<Refusal>>,
}

#[derive(Serialize)]
struct Refusal {
    status: Option<String>,
    code: Option<u64>,
    byte: Option<usize>,
    function: Option<u64>,
    instruction: Option<u64>,
    message: String,
    #[serde(skip)]
    line: String,
}

/// The JSON form of a comparison.
#[derive(Serialize)]
struct Comparison<'a> {
    schema: &'static str,
    agree: usize,
    differences: &'a [String],
}

pub(crate) fn run(args: &VerifyArgs, out: &mut Output) -> Result<Exit, CliError> {
    if let Some(path) = &args.verdicts {
        return compare(path, args.json, out);
    }
    let mut binaries = Vec::new();
    for path in &args.paths {
        for file in monomove_tests::mv_files(path)? {
            binaries.extend(binaries_in(&file)?);
        }
        if binaries.is_empty() {
            return Err(CliError::at(path.display(), "expected .mv files in it"));
        }
    }
    if args.time {
        return time::run(binaries, args.json, out);
    }
    let mut library = None;
    if !args.deps.is_empty() || args.state.is_some() {
        let library = library.insert(Library::open(&args.deps, args.state.as_deref())?);
        for (_, bytes) in &binaries {
            library.shadow(bytes);
        }
    }
    let progress = Progress::new(binaries.len());
    let mut verdicts = Vec::with_capacity(binaries.len());
    for (file, bytes) in binaries {
        let error = check(&bytes, args.roundtrip, library.as_mut())?.err();
        progress.step();
        verdicts.push(Verdict {
            file,
            ok: error.is_none(),
            error,
        });
    }
    progress.finish();
    let ok = verdicts.iter().filter(|verdict| verdict.ok).count();
    let refused = verdicts.len() - ok;
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            files: verdicts,
            ok,
            refused,
        })?;
    } else {
        for verdict in &verdicts {
            let result = match &verdict.error {
                None => styled(GOOD, "ok"),
                Some(refusal) => styled(BAD, escape_line(&refusal.line)),
            };
            out.line(format_args!("{}: {result}", escape_line(&verdict.file)))?;
        }
        out.line(format_args!("{ok} ok, {refused} refused"))?;
    }
    Ok(if refused == 0 {
        Exit::Ok
    } else {
        Exit::Mismatch
    })
}

fn compare(path: &Path, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let report = monomove_tests::compare_verdicts(path)?;
    if json {
        out.json(&Comparison {
            schema: VERDICTS_SCHEMA,
            agree: report.agree,
            differences: &report.differences,
        })?;
    } else {
        for difference in &report.differences {
            out.line(format_args!("{}", styled(BAD, escape_line(difference))))?;
        }
        out.line(format_args!(
            "{} agree, {} differ",
            report.agree,
            report.differences.len()
        ))?;
    }
    Ok(match report.differences.is_empty() {
        true => Exit::Ok,
        false => Exit::Mismatch,
    })
}

/// The binary in a file, or all modules of a genesis blob, with the names to show.
fn binaries_in(path: &Path) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let bytes = input::read(path)?;
    let name = path.display().to_string();
    if path.extension().is_none_or(|extension| extension != "blob") {
        return Ok(vec![(name, bytes)]);
    }
    let blob = input::genesis_blob(path, &bytes)?;
    let module = |(key, bytes)| match key {
        StateKey::AccessPath {
            path: StatePath::Code(id),
            ..
        } => Some((format!("{name}/{id}"), bytes)),
        _ => None,
    };
    Ok(blob.writes.into_iter().filter_map(module).collect())
}

/// Reads, verifies, links (where there is a library) and writes back.
fn check(
    bytes: &[u8],
    roundtrip: bool,
    library: Option<&mut Library>,
) -> Result<Result<(), Box<Refusal>>, CliError> {
    let binary = match input::parse(bytes) {
        Ok(binary) => binary,
        Err(BadBinary(error)) => return Ok(Err(Refusal::of(error))),
    };
    let config = VerifierConfig::aptos();
    let verified = match &binary {
        Binary::Module(module) => verify_module(module, &config),
        Binary::Script(script) => verify_script(script, &config),
    };
    let checked = match (verified, library) {
        (Ok(()), Some(library)) => library.link(&binary)?,
        (verified, _) => verified,
    };
    Ok(match checked {
        Err(error) => Err(Refusal::of_verifier(error)),
        Ok(()) if roundtrip => write_back(&binary, bytes),
        Ok(()) => Ok(()),
    })
}

fn write_back(binary: &Binary, bytes: &[u8]) -> Result<(), Box<Refusal>> {
    let written = match binary {
        Binary::Module(module) => module.serialize(),
        Binary::Script(script) => script.serialize(),
    };
    let written = written.map_err(Refusal::of)?;
    if written == bytes {
        return Ok(());
    }
    let same = written
        .iter()
        .zip(bytes)
        .take_while(|(a, b)| a == b)
        .count();
    let message = format!(
        "written back, it differs at byte {same} ({} bytes instead of {})",
        written.len(),
        bytes.len()
    );
    Err(Box::new(Refusal {
        status: None,
        code: None,
        byte: Some(same),
        function: None,
        instruction: None,
        line: message.clone(),
        message,
    }))
}

impl Refusal {
    fn of_verifier(error: VerifierError) -> Box<Self> {
        Box::new(Self {
            line: error.to_string(),
            status: Some(error.status.name().to_owned()),
            code: Some(error.status.number()),
            byte: None,
            function: error.function.map(|function| function.0.into()),
            instruction: error.code_offset.map(Into::into),
            message: error.message,
        })
    }

    fn of(error: FormatError) -> Box<Self> {
        Box::new(Self {
            status: Some(error.status.name().to_owned()),
            code: Some(error.status.number()),
            byte: error.offset,
            function: error.function.map(|function| function.0.into()),
            instruction: error.code_offset.map(Into::into),
            message: error.message.clone(),
            line: BadBinary(error).to_string(),
        })
    }
}
