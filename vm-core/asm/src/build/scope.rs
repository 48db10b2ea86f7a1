//! Names of addresses and modules, and what a path of names stands for.

use super::Builder;
use crate::ast::{Address, ModuleName, Path, TypeParameter, Unit};
use crate::diagnostic::{Reporter, Result, Span, quoted};
use monomove_format::AccountAddress;
use std::collections::BTreeMap;

/// Names given to addresses and modules.
#[derive(Default)]
pub(crate) struct Names<'a> {
    addresses: BTreeMap<&'a str, AccountAddress>,
    modules: BTreeMap<&'a str, (AccountAddress, &'a str)>,
    own: Option<(AccountAddress, &'a str)>,
}

impl<'a> Names<'a> {
    /// Collects the names; one that is given twice is an error.
    pub(crate) fn collect(unit: &'a Unit<'a>, reporter: &mut Reporter) -> Self {
        let mut names = Self::default();
        for (name, value) in &unit.addresses {
            let address = AccountAddress(value.to_be_bytes());
            if let Some(before) = names.addresses.insert(name.text, address)
                && before != address
            {
                let message = format!("{} already names another address", quoted(name.text));
                reporter.report(name.at, message);
            }
        }
        if let Some(module) = &unit.module {
            names.own = names.module(module, reporter).ok();
        }
        for (module, alias) in &unit.uses {
            let Ok(key) = names.module(module, reporter) else {
                continue;
            };
            if let Some(before) = names.modules.insert(alias.text, key)
                && before != key
            {
                let message = format!("{} already names another module", quoted(alias.text));
                reporter.report(alias.at, message);
            }
        }
        // The module's own name, unless `use` gives it to another one.
        if let Some(own) = names.own {
            names.modules.entry(own.1).or_insert(own);
        }
        names
    }

    fn module(
        &self,
        module: &ModuleName<'a>,
        reporter: &mut Reporter,
    ) -> Result<(AccountAddress, &'a str)> {
        let address = match module.address {
            Address::Number(value) => AccountAddress(value.to_be_bytes()),
            Address::Alias(name) => match self.addresses.get(name.text) {
                Some(&address) => address,
                None => {
                    let message = format!("no line `address {} = …` before the module", name.text);
                    return reporter.fail(name.at, message);
                }
            },
        };
        Ok((address, module.name.text))
    }
}

/// What a path stands for.
#[derive(Clone, Copy)]
pub(crate) enum Member<'a> {
    /// A name alone, or one in the module itself.
    Own(&'a str, Span),
    /// A name in another module.
    External(AccountAddress, &'a str, &'a str, Span),
}

impl<'a> Builder<'a, '_> {
    /// Address and name of the module itself.
    pub(super) fn names_own(&self) -> Option<(AccountAddress, &'a str)> {
        self.names.own
    }

    /// Address and name of a module.
    pub(super) fn module_key(
        &mut self,
        module: &ModuleName<'a>,
    ) -> Result<(AccountAddress, &'a str)> {
        self.names.module(module, self.reporter)
    }

    /// Finds out in which module the last name of a path is.
    pub(super) fn member(&mut self, path: &Path<'a>) -> Result<Member<'a>> {
        let (address, module, name) = match (path.address, &path.parts[..]) {
            (None, [name]) => return Ok(Member::Own(name.text, path.at)),
            (None, [module, name]) => match self.names.modules.get(module.text) {
                Some(&(address, module)) => (address, module, name),
                None => {
                    let message = format!(
                        "module {} is not known; `use` names modules",
                        quoted(module.text)
                    );
                    return self.reporter.fail(module.at, message);
                }
            },
            (None, [address, module, name]) => {
                let module = ModuleName {
                    address: Address::Alias(*address),
                    name: *module,
                };
                let (address, module) = self.module_key(&module)?;
                (address, module, name)
            }
            (Some(value), [module, name]) => {
                (AccountAddress(value.to_be_bytes()), module.text, name)
            }
            _ => {
                return self
                    .reporter
                    .fail(path.at, "expected an address, a module and a name");
            }
        };
        if self.names.own == Some((address, module)) {
            Ok(Member::Own(name.text, path.at))
        } else {
            Ok(Member::External(address, module, name.text, path.at))
        }
    }

    /// Makes these the type parameters in scope.
    pub(super) fn enter_type_parameters(&mut self, parameters: &'a [TypeParameter<'a>]) {
        self.type_parameters.clear();
        for (index, parameter) in (0..=u16::MAX).zip(parameters) {
            if self
                .type_parameters
                .insert(parameter.name.text, index)
                .is_some()
            {
                let name = quoted(parameter.name.text);
                self.reporter.report(
                    parameter.name.at,
                    format!("there are two type parameters {name}"),
                );
            }
        }
    }
}
