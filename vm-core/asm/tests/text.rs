//! The grammar: what is read, what is refused and how that is said.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use monomove_asm::{Options, Unit, assemble, disassemble_masm};
use monomove_format::{
    Bytecode, ClosureMask, CompiledModule, FunctionAttribute, I256Bytes, SignatureToken, U256Bytes,
    Visibility,
};

fn options(version: u32) -> Options<'static> {
    Options {
        version,
        dependencies: &[],
    }
}

fn module(version: u32, source: &str) -> CompiledModule {
    match assemble(source, &options(version)) {
        Ok(Unit::Module(module)) => *module,
        Ok(Unit::Script(_)) => panic!("a script"),
        Err(errors) => panic!("{errors}\n{source}"),
    }
}

fn code(version: u32, lines: &str) -> Vec<Bytecode> {
    let source = format!("module 0x1::m\nfun f()\n{lines}\n");
    let module = module(version, &source);
    module.function_defs[0].code.clone().unwrap().code
}

/// The messages with their places.
fn errors(version: u32, source: &str) -> Vec<String> {
    let errors = assemble(source, &options(version)).unwrap_err();
    errors
        .iter()
        .map(|e| format!("{}:{}: {}", e.line, e.column, e.message))
        .collect()
}

#[test]
fn literals_of_all_widths() {
    let big = [0xff; 32];
    let source = format!(
        "ld_u8 0xFF\nld_u16 65535\nld_u32 4294967295\nld_u64 18446744073709551615\nld_u128 {}\nLD_U256 0x{}\n\
         ld_i8 -128\nld_i16 -1\nld_i32 -0\nld_i64 -9223372036854775808\nld_i128 5\nld_i256 -1",
        u128::MAX,
        "f".repeat(64)
    );
    assert_eq!(
        code(9, &source),
        [
            Bytecode::LdU8(255),
            Bytecode::LdU16(65535),
            Bytecode::LdU32(u32::MAX),
            Bytecode::LdU64(u64::MAX),
            Bytecode::LdU128(u128::MAX),
            Bytecode::LdU256(U256Bytes(big)),
            Bytecode::LdI8(-128),
            Bytecode::LdI16(-1),
            Bytecode::LdI32(0),
            Bytecode::LdI64(i64::MIN),
            Bytecode::LdI128(5),
            Bytecode::LdI256(I256Bytes(big)),
        ]
    );
    for bad in [
        "ld_u8 256",
        "ld_u8 -1",
        "ld_i8 128",
        "ld_i8 -129",
        "ld_u64 [1]",
        "ld_u64",
        "ld_u64 x",
        "ld_u64 1 2",
        "ld_u64 1, 2",
        "ld_u64 - 1",
        "ld_u64 -",
        "pop 1",
        "pop_",
        "ld_const 5",
        "ld_const<u64> [5]",
        "ld_const<bool> 2",
        "ld_const<vector<u8>> 5",
        "ld_const<vector<u8>> [256]",
        "ld_const<signer> 1",
        "ld_const<u64, u64> 1",
        "copy_loc x",
        "copy_loc 256",
        "branch nowhere",
        "branch 65536",
        "call g",
        "call 0x2::m::f",
        "call n::f",
        "pack S",
        "pack 0x1::m::S",
        "vec_len u8",
        "x y",
        "a::b::c::d::e",
    ] {
        let source = format!("module 0x1::m\nfun f()\n    {bad}\n    ret\n");
        let errors = errors(9, &source);
        assert_eq!(errors.len(), 1, "{bad}: {errors:?}");
        assert!(errors[0].starts_with("3:"), "{bad}: {errors:?}");
    }
}

#[test]
fn constants_are_bcs() {
    let module = module(
        9,
        "module 0x1::m\nfun f()\n    ld_const<bool> 1\n    ld_const<address> 0x10\n    \
         ld_const<vector<vector<u16>>>, [[], [1, 0x203]]\n    ld_const<i16> -2\n    ld_const <u8> 7\n    \
         ld_const<u64> x\"0102\"\n    ld_const<vector<u8>> []\n    ld_const<u8> 7\n",
    );
    let constants: Vec<_> = module.constant_pool.iter().map(|c| &c.data[..]).collect();
    let mut address = [0; 32];
    address[31] = 16;
    assert_eq!(
        constants,
        [
            &[1][..],
            &address,
            &[2, 0, 2, 1, 0, 3, 2],
            &[0xfe, 0xff],
            &[7],
            &[1, 2],
            &[0]
        ]
    );
    let text = disassemble_masm(&module);
    assert!(text.contains("ld_const<i16> -2\n"), "{text}");
    assert!(text.contains("ld_const<u64> x\"0102\"\n"), "{text}");
}

