//! Pieces of the JSON form: bytes as hexadecimal text, large numbers as decimal text.

/// Reads `0x` and pairs of hexadecimal digits.
fn parse<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| E::custom("bytes begin with 0x"))?;
    hex::decode(digits).map_err(E::custom)
}

/// Bytes, of any or of a fixed number.
pub(super) mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    pub(crate) fn deserialize<'de, B: TryFrom<Vec<u8>>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        let bytes = super::parse(&text)?;
        let len = bytes.len();
        B::try_from(bytes).map_err(|_| {
            serde::de::Error::custom(format_args!("{len} bytes are not as many as needed"))
        })
    }
}

/// A list of byte strings.
pub(super) mod hex_list {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        list: &[Vec<u8>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|bytes| format!("0x{}", hex::encode(bytes))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| super::parse(text)).collect()
    }
}

/// A number as text.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::fmt::Display;
    use std::str::FromStr;

    pub(crate) fn serialize<S: Serializer>(
        number: &impl Display,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, N: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<N, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
