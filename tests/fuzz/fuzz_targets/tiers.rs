#![no_main]
use monomove_tests::fuzz::Tiers;
use std::sync::LazyLock;

static TIERS: LazyLock<Tiers> = LazyLock::new(|| Tiers::load().expect("the corpora"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    TIERS.run(bytes);
});
