//! The Move assembler: text to modules and scripts, and back.
//!
//! [`assemble`] reads the platform's assembler text and makes a module or script of it. It resolves names and fills
//! tables and checks nothing else: an invalid module is assembled like any other, only what the binary format cannot
//! represent is an error. [`disassemble_masm`] writes text that assembles to an equivalent module without its
//! dependencies.
//!
//! # The grammar, and what is added to it
//!
//! ```text
//! unit      := { "address" ID "=" ADDR NL } ("module" MODULE | "script") NL
//!              { "use" MODULE ["as" ID] NL } { "friend" MODULE NL } { struct | enum | fun }
//! struct    := "struct" ID [typarams] ["has" abilities] NL { INDENT ID ":" type NL }
//! enum      := "enum" ID [typarams] ["has" abilities] NL { INDENT ID NL { INDENT ID ":" type NL } }
//! fun       := ["#[" attr {"," attr} "]"] ["entry"] ["public" | "friend"] ["native"] "fun" ID [typarams]
//!              "(" [ID ":" type {"," …}] ")" [":" (type | "(" types ")")] ["acquires" ID {"," ID}] NL
//!              { INDENT "local" ID ":" type NL } { [ID ":"] instruction NL }
//! ```
//!
//! Added, each on a line of its own wherever a struct may stand:
//!
//! - `extern struct 0x1::m::S<phantom T> has copy + drop` and
//!   `#[persistent] extern fun 0x1::m::f<T: copy>(u64, &T): bool` declare what other modules define; a declaration goes
//!   before a dependency, and is kept in the tables even if nothing names it.
//! - `native struct S<T> has key`: a struct without field list.
//! - `metadata "key" x"0a0b"`: an entry of the metadata table; key and value are `"text"` or `x"hex"`.
//! - `pool KIND …`: an entry of a table, made before all others. KIND is `identifier ID`, `address ADDR`,
//!   `module MODULE`, `struct PATH`, `fun PATH`, `signature (types)`, `const <type> value`, `operand instruction`.
//!
//! Added inside lines: `access(…)` at the end of a `fun` line, a list of
//! `[not] (reads | writes) (any | address ADDR | module MODULE | struct PATH [<types>]) [at (ADDR | ID | PATH [<types>] (ID))]`
//! (with `#7` for an index that is taken as it is: readers do not check those here);
//! `#3` as a type, the type parameter at a position; `` `<SELF>` `` as a name; `x"hex"` as the bytes of a constant;
//! numbers for labels, locals, fields and variants; `borrow_variant_field E, 0, V, W` with the position of the field;
//! labels after the last instruction (one alone makes empty code; without instructions, labels and locals a function is
//! native) and enums without variants.

mod ast;
mod build;
mod diagnostic;
mod lexer;
mod parse;
mod print;

pub use diagnostic::{Diagnostic, Diagnostics, MAX_DIAGNOSTICS};
pub use print::{
    MAX_TEXT, TRUNCATED, disassemble_masm, disassemble_masm_exact, disassemble_script_masm,
};

use diagnostic::{Reporter, Span};
use monomove_format::{
    CompiledModule, CompiledScript, FormatError, VERSION_MAX, VERSION_MIN_WRITTEN,
};

/// The binary version that is made unless another one is asked for.
pub const DEFAULT_VERSION: u32 = 9;

/// Longest text that is assembled, in bytes.
pub const MAX_SOURCE: usize = MAX_TEXT;

/// What to assemble for.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Binary version, 5 to 11.
    pub version: u32,
    /// Modules whose structs and functions the text may use. Of two with one name, the first counts.
    pub dependencies: &'a [CompiledModule],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            version: DEFAULT_VERSION,
            dependencies: &[],
        }
    }
}

/// What a text was assembled to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A module.
    Module(Box<CompiledModule>),
    /// A script.
    Script(Box<CompiledScript>),
}

impl Unit {
    /// The canonical binary.
    pub fn serialize(&self) -> Result<Vec<u8>, FormatError> {
        match self {
            Self::Module(module) => module.serialize(),
            Self::Script(script) => script.serialize(),
        }
    }
}

/// Assembles a text. What is returned can be serialized.
pub fn assemble(source: &str, options: &Options<'_>) -> Result<Unit, Diagnostics> {
    let mut reporter = Reporter::default();
    let unit = assemble_reporting(source, options, &mut reporter);
    unit.ok_or_else(|| reporter.finish(source))
}

fn assemble_reporting(
    source: &str,
    options: &Options<'_>,
    reporter: &mut Reporter,
) -> Option<Unit> {
    let start = Span::default();
    if source.len() > MAX_SOURCE {
        reporter.report(start, format!("a text has at most {MAX_SOURCE} bytes"));
        return None;
    }
    if !(VERSION_MIN_WRITTEN..=VERSION_MAX).contains(&options.version) {
        let message = format!(
            "expected a binary version from {VERSION_MIN_WRITTEN} to {VERSION_MAX}, not {}",
            options.version
        );
        reporter.report(start, message);
        return None;
    }
    let tree = parse::parse(source, reporter);
    if !reporter.is_empty() {
        return None;
    }
    let unit = build::build(&tree, options, reporter);
    if unit.is_none() && reporter.is_empty() {
        reporter.report(tree.at, "this cannot be assembled");
    }
    // Limits on the number of fields, parameters and so on are those of the writer.
    if let Err(error) = unit.as_ref()?.serialize() {
        reporter.report(tree.at, format!("no binary holds this: {}", error.message));
        return None;
    }
    unit
}

/// The binary version that the first line of the disassembler's text names.
pub fn version_of_listing(source: &str) -> Option<u32> {
    let digits = source.lines().next()?.strip_prefix(print::VERSION_LINE)?;
    digits.trim_end().parse().ok()
}
