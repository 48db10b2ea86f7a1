//! What a breakpoint asks of a local or an operand.

use super::Session;
use crate::error::Error;
use monomove_core::{FrameRef, Replay, Trace};
use monomove_text::parse_value;
use monomove_types::TypeTag;
use std::cmp::Ordering;
use std::rc::Rc;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// From the operator as Move writes it.
    pub fn from_operator(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Equal,
            "!=" => Self::Different,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Different => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// A place of the running function, by its number: parameters and other locals count together, operands from the deepest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceName {
    /// `p0`, `l3`
    Local(usize),
    /// `s0`
    Operand(usize),
}

impl PlaceName {
    /// From the name that states give the place.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = text.chars().next()?;
        let index = text.get(kind.len_utf8()..)?.parse().ok()?;
        match kind {
            'p' | 'l' => Some(Self::Local(index)),
            's' => Some(Self::Operand(index)),
            _ => None,
        }
    }
}

/// A number, truth value or address, or a reference to one, compared with a value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// Which place.
    pub place: PlaceName,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: String,
}

/// Bytes of a scalar, and whether it is signed.
fn scalar(ty: &TypeTag) -> Option<(u32, bool)> {
    Some(match ty {
        TypeTag::Bool | TypeTag::U8 => (1, false),
        TypeTag::U16 => (2, false),
        TypeTag::U32 => (4, false),
        TypeTag::U64 => (8, false),
        TypeTag::U128 => (16, false),
        TypeTag::U256 | TypeTag::Address => (32, false),
        TypeTag::I8 => (1, true),
        TypeTag::I16 => (2, true),
        TypeTag::I32 => (4, true),
        TypeTag::I64 => (8, true),
        TypeTag::I128 => (16, true),
        TypeTag::I256 => (32, true),
        _ => return None,
    })
}

/// Compares two numbers of one size, the least byte first.
fn compare(a: &[u8], b: &[u8], signed: bool) -> Ordering {
    let top = |bytes: &[u8]| bytes.last().copied().unwrap_or(0) ^ if signed { 0x80 } else { 0 };
    let rest = a.iter().rev().skip(1).cmp(b.iter().rev().skip(1));
    top(a).cmp(&top(b)).then(rest)
}

/// Type and bytes of a place; of a reference, those of what it refers to.
fn find(
    replay: &Replay<Rc<Trace>>,
    trace: &Trace,
    frame: &FrameRef,
    name: PlaceName,
) -> Option<(TypeTag, Vec<u8>)> {
    let (place, bytes) = match name {
        PlaceName::Local(index) => replay.locals(frame).get(index).copied()?,
        PlaceName::Operand(index) => replay.operands(frame).get(index).copied()?,
    };
    let ty = trace.types.get(place.ty as usize)?;
    let referent = ty.strip_prefix("&mut ").or_else(|| ty.strip_prefix('&'));
    let tag: TypeTag = referent.unwrap_or(ty).parse().ok()?;
    if referent.is_none() {
        return Some((tag, bytes.to_vec()));
    }
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let address = word(0)?.wrapping_add(word(4)?);
    let bytes = replay.bytes(address, scalar(&tag)?.0)?;
    Some((tag, bytes.to_vec()))
}

impl Session {
    /// Whether `when` holds before a step. False if the place is not there, or cannot be compared with the value.
    pub(super) fn holds_when(&mut self, when: &When, step: u32) -> Result<bool, Error> {
        self.open(self.window_of(step))?;
        let Some(window) = self.windows.last_mut() else {
            return Ok(false);
        };
        let at = (step - window.first) as usize;
        let shown = window.replay.seek(at);
        shown.map_err(|error| Error::argument(format!("step {step} cannot be shown: {error}")))?;
        let holds = || {
            let frame = window.replay.frames().last()?;
            let (ty, bytes) = find(&window.replay, &window.trace, frame, when.place)?;
            let (_, signed) = scalar(&ty)?;
            let value = parse_value(&ty, &when.value).ok()?;
            (bytes.len() == value.len())
                .then(|| when.comparison.holds(compare(&bytes, &value, signed)))
        };
        Ok(holds().unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let unsigned = |a: u64, b: u64| compare(&a.to_le_bytes(), &b.to_le_bytes(), false);
        let signed = |a: i64, b: i64| compare(&a.to_le_bytes(), &b.to_le_bytes(), true);
        for (a, b) in [(0, 0), (1, 256), (256, 1), (u64::MAX, 0), (7, 8)] {
            assert_eq!(unsigned(a, b), a.cmp(&b));
        }
        for (a, b) in [(0, -1), (-1, -256), (i64::MIN, i64::MAX), (5, 5)] {
            assert_eq!(signed(a, b), a.cmp(&b));
        }
    }

    #[test]
    fn places_have_names() {
        assert_eq!(PlaceName::parse("p0"), Some(PlaceName::Local(0)));
        assert_eq!(PlaceName::parse("l12"), Some(PlaceName::Local(12)));
        assert_eq!(PlaceName::parse("s1"), Some(PlaceName::Operand(1)));
        for bad in ["", "x", "p", "p-1", "é1"] {
            assert_eq!(PlaceName::parse(bad), None);
        }
    }
}
