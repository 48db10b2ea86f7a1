//! The execution context: everything derived from code that outlives a transaction. Names, types, layouts, loaded modules.

pub(crate) mod closure;
mod depth;
mod generic;
pub(crate) mod ids;
pub(crate) mod inspect;
pub(crate) mod layout;
mod measure;
pub(crate) mod module;
mod script;
mod sound;
mod stats;
mod tags;
pub(crate) mod types;
pub(crate) mod verified;

pub use measure::Measure;
pub use stats::ContextStats;

use crate::stop::{Run, Stop};
use crate::{MachineConfig, StateView};
use closure::Closures;
use depth::DepthFormula;
use generic::{GenericType, Instantiations};
use ids::{LayoutId, ModuleRef, NameId, TemplateId, TypeId, TypeListId};
use layout::{
    BOX_BYTES, Builder, Kind, Layout, MAX_LAYOUT_DEPTH, REFERENCE_BYTES, TAG_BYTES, UNIT,
    VECTOR_BYTES, Variants,
};
use module::Module;
use monomove_format::{
    CompiledModule, DeserializerConfig, FieldDefinition, SignatureIndex, SignatureToken,
    StructFieldInformation,
};
use monomove_types::{AbilitySet, AccountAddress, Identifier, ModuleId, StatusCode};
use monomove_verifier::VerifierConfig;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tags::ResourceTag;
use types::{Limits, TypeNode, Types};
use verified::Verified;

/// Identifiers in modules may have this many bytes.
const MAX_IDENTIFIER_BYTES: u64 = 255;

/// Code-derived data, shared by all transactions of a machine.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) types: Types,
    modules: Vec<Option<Rc<Module>>>,
    layouts: Vec<Rc<Layout>>,
    /// By layout: the last transaction in which it was found current.
    layouts_checked: Vec<u32>,
    /// Kinds of function values, by their ids.
    pub(crate) closures: Closures,
    /// Layout of each compound type, by its index.
    layout_of: Vec<Option<LayoutId>>,
    /// Abilities of each compound type, by its index, and the transaction in which the modules behind them were found current.
    abilities_of: Vec<(u32, AbilitySet)>,
    instantiations: Instantiations,
    depth_formulas: BTreeMap<TemplateId, Rc<DepthFormula>>,
    /// Number of the running transaction; modules are checked against the state once in each.
    pub(crate) transaction: u32,
    max_version: u32,
    /// Enums with more inline bytes than this are objects on the heap.
    enum_inline_bytes: u32,
    /// Whether code is lowered with runtime checks (`paranoid`).
    pub(crate) paranoid: bool,
    /// The code that passed the verifier; `None` if code is not verified.
    pub(crate) verified: Option<Verified>,
    /// Types found sound in paranoid mode.
    sound_types: BTreeSet<TypeId>,
    /// Whether scripts may come from unstable compilers.
    accept_unstable: bool,
    scripts: script::Scripts,
    /// Tags of types of global values, by index.
    resource_tags: RefCell<Vec<Option<Rc<ResourceTag>>>>,
}

impl Context {
    pub(crate) fn new(config: &MachineConfig) -> Self {
        let (hash_seed, max_version) = (config.hash_seed, config.max_bytecode_version);
        let layouts = (0..TypeId::FIRST_COMPOUND)
            .map(|i| {
                Layout::primitive(TypeId(i))
                    .or_else(|| Layout::primitive(TypeId::BOOL))
                    .map(Rc::new)
            })
            .collect::<Option<Vec<_>>>()
            .unwrap_or_default();
        Self {
            types: Types::new(hash_seed),
            modules: Vec::new(),
            layouts_checked: vec![0; layouts.len()],
            layouts,
            closures: Closures::default(),
            layout_of: Vec::new(),
            abilities_of: Vec::new(),
            instantiations: Instantiations::default(),
            depth_formulas: BTreeMap::new(),
            transaction: 0,
            max_version,
            enum_inline_bytes: config.enum_inline_bytes,
            paranoid: config.paranoid,
            verified: config
                .verify
                .then(|| Verified::new(VerifierConfig::aptos())),
            sound_types: BTreeSet::new(),
            accept_unstable: config.accept_unstable,
            scripts: script::Scripts::default(),
            resource_tags: RefCell::default(),
        }
    }

