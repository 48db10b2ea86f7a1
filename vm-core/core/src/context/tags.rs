//! Type tags (what people and state keys use) to interned types and back.

use super::Context;
use super::ids::{ModuleRef, TypeId};
use super::types::TypeNode;
use crate::StateView;
use crate::stop::{Run, Stop};
use monomove_types::{
    AccountAddress, FunctionParamOrReturnTag, FunctionTag, Identifier, StateKey, StatusCode,
    StructTag, TypeTag,
};
use std::rc::Rc;

/// Sub-status of `TYPE_RESOLUTION_FAILURE`: the module has no such struct.
const MISSING_STRUCT: u64 = 1;

/// A struct tag in a state key.
#[derive(Debug)]
pub(crate) struct ResourceTag {
    pub(crate) tag: StructTag,
    /// Length of the byte form of a resource's key.
    pub(crate) key_bytes: u64,
}

impl Context {
    /// The type of a tag. Loads the modules of its structs: they must exist, take that many type arguments, and their constraints
    /// must hold.
    pub(crate) fn type_of_tag(&mut self, view: &mut dyn StateView, tag: &TypeTag) -> Run<TypeId> {
        self.tag_at(view, tag, 0)
    }

    fn tag_at(&mut self, view: &mut dyn StateView, tag: &TypeTag, depth: u32) -> Run<TypeId> {
        if depth > super::types::MAX_TYPE_DEPTH {
            return Err(Stop::status(StatusCode::VM_MAX_TYPE_DEPTH_REACHED));
        }
        Ok(match tag {
            TypeTag::Bool => TypeId::BOOL,
            TypeTag::U8 => TypeId::U8,
            TypeTag::U16 => TypeId::U16,
            TypeTag::U32 => TypeId::U32,
            TypeTag::U64 => TypeId::U64,
            TypeTag::U128 => TypeId::U128,
            TypeTag::U256 => TypeId::U256,
            TypeTag::I8 => TypeId::I8,
            TypeTag::I16 => TypeId::I16,
            TypeTag::I32 => TypeId::I32,
            TypeTag::I64 => TypeId::I64,
            TypeTag::I128 => TypeId::I128,
            TypeTag::I256 => TypeId::I256,
            TypeTag::Address => TypeId::ADDRESS,
            TypeTag::Signer => TypeId::SIGNER,
            TypeTag::Vector(element) => {
                let element = self.tag_at(view, element, depth + 1)?;
                self.types.vector(element)?
            }
            TypeTag::Struct(tag) => self.struct_tag(view, tag, depth)?,
            TypeTag::Function(function) => {
                let args = self.function_side(view, &function.args, depth)?;
                let results = self.function_side(view, &function.results, depth)?;
                let (args, results) = (self.types.list_id(&args)?, self.types.list_id(&results)?);
                self.types.compound(TypeNode::Function {
                    args,
                    results,
                    abilities: function.abilities,
                })?
            }
        })
    }

    fn function_side(
        &mut self,
        view: &mut dyn StateView,
        tags: &[FunctionParamOrReturnTag],
        depth: u32,
    ) -> Run<Vec<TypeId>> {
        let bad = || Stop::status(StatusCode::INVALID_SIGNATURE_TOKEN);
        tags.iter()
            .map(|tag| {
                let ty = self.tag_at(view, tag.tag(), depth + 1)?;
                match tag {
                    FunctionParamOrReturnTag::Value(_) => Ok(ty),
                    FunctionParamOrReturnTag::Reference(_) => ty.reference(false).ok_or_else(bad),
                    FunctionParamOrReturnTag::MutableReference(_) => {
                        ty.reference(true).ok_or_else(bad)
                    }
                }
            })
            .collect()
    }

    fn struct_tag(&mut self, view: &mut dyn StateView, tag: &StructTag, depth: u32) -> Run<TypeId> {
        let id = self.types.module(tag.address, tag.module.as_str())?;
        let unresolved =
            || Stop::with_sub_status(StatusCode::TYPE_RESOLUTION_FAILURE, MISSING_STRUCT);
        let module = self.module(view, id)?;
        let name = self.types.name(tag.name.as_str())?;
        let (_, handle) = module.struct_by_name(name).ok_or_else(unresolved)?;
        if handle.type_parameters.len() != tag.type_args.len() {
            return Err(Stop::status(StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH));
        }
        let mut args = Vec::with_capacity(tag.type_args.len());
        for (tag, parameter) in tag.type_args.iter().zip(&handle.type_parameters) {
            let ty = self.tag_at(view, tag, depth + 1)?;
            if !parameter.constraints.is_subset(self.abilities(view, ty)?) {
                return Err(Stop::status(StatusCode::CONSTRAINT_NOT_SATISFIED));
            }
            args.push(ty);
        }
        let args = self.types.list_id(&args)?;
        let template = self.types.template(id, name)?;
        Ok(self.types.compound(TypeNode::Struct(template, args))?)
    }