#[test]
fn headers() {
    let source = "\
// a comment
address Me = 0xcafe
address You = 2
module Me::m
use You::n as other
use 0x1::option

friend You::n
friend Me::$x
struct S<phantom T: copy+drop, U> has key + store
  a: vector<U>
  b: |&mut U, (|u8|u8 has drop)|(u8, bool) has copy+store

enum E
  A
  B
    f: ||
    g: |u8|(|u8|)
#[persistent, pack_variant(65537)] entry public fun f<T: store>(x: &mut S<u8, T>): (u8, &u8) acquires S, E
    local y: (||u64 has drop)
    abort_msg
friend native fun n()
friend fun bodyless(): ()
";
    let module = module(10, source);
    assert_eq!(module.self_id().to_string(), "0xcafe::m");
    let friends: Vec<_> = module.immediate_friends();
    assert_eq!(friends[0].to_string(), "0x2::n");
    assert_eq!(friends[1].to_string(), "0xcafe::$x");
    let f = &module.function_defs[0];
    assert!(f.is_entry && f.visibility == Visibility::Public);
    assert_eq!(f.acquires_global_resources.len(), 2);
    let handle = module.function_handle_at(f.function);
    let attributes = [
        FunctionAttribute::Persistent,
        FunctionAttribute::PackVariant(1),
    ];
    assert_eq!(handle.attributes, attributes);
    assert!(module.function_defs[1].is_native() && module.function_defs[2].is_native());
    assert_eq!(module.function_defs[1].visibility, Visibility::Friend);
    let text = disassemble_masm(&module);
    let Ok(Unit::Module(again)) = assemble(&text, &options(10)) else {
        panic!("{text}");
    };
    assert_eq!(disassemble_masm(&again), text);
}

#[test]
fn function_types_bind_as_written() {
    let source = "\
module 0x1::m
fun f(a: |u8|u16 has copy, b: |u8||u16|u32 has drop, c: |(|u8|), u8|, d: &(|u8| has key), e: |u8| has store)
    ret
";
    use SignatureToken as T;
    let module = module(8, source);
    let types = &module.signatures[0].0;
    let set = |name: &str| {
        monomove_format::Ability::ALL
            .into_iter()
            .find(|a| a.name() == name)
            .map(monomove_format::AbilitySet::singleton)
            .unwrap()
    };
    let none = monomove_format::AbilitySet::EMPTY;
    assert_eq!(
        types[0],
        T::Function(vec![T::U8], vec![T::U16], set("copy"))
    );
    let inner = T::Function(vec![T::U16], vec![T::U32], set("drop"));
    assert_eq!(types[1], T::Function(vec![T::U8], vec![inner], none));
    let inner = T::Function(vec![T::U8], vec![], none);
    assert_eq!(types[2], T::Function(vec![inner, T::U8], vec![], none));
    let inner = T::Function(vec![T::U8], vec![], set("key"));
    assert_eq!(types[3], T::Reference(Box::new(inner)));
    assert_eq!(types[4], T::Function(vec![T::U8], vec![], set("store")));
}

#[test]
fn labels() {
    let expected = [
        Bytecode::Branch(2),
        Bytecode::Nop,
        Bytecode::BrTrue(0),
        Bytecode::BrFalse(5),
        Bytecode::Branch(77),
    ];
    assert_eq!(
        code(
            8,
            "a: branch b\n    nop\nb:\n    br_true a\n  br_false end\n branch 77\nend:"
        ),
        expected
    );
    // Labels, locals and instructions do not get in each other's way.
    let source = "module 0x1::m\nfun f(fun: u8)\n    local local: u8\n    local: copy_loc fun\n    st_loc local\n    branch local\n";
    assert_eq!(
        module(8, source).function_defs[0]
            .code
            .clone()
            .unwrap()
            .code,
        [
            Bytecode::CopyLoc(0),
            Bytecode::StLoc(1),
            Bytecode::Branch(0)
        ]
    );
}