    /// The module `id`, checked against the state once per transaction, loaded when it is not there yet.
    pub(crate) fn module(&mut self, view: &mut dyn StateView, id: ModuleRef) -> Run<Rc<Module>> {
        if let Some(module) = self.modules.get(id.index()).cloned().flatten() {
            self.check_current(view, &module)?;
            return Ok(module);
        }
        let module_id = self.module_id(id)?;
        let missing = || {
            Stop::with_message(StatusCode::LINKER_ERROR, format!("no module {module_id}"))
                .uncharged()
        };
        let code = view.module(&module_id)?.ok_or_else(missing)?;
        let config = DeserializerConfig {
            max_version: self.max_version,
            max_identifier_size: MAX_IDENTIFIER_BYTES,
        };
        let binary = CompiledModule::deserialize_with(&code.bytes, &config).map_err(|e| {
            Stop::with_message(
                StatusCode::CODE_DESERIALIZATION_ERROR,
                format!("module {module_id}: {e}"),
            )
        })?;
        if binary.self_id() != module_id {
            return Err(Stop::with_message(
                StatusCode::STORAGE_ERROR,
                format!("the module under {module_id} has another id"),
            ));
        }
        if let Some(verified) = &mut self.verified {
            verified
                .check(view, code.token, &code.bytes, &binary)
                .map_err(|stop| stop.in_module(id))?;
        }
        let module = Rc::new(Module::new(
            &mut self.types,
            id,
            binary,
            code.token,
            code.bytes.len(),
        )?);
        module.checked_in.set(self.transaction);
        self.insert_module(module.clone());
        Ok(module)
    }

    /// Makes sure that the module `id` is what the state holds now.
    pub(crate) fn confirm(&mut self, view: &mut dyn StateView, id: ModuleRef) -> Run<()> {
        match self.modules.get(id.index()) {
            Some(Some(module)) => self.check_current(view, module),
            _ => self.module(view, id).map(drop),
        }
    }

    fn insert_module(&mut self, module: Rc<Module>) {
        let index = module.id.index();
        if self.modules.len() <= index {
            self.modules.resize(index + 1, None);
        }
        if let Some(slot) = self.modules.get_mut(index) {
            *slot = Some(module);
        }
    }

    /// Makes sure that a loaded module is what the state holds now.
    pub(crate) fn check_current(&self, view: &mut dyn StateView, module: &Module) -> Run<()> {
        if module.checked_in.get() != self.transaction {
            if !self.is_script(module.id) && !view.is_current(module.token)? {
                return Err(Stop::Stale);
            }
            module.checked_in.set(self.transaction);
        }
        Ok(())
    }

    pub(crate) fn module_ref(&mut self, id: &ModuleId) -> Run<ModuleRef> {
        Ok(self.types.module(id.address, id.name.as_str())?)
    }

