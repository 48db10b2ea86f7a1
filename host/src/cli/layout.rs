//! `monomove layout`: how values of a type lie in memory, byte by byte.

use clap::Args;
use monomove::{ModuleId, StructTag, TypeTag};
use monomove_core::{Machine, MachineConfig, SlotKind, TypeLayout};
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::input::{self, ModuleFile};
use super::modules::{LibraryArgs, Modules};
use super::output::{DIM, HEADING, Output, escape_line, styled};

/// Version of the JSON form.
const SCHEMA: &str = "monomove.layout/1";

/// Arguments of `monomove layout`.
#[derive(Debug, Args)]
#[command(
    override_usage = "monomove layout [OPTIONS] [FILE]... <TYPE>",
    after_help = "\
Examples:
  monomove layout build/ Pool
  monomove layout coin.mv '0x1::coin::CoinStore<0x1::coin::Fake>'
  monomove layout 'vector<u64>' --json
  monomove layout '&0x1::string::String'

A line for each group of bytes: offset, size, kind, field, type. The types of what lies behind pointers follow."
)]
pub(crate) struct LayoutArgs {
    /// Modules (.mv) or directories with modules in them, then the type: T, module::T, 0x1::module::T, u64, vector<u8>, &T, …
    #[arg(required = true, value_name = "FILE|TYPE")]
    inputs: Vec<String>,
    #[command(flatten)]
    library: LibraryArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    /// The type that was asked for, then those behind pointers.
    layouts: &'a [TypeLayout],
}

pub(crate) fn run(args: &LayoutArgs, out: &mut Output) -> Result<Exit, CliError> {
    let Some((ty, paths)) = args.inputs.split_last() else {
        return Err(CliError::from("expected a type".to_owned()));
    };
    let (mut modules, own) = args.library.load(paths)?;
    let (reference, name) = match ty.strip_prefix("&mut ") {
        Some(referent) => (Some(true), referent),
        None => match ty.strip_prefix('&') {
            Some(referent) => (Some(false), referent),
            None => (None, ty.as_str()),
        },
    };
    let tag = modules.find_type(name.trim(), &own)?;
    let mut machine = Machine::new(MachineConfig::default());
    let layouts = machine.layouts(&tag, reference, &mut modules);
    let layouts = layouts.map_err(|failure| {
        let message = failure.message.unwrap_or_default();
        let text = format!("{tag}: {}: {message}", failure.status);
        CliError::failed(Exit::of_status(failure.status), text)
    })?;
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            layouts: &layouts,
        })?;
        return Ok(Exit::Ok);
    }
    for (n, layout) in layouts.iter().enumerate() {
        if n > 0 {
            out.line("")?;
        }
        print(layout, out)?;
    }
    Ok(Exit::Ok)
}

fn print(layout: &TypeLayout, out: &mut Output) -> Result<(), CliError> {
    out.line(styled(HEADING, escape_line(&layout.ty)))?;
    let bcs = match layout.bcs_bytes {
        Some(bytes) => format!(", BCS always {bytes} bytes"),
        None => String::new(),
    };
    let plain = if layout.plain { ", plain bytes" } else { "" };
    let (size, align) = (layout.size, layout.align);
    out.line(styled(
        DIM,
        format_args!("  {size} bytes, alignment {align}{plain}{bcs}"),
    ))?;
    for slot in &layout.slots {
        let text = format!(
            "  {:>5} {:>5}  {:<16} {}",
            slot.offset,
            slot.size,
            slot.kind.name(),
            escape_line(&match slot.path.is_empty() {
                true => slot.ty.clone(),
                false => format!("{}: {}", slot.path, slot.ty),
            })
        );
        match slot.kind {
            SlotKind::Padding => out.line(styled(DIM, text))?,
            _ => out.line(text)?,
        }
    }
    Ok(())
}

impl Modules {
    /// The type that `text` names. A struct without an address is looked for in the modules `own`, then in all.
    fn find_type(&self, text: &str, own: &[ModuleId]) -> Result<TypeTag, CliError> {
        let plain_name = !text.contains('<') && text.matches("::").count() < 2;
        let (module, name) = match text.split_once("::") {
            Some((module, name)) => (Some(module), name),
            None => (None, text),
        };
        let defines = |id: &&ModuleId| {
            plain_name
                && module.is_none_or(|module| id.name.as_str() == module)
                && self.file(id).is_some_and(|file| file.defines_type(name))
        };
        let mut found: Vec<&ModuleId> = own.iter().filter(defines).collect();
        if found.is_empty() {
            found = self.ids().filter(defines).collect();
        }
        match found.as_slice() {
            [] => {
                let types = input::type_list(text)?;
                let [ty] = types.as_slice() else {
                    return Err(CliError::from(format!("`{text}`: expected one type")));
                };
                Ok(ty.clone())
            }
            [id] => Ok(TypeTag::Struct(Box::new(StructTag {
                address: id.address,
                module: id.name.clone(),
                name: name
                    .parse()
                    .map_err(|_| format!("`{text}`: expected a type"))?,
                type_args: Vec::new(),
            }))),
            several => {
                let names = several.iter().map(|id| format!("{id}::{name}"));
                let names = names.collect::<Vec<_>>().join(", ");
                Err(CliError::from(format!("`{text}` may be {names}")))
            }
        }
    }
}

impl ModuleFile {
    /// Whether the module has a struct or enum of this name.
    fn defines_type(&self, name: &str) -> bool {
        let module = &self.module;
        module.struct_defs.iter().any(|def| {
            let handle = module.struct_handles.get(usize::from(def.struct_handle.0));
            handle
                .and_then(|handle| module.identifiers.get(usize::from(handle.name.0)))
                .is_some_and(|found| found.as_str() == name)
        })
    }
}
