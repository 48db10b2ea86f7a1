//! Soundness of types for paranoid mode: type arguments meet their constraints, fields have the abilities that their struct promises.

use super::Context;
use super::ids::TypeId;
use super::layout::{Field, Kind};
use super::types::TypeNode;
use crate::StateView;
use crate::stop::{Run, Stop};
use monomove_types::{AbilitySet, StatusCode};

impl Context {
    /// Type arguments must have the abilities that the parameters ask for.
    pub(crate) fn check_constraints(
        &mut self,
        view: &mut dyn StateView,
        args: &[TypeId],
        constraints: &[AbilitySet],
    ) -> Run<()> {
        for (&ty, constraint) in args.iter().zip(constraints) {
            if ty.is_reference() || !constraint.is_subset(self.abilities(view, ty)?) {
                return Err(Stop::status(StatusCode::CONSTRAINT_NOT_SATISFIED));
            }
        }
        Ok(())
    }

    /// Checks a type and the types of its parts, each type once. Parts are what values have inside: the recursion follows layouts, whose
    /// nesting is bounded. Type arguments without values, and what function values take and return, are checked where there is a value.
    pub(crate) fn check_sound(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<()> {
        let ty = ty.referent();
        if ty.compound_index().is_none() || self.sound_types.contains(&ty) {
            return Ok(());
        }
        match self.types.node(ty) {
            Some(TypeNode::Vector(element)) => self.check_sound(view, element)?,
            Some(TypeNode::Struct(template, args)) => {
                let (module, name) = self.types.template_parts(template);
                let module = self.module(view, module)?;
                let unresolved = || Stop::status(StatusCode::TYPE_RESOLUTION_FAILURE);
                let (_, handle) = module.struct_by_name(name).ok_or_else(unresolved)?;
                let args = self.types.list(args).to_vec();
                let constraints: Vec<_> = handle
                    .type_parameters
                    .iter()
                    .map(|p| p.constraints)
                    .collect();
                self.check_constraints(view, &args, &constraints)?;
                self.check_fields(view, ty)?;
            }
            Some(TypeNode::Function { .. }) | None => {}
        }
        self.sound_types.insert(ty);
        Ok(())
    }

    fn check_fields(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<()> {
        let required = self.abilities(view, ty)?.required_of_parts();
        let layout = self.layout_id(view, ty)?;
        let fields: Vec<Field> = match &self.layout(layout).kind {
            Kind::Struct(fields) => fields.to_vec(),
            Kind::Enum(variants) => variants.all().copied().collect(),
            _ => Vec::new(),
        };
        for field in fields {
            let part = self.layout(field.layout).ty;
            if !required.is_subset(self.abilities(view, part)?) {
                return Err(Stop::status(StatusCode::FIELD_MISSING_TYPE_ABILITY));
            }
            self.check_sound(view, part)?;
        }
        Ok(())
    }
}
