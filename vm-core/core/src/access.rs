//! Access specifiers of functions (AIP-56): which resources code below a function may touch.
//!
//! A function with specifiers adds a rule while it is on the call stack, and every access to a resource must be allowed by all rules
//! there, so that a call never loosens what its callers declared. Within a rule, positive clauses form a union and negated clauses take
//! away from it; `writes` allows reading too, and `!reads` forbids writing too. Without a positive clause a rule starts from everything
//! if it has negated ones, and from nothing if it is empty (`pure`). `exists` counts as reading: it tells about the state.

use crate::context::Context;
use crate::context::ids::{ModuleRef, TemplateId, TypeId};
use crate::context::module::Module;
use crate::context::types::TypeNode;
use crate::interp::Interpreter;
use crate::memory::Addr;
use crate::stop::{Run, Stop};
use monomove_format::{
    AccessKind, AccessSpecifier, AddressSpecifier, FunctionInstantiationIndex, ResourceSpecifier,
};
use monomove_types::{AccountAddress, StatusCode};
use std::rc::Rc;

/// Most rules on the call stack at once; one more ends with `ACCESS_STACK_LIMIT_EXCEEDED`.
pub(crate) const MAX_RULES: usize = 256;

/// The specifiers of one lowered function.
pub(crate) type Clauses = Rc<[Clause]>;

/// One specifier, its names resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    writes: bool,
    negated: bool,
    resource: Resource,
    address: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Resource {
    Any,
    /// Declared by a module at this address.
    At(AccountAddress),
    /// Declared by this module.
    In(ModuleRef),
    /// This one, with any type arguments.
    Template(TemplateId),
    /// This one with these type arguments.
    Type(TypeId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Any,
    Literal(AccountAddress),
    /// The address that starts at this offset of the frame, or that the reference there refers to.
    Parameter {
        slot: u32,
        by_reference: bool,
    },
}

/// A rule on the call stack: clauses with the addresses that they speak of, `None` for any.
#[derive(Debug)]
pub(crate) struct Rule {
    clauses: Clauses,
    addresses: Vec<Option<AccountAddress>>,
}

/// Resolves the specifiers of a function. The reader does not check their indices.
pub(crate) fn resolve(
    ctx: &mut Context,
    module: &Module,
    specifiers: &[AccessSpecifier],
    ty_args: &[TypeId],
    params: &[TypeId],
    slots: &[u32],
) -> Run<Clauses> {
    specifiers
        .iter()
        .map(|specifier| {
            Ok(Clause {
                writes: specifier.kind == AccessKind::Writes,
                negated: specifier.negated,
                resource: resource(ctx, module, specifier.resource, ty_args)?,
                address: place(ctx, module, specifier.address, params, slots)?,
            })
        })
        .collect()
}

fn resource(
    ctx: &mut Context,
    module: &Module,
    specifier: ResourceSpecifier,
    ty_args: &[TypeId],
) -> Run<Resource> {
    Ok(match specifier {
        ResourceSpecifier::Any => Resource::Any,
        ResourceSpecifier::DeclaredAtAddress(index) => Resource::At(
            *module
                .binary
                .address_identifiers
                .get(usize::from(index.0))
                .ok_or_else(malformed)?,
        ),
        ResourceSpecifier::DeclaredInModule(index) => Resource::In(
            *module
                .modules
                .get(usize::from(index.0))
                .ok_or_else(malformed)?,
        ),
        ResourceSpecifier::Resource(index) => Resource::Template(
            *module
                .templates
                .get(usize::from(index.0))
                .ok_or_else(malformed)?,
        ),
        ResourceSpecifier::ResourceInstantiation(index, arguments) => {
            let template = *module
                .templates
                .get(usize::from(index.0))
                .ok_or_else(malformed)?;
            let arguments = ctx.signature(module, arguments, ty_args)?;
            let arguments = ctx.types.list_id(&arguments)?;
            Resource::Type(ctx.types.compound(TypeNode::Struct(template, arguments))?)
        }
    })
}

fn place(
    ctx: &Context,
    module: &Module,
    specifier: AddressSpecifier,
    params: &[TypeId],
    slots: &[u32],
) -> Run<Place> {
    let (index, function) = match specifier {
        AddressSpecifier::Any => return Ok(Place::Any),
        AddressSpecifier::Literal(index) => {
            let address = module.binary.address_identifiers.get(usize::from(index.0));
            return Ok(Place::Literal(*address.ok_or_else(malformed)?));
        }
        AddressSpecifier::Parameter(index, function) => (usize::from(index), function),
    };
    let (Some(&ty), Some(&slot)) = (params.get(index), slots.get(index)) else {
        return Err(malformed());
    };
    let value = ty.referent();
    let fits = match function {
        None => value == TypeId::ADDRESS || value == TypeId::SIGNER,
        Some(function) => match function_name(ctx, module, function)? {
            ("signer", "address_of" | "borrow_address") => value == TypeId::SIGNER,
            // An `Object` is a struct of one address.
            ("object", "object_address") => is_object(ctx, value),
            _ => false,
        },
    };
    if !fits {
        return Err(malformed());
    }
    Ok(Place::Parameter {
        slot,
        by_reference: ty.is_reference(),
    })
}

/// Module and name of a function at 0x1 that is applied to a parameter.
fn function_name<'a>(
    ctx: &'a Context,
    module: &'a Module,
    index: FunctionInstantiationIndex,
) -> Run<(&'a str, &'a str)> {
    let binary = &module.binary;
    let instantiation = binary
        .function_instantiations
        .get(usize::from(index.0))
        .ok_or_else(malformed)?;
    let handle = &binary.function_handles[usize::from(instantiation.handle.0)];
    let (address, name) = ctx.module_parts(module.modules[usize::from(handle.module.0)]);
    if address != AccountAddress::ONE {
        return Err(malformed());
    }
    Ok((name, binary.identifier_at(handle.name).as_str()))
}