#[test]
fn what_other_modules_define() {
    let dependency = module(
        8,
        "module 0x2::d\nstruct P<T: copy> has drop\n  x: T\n\n#[persistent] public fun g<T: copy>(x: &P<T>): vector<P<u8>>\n    abort\n",
    );
    let source = "module 0x1::m\nuse 0x2::d\nfun f(x: d::P<u64>)\n    borrow_loc x\n    call d::g<u64>\n    pack_closure 0x2::d::g<u8>, 0\n    ret\n";
    let dependencies = [dependency];
    let options = Options {
        version: 8,
        dependencies: &dependencies,
    };
    let Ok(Unit::Module(module)) = assemble(source, &options) else {
        panic!("refused");
    };
    assert!(module.check_bounds().is_ok());
    let handle = &module.function_handles[1];
    assert_eq!(handle.attributes, [FunctionAttribute::Persistent]);
    assert_eq!(handle.type_parameters.len(), 1);
    assert_eq!(module.struct_handles.len(), 1);
    assert!(module.struct_handles[0].abilities.has_drop());
    // Without the dependency the text says what is missing, a listing says it itself.
    assert!(errors(8, source)[0].contains("`0x2::d::P` is not known"));
    let text = disassemble_masm(&module);
    assert!(text.contains("extern struct 0x2::d::P<T0: copy> has drop\n"));
    assert!(
        text.contains(
            "#[persistent] extern fun 0x2::d::g<T0: copy>(&d::P<T0>): vector<d::P<u8>>\n"
        )
    );
    assert!(assemble(&text, &self::options(8)).is_ok());
}

#[test]
fn names_that_are_words_elsewhere() {
    let source = "\
module 0x1::mut
use 0x2::has as u8
use 0x3::m
use 0x4::m as m_1
extern struct 0x2::has::vector
extern struct 0x3::m::S
extern struct 0x4::m::S
extern struct 0x1::mut::T0 has drop
extern fun 0x4::m::`<SELF>`(u8::vector, `mut`::T0)
struct `u8`<T>
  struct: `u8`<T>
  x: T0

struct `mut`
  fun: & u8::vector
  has: &mut `mut`
  m: |u8|m_1::S has drop
  m: || has drop

enum local
  local
    local: m::S
fun fun(local: &`mut`)
    call m_1::`<SELF>`
    pack mut
    borrow_field mut, m
    borrow_field mut, 3
    pack_variant local, local
    borrow_variant_field local, local::local
    borrow_variant_field local, 7, local
";
    let built = module(8, source);
    let text = disassemble_masm(&built);
    let again = module(8, &text);
    assert_eq!(disassemble_masm(&again), text);
    assert!(text.contains("use 0x4::m as m_1\n"), "{text}");
    assert!(text.contains("struct u8<T_0>\n"), "{text}");
    assert!(text.contains("  struct: `u8`<T_0>\n  x: T0\n"), "{text}");
    assert_eq!(again.function_defs, built.function_defs);
}

