//! The syntax tree: what the text says, with places for messages, names not yet resolved.

use crate::diagnostic::Span;
use ethnum::U256;
use monomove_format::{AbilitySet, AccessKind, FunctionAttribute, SignatureToken, Visibility};

/// A word and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: Span,
}

/// An address: a number, or a name given to one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Address<'a> {
    Number(U256),
    Alias(Name<'a>),
}

/// A module by its full name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModuleName<'a> {
    pub(crate) address: Address<'a>,
    pub(crate) name: Name<'a>,
}

/// `f`, `m::f`, `a::m::f` or `0x1::m::f`.
#[derive(Clone, Debug)]
pub(crate) struct Path<'a> {
    pub(crate) address: Option<U256>,
    pub(crate) parts: Vec<Name<'a>>,
    pub(crate) at: Span,
}

/// A type.
#[derive(Clone, Debug)]
pub(crate) enum Type<'a> {
    /// A type without parts.
    Primitive(SignatureToken, Span),
    Vector(Box<Type<'a>>),
    /// A reference; mutable or not.
    Reference(bool, Box<Type<'a>>),
    /// A function type and its place.
    Function(Vec<Type<'a>>, Vec<Type<'a>>, AbilitySet, Span),
    /// A type parameter, struct or enum.
    Named(Path<'a>, Option<Vec<Type<'a>>>),
    /// `#3`: a type parameter by its position (extension).
    Parameter(u16),
}

/// A type parameter of anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeParameter<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) constraints: AbilitySet,
    pub(crate) is_phantom: bool,
}

/// A field, parameter or local.
#[derive(Clone, Debug)]
pub(crate) struct Binding<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) type_: Type<'a>,
}

/// What a struct or enum consists of.
#[derive(Clone, Debug)]
pub(crate) enum Fields<'a> {
    Native,
    Struct(Vec<Binding<'a>>),
    Enum(Vec<(Name<'a>, Vec<Binding<'a>>)>),
}

/// A struct or enum.
#[derive(Clone, Debug)]
pub(crate) struct Struct<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) type_parameters: Vec<TypeParameter<'a>>,
    pub(crate) abilities: AbilitySet,
    pub(crate) fields: Fields<'a>,
}

/// What a function accesses (extension).
#[derive(Clone, Debug)]
pub(crate) struct Access<'a> {
    pub(crate) kind: AccessKind,
    pub(crate) negated: bool,
    pub(crate) resource: AccessResource<'a>,
    pub(crate) address: AccessAddress<'a>,
    pub(crate) at: Span,
}

/// What is referred to, or `#7`: an index that is taken as it is. Readers do not check those of access specifiers.
#[derive(Clone, Debug)]
pub(crate) enum Reference<T> {
    Named(T),
    Index(u16),
}

/// Which resources.
#[derive(Clone, Debug)]
pub(crate) enum AccessResource<'a> {
    Any,
    Address(Reference<U256>),
    Module(Reference<ModuleName<'a>>),
    Struct(Reference<Path<'a>>, Option<Reference<Vec<Type<'a>>>>),
}

/// At which address.
#[derive(Clone, Debug)]
pub(crate) enum AccessAddress<'a> {
    Any,
    Literal(Reference<U256>),
    Local(Local<'a>),
    Call(Reference<(Path<'a>, Vec<Type<'a>>)>, Local<'a>),
}

/// A local by name or number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Local<'a> {
    Name(Name<'a>),
    Number(u8),
}

/// Name, type parameters, parameters, results and so on of a function.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) attributes: Vec<(FunctionAttribute, Span)>,
    pub(crate) type_parameters: Vec<TypeParameter<'a>>,
    pub(crate) parameters: Vec<Binding<'a>>,
    pub(crate) results: Vec<Type<'a>>,
    pub(crate) access: Option<Vec<Access<'a>>>,
}

/// A function with its code.
#[derive(Clone, Debug)]
pub(crate) struct Function<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) header: Header<'a>,
    pub(crate) is_entry: bool,
    pub(crate) visibility: Visibility,
    pub(crate) is_native: bool,
    pub(crate) acquires: Vec<Name<'a>>,
    pub(crate) locals: Vec<Binding<'a>>,
    pub(crate) labels: Vec<(Name<'a>, usize)>,
    pub(crate) code: Vec<Instruction<'a>>,
}

/// An instruction.
#[derive(Clone, Debug)]
pub(crate) struct Instruction<'a> {
    pub(crate) mnemonic: Name<'a>,
    pub(crate) arguments: Vec<Argument<'a>>,
}

/// An argument of an instruction.
#[derive(Clone, Debug)]
pub(crate) enum Argument<'a> {
    Value(Value, Span),
    Bytes(Vec<u8>, Span),
    Path(Path<'a>, Option<Vec<Type<'a>>>),
    /// `<T>`; more or fewer types than one are an extension.
    Types(Vec<Type<'a>>, Span),
}

/// A literal.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Magnitude, and whether there is a minus sign.
    Number(U256, bool),
    Vector(Vec<Value>),
}

/// An entry of a table that is made when its line is reached (extension): it fixes the order of the tables, and keeps
/// entries that nothing refers to.
#[derive(Clone, Debug)]
pub(crate) enum PoolEntry<'a> {
    Identifier(Name<'a>),
    Address(U256),
    Module(ModuleName<'a>),
    Struct(Path<'a>),
    Function(Path<'a>),
    Signature(Vec<Type<'a>>),
    Constant(Type<'a>, ConstantData),
    /// What an instruction with these operands refers to.
    Operand(Instruction<'a>),
}

/// What a constant holds.
#[derive(Clone, Debug)]
pub(crate) enum ConstantData {
    Value(Value, Span),
    Bytes(Vec<u8>),
}

/// A module or script.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unit<'a> {
    pub(crate) addresses: Vec<(Name<'a>, U256)>,
    /// `None` for a script.
    pub(crate) module: Option<ModuleName<'a>>,
    pub(crate) uses: Vec<(ModuleName<'a>, Name<'a>)>,
    pub(crate) friends: Vec<ModuleName<'a>>,
    pub(crate) extern_structs: Vec<(ModuleName<'a>, Struct<'a>)>,
    pub(crate) extern_functions: Vec<(ModuleName<'a>, Name<'a>, Header<'a>)>,
    pub(crate) metadata: Vec<(Vec<u8>, Vec<u8>, Span)>,
    pub(crate) pools: Vec<(PoolEntry<'a>, Span)>,
    pub(crate) structs: Vec<Struct<'a>>,
    pub(crate) functions: Vec<Function<'a>>,
    /// The line that says `module` or `script`.
    pub(crate) at: Span,
}
