//! The smallest embedding: a state from `.mv` files, one call in the sandbox, the result.
//!
//! `cargo run --release -p monomove --example embed`

use monomove::{
    Access, Call, Engine, Limits, MemoryState, Outcome, Sandbox, StateCommit, TransactionOutcome,
};
use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    // The engine is made once per process; clones of it are cheap.
    let engine = Engine::new(Limits::default())?;
    println!("engine {}", engine.version_hash());

    let mut state = MemoryState::new();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/golden/bytecode/v8/arith.mv"
    );
    let module = state.insert_module(fs::read(path)?)?;

    let call = Call {
        module,
        function: "add_u8".parse()?,
        ty_args: vec![],
        signers: vec![],
        // Each argument in BCS: a `u8` is its byte.
        args: vec![vec![23], vec![44]],
        access: Access::Any,
        gas_limit: 1_000_000,
        txn_hash: [0; 32],
    };
    let mut sandbox = Sandbox::new(&engine);
    match sandbox.execute(&call, &state)? {
        TransactionOutcome::Kept(output) => {
            match &output.outcome {
                Outcome::Returned { values, .. } => println!("returned {values:?}"),
                Outcome::Failed(failure) => println!("failed: {failure:?}"),
            }
            println!("gas {}", output.gas_used);
            // Nothing has changed so far.
            state.commit(&output.writes)?;
        }
        TransactionOutcome::Discarded(failure) => println!("refused: {failure:?}"),
        TransactionOutcome::SandboxFault(fault) => println!("{fault}"),
    }
    Ok(())
}