fn is_object(ctx: &Context, ty: TypeId) -> bool {
    let Some(TypeNode::Struct(template, _)) = ctx.types.node(ty) else {
        return false;
    };
    let (module, name) = ctx.types.template_parts(template);
    ctx.module_parts(module) == (AccountAddress::ONE, "object")
        && ctx.types.name_text(name) == "Object"
}

/// A specifier names something that is not there or has no address.
#[cold]
fn malformed() -> Stop {
    Stop::with_message(
        StatusCode::ACCESS_CONTROL_INVARIANT_VIOLATION,
        "an access specifier names something that does not exist or is no address",
    )
}

impl Rule {
    fn allows(&self, ctx: &Context, ty: TypeId, address: AccountAddress, writing: bool) -> bool {
        let mut positive = false;
        let mut enabled = false;
        for (clause, at) in self.clauses.iter().zip(&self.addresses) {
            let matches = || at.is_none_or(|at| at == address) && clause.resource.matches(ctx, ty);
            if clause.negated {
                if (writing || !clause.writes) && matches() {
                    return false;
                }
            } else {
                positive = true;
                enabled |= (clause.writes || !writing) && matches();
            }
        }
        enabled || (!positive && !self.clauses.is_empty())
    }
}

impl Resource {
    fn matches(&self, ctx: &Context, ty: TypeId) -> bool {
        let Some(TypeNode::Struct(template, _)) = ctx.types.node(ty) else {
            return false;
        };
        let module = ctx.types.template_parts(template).0;
        match *self {
            Self::Any => true,
            Self::At(address) => ctx.module_parts(module).0 == address,
            Self::In(wanted) => wanted == module,
            Self::Template(wanted) => wanted == template,
            Self::Type(wanted) => wanted == ty,
        }
    }
}

impl Interpreter<'_> {
    /// Adds the rule of a function whose parameters are in place in the frame at `fp`.
    pub(crate) fn restrict(&mut self, clauses: &Clauses, fp: Addr) -> Run<()> {
        if self.rules.len() >= MAX_RULES {
            return Err(Stop::status(StatusCode::ACCESS_STACK_LIMIT_EXCEEDED));
        }
        let addresses = clauses
            .iter()
            .map(|clause| match clause.address {
                Place::Any => None,
                Place::Literal(address) => Some(address),
                Place::Parameter { slot, by_reference } => {
                    let mut at = fp + slot;
                    if by_reference {
                        let reference: u64 = self.memory.get(at);
                        at = (reference as u32).wrapping_add((reference >> 32) as u32);
                    }
                    Some(self.address_at(at))
                }
            })
            .collect();
        self.rules.push(Rule {
            clauses: clauses.clone(),
            addresses,
        });
        Ok(())
    }

    /// Checks an access to a resource against all rules on the call stack, the innermost first.
    pub(crate) fn check_access(
        &self,
        ty: TypeId,
        address: AccountAddress,
        writing: bool,
    ) -> Run<()> {
        let mut rules = self.rules.iter().rev();
        if rules.all(|rule| rule.allows(self.ctx, ty, address, writing)) {
            return Ok(());
        }
        Err(Stop::with_message(
            StatusCode::ACCESS_DENIED,
            if writing {
                "a function on the call stack does not declare that it writes this resource"
            } else {
                "a function on the call stack does not declare that it reads this resource"
            },
        ))
    }
}
