//! Where the shared data lies.

use std::path::{Path, PathBuf};

/// The directory with the shared data: `MONOMOVE_SHARED`, or `../shared` beside the workspace. Says so if it is absent.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = match std::env::var_os("MONOMOVE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    use std::io::Write;
    // Not with `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: no shared data at {}",
        folder.display()
    );
    None
}
