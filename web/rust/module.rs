//! Binaries: what a module declares, listings, the assembler.

use crate::data::Bytes;
use crate::error::{Error, Problem};
use crate::layouts::ModuleLayouts;
use monomove_format::{
    CompiledModule, CompiledScript, FieldDefinition, FormatError, FunctionDefinition, Listing,
    Signature, SignatureToken, StructDefinition, StructFieldInformation, StructTypeParameter,
    Visibility, disassemble_linked, disassemble_script_linked, script_signature_token_to_string,
};
use monomove_text::signature_tags;
use monomove_types::{AbilitySet, TypeTag};
use monomove_verifier::{VerifierConfig, verify_module, verify_script};
use serde::Serialize;

/// A binary that was read.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Binary {
    /// A module.
    Module(CompiledModule),
    /// A script.
    Script(CompiledScript),
}

impl Binary {
    /// A module or a script; of two errors, that of the module.
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        CompiledModule::deserialize(bytes).map_or_else(
            |error| {
                let script = CompiledScript::deserialize(bytes);
                script.map(Self::Script).map_err(|_| error)
            },
            |module| Ok(Self::Module(module)),
        )
    }

    fn listing(&self) -> Listing {
        match self {
            Self::Module(module) => disassemble_linked(module),
            Self::Script(script) => disassemble_script_linked(script),
        }
    }

    /// Assembler text.
    pub fn assembly(&self) -> String {
        match self {
            Self::Module(module) => monomove_asm::disassemble_masm(module),
            Self::Script(script) => monomove_asm::disassemble_script_masm(script),
        }
    }

    /// The disassembly, line by line.
    pub fn lines(&self) -> ListingReport {
        let Listing { text, instructions } = self.listing();
        let mut links = instructions.into_iter().peekable();
        let lines = text.lines().zip(0u32..).map(|(line, number)| {
            let link = links.next_if(|link| link.line == number);
            Line {
                text: line.to_owned(),
                function: link.map(|link| link.function.0),
                offset: link.map(|link| link.offset),
            }
        });
        let lines = lines.collect();
        ListingReport { text, lines }
    }
}

/// A line of a listing.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u16>,
}

/// A listing with links.
#[derive(Clone, Debug, Serialize)]
pub struct ListingReport {
    text: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, Serialize)]
struct TypeParameterAbi {
    constraints: Vec<&'static str>,
    phantom: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionAbi {
    name: String,
    index: u16,
    visibility: &'static str,
    entry: bool,
    native: bool,
    type_parameters: Vec<TypeParameterAbi>,
    parameters: Vec<String>,
    returns: Vec<String>,
    instructions: u32,
}

#[derive(Clone, Debug, Serialize)]
struct FieldAbi {
    name: String,
    r#type: String,
}

#[derive(Clone, Debug, Serialize)]
struct VariantAbi {
    name: String,
    fields: Vec<FieldAbi>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StructAbi {
    name: String,
    abilities: Vec<&'static str>,
    type_parameters: Vec<TypeParameterAbi>,
    fields: Vec<FieldAbi>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variants: Option<Vec<VariantAbi>>,
}

/// What a module or script declares.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Abi {
    id: String,
    address: String,
    name: String,
    bytecode_version: u32,
    friends: Vec<String>,
    dependencies: Vec<String>,
    functions: Vec<FunctionAbi>,
    structs: Vec<StructAbi>,
}

fn abilities(set: AbilitySet) -> Vec<&'static str> {
    set.iter().map(|ability| ability.name()).collect()
}

fn constraints(sets: &[AbilitySet]) -> Vec<TypeParameterAbi> {
    let parameter = |set: &AbilitySet| TypeParameterAbi {
        constraints: abilities(*set),
        phantom: false,
    };
    sets.iter().map(parameter).collect()
}

impl Abi {
    fn of_module(module: &CompiledModule) -> Self {
        let id = module.self_id();
        let texts =
            |ids: Vec<monomove_types::ModuleId>| ids.iter().map(|id| id.to_string()).collect();
        Self {
            id: id.to_string(),
            address: id.address.to_string(),
            name: id.name.to_string(),
            bytecode_version: module.version,
            friends: texts(module.immediate_friends()),
            dependencies: texts(module.immediate_dependencies()),
            functions: (0..)
                .zip(&module.function_defs)
                .map(|(index, definition)| function(module, index, definition))
                .collect(),
            structs: module
                .struct_defs
                .iter()
                .map(|s| structure(module, s))
                .collect(),
        }
    }

