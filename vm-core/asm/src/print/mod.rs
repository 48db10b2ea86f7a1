//! Modules and scripts to text that the assembler reads.

mod access;
mod code;
mod constant;
mod names;
mod out;
mod pools;
mod types;
mod used;
mod view;

pub use out::{MAX_TEXT, TRUNCATED};

use monomove_format::{
    AbilitySet, CompiledModule, CompiledScript, FieldDefinition, FunctionAttribute,
    FunctionDefinition, FunctionHandle, ModuleHandle, StructDefinition, StructFieldInformation,
    StructHandle, Visibility,
};
use out::Out;
use used::Used;
use view::View;

/// What the first line says before the number of the binary version.
pub(crate) const VERSION_LINE: &str = "// Bytecode version v";

/// A module as text that [`assemble`](crate::assemble) makes an equivalent module of, without its dependencies: same
/// definitions in the same order, same code, friends and metadata; the order of other tables may differ.
///
/// An index out of range is written `?`, which is no valid text; nor is a text that was cut off at [`MAX_TEXT`]. In access
/// specifiers, where readers do not check them, such indices are written `#7` and come back. Of two definitions or imports
/// with one name (which no valid module has) the text can name only the first.
pub fn disassemble_masm(module: &CompiledModule) -> String {
    module_text(module, false)
}

/// As [`disassemble_masm`], with a `pool` line for each table entry: the text assembles to the very tables, so that the
/// binary is the same byte for byte if it is canonical and no table has two equal entries.
pub fn disassemble_masm_exact(module: &CompiledModule) -> String {
    module_text(module, true)
}

/// A script as text: see [`disassemble_masm`].
pub fn disassemble_script_masm(script: &CompiledScript) -> String {
    let view = View::of_script(script);
    let mut printer = Printer::new(&view);
    printer.version(script.version);
    printer.out.push("script\n");
    printer.uses();
    printer.declarations();
    printer.metadata(&script.metadata);
    printer.pools(&Used::of_script(script), false);
    printer.out.push("fun main");
    printer.function_type_parameters(&script.type_parameters);
    printer.named_parameters(script.parameters);
    printer.access(script.access_specifiers.as_deref());
    printer.out.push("\n");
    printer.body(&script.code, script.parameters);
    printer.out.finish()
}

fn module_text(module: &CompiledModule, exact: bool) -> String {
    let view = View::of_module(module);
    let mut printer = Printer::new(&view);
    printer.version(module.version);
    printer.out.push("module ");
    printer.module(module.self_module_handle_idx);
    printer.out.push("\n");
    printer.uses();
    for friend in &module.friend_decls {
        printer.out.push("friend ");
        printer.module_handle(friend);
        printer.out.push("\n");
    }
    printer.declarations();
    printer.metadata(&module.metadata);
    let used = if exact {
        Used::default()
    } else {
        Used::of_module(module)
    };
    printer.pools(&used, exact);
    for definition in &module.struct_defs {
        printer.struct_definition(definition);
    }
    for (index, definition) in module.function_defs.iter().enumerate() {
        printer
            .out
            .push(&format!("// Function definition at index {index}\n"));
        printer.function_definition(definition);
    }
    printer.out.finish()
}

/// The printer: what there is, how it is named, and the text so far.
struct Printer<'a> {
    view: &'a View<'a>,
    names: names::Names<'a>,
    out: Out,
    /// How many type parameters are in scope.
    type_parameters: usize,
    /// How many parameters and locals are in scope.
    locals: usize,
    /// Whether parameters have names: `l0` and so on.
    names_parameters: bool,
}

impl<'a> Printer<'a> {
    fn new(view: &'a View<'a>) -> Self {
        Self {
            view,
            names: names::Names::new(view),
            out: Out::default(),
            type_parameters: 0,
            locals: 0,
            names_parameters: false,
        }
    }

    fn version(&mut self, version: u32) {
        self.out.push(&format!("{VERSION_LINE}{version}\n"));
    }

