#![no_main]
#[path = "../host.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod host;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::transaction_json(bytes));
