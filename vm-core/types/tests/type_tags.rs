//! Type tags: text both ways, bytes both ways, bounds; the codec by hand and serde must agree.

#![allow(clippy::unwrap_used, reason = "strategies are test code as well")]

use monomove_types::codec::CodecErrorKind;
use monomove_types::{
    AbilitySet, AccountAddress, FunctionParamOrReturnTag as Part, FunctionTag, Identifier,
    MAX_TEXT_NESTING, MAX_TYPE_TAG_NESTING, StateKey, StructTag, TagParseErrorKind as Kind,
    TypeTag,
};
use proptest::prelude::*;

#[test]
fn canonical_texts() {
    for text in [
        "bool",
        "u8",
        "u16",
        "u32",
        "u64",
        "u128",
        "u256",
        "i8",
        "i16",
        "i32",
        "i64",
        "i128",
        "i256",
        "address",
        "signer",
        "vector<vector<u8>>",
        "0x1::coin::CoinStore<0x1::aptos_coin::AptosCoin>",
        "0x1::m::P<u8, vector<0xcafe::a::B>, signer>",
        "||()",
        "|u64|(u64)",
        "|&u8, &mut 0x1::m::S<u8>, bool|(&u8, u64) has copy + drop",
        "||(||() has store) has copy + drop + store + key",
        "vector<|u8|()>",
        "|||()|()",
        "|||||()|()|()|(||())",
        "0x1::<SELF>::S",
        "0x1::m::pack$S",
    ] {
        let tag: TypeTag = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(tag.to_string(), text);
    }
}

#[test]
fn other_spellings() {
    for (text, canonical) in [
        (" vector < u8 > ", "vector<u8>"),
        ("0x0001::m::S<u8,u16>", "0x1::m::S<u8, u16>"),
        ("0xCAFE::m::S", "0xcafe::m::S"),
        ("|&  mut u8|()", "|&mut u8|()"),
        ("||() has store+copy", "||() has copy + store"),
        ("|u8|( )", "|u8|()"),
    ] {
        assert_eq!(
            text.parse::<TypeTag>().unwrap().to_string(),
            canonical,
            "{text}"
        );
    }
    let long = format!("0x{:064x}::m::S", 1);
    assert_eq!(long.parse::<TypeTag>().unwrap().to_string(), "0x1::m::S");
}

#[test]
fn refused_texts() {
    for (text, position, kind) in [
        ("", 0, Kind::ExpectedType),
        ("u7", 0, Kind::ExpectedType),
        ("u8 u8", 3, Kind::TrailingText),
        ("vector", 6, Kind::Expected("<")),
        ("vector<u8", 9, Kind::Expected(">")),
        ("vector<>", 7, Kind::ExpectedType),
        ("&u8", 0, Kind::MisplacedReference),
        ("vector<&u8>", 7, Kind::MisplacedReference),
        ("|&&u8|()", 2, Kind::MisplacedReference),
        ("0x::m::S", 0, Kind::InvalidAddress),
        ("0xfg::m::S", 0, Kind::InvalidAddress),
        ("0x1:m", 3, Kind::Expected("::")),
        ("0x1::m", 6, Kind::Expected("::")),
        ("0x1::1::S", 5, Kind::ExpectedIdentifier),
        ("0x1::m::S<>", 10, Kind::ExpectedType),
        ("0x1::m::S<u8,>", 13, Kind::ExpectedType),
        ("|u8|", 4, Kind::Expected("(")),
        ("|u8|u8", 4, Kind::Expected("(")),
        ("|u8,|()", 5, Kind::ExpectedType),
        ("||() has", 8, Kind::ExpectedAbility),
        ("||() has fly", 9, Kind::ExpectedAbility),
        ("é", 0, Kind::ExpectedType),
    ] {
        let error = text.parse::<TypeTag>().expect_err(text);
        assert_eq!((error.position, error.kind), (position, kind), "{text}");
    }
    assert_eq!(
        "u8".parse::<StructTag>().unwrap_err().kind,
        Kind::ExpectedStruct
    );
}

fn nested(depth: usize) -> TypeTag {
    (0..depth).fold(TypeTag::U8, |tag, _| TypeTag::Vector(Box::new(tag)))
}

#[test]
fn nesting_bounds() {
    let most = nested(MAX_TYPE_TAG_NESTING);
    let bytes = most.to_bcs().unwrap();
    assert_eq!(TypeTag::from_bcs(&bytes).as_ref(), Ok(&most));
    assert_eq!(bcs::to_bytes(&most).unwrap(), bytes);
    assert_eq!(bcs::from_bytes(&bytes), Ok(most));

    let over = nested(MAX_TYPE_TAG_NESTING + 1);
    assert!(over.to_bcs().is_err());
    assert!(bcs::to_bytes(&over).is_err());
    let bytes = [&[6], &bytes[..]].concat();
    assert_eq!(
        TypeTag::from_bcs(&bytes).unwrap_err().kind,
        CodecErrorKind::NestingTooDeep
    );
    assert!(bcs::from_bytes::<TypeTag>(&bytes).is_err());
    let bytes = vec![6; 1 << 20];
    assert_eq!(
        TypeTag::from_bcs(&bytes).unwrap_err().kind,
        CodecErrorKind::NestingTooDeep
    );

    let text = nested(MAX_TEXT_NESTING).to_string();
    assert!(text.parse::<TypeTag>().is_ok());
    let text = "vector<".repeat(100_000);
    assert_eq!(
        text.parse::<TypeTag>().unwrap_err().kind,
        Kind::NestingTooDeep
    );
    let text = "|".repeat(100_000);
    assert!(text.parse::<TypeTag>().is_err());
}

