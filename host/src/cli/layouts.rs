//! Struct layouts for printing, from the modules at hand and those in the state.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use monomove::{ModuleId, StateKey, StateView, StructTag, TypeTag};
use monomove_format::{
    CompiledModule, FieldDefinition, IdentifierIndex, SignatureToken, StructFieldInformation,
    StructHandleIndex,
};
use monomove_text::{Field, StructLayout, StructLayouts};

/// Deepest type that is built; deeper ones are shown as bytes.
const MAX_DEPTH: usize = 32;

/// Modules by their identity.
#[derive(Debug, Default)]
pub(crate) struct ModuleLayouts {
    /// `None` for what the state had no module for, or nothing readable.
    modules: RefCell<HashMap<ModuleId, Option<Rc<CompiledModule>>>>,
}

impl ModuleLayouts {
    /// Adds a module, or replaces the one of the same name.
    pub(crate) fn insert(&mut self, id: ModuleId, module: CompiledModule) {
        self.modules.get_mut().insert(id, Some(Rc::new(module)));
    }

    /// These modules, and for others those in `view`.
    pub(crate) fn with<'a>(&'a self, view: &'a dyn StateView) -> LayoutsIn<'a> {
        LayoutsIn { known: self, view }
    }
}

/// Layouts of modules at hand or in a state.
#[derive(Clone, Copy)]
pub(crate) struct LayoutsIn<'a> {
    known: &'a ModuleLayouts,
    view: &'a dyn StateView,
}

impl LayoutsIn<'_> {
    fn module(&self, id: ModuleId) -> Option<Rc<CompiledModule>> {
        if let Some(known) = self.known.modules.borrow().get(&id) {
            return known.clone();
        }
        let bytes = self.view.get(&StateKey::module(id.clone())).ok().flatten();
        let module = bytes.and_then(|bytes| CompiledModule::deserialize(&bytes).ok());
        let module = module.map(Rc::new);
        self.known.modules.borrow_mut().insert(id, module.clone());
        module
    }
}

impl StructLayouts for LayoutsIn<'_> {
    fn layout(&self, tag: &StructTag) -> Option<StructLayout> {
        let module = self.module(tag.module_id())?;
        let view = View {
            module: &module,
            type_args: &tag.type_args,
        };
        let (_, definition) = view.module.find_struct(tag.name.as_str())?;
        Some(match &definition.field_information {
            StructFieldInformation::Native => return None,
            StructFieldInformation::Declared(fields) => StructLayout::Struct(view.fields(fields)?),
            StructFieldInformation::DeclaredVariants(variants) => StructLayout::Enum(
                variants
                    .iter()
                    .map(|variant| Some((view.name(variant.name)?, view.fields(&variant.fields)?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }
}

/// A module, seen with the type arguments of one of its structs.
struct View<'a> {
    module: &'a CompiledModule,
    type_args: &'a [TypeTag],
}

impl View<'_> {
    fn name(&self, index: IdentifierIndex) -> Option<String> {
        self.module
            .identifiers
            .get(usize::from(index.0))
            .map(|name| name.as_str().to_owned())
    }

    fn fields(&self, fields: &[FieldDefinition]) -> Option<Vec<Field>> {
        let field = |field: &FieldDefinition| {
            Some(Field {
                name: self.name(field.name)?,
                ty: self.tag(&field.signature.0, MAX_DEPTH)?,
            })
        };
        fields.iter().map(field).collect()
    }

    fn tag(&self, token: &SignatureToken, depth: usize) -> Option<TypeTag> {
        let depth = depth.checked_sub(1)?;
        Some(match token {
            SignatureToken::Bool => TypeTag::Bool,
            SignatureToken::U8 => TypeTag::U8,
            SignatureToken::U16 => TypeTag::U16,
            SignatureToken::U32 => TypeTag::U32,
            SignatureToken::U64 => TypeTag::U64,
            SignatureToken::U128 => TypeTag::U128,
            SignatureToken::U256 => TypeTag::U256,
            SignatureToken::I8 => TypeTag::I8,
            SignatureToken::I16 => TypeTag::I16,
            SignatureToken::I32 => TypeTag::I32,
            SignatureToken::I64 => TypeTag::I64,
            SignatureToken::I128 => TypeTag::I128,
            SignatureToken::I256 => TypeTag::I256,
            SignatureToken::Address => TypeTag::Address,
            SignatureToken::Signer => TypeTag::Signer,
            SignatureToken::Vector(element) => TypeTag::Vector(Box::new(self.tag(element, depth)?)),
            SignatureToken::Struct(handle) => self.structure(*handle, &[], depth)?,
            SignatureToken::StructInstantiation(handle, args) => {
                self.structure(*handle, args, depth)?
            }
            SignatureToken::TypeParameter(index) => {
                self.type_args.get(usize::from(*index))?.clone()
            }
            SignatureToken::Function(..)
            | SignatureToken::Reference(_)
            | SignatureToken::MutableReference(_) => {
                return None;
            }
        })
    }

    fn structure(
        &self,
        handle: StructHandleIndex,
        args: &[SignatureToken],
        depth: usize,
    ) -> Option<TypeTag> {
        let handle = self.module.struct_handles.get(usize::from(handle.0))?;
        let module = self
            .module
            .module_handles
            .get(usize::from(handle.module.0))?;
        Some(TypeTag::from(StructTag {
            address: *self
                .module
                .address_identifiers
                .get(usize::from(module.address.0))?,
            module: self
                .module
                .identifiers
                .get(usize::from(module.name.0))?
                .clone(),
            name: self
                .module
                .identifiers
                .get(usize::from(handle.name.0))?
                .clone(),
            type_args: args
                .iter()
                .map(|arg| self.tag(arg, depth))
                .collect::<Option<_>>()?,
        }))
    }
}
