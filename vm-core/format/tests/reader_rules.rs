//! The rules of the reader, each with the status it is refused with (binary-format spec §2 to §10).

mod common;

use common::binary::*;
use monomove_format::{
    CompiledModule, CompiledScript, DeserializerConfig, FunctionAttribute, SignatureToken,
    VERSION_MAX, Visibility,
};

const OK: u64 = 0;
const OUT_OF_BOUNDS: u64 = 1001;
const MALFORMED: u64 = 3001;

#[test]
fn magic_and_version() {
    let good = Binary::module(8).bytes();
    let version = |word: u32| [&good[..4], &word.to_le_bytes(), &good[8..]].concat();
    let cases: &[(&str, Vec<u8>, u64)] = &[
        ("whole", good.clone(), OK),
        ("empty", vec![], 3002),
        ("short magic", good[..3].to_vec(), 3002),
        (
            "other magic",
            [b"\xa1\x1c\xeb\x0c", &good[4..]].concat(),
            3002,
        ),
        ("magic only", good[..4].to_vec(), MALFORMED),
        ("short version", good[..7].to_vec(), MALFORMED),
        ("version only", good[..8].to_vec(), MALFORMED),
        ("version 0", version(0), 3003),
        ("mask alone", version(0x0a00_0000), 3003),
        ("masked 8", version(0x0a00_0008), OK),
        ("half the mask", version(0x0200_0008), OK),
        ("other flavour", version(0x0100_0008), 3003),
        ("version 10", version(10), OK),
        ("version 11", version(11), 3003),
        ("bytes after the end", [&good[..], &[1, 2, 3]].concat(), OK),
        (
            "without the tail",
            good[..good.len() - 1].to_vec(),
            MALFORMED,
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(
            status(CompiledModule::deserialize(bytes)),
            *expected,
            "{name}"
        );
    }
    let config = DeserializerConfig::new(100, 255);
    assert_eq!(
        status(CompiledModule::deserialize_with(
            &version(VERSION_MAX),
            &config
        )),
        OK
    );
    assert_eq!(
        status(CompiledModule::deserialize_with(
            &version(VERSION_MAX + 1),
            &config
        )),
        3003
    );
    let config = DeserializerConfig::new(6, 255);
    assert_eq!(
        status(CompiledModule::deserialize_with(&version(7), &config)),
        3003
    );
}

#[test]
fn version_words_are_written_with_the_mask_from_7_on() {
    for version in 5..=VERSION_MAX {
        let written = Binary::module(version).read().unwrap().serialize().unwrap();
        assert_eq!(written[7], if version < 7 { 0 } else { 0x0a });
    }
    for version in [1, 2, 3, 4] {
        let module = Binary::module(version).read().unwrap();
        assert_eq!(status(module.serialize()), 3003);
    }
}

#[test]
fn table_headers() {
    let header = |headers: &[u8], contents: usize| {
        let mut bytes = Binary::module(8).bytes()[..8].to_vec();
        bytes.extend(headers);
        bytes.extend(vec![0; contents]);
        bytes
    };
    let cases: &[(&str, Vec<u8>, u64)] = &[
        ("no tables", header(&[0], 1), 1068),
        ("too many tables", header(&[0x80, 2], 900), MALFORMED),
        (
            "count not in its shortest form",
            header(&[0x80, 0], 1),
            MALFORMED,
        ),
        ("headers cut short", header(&[1, 8, 0], 0), MALFORMED),
        ("kind 0", header(&[1, 0, 0, 32], 32), 3004),
        ("kind 9", header(&[1, 9, 0, 32], 32), 3004),
        ("kind 0x15", header(&[1, 0x15, 0, 32], 32), 3004),
        ("kind 0x80", header(&[1, 0x80, 0, 32], 32), 3004),
        ("first table not at 0", header(&[1, 8, 1, 32], 40), 3008),
        ("gap", header(&[2, 8, 0, 32, 5, 33, 1], 40), 3008),
        ("overlap", header(&[2, 8, 0, 32, 5, 31, 1], 40), 3008),
        ("empty table", header(&[2, 8, 0, 32, 5, 32, 0], 40), 3008),
        ("longer than the binary", header(&[1, 8, 0, 64], 32), 3008),
        (
            "longer than the contents",
            header(&[1, 8, 0, 33], 32),
            MALFORMED,
        ),
        (
            "sum overflows 32 bits",
            header(
                &[
                    2, 8, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 5, 0xff, 0xff, 0xff, 0xff, 0x0f, 9,
                ],
                9,
            ),
            3008,
        ),
        (
            "offset above 32 bits",
            header(&[1, 8, 0x80, 0x80, 0x80, 0x80, 0x10, 1], 9),
            MALFORMED,
        ),
        ("kind twice", header(&[2, 8, 0, 32, 8, 32, 32], 64), 3010),
        (
            "contents of a table cut",
            header(&[1, 8, 0, 31], 32),
            MALFORMED,
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(
            status(CompiledModule::deserialize(bytes)),
            *expected,
            "{name}"
        );
    }
}

#[test]
fn tables_stand_in_any_order() {
    let mut binary = Binary::module(8);
    let expected = binary.read().unwrap();
    binary.tables.reverse();
    assert_eq!(binary.read(), Ok(expected.clone()));
    // The headers may also be in another order than the contents.
    let mut bytes = binary.bytes();
    bytes[9..9 + 12].rotate_left(3);
    assert_eq!(CompiledModule::deserialize(&bytes), Ok(expected));
}

#[test]
fn tables_by_version() {
    for (kind, contents, first) in [
        (0x0f, vec![0, 0], 2),
        (METADATA, vec![1, b'k', 0], 5),
        (0x11, vec![0, 0, 1, 0], 7),
        (0x12, vec![0, 0], 7),
        (0x13, vec![0, 0], 7),
        (0x14, vec![0, 0], 7),
    ] {
        for version in 1..=VERSION_MAX {
            let got = status(Binary::module(version).with(kind, contents.clone()).read());
            if version < first {
                assert_eq!(got, MALFORMED, "table {kind} in version {version}");
            } else {
                assert_ne!(got, MALFORMED, "table {kind} in version {version}");
            }
        }
    }
}

#[test]
fn types() {
    let nested = |depth: usize| [vec![1], vec![0x0a; depth - 1], vec![2]].concat();
    let cases: &[(&str, Vec<u8>, u64)] = &[
        ("no types", vec![0], OK),
        ("count without types", vec![1], MALFORMED),
        ("255 types", [vec![0xff, 1], vec![2; 255]].concat(), OK),
        (
            "256 types",
            [vec![0x80, 2], vec![2; 256]].concat(),
            MALFORMED,
        ),
        ("byte 0", vec![1, 0], 3006),
        ("byte 0x17", vec![1, 0x17], 3006),
        ("byte 0x80", vec![1, 0x80], 3006),
        ("nested 256 deep", nested(256), OK),
        ("nested 257 deep", nested(257), MALFORMED),
        ("reference in a vector", vec![1, 0x0a, 6, 2], OK),
        ("vector of nothing", vec![1, 0x0a], MALFORMED),
        ("type parameter 65535", vec![1, 9, 0xff, 0xff, 3], OK),
        ("type parameter 65536", vec![1, 9, 0x80, 0x80, 4], 2000),
        ("type parameter 65537", vec![1, 9, 0x81, 0x80, 4], MALFORMED),
        ("struct 65536", vec![1, 8, 0x80, 0x80, 4], MALFORMED),
        ("struct 0", vec![1, 8, 0], OUT_OF_BOUNDS),
        (
            "instantiation without arguments",
            vec![1, 0x0b, 0, 0],
            MALFORMED,
        ),
        (
            "instantiation of struct 0",
            vec![1, 0x0b, 0, 1, 2],
            OUT_OF_BOUNDS,
        ),
        ("function type", vec![1, 0x10, 15, 1, 1, 2, 3], OK),
        (
            "function type with ability 16",
            vec![1, 0x10, 16, 1, 1, 2, 3],
            MALFORMED,
        ),
        (
            "function type cut short",
            vec![1, 0x10, 0, 1, 1, 2],
            MALFORMED,
        ),
        (
            "256 parameters",
            [vec![1, 0x10, 0, 0x80, 2, 0], vec![2; 256]].concat(),
            MALFORMED,
        ),
    ];
    for (name, table, expected) in cases {
        let got = Binary::module(10).with(SIGNATURES, table.clone()).read();
        assert_eq!(status(got.clone()), *expected, "{name}");
        if let Ok(module) = got {
            let written = module.serialize().unwrap();
            assert_eq!(CompiledModule::deserialize(&written), Ok(module), "{name}");
        }
    }
    for (byte, first) in (1..=0x16u8).map(|byte| match byte {
        0x0d..=0x0f => (byte, 6),
        0x10 => (byte, 8),
        0x11..=0x16 => (byte, 9),
        _ => (byte, 1),
    }) {
        for version in 1..=VERSION_MAX {
            let operands: &[u8] = match byte {
                6 | 7 | 0x0a => &[2],
                8 => &[0],
                9 => &[0],
                0x0b => &[0, 1, 2],
                0x10 => &[0, 0, 0],
                _ => &[],
            };
            let table = [&[1, byte][..], operands].concat();
            let got = status(Binary::module(version).with(SIGNATURES, table).read());
            let expected = match byte {
                _ if version < first => MALFORMED,
                8 | 0x0b => OUT_OF_BOUNDS,
                _ => OK,
            };
            assert_eq!(got, expected, "type {byte:#x} in version {version}");
        }
    }
}

#[test]
fn identifiers_constants_and_metadata() {
    let name = |text: &[u8]| [vec![1, b'm'], vec![text.len() as u8], text.to_vec()].concat();
    let long = |length: usize| {
        let mut table = vec![];
        uleb(&mut table, length);
        table.extend(vec![b'a'; length]);
        table
    };
    let metadata = |key: usize, value: usize| {
        let mut table = vec![];
        for length in [key, value] {
            uleb(&mut table, length);
            table.extend(vec![1; length]);
        }
        table
    };
    let constant = |length: usize| {
        let mut table = vec![0x0a, 2];
        uleb(&mut table, length);
        table.extend(vec![1; length]);
        table
    };
    let cases: &[(&str, u32, u8, Vec<u8>, u64)] = &[
        ("name", 8, IDENTIFIERS, name(b"a_1"), OK),
        ("empty name", 8, IDENTIFIERS, name(b""), MALFORMED),
        ("lone underscore", 8, IDENTIFIERS, name(b"_"), MALFORMED),
        ("lone dollar", 9, IDENTIFIERS, name(b"$"), MALFORMED),
        ("digit first", 8, IDENTIFIERS, name(b"1a"), MALFORMED),
        (
            "not ASCII",
            8,
            IDENTIFIERS,
            name("aé".as_bytes()),
            MALFORMED,
        ),
        ("not UTF-8", 8, IDENTIFIERS, name(b"a\xff"), MALFORMED),
        ("self", 5, IDENTIFIERS, name(b"<SELF>_0"), OK),
        (
            "self without digits",
            5,
            IDENTIFIERS,
            name(b"<SELF>_"),
            MALFORMED,
        ),
        (
            "dollar in version 8",
            8,
            IDENTIFIERS,
            name(b"a$b"),
            MALFORMED,
        ),
        ("dollar in version 9", 9, IDENTIFIERS, name(b"a$b"), OK),
        ("dollar first", 9, IDENTIFIERS, name(b"$a"), OK),
        ("255 characters", 8, IDENTIFIERS, long(255), OK),
        ("256 characters", 8, IDENTIFIERS, long(256), MALFORMED),
        ("name cut short", 8, IDENTIFIERS, vec![2, b'm'], MALFORMED),
        ("longest metadata", 8, METADATA, metadata(1023, 65535), OK),
        ("key too long", 8, METADATA, metadata(1024, 0), MALFORMED),
        ("value too long", 8, METADATA, metadata(0, 65536), MALFORMED),
        ("longest constant", 8, CONSTANTS, constant(65535), OK),
        (
            "constant too long",
            8,
            CONSTANTS,
            constant(65536),
            MALFORMED,
        ),
        ("constant cut short", 8, CONSTANTS, vec![2, 1], MALFORMED),
        ("address cut short", 8, ADDRESSES, vec![0; 33], MALFORMED),
    ];
    for (name, version, kind, table, expected) in cases {
        let got = Binary::module(*version).with(*kind, table.clone()).read();
        assert_eq!(status(got), *expected, "{name}");
    }
    let binary = Binary::module(8).with(IDENTIFIERS, long(60_000));
    let legacy = DeserializerConfig::new(8, DeserializerConfig::LEGACY_MAX_IDENTIFIER_SIZE);
    assert_eq!(
        status(CompiledModule::deserialize_with(&binary.bytes(), &legacy)),
        OK
    );
}

#[test]
fn structs() {
    let handle = |rest: &[u8]| Binary::module(8).with(STRUCT_HANDLES, [&[0, 0], rest].concat());
    let definition = |version, table: &[u8]| {
        Binary::module(version)
            .with(STRUCT_HANDLES, [0, 0, 0, 0])
            .with(STRUCT_DEFS, table)
    };
    let variants = |count: u8| {
        let mut table = vec![0, 3, count];
        table.extend([0, 0].repeat(count.into()));
        table
    };
    let cases: &[(&str, Binary, u64)] = &[
        ("all abilities", handle(&[15, 0]), OK),
        ("ability 16", handle(&[16, 0]), MALFORMED),
        ("parameter", handle(&[0, 1, 7, 1]), OK),
        (
            "ability 16 of a parameter",
            handle(&[0, 1, 16, 1]),
            MALFORMED,
        ),
        ("phantom 2", handle(&[0, 1, 7, 2]), MALFORMED),
        (
            "256 parameters",
            handle(&[&[0, 0x80, 2][..], &[0; 512]].concat()),
            MALFORMED,
        ),
        ("native", definition(8, &[0, 1]), OK),
        ("no fields", definition(8, &[0, 2, 0]), OK),
        ("one field", definition(8, &[0, 2, 1, 0, 2]), OK),
        ("field cut short", definition(8, &[0, 2, 1, 0]), MALFORMED),
        (
            "256 fields",
            definition(8, &[&[0, 2, 0x80, 2][..], &[0, 2].repeat(256)].concat()),
            MALFORMED,
        ),
        ("flag 0", definition(8, &[0, 0]), 3014),
        ("flag 4", definition(8, &[0, 4]), 3014),
        ("enum in version 6", definition(6, &variants(1)), MALFORMED),
        ("enum in version 7", definition(7, &variants(1)), OK),
        ("no variants", definition(8, &variants(0)), 1130),
        ("127 variants", definition(8, &variants(127)), OK),
        (
            "128 variants",
            definition(8, &[&[0, 3, 0x80, 1][..], &[0; 256]].concat()),
            MALFORMED,
        ),
    ];
    for (name, binary, expected) in cases {
        assert_eq!(status(binary.read()), *expected, "{name}");
    }
    // Version 1: kinds instead of abilities; before version 3: no phantom byte.
    let old = |version, rest: &[u8]| {
        status(
            Binary::module(version)
                .with(STRUCT_HANDLES, [&[0, 0], rest].concat())
                .read(),
        )
    };
    assert_eq!(old(1, &[1, 3, 1, 2, 3]), OK);
    assert_eq!(old(1, &[2, 0]), OK);
    assert_eq!(old(1, &[3, 0]), 3013);
    assert_eq!(old(1, &[2, 1, 4]), 3013);
    assert_eq!(old(2, &[3, 1, 7]), OK);
    assert_eq!(old(3, &[3, 1, 7]), MALFORMED);
}

#[test]
fn function_definitions() {
    let definition = |version, visibility: u8, flags: u8| {
        let mut table = vec![0, visibility, flags, 0];
        if flags & 2 == 0 {
            table.extend([0, 1, 2]);
        }
        Binary::module(version)
            .with_code(0, &[])
            .with(FUNCTION_DEFS, table)
            .read()
    };
    for (version, visibility, flags, expected) in [
        (5, 0, 0, OK),
        (5, 1, 4, OK),
        (5, 3, 6, OK),
        (5, 2, 0, MALFORMED),
        (8, 4, 0, MALFORMED),
        (8, 0, 1, 3025),
        (8, 0, 8, 3025),
        (8, 0, 0x80, 3025),
        (4, 2, 0, OK),
        (4, 0, 2, OK),
        (4, 0, 4, 3025),
        (2, 3, 0, OK),
    ] {
        let got = definition(version, visibility, flags);
        assert_eq!(
            status(got.clone()),
            expected,
            "{version} {visibility} {flags}"
        );
        if let Ok(module) = got {
            let function = &module.function_defs[0];
            assert_eq!(function.is_native(), flags & 2 != 0);
            assert_eq!(function.is_entry, flags & 4 != 0 || visibility == 2);
            let expected = [
                Visibility::Private,
                Visibility::Public,
                Visibility::Public,
                Visibility::Friend,
            ];
            assert_eq!(function.visibility, expected[usize::from(visibility)]);
            if version >= 5 {
                assert_eq!(
                    CompiledModule::deserialize(&module.serialize().unwrap()),
                    Ok(module)
                );
            }
        }
    }
    // Version 1 has one byte for both.
    for (flags, expected) in [(0, OK), (1, OK), (4, 3025)] {
        let binary = Binary::module(1)
            .with_code(0, &[])
            .with(FUNCTION_DEFS, [0, flags, 0, 0, 1, 2]);
        assert_eq!(status(binary.read()), expected);
    }
    let acquires = |count: usize| {
        let mut table = vec![0, 0, 2];
        uleb(&mut table, count);
        table.extend(vec![0; count]);
        status(
            Binary::module(8)
                .with_code(0, &[])
                .with(FUNCTION_DEFS, table)
                .read(),
        )
    };
    assert_eq!(acquires(255), OUT_OF_BOUNDS);
    assert_eq!(acquires(256), MALFORMED);
}

#[test]
fn access_specifiers_and_attributes() {
    let handle = |version, rest: &[u8]| {
        Binary::module(version)
            .with(FUNCTION_HANDLES, [&[0, 0, 0, 0, 0], rest].concat())
            .read()
    };
    let specifiers = |count: u8| [vec![2, count], [1, 1, 1, 1].repeat(count.into())].concat();
    let cases: &[(&str, u32, Vec<u8>, u64)] = &[
        ("nothing in version 6", 6, vec![], OK),
        ("none", 7, vec![1], OK),
        ("empty", 7, vec![2, 0], OK),
        ("option 0", 7, vec![0], MALFORMED),
        ("option 3", 7, vec![3, 0], MALFORMED),
        ("64 specifiers", 7, specifiers(64), OK),
        ("65 specifiers", 7, specifiers(65), MALFORMED),
        ("old kind", 7, vec![2, 1, 3, 1, 1, 1], MALFORMED),
        ("negated", 7, vec![2, 1, 2, 2, 1, 1], OK),
        ("boolean 0", 7, vec![2, 1, 2, 0, 1, 1], MALFORMED),
        ("boolean 3", 7, vec![2, 1, 2, 3, 1, 1], MALFORMED),
        (
            "unchecked indices",
            7,
            vec![
                2, 4, 1, 1, 2, 99, 1, 1, 1, 3, 99, 1, 1, 1, 4, 99, 1, 1, 1, 5, 99, 99, 2, 99,
            ],
            OK,
        ),
        ("resource 0", 7, vec![2, 1, 1, 1, 0, 1], MALFORMED),
        ("resource 6", 7, vec![2, 1, 1, 1, 6, 1], MALFORMED),
        ("parameter", 7, vec![2, 1, 1, 1, 1, 3, 200, 1, 1], OK),
        (
            "function of a parameter",
            7,
            vec![2, 1, 1, 1, 1, 3, 0, 2, 99],
            OK,
        ),
        (
            "parameter 256",
            7,
            vec![2, 1, 1, 1, 1, 3, 0x80, 2, 1],
            MALFORMED,
        ),
        ("address 4", 7, vec![2, 1, 1, 1, 1, 4], MALFORMED),
        ("no attributes", 8, vec![1, 0], OK),
        ("repeated attributes", 8, vec![1, 3, 2, 1, 2], OK),
        ("16 attributes", 8, [vec![1, 16], vec![1; 16]].concat(), OK),
        (
            "17 attributes",
            8,
            [vec![1, 17], vec![1; 17]].concat(),
            MALFORMED,
        ),
        ("attribute 0", 11, vec![1, 1, 0], MALFORMED),
        ("attribute 0x0c", 11, vec![1, 1, 0x0c], MALFORMED),
        ("operand cut short", 10, vec![1, 1, 4, 7], 3017),
        ("operands", 10, vec![1, 3, 4, 1, 2, 8, 0, 0, 3], OK),
    ];
    for (name, version, rest, expected) in cases {
        let got = handle(*version, rest);
        assert_eq!(status(got.clone()), *expected, "{name}");
        if let Ok(module) = got {
            let written = module.serialize().unwrap();
            assert_eq!(CompiledModule::deserialize(&written), Ok(module), "{name}");
        }
    }
    for byte in 1..=0x0bu8 {
        let first = match byte {
            1 | 2 => 8,
            3..=9 => 10,
            _ => 11,
        };
        for version in 8..=VERSION_MAX {
            let has_operand = matches!(byte, 4 | 6..=9);
            let rest = if has_operand {
                vec![1, 1, byte, 0, 1]
            } else {
                vec![1, 1, byte]
            };
            let got = status(handle(version, &rest));
            assert_eq!(
                got,
                if version < first { MALFORMED } else { OK },
                "{byte} in {version}"
            );
        }
    }
    let module = handle(10, &[1, 1, 4, 1, 2]).unwrap();
    assert_eq!(
        module.function_handles[0].attributes,
        [FunctionAttribute::PackVariant(0x201)]
    );
}

/// The first version whose reader accepts an opcode.
fn first_version(opcode: u8) -> u32 {
    match opcode {
        0x40..=0x47 => 4,
        0x48..=0x4d => 6,
        0x54 | 0x55 => 1,
        0x4e..=0x57 => 7,
        0x58..=0x5a => 8,
        0x5b..=0x67 => 9,
        0x68 => 10,
        _ => 1,
    }
}

#[test]
fn instructions_by_version() {
    // Zeroes are operands enough for every instruction.
    for opcode in 1..=0x68u8 {
        for version in 1..=VERSION_MAX {
            let mut instructions = vec![opcode];
            instructions.extend([0; 40]);
            let got = Binary::module(version).with_code(1, &instructions).read();
            // Other errors may follow, as the zeroes go on to be more functions.
            let refused = got.as_ref().is_err_and(|error| {
                error.status.number() == MALFORMED
                    && error.message.contains("instruction does not exist")
            });
            assert_eq!(
                refused,
                version < first_version(opcode),
                "{opcode:#x} in {version}: {got:?}"
            );
        }
    }
    for opcode in [0, 0x69, 0x80, 0xff] {
        for version in [5, 10] {
            assert_eq!(
                status(Binary::module(version).with_code(1, &[opcode]).read()),
                3007
            );
        }
    }
    // Not gated, but there is nothing that it could refer to.
    assert_eq!(
        status(Binary::module(6).with_code(1, &[0x54, 0]).read()),
        OUT_OF_BOUNDS
    );
}

#[test]
fn operands_cut_short() {
    for (opcode, width, expected) in [
        (0x31, 1, MALFORMED),
        (0x48, 2, 3017),
        (0x49, 4, 3018),
        (0x06, 8, 3019),
        (0x32, 16, 3020),
        (0x4a, 32, 3021),
        (0x5b, 1, MALFORMED),
        (0x5c, 2, 3017),
        (0x5d, 4, 3018),
        (0x5e, 8, 3019),
        (0x5f, 16, 3020),
        (0x60, 32, 3021),
    ] {
        let code = |length: usize| {
            let instructions = [vec![opcode], vec![0xff; length]].concat();
            Binary::module(10).with_code(1, &instructions).read()
        };
        assert_eq!(status(code(width - 1)), expected, "{opcode:#x}");
        let module = code(width).unwrap();
        let written = module.serialize().unwrap();
        assert_eq!(CompiledModule::deserialize(&written), Ok(module));
    }
    for (name, instructions, expected) in [
        ("local without index", &[0x0a][..], MALFORMED),
        ("local 256", &[0x0a, 0x80, 2], MALFORMED),
        ("local 0", &[0x0a, 0], OUT_OF_BOUNDS),
        ("branch 65536", &[0x05, 0x80, 0x80, 4], MALFORMED),
        ("branch to itself", &[0x05, 0], OK),
        ("branch past the end", &[0x05, 1], OUT_OF_BOUNDS),
        ("vector count cut short", &[0x40, 0, 1, 2], 3019),
        (
            "vector count",
            &[0x40, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            OK,
        ),
        (
            "closure mask",
            &[
                0x58, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            OK,
        ),
        (
            "closure mask too long",
            &[
                0x58, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
            ],
            MALFORMED,
        ),
        (
            "number not in its shortest form",
            &[0x05, 0x80, 0],
            MALFORMED,
        ),
        ("no instruction", &[], MALFORMED),
    ] {
        let got = status(Binary::module(8).with_code(1, instructions).read());
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn scripts() {
    for version in 1..=VERSION_MAX {
        let binary = Binary::script(version);
        let script = binary.read_script().unwrap();
        if (5..7).contains(&version) {
            assert_eq!(script.serialize().unwrap(), binary.bytes());
        }
        if version >= 5 {
            let config = DeserializerConfig::new(VERSION_MAX, 255);
            let written = script.serialize().unwrap();
            assert_eq!(
                CompiledScript::deserialize_with(&written, &config),
                Ok(script)
            );
        }
    }
    let base = Binary::script(8);
    let tail = |tail: &[u8]| Binary {
        tail: tail.to_vec(),
        ..base.clone()
    };
    for kind in (0x0a..=0x14).filter(|&kind| kind != METADATA) {
        let got = base.clone().with(kind, [0, 0]).read_script();
        assert_eq!(status(got), MALFORMED, "table {kind}");
    }
    for (name, binary, expected) in [
        ("type parameter", tail(&[1, 7, 0, 1, 0, 1, 2]), OK),
        ("ability 16", tail(&[1, 16, 0, 1, 0, 1, 2]), MALFORMED),
        (
            "access specifiers",
            tail(&[0, 0, 2, 1, 1, 1, 1, 1, 0, 1, 2]),
            OK,
        ),
        (
            "parameters out of range",
            tail(&[0, 1, 1, 0, 1, 2]),
            OUT_OF_BOUNDS,
        ),
        (
            "locals out of range",
            tail(&[0, 0, 1, 1, 1, 2]),
            OUT_OF_BOUNDS,
        ),
        ("code cut short", tail(&[0, 0, 1, 0, 2, 2]), MALFORMED),
        ("nothing", tail(&[]), MALFORMED),
        (
            "struct of a module",
            tail(&[0, 0, 1, 0, 1, 0x12, 0]),
            OUT_OF_BOUNDS,
        ),
    ] {
        assert_eq!(status(binary.read_script()), expected, "{name}");
    }
}

#[test]
fn a_declared_count_does_not_allocate() {
    // 65535 instructions and 65535 bytes declared, nothing there.
    let definition = [0, 0, 0, 0, 0, 0xff, 0xff, 3];
    let binary = Binary::module(8)
        .with_code(0, &[])
        .with(FUNCTION_DEFS, definition);
    assert_eq!(status(binary.read()), MALFORMED);
    let binary = Binary::module(8).with(CONSTANTS, [2, 0xff, 0xff, 3]);
    assert_eq!(status(binary.read()), MALFORMED);
}

#[test]
fn deep_types_can_be_dropped_and_compared() {
    let table = [vec![1], vec![0x0a; 255], vec![2]].concat();
    let module = Binary::module(8).with(SIGNATURES, table).read().unwrap();
    let token = &module.signatures[0].0[0];
    assert_eq!(token.preorder().count(), SignatureToken::MAX_NESTING);
    assert_eq!(token.clone(), *token);
}
