//! Our own standard library, framework and bank, as compiled modules inside the program.

/// A module of the project: its name and its bytes.
pub type Embedded = (&'static str, &'static [u8]);

macro_rules! modules {
    ($group:literal: $($name:ident)*) => {
        &[$((
            stringify!($name),
            include_bytes!(concat!("bytecode/v8/", $group, "/", stringify!($name), ".mv")),
        )),*]
    };
}

/// The standard library, at `0x1`.
pub const STD: &[Embedded] = modules!("std":
    acl bcs bit_vector cmp comparator error fixed_point32 fixed_point64 hash math128 math64 math_fixed64 mem option
    signer simple_map string vector);

/// The framework, at `0x1`.
pub const FRAMEWORK: &[Embedded] = modules!("framework":
    account any aptos_hash block capability chain_id code copyable_any create_signer event from_bcs genesis native_coin
    object string_utils system_address table table_with_length timestamp transaction_validation type_info);

/// The bank of the built-in example, at `0xcafe`.
pub const BANK: Embedded = ("bank", include_bytes!("bytecode/v8/examples/bank.mv"));

/// Standard library and framework.
pub fn std_and_framework() -> impl Iterator<Item = Embedded> {
    STD.iter().chain(FRAMEWORK).copied()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_embedded() {
        for (group, table) in [("std", STD), ("framework", FRAMEWORK)] {
            let dir = format!("{}/bytecode/v8/{group}", env!("CARGO_MANIFEST_DIR"));
            let names = std::fs::read_dir(dir)
                .unwrap()
                .map(|entry| entry.unwrap().file_name());
            let mut names = names
                .map(|name| name.into_string().unwrap())
                .collect::<Vec<_>>();
            names.retain(|name| name.ends_with(".mv"));
            names.sort();
            let embedded = table
                .iter()
                .map(|(name, _)| format!("{name}.mv"))
                .collect::<Vec<_>>();
            assert_eq!(names, embedded);
        }
    }
}
