//! Disassembler: readable listings of modules and scripts. Robust on anything: an index out of range is shown as such,
//! and a listing has a greatest length, so that a small hostile module cannot ask for an endless one.

mod code;
mod constant;
mod instruction;
mod names;
mod text;

use crate::view::Tables;
use crate::{
    Bytecode, CompiledModule, CompiledScript, Constant, FieldDefinition, FunctionDefinition,
    FunctionDefinitionIndex, FunctionHandle, Metadata, Signature, SignatureToken, StructDefinition,
    StructFieldInformation, Visibility,
};
use code::CodeListing;
use instruction::Instruction;
use monomove_types::AbilitySet;
use names::{Names, join};
use std::fmt::{self, Write};
use text::{BoundedText, byte_string};
pub use text::{InstructionLine, Listing};

/// Greatest length of a listing in bytes; a longer one is cut and ends in `…`.
pub const MAX_LISTING: usize = 64 << 20;
/// Greatest length of one instruction, type or constant as text in bytes; a longer one is cut and ends in `…`.
pub const MAX_ITEM: usize = 4096;

/// The listing of a module.
pub fn disassemble(module: &CompiledModule) -> String {
    BoundedText::collect(MAX_LISTING, |out| ModuleListing::new(module).write(out))
}

/// The listing of a module, with the lines that show instructions.
pub fn disassemble_linked(module: &CompiledModule) -> Listing {
    BoundedText::collect_linked(MAX_LISTING, |out| ModuleListing::new(module).write(out))
}

/// The listing of a script.
pub fn disassemble_script(script: &CompiledScript) -> String {
    BoundedText::collect(MAX_LISTING, |out| script_listing(script, out))
}

/// The listing of a script, with the lines that show instructions.
pub fn disassemble_script_linked(script: &CompiledScript) -> Listing {
    BoundedText::collect_linked(MAX_LISTING, |out| script_listing(script, out))
}

/// One instruction of a module as text, with the names of what it refers to. Locals and branch targets are numbers.
pub fn instruction_to_string(module: &CompiledModule, instruction: &Bytecode) -> String {
    item(|out| Instruction::new(Names::new(module.into()), instruction).write(out))
}

/// One instruction of a script as text: see [`instruction_to_string`].
pub fn script_instruction_to_string(script: &CompiledScript, instruction: &Bytecode) -> String {
    item(|out| Instruction::new(Names::new(script.into()), instruction).write(out))
}

/// A type that a module names as text: `vector<Point<T0>>`. Structs of other modules have their full name.
pub fn signature_token_to_string(module: &CompiledModule, token: &SignatureToken) -> String {
    item(|out| Names::new(module.into()).token(out, token))
}

/// A type that a script names as text: see [`signature_token_to_string`].
pub fn script_signature_token_to_string(script: &CompiledScript, token: &SignatureToken) -> String {
    item(|out| Names::new(script.into()).token(out, token))
}

/// The value of a constant as text: `true`, `7`, `@0x1`, `b"text"`, `x"00ff"`, `[1, 2]`.
pub fn constant_to_string(constant: &Constant) -> String {
    item(|out| constant::write(out, constant))
}

fn item(write: impl FnOnce(&mut BoundedText) -> fmt::Result) -> String {
    BoundedText::collect(MAX_ITEM, write)
}

/// The listing of a module in the making.
struct ModuleListing<'a> {
    module: &'a CompiledModule,
    names: Names<'a>,
}

impl<'a> ModuleListing<'a> {
    fn new(module: &'a CompiledModule) -> Self {
        Self {
            module,
            names: Names::new(Tables::from(module)),
        }
    }

