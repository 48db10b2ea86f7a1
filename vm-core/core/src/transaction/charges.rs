//! What the schedule says about transactions: who is admitted, what a transaction and its effects cost and may be.

use crate::gas::GasSchedule;
use crate::globals::Change;
use crate::{Budget, Event, Transaction};
use monomove_types::StatusCode;

/// The gas of a transaction that was admitted, in internal gas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// All that it may use.
    pub(super) total: u64,
    /// Of that, what execution may use.
    pub(super) execution: u64,
    /// What storage may use; `None` if it costs nothing.
    pub(super) io: Option<u64>,
    /// What is charged before anything runs.
    pub(super) intrinsic: u64,
    /// Internal gas of a unit.
    pub(super) per_unit: u64,
    /// Price of a unit; 0 if nothing is paid.
    pub(super) price: u64,
}

impl Allowance {
    /// Checks a transaction against the bounds of the schedule.
    pub(super) fn of(transaction: &Transaction, gas: &GasSchedule) -> Result<Self, StatusCode> {
        let per_unit = gas.gas_unit_scaling_factor.max(1);
        let (max_gas, price, size) = match transaction.budget {
            Budget::Internal(limit) => {
                let total = limit.min(transaction.gas_bound);
                return Ok(Self {
                    total,
                    execution: total,
                    io: None,
                    intrinsic: 0,
                    per_unit,
                    price: 0,
                });
            }
            Budget::Units {
                max_gas,
                price,
                size,
            } => (max_gas, price, size),
        };
        if size > gas.max_transaction_size {
            return Err(StatusCode::EXCEEDED_MAX_TRANSACTION_SIZE);
        }
        let total = max_gas.checked_mul(per_unit);
        let total = total
            .filter(|&total| total <= transaction.gas_bound && max_gas <= gas.maximum_gas_units)
            .ok_or(StatusCode::MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND)?;
        let excess = size.saturating_sub(gas.large_transaction_cutoff);
        let intrinsic = gas
            .min_transaction_gas
            .saturating_add(gas.intrinsic_gas_per_byte.saturating_mul(excess));
        if intrinsic > total {
            return Err(StatusCode::MAX_GAS_UNITS_BELOW_MIN_TRANSACTION_GAS_UNITS);
        }
        if price < gas.min_price_per_gas_unit {
            return Err(StatusCode::GAS_UNIT_PRICE_BELOW_MIN_BOUND);
        }
        if price > gas.max_price_per_gas_unit {
            return Err(StatusCode::GAS_UNIT_PRICE_ABOVE_MAX_BOUND);
        }
        Ok(Self {
            total,
            execution: gas.max_execution_gas,
            io: Some(gas.max_io_gas),
            intrinsic,
            per_unit,
            price,
        })
    }
}

/// A value that a transaction writes, by sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) change: Change,
    /// Bytes of its key.
    pub(super) key: u64,
    /// Bytes that the state has.
    pub(super) old: u64,
    /// Bytes that it will have.
    pub(super) new: u64,
}

/// What occupying storage costs, in the coin of gas.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StorageFee {
    pub(super) fee: u64,
    pub(super) refund: u64,
}

impl StorageFee {
    /// Slots and bytes that are created, bytes by which values grow; what is deleted is given back at today's price.
    pub(super) fn of(gas: &GasSchedule, writes: &[Written]) -> Result<Self, StatusCode> {
        let (slot, byte) = (
            gas.storage_fee_per_state_slot,
            gas.storage_fee_per_state_byte,
        );
        let whole = |bytes: u64| slot.saturating_add(byte.saturating_mul(bytes));
        let mut this = Self::default();
        for write in writes {
            let (fee, refund) = match write.change {
                Change::Create => (whole(write.key + write.new), 0),
                Change::Modify => (byte.saturating_mul(write.new.saturating_sub(write.old)), 0),
                Change::Delete => (0, whole(write.key + write.old)),
            };
            this.fee = this.fee.saturating_add(fee);
            this.refund = this.refund.saturating_add(refund);
        }
        if this.fee > gas.max_storage_fee {
            return Err(StatusCode::STORAGE_LIMIT_REACHED);
        }
        Ok(this)
    }

    /// The internal gas that pays the fee; nothing where gas is free.
    pub(super) fn gas(self, allowance: &Allowance) -> u64 {
        let gas = u128::from(self.fee) * u128::from(allowance.per_unit);
        let gas = gas.div_ceil(u128::from(allowance.price.max(1)));
        if allowance.price == 0 {
            return 0;
        }
        u64::try_from(gas).unwrap_or(u64::MAX)
    }
}

/// What writing these effects costs; refused if they are too many or too large.
pub(super) fn effects(
    gas: &GasSchedule,
    writes: &[Written],
    events: &[Event],
) -> Result<u64, StatusCode> {
    let refused = Err(StatusCode::STORAGE_WRITE_LIMIT_REACHED);
    if writes.len() as u64 > gas.max_write_ops {
        return refused;
    }
    let (mut cost, mut all) = (0u64, 0u64);
    for write in writes {
        let bytes = write.new + write.key;
        all = all.saturating_add(bytes);
        if write.new > gas.max_bytes_per_write_op || all > gas.max_bytes_all_write_ops {
            return refused;
        }
        cost = cost
            .saturating_add(gas.storage_io_per_state_slot_write)
            .saturating_add(gas.storage_io_per_state_byte_write.saturating_mul(bytes));
    }
    let mut all = 0u64;
    for event in events {
        let bytes = event.data.len() as u64;
        all = all.saturating_add(bytes);
        if bytes > gas.max_bytes_per_event || all > gas.max_bytes_all_events {
            return refused;
        }
    }
    Ok(cost.saturating_add(gas.storage_io_per_event_byte_write.saturating_mul(all)))
}
