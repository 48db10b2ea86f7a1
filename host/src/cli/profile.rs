//! `monomove profile`: where the gas of one call went, by function and basic block.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use monomove::{Profile, ProfileFrame, Trace, TraceLimits};
use serde::Serialize;
use std::collections::BTreeMap;

use super::call::CallArgs;
use super::exit::{CliError, Exit};
use super::output::{Output, escape_line};
use super::trace::{note_end, record};

/// Steps that are profiled at most.
const MAX_STEPS: u32 = 10_000_000;

/// Arguments of `monomove profile`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove profile bank.mv --function 0xcafe::bank::main --format folded | flamegraph.pl > gas.svg
  monomove profile build/ --function 0xcafe::m::f --args u64:10 --format speedscope -o gas.speedscope.json

Gas by call stack; the last frame is a basic block `function#number@code offset`, or a native function. Speedscope has a second
profile by instructions. Arguments are those of `monomove run`.")]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    call: CallArgs,
    /// The function: 0x1::module::name
    #[arg(long, value_name = "FUNCTION")]
    function: String,
    /// What it is for
    #[arg(long, value_enum, default_value_t = Format::Folded)]
    format: Format,
    /// What folded stacks are weighted by
    #[arg(long, value_enum, default_value_t = Weight::Gas)]
    weight: Weight,
    /// Where it goes; standard output if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats of profiles.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line a stack, for flamegraph.pl and its kin
    Folded,
    /// JSON for speedscope.app
    Speedscope,
}

/// What stacks are weighted by.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Weight {
    Gas,
    Instructions,
}

pub(crate) fn run(args: &ProfileArgs, out: &mut Output) -> Result<Exit, CliError> {
    let limits = TraceLimits {
        steps: MAX_STEPS,
        bytes: u64::MAX,
        checkpoint_steps: u32::MAX,
        memory: false,
    };
    let traced = record(&args.call, &args.function, &limits)?;
    note_end(&traced.trace);
    let profile = Profile::of(&traced.trace);
    let text = match args.format {
        Format::Folded => folded(&profile, &traced.trace, args.weight),
        Format::Speedscope => speedscope(&profile, &traced.trace, &args.function)?,
    };
    match &args.output {
        Some(path) => std::fs::write(path, text).map_err(|e| CliError::at(path.display(), e))?,
        None => out.write_all(text.as_bytes())?,
    }
    Ok(Exit::of(&traced.outcome))
}

fn folded(profile: &Profile, trace: &Trace, weight: Weight) -> String {
    let mut lines = profile
        .stacks
        .iter()
        .filter_map(|(stack, gas, instructions)| {
            let weight = match weight {
                Weight::Gas => *gas,
                Weight::Instructions => *instructions,
            };
            let names = (0..stack.len()).map(|at| name(trace, stack, at));
            let names = names.collect::<Vec<_>>().join(";");
            (weight > 0).then(|| format!("{names} {weight}\n"))
        })
        .collect::<Vec<_>>();
    lines.sort();
    lines.concat()
}

/// Names come from modules: what separates frames and lines must not be in them.
fn name(trace: &Trace, stack: &[ProfileFrame], at: usize) -> String {
    escape_line(&trace.frame_name(stack, at)).replace([';', ' '], "_")
}

/// <https://www.speedscope.app/file-format-schema.json>: sampled profiles, one sample a stack.
#[derive(Serialize)]
struct Speedscope<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: &'a str,
    exporter: &'static str,
    #[serde(rename = "activeProfileIndex")]
    active_profile_index: u32,
    shared: Shared,
    profiles: [Sampled; 2],
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Frame {
    name: String,
}

#[derive(Serialize)]
struct Sampled {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    unit: &'static str,
    #[serde(rename = "startValue")]
    start_value: u64,
    #[serde(rename = "endValue")]
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

fn speedscope(profile: &Profile, trace: &Trace, function: &str) -> Result<String, CliError> {
    let mut frames = Vec::new();
    let mut index = BTreeMap::new();
    let mut samples = Vec::new();
    for (stack, ..) in &profile.stacks {
        let numbers = (0..stack.len()).map(|at| {
            let name = name(trace, stack, at);
            *index.entry(name).or_insert_with_key(|name| {
                frames.push(Frame { name: name.clone() });
                frames.len() - 1
            })
        });
        samples.push(numbers.collect::<Vec<_>>());
    }
    let sampled = |name, weights: Vec<u64>| Sampled {
        kind: "sampled",
        name,
        unit: "none",
        start_value: 0,
        end_value: weights.iter().sum(),
        samples: samples.clone(),
        weights,
    };
    let gas = profile.stacks.iter().map(|(_, gas, _)| *gas).collect();
    let instructions = profile.stacks.iter().map(|(_, _, count)| *count).collect();
    let profiles = [sampled("gas", gas), sampled("instructions", instructions)];
    let file = Speedscope {
        schema: "https://www.speedscope.app/file-format-schema.json",
        name: function,
        exporter: "monomove",
        active_profile_index: 0,
        shared: Shared { frames },
        profiles,
    };
    let text = serde_json::to_string(&file).map_err(std::io::Error::from)?;
    Ok(text + "\n")
}
