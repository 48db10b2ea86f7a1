//! Move values as text: the Aptos argument syntax to BCS ([`parse_argument`]) and BCS to readable text ([`Renderer`]).
//!
//! Nothing here panics on any input; nesting and output size are bounded.

mod argument;
mod layouts;
mod render;

pub use argument::{ArgumentError, ArgumentErrorKind, parse_argument, parse_value};
pub use layouts::{signature_tags, struct_layout};
pub use render::{Field, NoLayouts, Renderer, StructLayout, StructLayouts};