#[test]
fn known_bytes() {
    for (text, bytes) in [
        ("u16", &[8][..]),
        ("vector<i256>", &[6, 17]),
        (
            "|&u8, &mut u8|(u8) has copy",
            &[11, 2, 0, 1, 1, 1, 1, 2, 1, 1],
        ),
    ] {
        let tag: TypeTag = text.parse().unwrap();
        assert_eq!(tag.to_bcs().unwrap(), bytes);
        assert_eq!(TypeTag::from_bcs(bytes), Ok(tag));
    }
    for (bytes, kind) in [
        (&[18][..], CodecErrorKind::UnknownTag),
        (&[0x81, 0], CodecErrorKind::NonCanonicalUleb),
        (&[], CodecErrorKind::UnexpectedEnd),
        (&[0, 0], CodecErrorKind::TrailingBytes),
        (&[11, 0, 0, 16], CodecErrorKind::InvalidAbilities),
        (&[11, 1, 3, 0, 0, 0], CodecErrorKind::UnknownTag),
    ] {
        assert_eq!(
            TypeTag::from_bcs(bytes).unwrap_err().kind,
            kind,
            "{bytes:?}"
        );
        assert!(bcs::from_bytes::<TypeTag>(bytes).is_err(), "{bytes:?}");
    }
}

fn name() -> impl Strategy<Value = Identifier> {
    "[a-z][A-Za-z0-9_$]{0,6}".prop_map(|text| Identifier::new(text).unwrap())
}

fn type_tag() -> impl Strategy<Value = TypeTag> {
    let leaf = prop::sample::select(vec![
        TypeTag::Bool,
        TypeTag::U8,
        TypeTag::U16,
        TypeTag::U32,
        TypeTag::U64,
        TypeTag::U128,
        TypeTag::U256,
        TypeTag::I8,
        TypeTag::I16,
        TypeTag::I32,
        TypeTag::I64,
        TypeTag::I128,
        TypeTag::I256,
        TypeTag::Address,
        TypeTag::Signer,
    ]);
    leaf.prop_recursive(MAX_TYPE_TAG_NESTING as u32, 40, 3, |inner| {
        let part = (0..3, inner.clone()).prop_map(|(kind, tag)| match kind {
            0 => Part::Reference(tag),
            1 => Part::MutableReference(tag),
            _ => Part::Value(tag),
        });
        let parts = prop::collection::vec(part, 0..3);
        prop_oneof![
            inner.clone().prop_map(|tag| TypeTag::Vector(Box::new(tag))),
            (
                any::<[u8; 32]>(),
                name(),
                name(),
                prop::collection::vec(inner, 0..3)
            )
                .prop_map(|(address, module, name, type_args)| {
                    StructTag {
                        address: AccountAddress(address),
                        module,
                        name,
                        type_args,
                    }
                    .into()
                }),
            (parts.clone(), parts, 0..16u8).prop_map(|(args, results, bits)| {
                FunctionTag {
                    args,
                    results,
                    abilities: AbilitySet::from_u8(bits).unwrap(),
                }
                .into()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_and_bytes_round_trip(tag in type_tag()) {
        prop_assert_eq!(tag.to_string().parse::<TypeTag>(), Ok(tag.clone()));
        let bytes = tag.to_bcs().unwrap();
        prop_assert_eq!(&bcs::to_bytes(&tag).unwrap(), &bytes);
        prop_assert_eq!(TypeTag::from_bcs(&bytes), Ok(tag.clone()));
        prop_assert_eq!(bcs::from_bytes::<TypeTag>(&bytes), Ok(tag.clone()));
        let json = serde_json::to_string(&tag).unwrap();
        prop_assert_eq!(serde_json::from_str::<TypeTag>(&json).unwrap(), tag);
    }

    #[test]
    fn both_decoders_agree_on_any_bytes(bytes in prop::collection::vec(0..20u8, 0..60)) {
        prop_assert_eq!(TypeTag::from_bcs(&bytes).ok(), bcs::from_bytes::<TypeTag>(&bytes).ok());
    }

    #[test]
    fn decoders_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = TypeTag::from_bcs(&bytes);
        let _ = StructTag::from_bcs(&bytes);
        if let Ok(key) = StateKey::decode(&bytes) {
            prop_assert_eq!(key.encode(), bytes);
        }
    }

    #[test]
    fn the_parser_takes_any_text(text in "[a-z0-9x:<>|&(), +éS]{0,40}") {
        let _ = text.parse::<TypeTag>();
    }
}