    fn of_script(script: &CompiledScript) -> Self {
        let token = |token: &SignatureToken| script_signature_token_to_string(script, token);
        let parameters = script.signature_at(script.parameters);
        Self {
            id: "script".into(),
            address: "0x0".into(),
            name: "script".into(),
            bytecode_version: script.version,
            friends: Vec::new(),
            dependencies: script
                .immediate_dependencies()
                .iter()
                .map(|id| id.to_string())
                .collect(),
            functions: vec![FunctionAbi {
                name: "main".into(),
                index: 0,
                visibility: "public",
                entry: true,
                native: false,
                type_parameters: constraints(&script.type_parameters),
                parameters: parameters.0.iter().map(token).collect(),
                returns: Vec::new(),
                instructions: script.code.code.len() as u32,
            }],
            structs: Vec::new(),
        }
    }
}

/// A type with full names; type parameters are `T0`, `T1`, ….
fn type_text(module: &CompiledModule, token: &SignatureToken) -> String {
    let list = |tokens: &[SignatureToken]| {
        let texts = tokens.iter().map(|token| type_text(module, token));
        texts.collect::<Vec<_>>().join(",")
    };
    let name = |handle: monomove_format::StructHandleIndex| {
        let handle = module.struct_handle_at(handle);
        let id = module.module_id_of_struct(handle);
        format!("{id}::{}", module.identifier_at(handle.name))
    };
    match token {
        SignatureToken::Reference(to) => format!("&{}", type_text(module, to)),
        SignatureToken::MutableReference(to) => format!("&mut {}", type_text(module, to)),
        SignatureToken::Vector(element) => format!("vector<{}>", type_text(module, element)),
        SignatureToken::Struct(handle) => name(*handle),
        SignatureToken::StructInstantiation(handle, args) => {
            format!("{}<{}>", name(*handle), list(args))
        }
        SignatureToken::TypeParameter(index) => format!("T{index}"),
        token => monomove_format::signature_token_to_string(module, token),
    }
}

fn function(module: &CompiledModule, index: u16, definition: &FunctionDefinition) -> FunctionAbi {
    let handle = module.handle_of_definition(definition);
    let texts = |signature: &Signature| {
        let texts = signature.0.iter().map(|token| type_text(module, token));
        texts.collect()
    };
    FunctionAbi {
        name: module.function_name(definition).to_string(),
        index,
        visibility: match definition.visibility {
            Visibility::Private => "private",
            Visibility::Friend => "friend",
            Visibility::Public => "public",
        },
        entry: definition.is_entry,
        native: definition.is_native(),
        type_parameters: constraints(&handle.type_parameters),
        parameters: texts(module.signature_at(handle.parameters)),
        returns: texts(module.signature_at(handle.return_)),
        instructions: definition.code.as_ref().map_or(0, |unit| unit.code.len()) as u32,
    }
}

fn structure(module: &CompiledModule, definition: &StructDefinition) -> StructAbi {
    let handle = module.struct_handle_at(definition.struct_handle);
    let parameter = |parameter: &StructTypeParameter| TypeParameterAbi {
        constraints: abilities(parameter.constraints),
        phantom: parameter.is_phantom,
    };
    let field = |field: &FieldDefinition| FieldAbi {
        name: module.identifier_at(field.name).to_string(),
        r#type: type_text(module, &field.signature.0),
    };
    let (fields, variants) = match &definition.field_information {
        StructFieldInformation::Native => (Vec::new(), None),
        StructFieldInformation::Declared(fields) => (fields.iter().map(field).collect(), None),
        StructFieldInformation::DeclaredVariants(variants) => {
            let variants = variants.iter().map(|variant| VariantAbi {
                name: module.identifier_at(variant.name).to_string(),
                fields: variant.fields.iter().map(field).collect(),
            });
            (Vec::new(), Some(variants.collect()))
        }
    };
    StructAbi {
        name: module.struct_name(definition).to_string(),
        abilities: abilities(handle.abilities),
        type_parameters: handle.type_parameters.iter().map(parameter).collect(),
        fields,
        variants,
    }
}

