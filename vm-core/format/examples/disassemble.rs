//! Prints the listing of the module or script in a file.

use monomove_format::{CompiledModule, CompiledScript, disassemble, disassemble_script};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(path)?;
        let text = match CompiledModule::deserialize(&bytes) {
            Ok(module) => disassemble(&module),
            Err(error) => match CompiledScript::deserialize(&bytes) {
                Ok(script) => disassemble_script(&script),
                Err(_) => return Err(error.into()),
            },
        };
        print!("{text}");
    }
    Ok(())
}