    pub(crate) fn module_id(&self, id: ModuleRef) -> Run<ModuleId> {
        let (address, name) = self.types.module_parts(id);
        let name = Identifier::new(self.types.name_text(name))
            .map_err(|_| Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR))?;
        Ok(ModuleId { address, name })
    }

    /// Address and name of a module.
    pub(crate) fn module_parts(&self, id: ModuleRef) -> (AccountAddress, &str) {
        let (address, name) = self.types.module_parts(id);
        (address, self.types.name_text(name))
    }

    /// The concrete type of a signature token of `module` under `args`.
    pub(crate) fn instantiate(
        &mut self,
        module: &Module,
        token: &SignatureToken,
        args: &[TypeId],
    ) -> Run<TypeId> {
        self.instantiate_within(module, token, args, Limits::Runtime)
    }

    fn instantiate_within(
        &mut self,
        module: &Module,
        token: &SignatureToken,
        args: &[TypeId],
        limits: Limits,
    ) -> Run<TypeId> {
        GenericType::new(&mut self.types, &module.templates, token, limits)?.instantiate(
            &mut self.types,
            args,
            limits,
        )
    }

    /// The concrete types of a signature of `module` under `args`: made once for each list of type arguments.
    pub(crate) fn signature(
        &mut self,
        module: &Module,
        index: SignatureIndex,
        args: &[TypeId],
    ) -> Run<Rc<[TypeId]>> {
        let list = self.types.list_id(args)?;
        let key = (module.id, index, list);
        if let Some(types) = self.instantiations.get(key) {
            return Ok(types);
        }
        let types: Rc<[TypeId]> = module
            .generic_signature(&mut self.types, index)?
            .iter()
            .map(|ty| ty.instantiate(&mut self.types, args, Limits::Runtime))
            .collect::<Run<_>>()?;
        self.instantiations.add(key, types.clone());
        Ok(types)
    }

    /// Module and name of a struct type.
    pub(crate) fn struct_parts(&self, ty: TypeId) -> Option<(ModuleRef, NameId, TypeListId)> {
        match self.types.node(ty)? {
            TypeNode::Struct(template, args) => {
                let (module, name) = self.types.template_parts(template);
                Some((module, name, args))
            }
            _ => None,
        }
    }

    /// A loaded layout.
    pub(crate) fn layout(&self, id: LayoutId) -> &Rc<Layout> {
        // Ids come from `layout_id` of the same context, which never shrinks.
        &self.layouts[id.0 as usize]
    }

    /// The layout of a value type, if it is made already.
    pub(crate) fn layout_if_made(&self, ty: TypeId) -> Option<LayoutId> {
        match ty.compound_index() {
            Some(index) => self.layout_of.get(index).copied().flatten(),
            None => (!ty.is_reference()).then_some(LayoutId(ty.0)),
        }
    }

    /// The layout of a value type; loads the modules that define its structs.
    pub(crate) fn layout_id(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<LayoutId> {
        self.layout_at(view, ty, 0)
    }

    fn layout_at(&mut self, view: &mut dyn StateView, ty: TypeId, depth: u32) -> Run<LayoutId> {
        if ty.is_reference() {
            return Err(Stop::status(StatusCode::INTERNAL_TYPE_ERROR));
        }
        let Some(index) = ty.compound_index() else {
            return Ok(LayoutId(ty.0));
        };
        if let Some(id) = self.layout_of.get(index).copied().flatten() {
            self.check_layout(view, id)?;
            return Ok(id);
        }
        if depth > MAX_LAYOUT_DEPTH {
            return Err(Stop::status(StatusCode::VM_MAX_VALUE_DEPTH_REACHED));
        }
        let node = self
            .types
            .node(ty)
            .ok_or_else(|| Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR))?;
        let layout = match node {
            TypeNode::Vector(element) => {
                let element = self.layout_at(view, element, depth + 1)?;
                let inner = self.layout(element);
                Layout {
                    ty,
                    size: VECTOR_BYTES,
                    align: 4,
                    plain: false,
                    fixed_units: None,
                    fixed_bcs: None,
                    depth: inner.depth.saturating_add(1),
                    nodes: inner.nodes.saturating_add(1),
                    kind: Kind::Vector(element),
                }
            }
            TypeNode::Function { .. } => Layout {
                ty,
                size: 4,
                align: 4,
                plain: false,
                fixed_units: None,
                fixed_bcs: None,
                depth: 1,
                nodes: 1,
                kind: Kind::Closure,
            },
            TypeNode::Struct(template, args) => {
                self.struct_layout(view, ty, template, args, depth)?
            }
        };
        let id = LayoutId(self.layouts.len() as u32);
        self.layouts.push(Rc::new(layout));
        self.layouts_checked.resize(self.layouts.len(), 0);
        self.layouts_checked[id.0 as usize] = self.transaction;
        if self.layout_of.len() <= index {
            self.layout_of.resize(index + 1, None);
        }
        if let Some(slot) = self.layout_of.get_mut(index) {
            *slot = Some(id);
        }
        Ok(id)
    }

    /// Makes sure that a layout was made from the modules that the state holds now, once per transaction.
    fn check_layout(&mut self, view: &mut dyn StateView, id: LayoutId) -> Run<()> {
        match self.layouts_checked.get_mut(id.0 as usize) {
            Some(checked) if *checked != self.transaction => *checked = self.transaction,
            _ => return Ok(()),
        }
        let layout = self.layout(id).clone();
        if let Some((module, ..)) = self.struct_parts(layout.ty) {
            self.module(view, module)?;
        }
        match &layout.kind {
            Kind::Vector(element) => self.check_layout(view, *element),
            Kind::Struct(fields) => fields
                .iter()
                .try_for_each(|f| self.check_layout(view, f.layout)),
            Kind::Enum(variants) => variants
                .all()
                .try_for_each(|f| self.check_layout(view, f.layout)),
            _ => Ok(()),
        }
    }

    fn struct_layout(
        &mut self,
        view: &mut dyn StateView,
        ty: TypeId,
        template: TemplateId,
        args: TypeListId,
        depth: u32,
    ) -> Run<Layout> {
        let (module_ref, name) = self.types.template_parts(template);
        let module = self.module(view, module_ref)?;
        let (def, handle) = module.struct_by_name(name).ok_or_else(|| {
            Stop::with_message(StatusCode::TYPE_RESOLUTION_FAILURE, "no such struct")
        })?;
        let args = self.types.list(args).to_vec();
        if handle.type_parameters.len() != args.len() {
            return Err(Stop::status(StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH));
        }
        match &def.field_information {
            StructFieldInformation::Native => Err(Stop::with_message(
                StatusCode::TYPE_RESOLUTION_FAILURE,
                "native structs have no layout",
            )),
            StructFieldInformation::Declared(fields) => {
                let b =
                    self.fields_layout(view, &module, fields, &args, Builder::new(0, UNIT), depth)?;
                Ok(Layout {
                    ty,
                    size: b.end.next_multiple_of(b.align),
                    align: b.align,
                    plain: b.plain,
                    fixed_units: b.units,
                    fixed_bcs: b.bcs,
                    depth: b.depth,
                    nodes: b.nodes,
                    kind: Kind::Struct(b.fields.into()),
                })
            }
            StructFieldInformation::DeclaredVariants(variants) => {
                let mut fields = Vec::with_capacity(variants.len());
                let mut objects = Vec::with_capacity(variants.len());
                let (mut end, mut align, mut plain, mut depth_max, mut nodes) =
                    (TAG_BYTES, 2, true, 1, 1u32);
                let mut units: Option<Option<u64>> = None;
                for variant in variants {
                    let start = Builder::new(TAG_BYTES, 2 * UNIT);
                    let b =
                        self.fields_layout(view, &module, &variant.fields, &args, start, depth)?;
                    (end, align, plain) = (end.max(b.end), align.max(b.align), plain && b.plain);
                    (depth_max, nodes) = (depth_max.max(b.depth), nodes.saturating_add(b.nodes));
                    units = Some(units.map_or(b.units, |u| u.filter(|_| u == b.units)));
                    objects.push(b.end);
                    fields.push(b.fields.into());
                }
                let inline = end.next_multiple_of(align);
                let boxed = inline > self.enum_inline_bytes;
                let (size, align) = if boxed {
                    (BOX_BYTES, BOX_BYTES)
                } else {
                    (inline, align)
                };
                Ok(Layout {
                    ty,
                    size,
                    align,
                    plain: plain && !boxed,
                    fixed_units: units.flatten(),
                    fixed_bcs: None,
                    depth: depth_max,
                    nodes,
                    kind: Kind::Enum(Variants {
                        fields: fields.into(),
                        objects: boxed.then(|| objects.into()),
                    }),
                })
            }
        }
    }

    fn fields_layout(
        &mut self,
        view: &mut dyn StateView,
        module: &Module,
        fields: &[FieldDefinition],
        args: &[TypeId],
        mut builder: Builder,
        depth: u32,
    ) -> Run<Builder> {
        for field in fields {
            let ty = self.instantiate_within(module, &field.signature.0, args, Limits::None)?;
            let id = self.layout_at(view, ty, depth + 1)?;
            builder.push(id, self.layout(id)).ok_or_else(|| {
                Stop::with_message(StatusCode::TOO_MANY_TYPE_NODES, "the value is too large")
            })?;
        }
        Ok(builder)
    }

    /// A layout by its id, if there is one.
    pub(crate) fn known_layout(&self, id: LayoutId) -> Option<&Rc<Layout>> {
        self.layouts.get(id.0 as usize)
    }

    /// Size and alignment of a frame slot of this type, if its layout is made already.
    pub(crate) fn known_slot(&self, ty: TypeId) -> Option<(u32, u32)> {
        if ty.is_reference() {
            return Some((REFERENCE_BYTES, 8));
        }
        let id = match ty.compound_index() {
            Some(index) => self.layout_of.get(index).copied().flatten()?,
            None => LayoutId(ty.0),
        };
        let layout = self.known_layout(id)?;
        Some((layout.size, layout.align))
    }

    /// Size and alignment of a frame slot of this type.
    pub(crate) fn slot(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<(u32, u32)> {
        if ty.is_reference() {
            return Ok((REFERENCE_BYTES, 8));
        }
        let id = self.layout_id(view, ty)?;
        let layout = self.layout(id);
        Ok((layout.size, layout.align))
    }

    /// Abilities of a type: found once per transaction.
    pub(crate) fn abilities(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<AbilitySet> {
        let Some(index) = ty.compound_index() else {
            return self.find_abilities(view, ty);
        };
        if let Some(&(transaction, abilities)) = self.abilities_of.get(index)
            && transaction == self.transaction
        {
            return Ok(abilities);
        }
        let abilities = self.find_abilities(view, ty)?;
        if self.abilities_of.len() <= index {
            self.abilities_of.resize(index + 1, (0, AbilitySet::EMPTY));
        }
        if let Some(known) = self.abilities_of.get_mut(index) {
            *known = (self.transaction, abilities);
        }
        Ok(abilities)
    }

    /// The depth of a type is bounded, so the recursion is.
    fn find_abilities(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<AbilitySet> {
        if ty.is_reference() {
            return Ok(AbilitySet::REFERENCES);
        }
        match self.types.node(ty) {
            None if ty == TypeId::SIGNER => Ok(AbilitySet::SIGNER),
            None => Ok(AbilitySet::PRIMITIVES),
            Some(TypeNode::Function { abilities, .. }) => Ok(abilities),
            Some(TypeNode::Vector(element)) => {
                let element = self.abilities(view, element)?;
                Ok(AbilitySet::polymorphic_abilities(
                    AbilitySet::VECTOR,
                    [false],
                    [element],
                ))
            }
            Some(TypeNode::Struct(template, args)) => {
                let (module_ref, name) = self.types.template_parts(template);
                let module = self.module(view, module_ref)?;
                let (_, handle) = module
                    .struct_by_name(name)
                    .ok_or_else(|| Stop::status(StatusCode::TYPE_RESOLUTION_FAILURE))?;
                let args = self.types.list(args).to_vec();
                if handle.type_parameters.len() != args.len() {
                    return Err(Stop::status(StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH));
                }
                let phantom = handle.type_parameters.iter().map(|p| p.is_phantom);
                let arguments = args
                    .into_iter()
                    .map(|a| self.abilities(view, a))
                    .collect::<Run<Vec<_>>>()?;
                Ok(AbilitySet::polymorphic_abilities(
                    handle.abilities,
                    phantom,
                    arguments,
                ))
            }
        }
    }
}

impl Context {
    /// The modules that define the structs inside `types`, in the order of their ids. Layouts that are not made yet add nothing.
    pub(crate) fn defining_modules(
        &self,
        types: impl IntoIterator<Item = TypeId>,
    ) -> Vec<ModuleRef> {
        let mut modules = Vec::new();
        let mut seen = vec![false; self.layouts.len()];
        let mut work: Vec<LayoutId> = types
            .into_iter()
            .filter_map(|ty| {
                self.layout_of
                    .get(ty.referent().compound_index()?)
                    .copied()
                    .flatten()
            })
            .collect();
        while let Some(id) = work.pop() {
            let index = id.0 as usize;
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            let layout = &self.layouts[index];
            if let Some((module, ..)) = self.struct_parts(layout.ty) {
                modules.push(module);
            }
            match &layout.kind {
                Kind::Vector(element) => work.push(*element),
                Kind::Struct(fields) => work.extend(fields.iter().map(|f| f.layout)),
                Kind::Enum(variants) => work.extend(variants.all().map(|f| f.layout)),
                _ => {}
            }
        }
        modules.sort_unstable();
        modules.dedup();
        modules
    }
}
