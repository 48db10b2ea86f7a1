//! Running the command line and looking at what it says.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test support; every test file uses its part"
)]

use std::path::PathBuf;
use std::process::Command;

/// What a run of the command line said.
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `monomove`.
pub fn monomove(args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_monomove"))
        .args(args)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// The JSON it printed, exit code 0.
    pub fn json(&self) -> serde_json::Value {
        self.json_of_code(0)
    }

    /// The JSON it printed with this exit code.
    pub fn json_of_code(&self, code: i32) -> serde_json::Value {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }
}

/// A path in the golden corpus.
pub fn golden(path: &str) -> String {
    format!("{}/../tests/golden/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// An empty directory of its own.
pub fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