    /// The tag of a value type; of a reference, the tag of its referent. The depth of a type is bounded.
    pub(crate) fn tag(&self, ty: TypeId) -> Run<TypeTag> {
        let ty = ty.referent();
        Ok(match ty {
            TypeId::BOOL => TypeTag::Bool,
            TypeId::U8 => TypeTag::U8,
            TypeId::U16 => TypeTag::U16,
            TypeId::U32 => TypeTag::U32,
            TypeId::U64 => TypeTag::U64,
            TypeId::U128 => TypeTag::U128,
            TypeId::U256 => TypeTag::U256,
            TypeId::I8 => TypeTag::I8,
            TypeId::I16 => TypeTag::I16,
            TypeId::I32 => TypeTag::I32,
            TypeId::I64 => TypeTag::I64,
            TypeId::I128 => TypeTag::I128,
            TypeId::I256 => TypeTag::I256,
            TypeId::ADDRESS => TypeTag::Address,
            TypeId::SIGNER => TypeTag::Signer,
            _ => match self.types.node(ty).ok_or_else(invariant)? {
                TypeNode::Vector(element) => TypeTag::Vector(Box::new(self.tag(element)?)),
                TypeNode::Struct(template, args) => {
                    let (module, name) = self.types.template_parts(template);
                    let (address, module_name) = self.module_parts(module);
                    TypeTag::Struct(Box::new(StructTag {
                        address,
                        module: identifier(module_name)?,
                        name: identifier(self.types.name_text(name))?,
                        type_args: self
                            .types
                            .list(args)
                            .iter()
                            .map(|&t| self.tag(t))
                            .collect::<Run<_>>()?,
                    }))
                }
                TypeNode::Function {
                    args,
                    results,
                    abilities,
                } => {
                    let side = |list| -> Run<Vec<_>> {
                        self.types
                            .list(list)
                            .iter()
                            .map(|&t| {
                                let tag = self.tag(t)?;
                                Ok(match (t.is_reference(), t.is_mutable_reference()) {
                                    (_, true) => FunctionParamOrReturnTag::MutableReference(tag),
                                    (true, false) => FunctionParamOrReturnTag::Reference(tag),
                                    _ => FunctionParamOrReturnTag::Value(tag),
                                })
                            })
                            .collect()
                    };
                    TypeTag::Function(Box::new(FunctionTag {
                        args: side(args)?,
                        results: side(results)?,
                        abilities,
                    }))
                }
            },
        })
    }

    /// The tag of a struct type.
    pub(crate) fn struct_tag_of(&self, ty: TypeId) -> Run<StructTag> {
        match self.tag(ty)? {
            TypeTag::Struct(tag) => Ok(*tag),
            _ => Err(Stop::status(StatusCode::INTERNAL_TYPE_ERROR)),
        }
    }

    /// The tag of a struct type that may be part of a state key, made once.
    pub(crate) fn resource_tag(&self, ty: TypeId) -> Run<Rc<ResourceTag>> {
        let at = ty.compound_index().ok_or_else(invariant)?;
        if let Some(Some(known)) = self.resource_tags.borrow().get(at) {
            return Ok(known.clone());
        }
        let tag = self.struct_tag_of(ty)?;
        tag.check_nesting()
            .map_err(|_| Stop::status(StatusCode::VALUE_SERIALIZATION_ERROR))?;
        let key = StateKey::resource(AccountAddress::ZERO, tag.clone());
        let key_bytes = key.encode().len() as u64;
        let known = Rc::new(ResourceTag { tag, key_bytes });
        let mut tags = self.resource_tags.borrow_mut();
        if tags.len() <= at {
            tags.resize(at + 1, None);
        }
        if let Some(slot) = tags.get_mut(at) {
            *slot = Some(known.clone());
        }
        Ok(known)
    }

    /// The module that defines a struct type.
    pub(crate) fn defining_module(&self, ty: TypeId) -> Option<ModuleRef> {
        self.struct_parts(ty).map(|(module, ..)| module)
    }
}

fn identifier(text: &str) -> Run<Identifier> {
    Identifier::new(text).map_err(|_| invariant())
}

fn invariant() -> Stop {
    Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR)
}
