#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| monomove_tests::fuzz::module(bytes));
