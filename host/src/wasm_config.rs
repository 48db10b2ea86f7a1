//! The wasmtime settings of the sandbox. Included by the build script too, which precompiles the guest under them: code is only accepted
//! by an engine whose settings are the same.

/// Everything but what depends on `Limits`; those settings (the stack limit) do not change the code.
pub(crate) fn wasm_config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        // Gas is metered by the machine itself; the epoch is the outer watchdog alone.
        .consume_fuel(false)
        .epoch_interruption(true)
        // Backtraces would be collected on every abort, for nobody to read.
        .wasm_backtrace_max_frames(None)
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable)
        .generate_address_map(false)
        .debug_info(false)
        // Nothing unwinds through guest frames; only Windows cannot do without.
        .native_unwind_info(cfg!(windows))
        // One result on every machine, whatever the guest computes with.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        // The host maps images of its own into memories that it makes itself (`memory.rs`); wasmtime cannot do the same in those.
        .memory_init_cow(false)
        // What neither the core nor generated code uses stays out.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .concurrency_support(false)
        .cranelift_opt_level(wasmtime::OptLevel::Speed);
    config
}
