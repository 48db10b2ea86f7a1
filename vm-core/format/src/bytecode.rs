//! Instructions: one table gives the type, the opcodes, the first versions, the mnemonics and the codec (binary-format
//! spec §10).

use crate::index::*;
use crate::operand::{Fixed, OperandCodec, Uleb};
use crate::reader::BinaryReader;
use crate::{FormatError, SignatureIndex};

/// The body of a function or script.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CodeUnit {
    /// Types of the locals after the parameters.
    pub locals: SignatureIndex,
    /// The instructions.
    pub code: Vec<Bytecode>,
}

/// A `u256` literal: 32 bytes, little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct U256Bytes(pub [u8; 32]);

/// An `i256` literal: 32 bytes, little endian, two's complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct I256Bytes(pub [u8; 32]);

macro_rules! instructions {
    ($(
        $(#[$doc:meta])*
        $name:ident $(($($codec:ident $operand:ty),+))? = $opcode:literal, since $since:literal, $word:literal;
    )*) => {
        /// An instruction. Branch targets are instruction indices.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Bytecode {
            $($(#[$doc])* $name $(($($operand),+))?,)*
        }

        impl Bytecode {
            /// The byte that stands for the instruction in a binary.
            pub const fn opcode(&self) -> u8 {
                match self {
                    $(instructions!(@any $name $(($($operand),+))?) => $opcode,)*
                }
            }

            /// The assembler's word for the instruction; that of a generic instruction is that of the plain one.
            pub const fn mnemonic(&self) -> &'static str {
                match self {
                    $(instructions!(@any $name $(($($operand),+))?) => $word,)*
                }
            }

            /// The first binary version whose reader accepts the opcode; `None` for an unknown opcode.
            pub(crate) const fn first_version(opcode: u8) -> Option<u32> {
                match opcode {
                    $($opcode => Some($since),)*
                    _ => None,
                }
            }

            /// Reads the operands of a known opcode; `None` for an unknown one.
            pub(crate) fn read_operands(
                opcode: u8,
                reader: &mut BinaryReader<'_>,
            ) -> Result<Option<Self>, FormatError> {
                Ok(Some(match opcode {
                    $($opcode => Self::$name $(($(<$codec as OperandCodec<$operand>>::read(reader)?),+))?,)*
                    _ => return Ok(None),
                }))
            }

            /// Appends the opcode and the operands.
            pub(crate) fn write(&self, out: &mut Vec<u8>) {
                out.push(self.opcode());
                match self {
                    $(instructions!(@bind $name $(($($operand),+))? a b) =>
                        instructions!(@write out $(($($codec $operand),+))? a b),)*
                }
            }
        }
    };
    (@any $name:ident) => { Self::$name };
    (@any $name:ident ($($operand:ty),+)) => { Self::$name(..) };
    (@bind $name:ident $a:ident $b:ident) => { Self::$name };
    (@bind $name:ident ($o:ty) $a:ident $b:ident) => { Self::$name($a) };
    (@bind $name:ident ($o:ty, $p:ty) $a:ident $b:ident) => { Self::$name($a, $b) };
    (@write $out:ident $a:ident $b:ident) => { {} };
    (@write $out:ident ($c:ident $o:ty) $a:ident $b:ident) => { <$c as OperandCodec<$o>>::write($a, $out) };
    (@write $out:ident ($c:ident $o:ty, $d:ident $p:ty) $a:ident $b:ident) => {{
        <$c as OperandCodec<$o>>::write($a, $out);
        <$d as OperandCodec<$p>>::write($b, $out);
    }};
}

instructions! {
    /// Drops the top value.
    Pop = 0x01, since 1, "pop";
    /// Returns; the results are on the stack.
    Ret = 0x02, since 1, "ret";
    /// Jumps if the popped boolean is true.
    BrTrue(Uleb CodeOffset) = 0x03, since 1, "br_true";
    /// Jumps if the popped boolean is false.
    BrFalse(Uleb CodeOffset) = 0x04, since 1, "br_false";
    /// Jumps.
    Branch(Uleb CodeOffset) = 0x05, since 1, "branch";
    /// Pushes a literal `u64`.
    LdU64(Fixed u64) = 0x06, since 1, "ld_u64";
    /// Pushes a constant of the pool.
    LdConst(Uleb ConstantPoolIndex) = 0x07, since 1, "ld_const";
    /// Pushes `true`.
    LdTrue = 0x08, since 1, "ld_true";
    /// Pushes `false`.
    LdFalse = 0x09, since 1, "ld_false";
    /// Pushes a copy of a local.
    CopyLoc(Uleb LocalIndex) = 0x0A, since 1, "copy_loc";
    /// Moves a local to the stack.
    MoveLoc(Uleb LocalIndex) = 0x0B, since 1, "move_loc";
    /// Pops a value into a local.
    StLoc(Uleb LocalIndex) = 0x0C, since 1, "st_loc";
    /// Pushes `&mut` to a local.
    MutBorrowLoc(Uleb LocalIndex) = 0x0D, since 1, "mut_borrow_loc";
    /// Pushes `&` to a local.
    ImmBorrowLoc(Uleb LocalIndex) = 0x0E, since 1, "borrow_loc";
    /// `&mut s.field`
    MutBorrowField(Uleb FieldHandleIndex) = 0x0F, since 1, "mut_borrow_field";
    /// `&s.field`
    ImmBorrowField(Uleb FieldHandleIndex) = 0x10, since 1, "borrow_field";
    /// Calls a function.
    Call(Uleb FunctionHandleIndex) = 0x11, since 1, "call";
    /// Makes a struct of its fields.
    Pack(Uleb StructDefinitionIndex) = 0x12, since 1, "pack";
    /// Takes a struct apart.
    Unpack(Uleb StructDefinitionIndex) = 0x13, since 1, "unpack";
    /// Pops a reference, pushes a copy of what it points to.
    ReadRef = 0x14, since 1, "read_ref";
    /// Pops a reference, then the value to write through it.
    WriteRef = 0x15, since 1, "write_ref";
    /// `a + b`
    Add = 0x16, since 1, "add";
    /// `a - b`
    Sub = 0x17, since 1, "sub";
    /// `a * b`
    Mul = 0x18, since 1, "mul";
    /// `a % b`
    Mod = 0x19, since 1, "mod";
    /// `a / b`
    Div = 0x1A, since 1, "div";
    /// `a | b`
    BitOr = 0x1B, since 1, "bit_or";
    /// `a & b`
    BitAnd = 0x1C, since 1, "bit_and";
    /// `a ^ b`
    Xor = 0x1D, since 1, "xor";
    /// `a || b`, both evaluated.
    Or = 0x1E, since 1, "or";
    /// `a && b`, both evaluated.
    And = 0x1F, since 1, "and";
    /// `!a`
    Not = 0x20, since 1, "not";
    /// `a == b`
    Eq = 0x21, since 1, "eq";
    /// `a != b`
    Neq = 0x22, since 1, "neq";
    /// `a < b`
    Lt = 0x23, since 1, "lt";
    /// `a > b`
    Gt = 0x24, since 1, "gt";
    /// `a <= b`
    Le = 0x25, since 1, "le";
    /// `a >= b`
    Ge = 0x26, since 1, "ge";
    /// Aborts with the popped code.
    Abort = 0x27, since 1, "abort";
    /// Nothing.
    Nop = 0x28, since 1, "nop";
    /// Whether a resource exists at the popped address.
    Exists(Uleb StructDefinitionIndex) = 0x29, since 1, "exists";
    /// `&mut` to a resource.
    MutBorrowGlobal(Uleb StructDefinitionIndex) = 0x2A, since 1, "mut_borrow_global";
    /// `&` to a resource.
    ImmBorrowGlobal(Uleb StructDefinitionIndex) = 0x2B, since 1, "borrow_global";
    /// Takes a resource out of storage.
    MoveFrom(Uleb StructDefinitionIndex) = 0x2C, since 1, "move_from";
    /// Puts a resource into storage under the signer.
    MoveTo(Uleb StructDefinitionIndex) = 0x2D, since 1, "move_to";
    /// Turns `&mut` into `&`.
    FreezeRef = 0x2E, since 1, "freeze_ref";
    /// `a << n`
    Shl = 0x2F, since 1, "shl";
    /// `a >> n`
    Shr = 0x30, since 1, "shr";
    /// Pushes a literal `u8`.
    LdU8(Fixed u8) = 0x31, since 1, "ld_u8";
    /// Pushes a literal `u128`.
    LdU128(Fixed u128) = 0x32, since 1, "ld_u128";
    /// Converts an integer to `u8`, preserving the value.
    CastU8 = 0x33, since 1, "cast_u8";
    /// Converts an integer to `u64`, preserving the value.
    CastU64 = 0x34, since 1, "cast_u64";
    /// Converts an integer to `u128`, preserving the value.
    CastU128 = 0x35, since 1, "cast_u128";
    /// [`Bytecode::MutBorrowField`] with type arguments.
    MutBorrowFieldGeneric(Uleb FieldInstantiationIndex) = 0x36, since 1, "mut_borrow_field";
    /// [`Bytecode::ImmBorrowField`] with type arguments.
    ImmBorrowFieldGeneric(Uleb FieldInstantiationIndex) = 0x37, since 1, "borrow_field";
    /// [`Bytecode::Call`] with type arguments.
    CallGeneric(Uleb FunctionInstantiationIndex) = 0x38, since 1, "call";
    /// [`Bytecode::Pack`] with type arguments.
    PackGeneric(Uleb StructDefInstantiationIndex) = 0x39, since 1, "pack";
    /// [`Bytecode::Unpack`] with type arguments.
    UnpackGeneric(Uleb StructDefInstantiationIndex) = 0x3A, since 1, "unpack";
    /// [`Bytecode::Exists`] with type arguments.
    ExistsGeneric(Uleb StructDefInstantiationIndex) = 0x3B, since 1, "exists";
    /// [`Bytecode::MutBorrowGlobal`] with type arguments.
    MutBorrowGlobalGeneric(Uleb StructDefInstantiationIndex) = 0x3C, since 1, "mut_borrow_global";
    /// [`Bytecode::ImmBorrowGlobal`] with type arguments.
    ImmBorrowGlobalGeneric(Uleb StructDefInstantiationIndex) = 0x3D, since 1, "borrow_global";
    /// [`Bytecode::MoveFrom`] with type arguments.
    MoveFromGeneric(Uleb StructDefInstantiationIndex) = 0x3E, since 1, "move_from";
    /// [`Bytecode::MoveTo`] with type arguments.
    MoveToGeneric(Uleb StructDefInstantiationIndex) = 0x3F, since 1, "move_to";
    /// Makes a vector of this many elements.
    VecPack(Uleb SignatureIndex, Fixed u64) = 0x40, since 4, "vec_pack";
    /// Length of the vector behind the popped reference.
    VecLen(Uleb SignatureIndex) = 0x41, since 4, "vec_len";
    /// `&vector[i]`
    VecImmBorrow(Uleb SignatureIndex) = 0x42, since 4, "vec_borrow";
    /// `&mut vector[i]`
    VecMutBorrow(Uleb SignatureIndex) = 0x43, since 4, "vec_mut_borrow";
    /// Appends an element.
    VecPushBack(Uleb SignatureIndex) = 0x44, since 4, "vec_push_back";
    /// Removes the last element.
    VecPopBack(Uleb SignatureIndex) = 0x45, since 4, "vec_pop_back";
    /// Takes a vector of exactly this many elements apart.
    VecUnpack(Uleb SignatureIndex, Fixed u64) = 0x46, since 4, "vec_unpack";
    /// Swaps two elements.
    VecSwap(Uleb SignatureIndex) = 0x47, since 4, "vec_swap";
    /// Pushes a literal `u16`.
    LdU16(Fixed u16) = 0x48, since 6, "ld_u16";
    /// Pushes a literal `u32`.
    LdU32(Fixed u32) = 0x49, since 6, "ld_u32";
    /// Pushes a literal `u256`.
    LdU256(Fixed U256Bytes) = 0x4A, since 6, "ld_u256";
    /// Converts an integer to `u16`, preserving the value.
    CastU16 = 0x4B, since 6, "cast_u16";
    /// Converts an integer to `u32`, preserving the value.
    CastU32 = 0x4C, since 6, "cast_u32";
    /// Converts an integer to `u256`, preserving the value.
    CastU256 = 0x4D, since 6, "cast_u256";
    /// `&e.field` if the variant is one of the handle's.
    ImmBorrowVariantField(Uleb VariantFieldHandleIndex) = 0x4E, since 7, "borrow_variant_field";
    /// `&mut e.field` if the variant is one of the handle's.
    MutBorrowVariantField(Uleb VariantFieldHandleIndex) = 0x4F, since 7, "mut_borrow_variant_field";
    /// [`Bytecode::ImmBorrowVariantField`] with type arguments.
    ImmBorrowVariantFieldGeneric(Uleb VariantFieldInstantiationIndex) = 0x50, since 7, "borrow_variant_field";
    /// [`Bytecode::MutBorrowVariantField`] with type arguments.
    MutBorrowVariantFieldGeneric(Uleb VariantFieldInstantiationIndex) = 0x51, since 7, "mut_borrow_variant_field";
    /// Makes a variant of its fields.
    PackVariant(Uleb StructVariantHandleIndex) = 0x52, since 7, "pack_variant";
    /// [`Bytecode::PackVariant`] with type arguments.
    PackVariantGeneric(Uleb StructVariantInstantiationIndex) = 0x53, since 7, "pack_variant";
    // The reader does not gate these two by version: before version 7 there is no table they could refer to.
    /// Takes a variant apart; any other variant is an error.
    UnpackVariant(Uleb StructVariantHandleIndex) = 0x54, since 1, "unpack_variant";
    /// [`Bytecode::UnpackVariant`] with type arguments.
    UnpackVariantGeneric(Uleb StructVariantInstantiationIndex) = 0x55, since 1, "unpack_variant";
    /// Whether the enum behind the popped reference is of this variant.
    TestVariant(Uleb StructVariantHandleIndex) = 0x56, since 7, "test_variant";
    /// [`Bytecode::TestVariant`] with type arguments.
    TestVariantGeneric(Uleb StructVariantInstantiationIndex) = 0x57, since 7, "test_variant";
    /// Makes a closure over a function; the mask tells which parameters it captures.
    PackClosure(Uleb FunctionHandleIndex, Uleb ClosureMask) = 0x58, since 8, "pack_closure";
    /// [`Bytecode::PackClosure`] with type arguments.
    PackClosureGeneric(Uleb FunctionInstantiationIndex, Uleb ClosureMask) = 0x59, since 8, "pack_closure";
    /// Calls the closure on top of the stack, of the one type in the signature.
    CallClosure(Uleb SignatureIndex) = 0x5A, since 8, "call_closure";
    /// Pushes a literal `i8`.
    LdI8(Fixed i8) = 0x5B, since 9, "ld_i8";
    /// Pushes a literal `i16`.
    LdI16(Fixed i16) = 0x5C, since 9, "ld_i16";
    /// Pushes a literal `i32`.
    LdI32(Fixed i32) = 0x5D, since 9, "ld_i32";
    /// Pushes a literal `i64`.
    LdI64(Fixed i64) = 0x5E, since 9, "ld_i64";
    /// Pushes a literal `i128`.
    LdI128(Fixed i128) = 0x5F, since 9, "ld_i128";
    /// Pushes a literal `i256`.
    LdI256(Fixed I256Bytes) = 0x60, since 9, "ld_i256";
    /// Converts an integer to `i8`, preserving the value.
    CastI8 = 0x61, since 9, "cast_i8";
    /// Converts an integer to `i16`, preserving the value.
    CastI16 = 0x62, since 9, "cast_i16";
    /// Converts an integer to `i32`, preserving the value.
    CastI32 = 0x63, since 9, "cast_i32";
    /// Converts an integer to `i64`, preserving the value.
    CastI64 = 0x64, since 9, "cast_i64";
    /// Converts an integer to `i128`, preserving the value.
    CastI128 = 0x65, since 9, "cast_i128";
    /// Converts an integer to `i256`, preserving the value.
    CastI256 = 0x66, since 9, "cast_i256";
    /// `-a`
    Negate = 0x67, since 9, "negate";
    /// Aborts with the popped message and code.
    AbortMsg = 0x68, since 10, "abort_msg";
}

/// The assembler's word for an instruction: see [`Bytecode::mnemonic`].
pub const fn mnemonic(instruction: &Bytecode) -> &'static str {
    instruction.mnemonic()
}

impl Bytecode {
    /// Whether control never goes on to the next instruction.
    pub const fn is_unconditional_exit(&self) -> bool {
        matches!(
            self,
            Self::Ret | Self::Abort | Self::AbortMsg | Self::Branch(_)
        )
    }

    /// The first binary version that can hold the instruction.
    pub(crate) fn first_written_version(&self) -> u32 {
        match self {
            Self::UnpackVariant(_) | Self::UnpackVariantGeneric(_) => {
                crate::reader::structs::VERSION_ENUM
            }
            _ => Self::first_version(self.opcode()).unwrap_or(u32::MAX),
        }
    }

    /// The target of a branch.
    pub const fn branch_target(&self) -> Option<CodeOffset> {
        match self {
            Self::BrTrue(target) | Self::BrFalse(target) | Self::Branch(target) => Some(*target),
            _ => None,
        }
    }
}
