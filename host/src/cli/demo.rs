//! The built-in example: a bank on a fresh chain.

use monomove::{Access, AccountAddress, Engine, Limits};
use monomove_stdlib as stdlib;

use super::block::Summary;
use super::block::table::{self, Row};
use super::chain::{Chain, arguments};
use super::exit::{CliError, Exit};
use super::input;
use super::output::{DIM, HEADING, Output, styled};

/// The bank's owner, which is the address of its package.
const OWNER: &str = "0xcafe";
/// First accounts and their balances.
const ACCOUNTS: [(&str, u64); 5] = [
    (OWNER, 1_000),
    ("0xa11ce", 100_000),
    ("0xb0b", 50_000),
    ("0xca401", 20_000),
    ("0xda7e", 5_000),
];
/// Gas of the transaction that is meant to run out of it.
const TOO_LITTLE_GAS: u64 = 1_000_000;

/// Sender, function, arguments; a function without module is one of the bank.
const TRANSACTIONS: [(&str, &str, &[&str]); 22] = [
    ("0xa11ce", "open_account", &[]),
    (OWNER, "open_bank", &[]),
    ("0xa11ce", "open_account", &[]),
    ("0xb0b", "open_account", &[]),
    ("0xca401", "open_account", &[]),
    (
        "0xa11ce",
        "0x1::native_coin::transfer",
        &["address:0xe7e", "u64:2500"],
    ),
    ("0xe7e", "open_account", &[]),
    ("0xa11ce", "deposit", &["u64:40000"]),
    ("0xb0b", "deposit", &["u64:30000"]),
    ("0xca401", "deposit", &["u64:15000"]),
    ("0xda7e", "deposit", &["u64:100"]),
    ("0xe7e", "deposit", &["u64:2000"]),
    ("0xa11ce", "transfer", &["address:0xb0b", "u64:12500"]),
    ("0xb0b", "transfer", &["address:0xca401", "u64:500"]),
    (
        "0xa11ce",
        "transfer_and_fail",
        &["address:0xb0b", "u64:1000"],
    ),
    ("0xca401", "transfer", &["address:0xa11ce", "u64:999999"]),
    ("0xca401", "transfer", &["address:0xe7e", "u64:4000"]),
    ("0xb0b", "withdraw", &["u64:10000"]),
    ("0xe7e", "withdraw", &["u64:6000"]),
    ("0xe7e", "withdraw", &["u64:6000"]),
    ("0xa11ce", "withdraw", &["u64:1"]),
    (
        "0xda7e",
        "0x1::native_coin::transfer",
        &["address:0xa11ce", "u64:4999"],
    ),
];
/// Position of the transaction that gets too little gas.
const OUT_OF_GAS: usize = 18;

pub(crate) fn run(out: &mut Output) -> Result<Exit, CliError> {
    let limits = Limits::default();
    let engine = Engine::new(limits)?;
    let mut chain = Chain::new(&engine);
    chain.publish_embedded(stdlib::std_and_framework().chain([stdlib::BANK]))?;
    let accounts =
        ACCOUNTS.map(|(address, balance)| parse(address).map(|address| (address, balance)));
    chain.genesis(
        4,
        1_700_000_000_000_000,
        &accounts.into_iter().collect::<Result<Vec<_>, _>>()?,
    )?;

    let mut calls = Vec::new();
    for (index, (sender, function, args)) in TRANSACTIONS.into_iter().enumerate() {
        let gas = if index == OUT_OF_GAS {
            TOO_LITTLE_GAS
        } else {
            limits.gas_per_transaction
        };
        let mut call = chain.call(
            Access::Entry,
            &[parse(sender)?],
            input::function(&full_name(function))?,
            gas,
        );
        call.args = arguments(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())?;
        calls.push(call.into());
    }
    let result = chain.execute(calls)?;

    out.line(styled(HEADING, "A bank on a fresh chain"))?;
    out.line(styled(
        DIM,
        "standard library, framework and the package `bank`; genesis with five accounts; then this block, all of it in the sandbox",
    ))?;
    out.line("")?;
    let rows = TRANSACTIONS.iter().zip(&result.transactions).map(
        |((sender, function, args), (_, result))| Row {
            sender: parse(sender)
                .map_or_else(|_| (*sender).to_owned(), |address| address.to_string()),
            call: format!("{}({})", full_name(function), args.join(", ")),
            result,
        },
    );
    let summary = Summary::of(&result);
    table::print(&rows.collect::<Vec<_>>(), &summary, &limits, out)?;
    out.line(styled(DIM, "next: monomove --help"))?;
    Ok(if summary.has_faults() {
        Exit::Fault
    } else {
        Exit::Ok
    })
}

fn full_name(function: &str) -> String {
    if function.contains("::") {
        function.to_owned()
    } else {
        format!("{OWNER}::bank::{function}")
    }
}

fn parse(address: &str) -> Result<AccountAddress, CliError> {
    AccountAddress::from_hex_literal(address).map_err(|error| CliError::at(address, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transactions_are_well_formed() {
        for (sender, function, args) in TRANSACTIONS {
            parse(sender).unwrap();
            input::function(&full_name(function)).unwrap();
            arguments(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>()).unwrap();
        }
    }
}
