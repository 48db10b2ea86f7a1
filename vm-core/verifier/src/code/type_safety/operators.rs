//! Type safety of operators on integers and booleans, of casts and comparisons.

use super::{Checker, TypeId, VerifierResult};
use monomove_types::StatusCode;

impl Checker<'_, '_, '_> {
    /// Two operands of one of the types, and a result of that type.
    pub(super) fn arithmetic(&mut self, admits: impl Fn(TypeId) -> bool) -> VerifierResult {
        let right = self.pop()?;
        let left = self.pop()?;
        self.require(
            left == right && admits(left),
            StatusCode::INTEGER_OP_TYPE_MISMATCH_ERROR,
            "the operands are not integers of one fitting type",
        )?;
        self.push(left)
    }

    pub(super) fn shift(&mut self) -> VerifierResult {
        let amount = self.pop()?;
        let value = self.pop()?;
        self.require(
            value.is_unsigned() && amount == TypeId::U8,
            StatusCode::INTEGER_OP_TYPE_MISMATCH_ERROR,
            "no unsigned integer is shifted, or the amount is no u8",
        )?;
        self.push(value)
    }

    pub(super) fn negate(&mut self) -> VerifierResult {
        let operand = self.pop()?;
        self.require(
            operand.is_signed(),
            StatusCode::INTEGER_OP_TYPE_MISMATCH_ERROR,
            "no signed integer is negated",
        )?;
        self.push(operand)
    }

    pub(super) fn ordering(&mut self) -> VerifierResult {
        let right = self.pop()?;
        let left = self.pop()?;
        self.require(
            left == right && left.is_integer(),
            StatusCode::INTEGER_OP_TYPE_MISMATCH_ERROR,
            "the operands are not integers of one type",
        )?;
        self.push(TypeId::BOOL)
    }

    pub(super) fn cast(&mut self, target: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        self.require(
            operand.is_integer(),
            StatusCode::INTEGER_OP_TYPE_MISMATCH_ERROR,
            "no integer is converted",
        )?;
        self.push(target)
    }

    pub(super) fn logic(&mut self) -> VerifierResult {
        let right = self.pop()?;
        let left = self.pop()?;
        self.require(
            left == TypeId::BOOL && right == TypeId::BOOL,
            StatusCode::BOOLEAN_OP_TYPE_MISMATCH_ERROR,
            "an operand is no bool",
        )?;
        self.push(TypeId::BOOL)
    }

    pub(super) fn not(&mut self) -> VerifierResult {
        let operand = self.pop()?;
        self.require(
            operand == TypeId::BOOL,
            StatusCode::BOOLEAN_OP_TYPE_MISMATCH_ERROR,
            "the operand is no bool",
        )?;
        self.push(TypeId::BOOL)
    }

    /// References count as what they are: two of one kind to one type are fine, whatever the type's abilities.
    pub(super) fn equality(&mut self) -> VerifierResult {
        let right = self.pop()?;
        let left = self.pop()?;
        let abilities = self.abilities(left);
        self.require(
            left == right && abilities.has_drop(),
            StatusCode::EQUALITY_OP_TYPE_MISMATCH_ERROR,
            "the operands differ in type, or lack drop",
        )?;
        self.push(TypeId::BOOL)
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    fn binary(left: &str, right: &str, op: &str) -> String {
        format!(
            "fun f<T: drop>(a: {left}, b: {right})\n move_loc a\n move_loc b\n {op}\n pop\n ret\n"
        )
    }

    #[test]
    fn accepts() {
        for op in ["add", "sub", "mul", "mod", "div", "lt", "ge"] {
            accept(&binary("u256", "u256", op));
            accept(&binary("i16", "i16", op));
        }
        for op in ["bit_or", "bit_and", "xor"] {
            accept(&binary("u8", "u8", op));
        }
        accept(&binary("u128", "u8", "shl"));
        accept(&binary("bool", "bool", "and"));
        accept(&binary("&mut u64", "&mut u64", "neq"));
        accept(&binary("T", "T", "eq"));
        accept("fun f(a: i8): u256\n move_loc a\n negate\n cast_u256\n ret\n");
        accept(
            "struct N\n x: u64\nfun f(a: &N, b: &N): bool\n move_loc a\n move_loc b\n eq\n ret\n",
        );
    }

    #[test]
    fn rejects() {
        refuse(&binary("u64", "u8", "add"), 1056, 2);
        refuse(&binary("bool", "bool", "sub"), 1056, 2);
        refuse(&binary("i64", "i64", "xor"), 1056, 2);
        refuse(&binary("i64", "u8", "shl"), 1056, 2);
        refuse(&binary("u64", "u64", "shr"), 1056, 2);
        refuse(&binary("address", "address", "lt"), 1056, 2);
        refuse("fun f(a: u8)\n move_loc a\n negate\n pop\n ret\n", 1056, 1);
        refuse(
            "fun f(a: bool)\n move_loc a\n cast_u8\n pop\n ret\n",
            1056,
            1,
        );
        refuse(&binary("bool", "u8", "or"), 1057, 2);
        refuse("fun f(a: u8)\n move_loc a\n not\n pop\n ret\n", 1057, 1);
        refuse(&binary("&u64", "&mut u64", "eq"), 1058, 2);
        refuse(&binary("&u64", "u64", "eq"), 1058, 2);
        refuse(
            "fun f<T>(a: T, b: T): bool\n move_loc a\n move_loc b\n eq\n ret\n",
            1058,
            2,
        );
        refuse("fun f(a: u64)\n move_loc a\n br_true x\n x: ret\n", 1025, 1);
        refuse("fun f()\n ld_true\n abort\n", 1026, 1);
        refuse(
            "fun f(m: vector<u8>)\n ld_u64 1\n ld_u64 1\n abort_msg\n",
            1026,
            2,
        );
    }
}
