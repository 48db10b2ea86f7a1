//! Builds the guest for wasm32, or takes the module that `MONOMOVE_GUEST_WASM` names, and compiles it for this machine.
//!
//! Out come, in `OUT_DIR`: `guest.wasm`, `guest.cwasm` (wasmtime's form, loaded without compiling) and `guest.hash` (SHA3-256 of the wasm).

#[path = "src/wasm_config.rs"]
mod wasm_config;

use sha3::{Digest, Sha3_256};
use std::env;
use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Bytes of the guest's own stack, in its linear memory.
const GUEST_STACK_BYTES: u32 = 1 << 20;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/wasm_config.rs");
    println!("cargo::rerun-if-env-changed=MONOMOVE_GUEST_WASM");
    let path = match env::var_os("MONOMOVE_GUEST_WASM") {
        Some(path) => {
            let path = PathBuf::from(path);
            println!("cargo::rerun-if-changed={}", path.display());
            path
        }
        None => build_guest(&out_dir)?,
    };
    let wasm = fs::read(&path)
        .map_err(|error| format!("cannot read the guest {}: {error}", path.display()))?;
    precompile(&wasm, &out_dir)
}

/// Runs cargo for the guest, in a target directory and a profile of its own: sharing both with the outer cargo would wait for its lock
/// for ever.
fn build_guest(out_dir: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .parent()
        .ok_or("the host crate lies at the root of the file system")?
        .to_path_buf();
    for input in ["vm-core", "Cargo.toml", "Cargo.lock"] {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(input).display()
        );
    }
    // OUT_DIR is `<target>/<profile>/build/<package>/out`.
    let target_dir = out_dir
        .ancestors()
        .nth(4)
        .unwrap_or(out_dir)
        .join("guest-build");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(&workspace)
        .args(["rustc", "--package", "monomove-guest", "--lib"])
        // Only the cdylib: with an rlib beside it cargo would leave link-time optimisation out.
        .args(["--crate-type", "cdylib", "--profile", "guest"])
        .args(["--target", WASM_TARGET, "--target-dir"])
        .arg(&target_dir)
        // Names would be a tenth of what is loaded.
        .args(["--", "-C", "strip=symbols"])
        .args(["-C", "link-arg=--export=__stack_pointer", "-C"])
        .arg(format!("link-arg=-zstack-size={GUEST_STACK_BYTES}"));
    for (name, _) in env::vars_os() {
        if is_of_the_outer_build(&name.to_string_lossy()) {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output()?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "cannot build the guest for {WASM_TARGET} in {}: cargo ended with {}\n{log}",
            workspace.display(),
            output.status
        )
        .into());
    }
    Ok(target_dir
        .join(WASM_TARGET)
        .join("guest/monomove_guest.wasm"))
}

/// Whether a variable describes the outer build and would lead the inner one astray.
fn is_of_the_outer_build(name: &str) -> bool {
    (name.starts_with("CARGO") && name != "CARGO_HOME")
        || name.starts_with("RUSTC")
        || name.starts_with("DEP_")
        || [
            "RUSTFLAGS",
            "TARGET",
            "HOST",
            "OUT_DIR",
            "PROFILE",
            "OPT_LEVEL",
            "DEBUG",
            "NUM_JOBS",
        ]
        .contains(&name)
}

/// Compiles `wasm`, unless `OUT_DIR` has the result of exactly that already.
fn precompile(wasm: &[u8], out_dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut config = wasm_config::wasm_config();
    let (target, host) = (env::var("TARGET")?, env::var("HOST")?);
    if target != host {
        config.target(&target)?;
    }
    let engine = wasmtime::Engine::new(&config)?;
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    wasm.hash(&mut hasher);
    let stamp = format!("{:016x} {target}", hasher.finish());
    let [wasm_path, cwasm_path, hash_path, stamp_path] =
        ["guest.wasm", "guest.cwasm", "guest.hash", "guest.stamp"].map(|name| out_dir.join(name));
    if cwasm_path.exists() && fs::read_to_string(&stamp_path).is_ok_and(|found| found == stamp) {
        return Ok(());
    }
    fs::write(wasm_path, wasm)?;
    fs::write(hash_path, Sha3_256::digest(wasm))?;
    let code = engine
        .precompile_module(wasm)
        .map_err(|error| format!("the guest is not a wasm module: {error:#}"))?;
    fs::write(cwasm_path, code)?;
    fs::write(stamp_path, stamp)?;
    Ok(())
}