    fn write(&self, out: &mut BoundedText) -> fmt::Result {
        let module = self.module;
        out.write_str("module ")?;
        self.names.module(out, module.self_module_handle_idx)?;
        writeln!(out, "  // bytecode v{}", module.version)?;
        for friend in &module.friend_decls {
            out.write_str("friend ")?;
            self.names.module_handle(out, friend)?;
            out.write_str("\n")?;
        }
        metadata(out, &module.metadata)?;
        for definition in &module.struct_defs {
            out.write_str("\n")?;
            self.structure(out, definition)?;
        }
        for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
            out.write_str("\n")?;
            self.function(out, FunctionDefinitionIndex(index), definition)?;
        }
        Ok(())
    }

    fn structure(&self, out: &mut BoundedText, definition: &StructDefinition) -> fmt::Result {
        let (native, word) = match &definition.field_information {
            StructFieldInformation::Native => ("native ", "struct"),
            StructFieldInformation::Declared(_) => ("", "struct"),
            StructFieldInformation::DeclaredVariants(_) => ("", "enum"),
        };
        write!(out, "{native}{word} ")?;
        self.names.structure(out, definition.struct_handle)?;
        let handle = self
            .module
            .struct_handles
            .get(definition.struct_handle.into_index());
        if let Some(handle) = handle {
            if !handle.type_parameters.is_empty() {
                out.write_str("<")?;
                join(
                    out,
                    handle.type_parameters.iter().enumerate(),
                    |out, (i, parameter)| {
                        if parameter.is_phantom {
                            out.write_str("phantom ")?;
                        }
                        type_parameter(out, i, parameter.constraints)
                    },
                )?;
                out.write_str(">")?;
            }
            if !handle.abilities.is_empty() {
                write!(out, " has {}", handle.abilities)?;
            }
        }
        match &definition.field_information {
            StructFieldInformation::Native => out.write_str("\n"),
            StructFieldInformation::Declared(fields) => {
                out.write_str(" {\n")?;
                self.fields(out, "    ", fields)?;
                out.write_str("}\n")
            }
            StructFieldInformation::DeclaredVariants(variants) => {
                out.write_str(" {\n")?;
                for variant in variants {
                    out.write_str("    ")?;
                    self.names.identifier(out, variant.name)?;
                    if variant.fields.is_empty() {
                        out.write_str(",\n")?;
                    } else {
                        out.write_str(" {\n")?;
                        self.fields(out, "        ", &variant.fields)?;
                        out.write_str("    },\n")?;
                    }
                }
                out.write_str("}\n")
            }
        }
    }

    fn fields(
        &self,
        out: &mut BoundedText,
        indent: &str,
        fields: &[FieldDefinition],
    ) -> fmt::Result {
        for field in fields {
            out.write_str(indent)?;
            self.names.identifier(out, field.name)?;
            out.write_str(": ")?;
            self.names.token(out, &field.signature.0)?;
            out.write_str(",\n")?;
        }
        Ok(())
    }

    fn function(
        &self,
        out: &mut BoundedText,
        index: FunctionDefinitionIndex,
        definition: &FunctionDefinition,
    ) -> fmt::Result {
        let Some(handle) = self
            .module
            .function_handles
            .get(definition.function.into_index())
        else {
            return writeln!(out, "fun ?function[{}]", definition.function);
        };
        self.attributes(out, handle)?;
        out.write_str(match definition.visibility {
            Visibility::Private => "",
            Visibility::Public => "public ",
            Visibility::Friend => "friend ",
        })?;
        if definition.is_entry {
            out.write_str("entry ")?;
        }
        if definition.is_native() {
            out.write_str("native ")?;
        }
        out.write_str("fun ")?;
        self.names.identifier(out, handle.name)?;
        type_parameters(out, &handle.type_parameters)?;
        parameters(out, &self.names, self.names.signature(handle.parameters))?;
        results(out, &self.names, self.names.signature(handle.return_))?;
        if !definition.acquires_global_resources.is_empty() {
            out.write_str(" acquires ")?;
            join(out, &definition.acquires_global_resources, |out, &index| {
                self.names.struct_definition(out, index)
            })?;
        }
        if let Some(specifiers) = &handle.access_specifiers {
            self.names.access_specifiers(out, specifiers)?;
        }
        out.write_str("\n")?;
        match &definition.code {
            None => Ok(()),
            Some(code) => {
                let parameters = self
                    .names
                    .signature(handle.parameters)
                    .map_or(0, Signature::len);
                CodeListing::new(self.names, index, parameters, code).write(out)
            }
        }
    }

    fn attributes(&self, out: &mut BoundedText, handle: &FunctionHandle) -> fmt::Result {
        if handle.attributes.is_empty() {
            return Ok(());
        }
        out.write_str("#[")?;
        join(out, &handle.attributes, |out, attribute| {
            write!(out, "{attribute}")
        })?;
        out.write_str("]\n")
    }
}

fn script_listing(script: &CompiledScript, out: &mut BoundedText) -> fmt::Result {
    let names = Names::new(Tables::from(script));
    writeln!(out, "script  // bytecode v{}", script.version)?;
    metadata(out, &script.metadata)?;
    out.write_str("\nfun main")?;
    type_parameters(out, &script.type_parameters)?;
    let signature = names.signature(script.parameters);
    parameters(out, &names, signature)?;
    if let Some(specifiers) = &script.access_specifiers {
        names.access_specifiers(out, specifiers)?;
    }
    out.write_str("\n")?;
    let parameters = signature.map_or(0, Signature::len);
    CodeListing::new(names, FunctionDefinitionIndex(0), parameters, &script.code).write(out)
}

fn metadata(out: &mut BoundedText, metadata: &[Metadata]) -> fmt::Result {
    for entry in metadata {
        out.write_str("// metadata ")?;
        byte_string(out, &entry.key)?;
        writeln!(out, " ({} bytes)", entry.value.len())?;
    }
    Ok(())
}

fn type_parameter(out: &mut BoundedText, index: usize, constraints: AbilitySet) -> fmt::Result {
    write!(out, "T{index}")?;
    if !constraints.is_empty() {
        write!(out, ": {constraints}")?;
    }
    Ok(())
}

fn type_parameters(out: &mut BoundedText, constraints: &[AbilitySet]) -> fmt::Result {
    if constraints.is_empty() {
        return Ok(());
    }
    out.write_str("<")?;
    join(
        out,
        constraints.iter().enumerate(),
        |out, (i, &constraints)| type_parameter(out, i, constraints),
    )?;
    out.write_str(">")
}

fn parameters(
    out: &mut BoundedText,
    names: &Names<'_>,
    signature: Option<&Signature>,
) -> fmt::Result {
    let Some(signature) = signature else {
        return out.write_str("(?signature)");
    };
    out.write_str("(")?;
    join(out, signature.0.iter().enumerate(), |out, (i, token)| {
        write!(out, "p{i}: ")?;
        names.token(out, token)
    })?;
    out.write_str(")")
}

fn results(out: &mut BoundedText, names: &Names<'_>, signature: Option<&Signature>) -> fmt::Result {
    match signature.map(Signature::tokens) {
        None => out.write_str(": ?signature"),
        Some([]) => Ok(()),
        Some([token]) => {
            out.write_str(": ")?;
            names.token(out, token)
        }
        Some(tokens) => {
            out.write_str(": (")?;
            join(out, tokens, |out, token| names.token(out, token))?;
            out.write_str(")")
        }
    }
}
