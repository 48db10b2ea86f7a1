//! The depth check of types whose values are packed.
//!
//! `pack` and `vec_pack` refuse types that are too deep before any value is looked at. The measure is not the plain nesting: the type
//! arguments of a generic struct are measured from the depth at which the struct stands, and the struct's own formula is added on
//! top of that, so that the outer nesting counts again at each generic struct. Programs meet it that way on the native Aptos VM
//! (golden cases `deep-006` to `deep-008`, `deep-015`), so it is part of the semantics.

use super::Context;
use super::ids::{TemplateId, TypeId};
use super::layout::{MAX_LAYOUT_DEPTH, MAX_VALUE_DEPTH};
use super::module::Module;
use super::types::TypeNode;
use crate::StateView;
use crate::stop::{Run, Stop};
use monomove_format::{SignatureToken, StructFieldInformation};
use monomove_types::StatusCode;
use std::rc::Rc;

/// Below this plain nesting `n` the measure cannot reach the limit: it is at most `n * n + 2 * n`.
const HARMLESS_DEPTH: u32 = 10;

/// Depth of a struct as a function of the depths of its type arguments: the largest of `constant` and each `argument + term`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DepthFormula {
    constant: u32,
    /// By type parameter; `None` when it does not occur.
    terms: Vec<Option<u32>>,
}

impl DepthFormula {
    fn constant(constant: u32) -> Self {
        Self {
            constant,
            terms: Vec::new(),
        }
    }

    fn add_term(&mut self, parameter: usize, depth: u32) {
        if self.terms.len() <= parameter {
            self.terms.resize(parameter + 1, None);
        }
        let term = &mut self.terms[parameter];
        *term = Some(term.map_or(depth, |t| t.max(depth)));
    }

    fn deeper(mut self) -> Self {
        self.constant = self.constant.saturating_add(1);
        self.terms
            .iter_mut()
            .flatten()
            .for_each(|t| *t = t.saturating_add(1));
        self
    }

    fn join(&mut self, other: Self) {
        self.constant = self.constant.max(other.constant);
        for (parameter, term) in other.terms.into_iter().enumerate() {
            if let Some(term) = term {
                self.add_term(parameter, term);
            }
        }
    }

    /// The formula with its parameters replaced.
    fn substitute(&self, arguments: &[Self]) -> Self {
        let mut result = Self::constant(self.constant);
        for (argument, term) in arguments.iter().zip(&self.terms) {
            if let Some(term) = term {
                let mut part = argument.clone();
                part.constant = part.constant.saturating_add(*term);
                part.terms
                    .iter_mut()
                    .flatten()
                    .for_each(|t| *t = t.saturating_add(*term));
                result.join(part);
            }
        }
        result
    }

    fn solve(&self, arguments: &[u32]) -> u32 {
        arguments
            .iter()
            .zip(&self.terms)
            .filter_map(|(a, term)| Some(a.saturating_add((*term)?)))
            .fold(self.constant, u32::max)
    }
}

impl Context {
    /// Refuses to pack values of a type that is too deep.
    pub(crate) fn check_packed_depth(&mut self, view: &mut dyn StateView, ty: TypeId) -> Run<()> {
        if ty.is_reference() || ty.compound_index().is_none() {
            return Ok(());
        }
        let layout = self.layout_id(view, ty)?;
        if self.layout(layout).depth > HARMLESS_DEPTH {
            self.measure(view, ty, 0)?;
        }
        Ok(())
    }

    /// The measure of a type that stands at `depth`. The nesting of types is bounded.
    fn measure(&mut self, view: &mut dyn StateView, ty: TypeId, depth: u32) -> Run<u32> {
        let deeper = |by: u32| match depth.saturating_add(by) {
            sum if sum > MAX_VALUE_DEPTH => {
                Err(Stop::status(StatusCode::VM_MAX_VALUE_DEPTH_REACHED))
            }
            sum => Ok(sum),
        };
        match self.types.node(ty) {
            Some(TypeNode::Vector(element)) => self.measure(view, element, deeper(1)?),
            Some(TypeNode::Struct(template, args)) => {
                let args = self.types.list(args).to_vec();
                let depths = args
                    .into_iter()
                    .map(|arg| self.measure(view, arg, depth))
                    .collect::<Run<Vec<_>>>()?;
                deeper(self.depth_formula(view, template, 0)?.solve(&depths))
            }
            Some(TypeNode::Function { .. }) | None => deeper(1),
        }
    }

    fn depth_formula(
        &mut self,
        view: &mut dyn StateView,
        template: TemplateId,
        nesting: u32,
    ) -> Run<Rc<DepthFormula>> {
        if let Some(formula) = self.depth_formulas.get(&template) {
            return Ok(formula.clone());
        }
        if nesting > MAX_LAYOUT_DEPTH {
            return Err(Stop::status(StatusCode::VM_MAX_VALUE_DEPTH_REACHED));
        }
        let (module_ref, name) = self.types.template_parts(template);
        let module = self.module(view, module_ref)?;
        let unresolved = || Stop::status(StatusCode::TYPE_RESOLUTION_FAILURE);
        let (def, _) = module.struct_by_name(name).ok_or_else(unresolved)?;
        let mut formula = DepthFormula::default();
        let fields: Vec<_> = match &def.field_information {
            StructFieldInformation::Native => Vec::new(),
            StructFieldInformation::Declared(fields) => fields.iter().collect(),
            StructFieldInformation::DeclaredVariants(variants) => {
                variants.iter().flat_map(|v| &v.fields).collect()
            }
        };
        for field in fields {
            formula.join(self.token_formula(view, &module, &field.signature.0, nesting)?);
        }
        let formula = Rc::new(formula.deeper());
        self.depth_formulas.insert(template, formula.clone());
        Ok(formula)
    }

    fn token_formula(
        &mut self,
        view: &mut dyn StateView,
        module: &Module,
        token: &SignatureToken,
        nesting: u32,
    ) -> Run<DepthFormula> {
        Ok(match token {
            SignatureToken::Vector(element) => {
                self.token_formula(view, module, element, nesting)?.deeper()
            }
            SignatureToken::TypeParameter(index) => {
                let mut formula = DepthFormula::default();
                formula.add_term(usize::from(*index), 0);
                formula
            }
            SignatureToken::Struct(handle) => {
                let template = module.templates[usize::from(handle.0)];
                (*self.depth_formula(view, template, nesting + 1)?).clone()
            }
            SignatureToken::StructInstantiation(handle, args) => {
                let template = module.templates[usize::from(handle.0)];
                let args = args
                    .iter()
                    .map(|a| self.token_formula(view, module, a, nesting))
                    .collect::<Run<Vec<_>>>()?;
                self.depth_formula(view, template, nesting + 1)?
                    .substitute(&args)
            }
            _ => DepthFormula::constant(1),
        })
    }
}