#[test]
fn access_and_metadata() {
    let source = "\
module 0x1::m
extern fun 0x2::o::at(&signer): address access(not writes any at #0)
metadata \"key\" x\"00ff\"
metadata x\"22\" \"text\"
native struct R<T> has key
fun f(x: address, y: &signer) acquires R access(reads struct R<u8> at x, writes struct R at 0x2::o::at<>(y), reads module 0x2::o, not reads address 0x5 at 0x6, reads any at m::f<>(x), reads address #9 at address #8, reads module #7 at fun #6(x), reads struct #5, writes struct R #4, reads struct #3<u8> at #2)
    ret
";
    let built = module(8, source);
    let handle = &built.function_handles[0];
    assert_eq!(handle.access_specifiers.as_ref().unwrap().len(), 10);
    let other = &built.function_handles[1];
    assert!(other.access_specifiers.as_ref().unwrap()[0].negated);
    assert_eq!(built.metadata[1].key, b"\"");
    let text = disassemble_masm(&built);
    let again = module(8, &text);
    assert_eq!(disassemble_masm(&again), text);
    assert_eq!(again.metadata, built.metadata);
    assert_eq!(
        again.function_handles[0]
            .access_specifiers
            .as_ref()
            .unwrap()[5..9],
        handle.access_specifiers.as_ref().unwrap()[5..9]
    );
    let bytes = built.serialize().unwrap();
    assert_eq!(CompiledModule::deserialize(&bytes).unwrap(), built);
}

#[test]
fn invalid_modules_are_made() {
    let source = "\
module 0x1::m
struct S has key
  a: S
  a: &mut u64

struct S
enum E
fun f(x: u8): u64
    local y: #7
    move_loc y
    add
    borrow_field S, 200
    pack E
    unpack_variant E, 3
    borrow_variant_field E, 9
    call f<u8>
    vec_len <>
    st_loc 255
    pack_closure f, 18446744073709551615
fun f()
l0:
";
    let built = module(8, source);
    assert_eq!(built.struct_defs.len(), 3);
    assert_eq!(built.function_defs.len(), 2);
    let f = built.function_defs[0].code.as_ref().unwrap();
    assert_eq!(f.code.len(), 10);
    assert!(matches!(
        f.code[9],
        Bytecode::PackClosure(_, ClosureMask(u64::MAX))
    ));
    let empty = built.function_defs[1].code.as_ref().unwrap();
    assert!(empty.code.is_empty());
    assert!(built.check_bounds().is_err());
}

#[test]
fn versions() {
    for (version, line) in [
        (6, "ld_u16 1"),
        (6, "vec_len <u32>"),
        (7, "test_variant E, A"),
        (8, "pack_closure f, 0"),
        (8, "vec_len <||>"),
        (9, "ld_i8 1"),
        (9, "vec_len <i8>"),
        (9, "negate"),
        (10, "abort_msg"),
    ] {
        let enum_ = if version == 7 { "enum E\n  A\n" } else { "" };
        let source = format!("module 0x1::m\n{enum_}fun f()\n    {line}\n");
        let before = errors(version - 1, &source);
        let message = &before[before.len() - 1];
        assert!(
            message.contains(&format!("need binary version {version}")),
            "{line}: {message}"
        );
        assert!(module(version, &source).serialize().is_ok());
    }
    assert!(errors(4, "script")[0].contains("from 5 to 11"));
    assert!(errors(12, "script")[0].contains("from 5 to 11"));
    assert_eq!(
        errors(7, "module 0x1::m\n#[persistent] fun f()\n"),
        ["2:3: functions with this attribute need binary version 8, this is version 7"]
    );
    assert!(errors(8, "module 0x1::m\nfun $f()\n")[0].contains("names with `$`"));
}

#[test]
fn several_errors_in_one_text() {
    let source = "\
module 0x1::m
struct S
  a u64
  b: x::T
fun f(x: u64: bool
    local y: u8
    pop
fun g()
    pop
    borrow_field S,
    %
";
    assert_eq!(
        errors(8, source),
        [
            "3:5: expected `:`, found `u64`",
            "5:13: expected `,` or `)`, found `:`",
            "10:20: expected a name, a number, `[` or `<`, found end of line",
            "11:5: this character cannot begin a token",
        ]
    );
    let shown = assemble(source, &options(8)).unwrap_err().to_string();
    assert!(
        shown.starts_with("3:5: expected `:`, found `u64`\n 3 |   a u64\n   |     ^^^\n5:13:"),
        "{shown}"
    );
}

#[test]
fn scripts() {
    let script = "script\nfun main(x: u64)\n    ret\n";
    assert!(matches!(assemble(script, &options(8)), Ok(Unit::Script(_))));
    for bad in [
        "script\n",
        "script\nfun f()\n    ret\nfun g()\n    ret\n",
        "script\nstruct S\n  x: u8\nfun f()\n    ret\n",
        "script\nfun f(): u8\n    ret\n",
        "script\nfun f() acquires S\n    ret\n",
        "script\nfun f()\n",
        "script\nnative fun f()\n",
        "script\n#[persistent] fun f()\n    ret\n",
        "script\nfun f()\n    call f\n",
        "script\nfun f()\n    pack S\n",
        "script\nfriend 0x1::m\nfun f()\n    ret\n",
        "",
        "\n\n// nothing\n",
        "modul 0x1::m",
        "module 1 ::",
        "module 0x1::_",
    ] {
        assert!(!errors(8, bad).is_empty(), "{bad}");
    }
}
