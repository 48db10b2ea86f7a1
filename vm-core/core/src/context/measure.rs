//! Work for a stopwatch outside: filling the table of types and looking types up.

use super::ids::{NameId, TypeId, TypeListId};
use super::types::{TypeNode, Types};
use crate::machine::Machine;
use crate::stop::Run;
use monomove_types::AccountAddress;

/// Struct definitions that the types are made of; type `i` has type `i / DEFINITIONS` as its argument, so that none nests deeply.
const DEFINITIONS: u64 = 16;

/// Types of a working set.
const HOT: u64 = 1000;

/// What to do, for a measurement from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Interns so many distinct types.
    Intern,
    /// Looks up so many types, in no order, among a thousand that are spread evenly over those interned before.
    LookHot,
    /// The same among all of those interned before.
    LookAll,
    /// Drops the context.
    Reset,
}

impl Measure {
    /// The measure with this number on the wire.
    pub fn from_code(code: u32) -> Option<Self> {
        [Self::Intern, Self::LookHot, Self::LookAll, Self::Reset]
            .into_iter()
            .find(|each| *each as u32 == code)
    }
}

impl Machine {
    /// Does the work of a measurement `count` times and returns the bytes of the tables of interned things; `None` if it failed.
    pub fn measure(&mut self, measure: Measure, count: u32) -> Option<u64> {
        let types = &mut self.ctx.types;
        match measure {
            Measure::Intern => intern(types, count).ok()?,
            Measure::LookHot => look(types, count, HOT).ok()?,
            Measure::LookAll => look(types, count, u64::MAX).ok()?,
            Measure::Reset => self.maintenance().reset(),
        }
        Some(self.stats().bytes)
    }
}

fn definitions(types: &mut Types) -> Run<Vec<super::ids::TemplateId>> {
    let module = types.module(AccountAddress::ONE, "measure")?;
    let name: NameId = types.name("measure")?;
    let mut made = vec![types.template(module, name)?];
    for i in 1..DEFINITIONS {
        let name = types.name(&format!("measure_{i}"))?;
        made.push(types.template(module, name)?);
    }
    Ok(made)
}

/// The node of the type with this number: distinct for distinct numbers.
fn node(templates: &[super::ids::TemplateId], first: u32, i: u64) -> Option<TypeNode> {
    let argument = match i / DEFINITIONS {
        0 => TypeId::U8,
        n => TypeId(first + (n - 1) as u32),
    };
    let template = templates.get((i % DEFINITIONS) as usize)?;
    Some(TypeNode::Struct(*template, TypeListId::single(argument)?))
}

fn intern(types: &mut Types, count: u32) -> Run<()> {
    let templates = definitions(types)?;
    for i in 0..u64::from(count) {
        if let Some(node) = node(&templates, TypeId::FIRST_COMPOUND, i) {
            types.compound(node)?;
        }
    }
    Ok(())
}

fn look(types: &mut Types, count: u32, most: u64) -> Run<()> {
    let templates = definitions(types)?;
    let known = types.len() as u64;
    let chosen = known.min(most);
    let spread = known / chosen.max(1);
    let mut random = 1u64;
    for _ in 0..count {
        // Knuth's MMIX generator: its high bits are random enough to defeat prefetching.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let i = (((random >> 32) * chosen) >> 32) * spread;
        if let Some(node) = node(&templates, TypeId::FIRST_COMPOUND, i) {
            types.compound(node)?;
        }
    }
    Ok(())
}