    /// Prints a list with separators; stops when the text is full.
    fn list<T>(
        &mut self,
        separator: &str,
        items: impl IntoIterator<Item = T>,
        mut print: impl FnMut(&mut Self, T),
    ) {
        for (index, item) in items.into_iter().enumerate() {
            if self.out.is_full() {
                return;
            }
            if index > 0 {
                self.out.push(separator);
            }
            print(self, item);
        }
    }

    fn module_handle(&mut self, handle: &ModuleHandle) {
        match self.view.module_key(handle) {
            Some((address, name)) => {
                self.out.push(&format!("{address}::"));
                self.name(Some(name));
            }
            None => self.out.unknown(),
        }
    }

    fn uses(&mut self) {
        for (key, alias) in self.names.uses() {
            self.out.push(&format!("use {}::", key.0));
            self.name(Some(key.1));
            if alias != key.1 {
                self.out.push(" as ");
                self.name(Some(&alias));
            }
            self.out.push("\n");
        }
    }

    fn abilities(&mut self, before: &str, abilities: AbilitySet) {
        if !abilities.is_empty() {
            self.out.push(&format!("{before}{abilities}"));
        }
    }

    /// Declarations of what other modules define, in the order of their names.
    fn declarations(&mut self) {
        let view = self.view;
        let mut structs: Vec<_> = view
            .struct_handles
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.names.is_own_struct(*index))
            .filter_map(|(_, handle)| Some((view.member_key(handle.module, handle.name)?, handle)))
            .collect();
        structs.sort_by_key(|(key, _)| *key);
        structs.dedup_by_key(|(key, _)| *key);
        for ((address, module, name), handle) in structs {
            self.out.push(&format!("extern struct {address}::"));
            self.name(Some(module));
            self.out.push("::");
            self.struct_header(name, handle);
        }
        let mut functions: Vec<_> = view
            .function_handles
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.names.is_own_function(*index))
            .filter_map(|(_, handle)| Some((view.member_key(handle.module, handle.name)?, handle)))
            .collect();
        functions.sort_by_key(|(key, _)| *key);
        functions.dedup_by_key(|(key, _)| *key);
        for ((address, module, name), handle) in functions {
            self.attributes(&handle.attributes);
            self.out.push(&format!("extern fun {address}::"));
            self.name(Some(module));
            self.out.push("::");
            self.name(Some(name));
            self.function_type_parameters(&handle.type_parameters);
            self.out.push("(");
            self.list(", ", view.signature(handle.parameters), Self::type_);
            self.out.push(")");
            self.results(handle);
            self.names_parameters = false;
            self.access(handle.access_specifiers.as_deref());
            self.out.push("\n");
        }
    }

    fn metadata(&mut self, metadata: &[monomove_format::Metadata]) {
        for entry in metadata {
            self.out.push("metadata ");
            let is_plain = |b: &u8| matches!(b, b' '..=b'~') && *b != b'"';
            match std::str::from_utf8(&entry.key) {
                Ok(key) if entry.key.iter().all(is_plain) => self.out.push(&format!("\"{key}\"")),
                _ => self.bytes(&entry.key),
            }
            self.out.push(" ");
            self.bytes(&entry.value);
            self.out.push("\n");
        }
    }

    fn struct_header(&mut self, name: &str, handle: &StructHandle) {
        self.name(Some(name));
        if !handle.type_parameters.is_empty() {
            self.out.push("<");
            self.list(
                ", ",
                handle.type_parameters.iter().enumerate(),
                |printer, (index, parameter)| {
                    if parameter.is_phantom {
                        printer.out.push("phantom ");
                    }
                    printer.type_parameter(index);
                    printer.abilities(": ", parameter.constraints);
                },
            );
            self.out.push(">");
        }
        self.abilities(" has ", handle.abilities);
        self.out.push("\n");
        self.type_parameters = handle.type_parameters.len();
    }

    fn struct_definition(&mut self, definition: &StructDefinition) {
        if self.out.is_full() {
            return;
        }
        let view = self.view;
        let handle = view.struct_handle(definition.struct_handle);
        let Some((handle, name)) = handle.and_then(|h| Some((h, view.identifier(h.name)?))) else {
            return self.out.unknown();
        };
        self.out.push(match definition.field_information {
            StructFieldInformation::Native => "native struct ",
            StructFieldInformation::Declared(_) => "struct ",
            StructFieldInformation::DeclaredVariants(_) => "enum ",
        });
        self.struct_header(name, handle);
        match &definition.field_information {
            StructFieldInformation::Native => {}
            StructFieldInformation::Declared(fields) => self.fields("  ", fields),
            StructFieldInformation::DeclaredVariants(variants) => {
                for variant in variants {
                    self.out.push("  ");
                    self.name(view.identifier(variant.name));
                    self.out.push("\n");
                    self.fields("    ", &variant.fields);
                }
            }
        }
        self.out.push("\n");
    }

    fn fields(&mut self, indent: &str, fields: &[FieldDefinition]) {
        for field in fields {
            self.out.push(indent);
            self.name(self.view.identifier(field.name));
            self.out.push(": ");
            self.type_(&field.signature.0);
            self.out.push("\n");
        }
    }

    fn attributes(&mut self, attributes: &[FunctionAttribute]) {
        use FunctionAttribute as A;
        if attributes.is_empty() {
            return;
        }
        self.out.push("#[");
        self.list(", ", attributes, |printer, attribute| {
            let text = match attribute {
                A::Persistent => "persistent",
                A::ModuleLock => "module_lock",
                A::Pack => "pack",
                A::PackVariant(index) => &format!("pack_variant({index})"),
                A::Unpack => "unpack",
                A::UnpackVariant(index) => &format!("unpack_variant({index})"),
                A::TestVariant(index) => &format!("test_variant({index})"),
                A::BorrowFieldImmutable(offset) => &format!("borrow({offset})"),
                A::BorrowFieldMutable(offset) => &format!("borrow_mut({offset})"),
                A::Immutable => "immutable",
                A::ConstantAccessor => "const",
            };
            printer.out.push(text);
        });
        self.out.push("] ");
    }

    fn function_type_parameters(&mut self, constraints: &[AbilitySet]) {
        if !constraints.is_empty() {
            self.out.push("<");
            self.list(
                ", ",
                constraints.iter().enumerate(),
                |printer, (index, constraints)| {
                    printer.type_parameter(index);
                    printer.abilities(": ", *constraints);
                },
            );
            self.out.push(">");
        }
        self.type_parameters = constraints.len();
    }

    fn named_parameters(&mut self, parameters: monomove_format::SignatureIndex) {
        let types = self.view.signature(parameters);
        self.out.push("(");
        self.list(", ", types.iter().enumerate(), |printer, (index, type_)| {
            printer.out.push(&format!("l{index}: "));
            printer.type_(type_);
        });
        self.out.push(")");
        self.locals = types.len();
        self.names_parameters = true;
    }

    fn results(&mut self, handle: &FunctionHandle) {
        match self.view.signature(handle.return_) {
            [] => {}
            [one] => {
                self.out.push(": ");
                self.type_(one);
            }
            several => {
                self.out.push(": (");
                self.list(", ", several, Self::type_);
                self.out.push(")");
            }
        }
    }

    fn function_definition(&mut self, definition: &FunctionDefinition) {
        if self.out.is_full() {
            return;
        }
        let view = self.view;
        let Some(handle) = view.function_handle(definition.function) else {
            return self.out.unknown();
        };
        self.attributes(&handle.attributes);
        if definition.is_entry {
            self.out.push("entry ");
        }
        self.out.push(match definition.visibility {
            Visibility::Private => "",
            Visibility::Public => "public ",
            Visibility::Friend => "friend ",
        });
        if definition.is_native() {
            self.out.push("native ");
        }
        self.out.push("fun ");
        self.name(view.identifier(handle.name));
        self.function_type_parameters(&handle.type_parameters);
        self.named_parameters(handle.parameters);
        self.results(handle);
        if !definition.acquires_global_resources.is_empty() {
            self.out.push(" acquires ");
            self.list(
                ", ",
                &definition.acquires_global_resources,
                |printer, index| printer.name(view.struct_name(*index)),
            );
        }
        self.access(handle.access_specifiers.as_deref());
        self.out.push("\n");
        if let Some(code) = &definition.code {
            self.body(code, handle.parameters);
        }
        self.out.push("\n");
    }
}