/// A binary and what it declares.
#[derive(Clone, Debug, Serialize)]
pub struct Decoded {
    kind: &'static str,
    abi: Abi,
}

/// Reads a binary.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Error> {
    Ok(match Binary::read(bytes).map_err(Error::format)? {
        Binary::Module(module) => Decoded {
            kind: "module",
            abi: Abi::of_module(&module),
        },
        Binary::Script(script) => Decoded {
            kind: "script",
            abi: Abi::of_script(&script),
        },
    })
}

/// Whether a binary is accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// Checks a binary by itself: bounds, and the bytecode verifier.
pub fn verify(bytes: &[u8]) -> Verdict {
    let config = VerifierConfig::default();
    let problem = match Binary::read(bytes) {
        Ok(Binary::Module(module)) => verify_module(&module, &config).err().map(Problem::from),
        Ok(Binary::Script(script)) => verify_script(&script, &config).err().map(Problem::from),
        Err(error) => Some(Problem::from(error)),
    };
    Verdict {
        ok: problem.is_none(),
        problem,
    }
}

/// An error of the assembler.
#[derive(Clone, Debug, Serialize)]
struct Diagnostic {
    message: String,
    line: u32,
    column: u32,
    /// In characters.
    width: u32,
}

/// What assembling came to.
#[derive(Clone, Debug, Serialize)]
pub struct Assembled {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<Vec<Diagnostic>>,
}

/// Assembles a text; without a version, for the one that the text names, or else the newest usual one.
pub fn assemble(
    source: &str,
    version: Option<u32>,
    dependencies: &[Vec<u8>],
) -> Result<Assembled, Error> {
    let dependencies = dependencies
        .iter()
        .map(|bytes| CompiledModule::deserialize(bytes).map_err(Error::format))
        .collect::<Result<Vec<_>, _>>()?;
    let mut options = monomove_asm::Options {
        dependencies: &dependencies,
        ..monomove_asm::Options::default()
    };
    if let Some(version) = version.or_else(|| monomove_asm::version_of_listing(source)) {
        options.version = version;
    }
    let failed = |diagnostics: Vec<Diagnostic>| Assembled {
        ok: false,
        kind: None,
        bytes: None,
        diagnostics: Some(diagnostics),
    };
    Ok(match monomove_asm::assemble(source, &options) {
        Ok(unit) => Assembled {
            ok: true,
            kind: Some(match unit {
                monomove_asm::Unit::Module(_) => "module",
                monomove_asm::Unit::Script(_) => "script",
            }),
            bytes: Some(Bytes(unit.serialize().map_err(Error::format)?)),
            diagnostics: None,
        },
        Err(diagnostics) => {
            let report = |diagnostic: &monomove_asm::Diagnostic| Diagnostic {
                message: diagnostic.message.clone(),
                line: diagnostic.line,
                column: diagnostic.column,
                width: diagnostic.width() as u32,
            };
            failed(diagnostics.iter().map(report).collect())
        }
    })
}

/// The types of the parameters of a function that take an argument: leading signers are left out.
pub fn argument_types(
    module: &CompiledModule,
    function: &str,
    ty_args: &[TypeTag],
) -> Result<Vec<TypeTag>, Error> {
    let unknown = || Error::argument(format!("{} has no function {function}", module.self_id()));
    let (_, definition) = module.find_function(function).ok_or_else(unknown)?;
    let handle = module.handle_of_definition(definition);
    let tags = signature_tags(module, handle.parameters, ty_args).ok_or_else(|| {
        Error::argument(format!(
            "the parameters of {function} have no types with {} type arguments",
            ty_args.len()
        ))
    })?;
    let signers = tags
        .iter()
        .take_while(|tag| **tag == TypeTag::Signer)
        .count();
    Ok(tags.into_iter().skip(signers).collect())
}

/// The layouts of the structs of one module.
pub fn layouts_of(module: CompiledModule) -> ModuleLayouts {
    let mut layouts = ModuleLayouts::default();
    layouts.insert(module.self_id(), module);
    layouts
}
