//! The gas schedule: parameters as data, by the keys of the on-chain schedule.
//!
//! Defaults are the values of gas feature version 54 (2026), but for the least price of a gas unit, which is 0: a fresh chain has no market.
//! Costs are internal gas; a gas unit is `gas_unit_scaling_factor` of it.

use monomove_types::codec::{CodecError, Cursor};
use sha3::{Digest, Sha3_256};

macro_rules! schedule {
    ($($field:ident = $key:literal, $default:literal;)*) => {
        /// Costs in internal gas, one field a parameter.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct GasSchedule {
            $(pub(crate) $field: u64,)*
        }

        impl Default for GasSchedule {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl GasSchedule {
            /// Key and value of every parameter, in a fixed order.
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$(($key, self.$field),)*]
            }

            fn set(&mut self, key: &str, value: u64) {
                match key {
                    $($key => self.$field = value,)*
                    _ => {}
                }
            }
        }
    };
}

impl GasSchedule {
    /// The defaults with some parameters replaced. Keys that no instruction or native here charges by are ignored.
    pub fn with_entries<'a>(entries: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut schedule = Self::default();
        entries
            .into_iter()
            .for_each(|(key, value)| schedule.set(key, value));
        schedule
    }

    /// The entries of the resource `0x1::gas_schedule::GasScheduleV2`: `{ feature_version: u64, entries: vector<{ key: String,
    /// val: u64 }> }`, from its BCS.
    pub fn entries_of_resource(bytes: &[u8]) -> Result<Vec<(String, u64)>, CodecError> {
        let mut cursor = Cursor::new(bytes);
        cursor.u64()?;
        let entries = cursor.sequence(|c| {
            let key = String::from_utf8_lossy(c.bytes()?).into_owned();
            Ok((key, c.u64()?))
        })?;
        cursor.finish()?;
        Ok(entries)
    }

    /// SHA3-256 over every key and value: equal hashes charge alike.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha3_256::new();
        for (key, value) in self.entries() {
            hasher.update((key.len() as u64).to_le_bytes());
            hasher.update(key.as_bytes());
            hasher.update(value.to_le_bytes());
        }
        hasher.finalize().into()
    }
}

schedule! {
    nop = "instr.nop", 360;
    ret = "instr.ret", 2200;
    abort = "instr.abort", 2200;
    abort_msg_base = "instr.abort_msg.base", 4400;
    abort_msg_per_byte = "instr.abort_msg.per_byte", 450;
    br_true = "instr.br_true", 4410;
    br_false = "instr.br_false", 4410;
    branch = "instr.branch", 2940;
    pop = "instr.pop", 1470;
    ld_u8 = "instr.ld_u8", 2200;
    ld_u16 = "instr.ld_u16", 2200;
    ld_u32 = "instr.ld_u32", 2200;
    ld_u64 = "instr.ld_u64", 2200;
    ld_u128 = "instr.ld_u128", 2940;
    ld_u256 = "instr.ld_u256", 2940;
    ld_i8 = "instr.ld_i8", 2200;
    ld_i16 = "instr.ld_i16", 2200;
    ld_i32 = "instr.ld_i32", 2200;
    ld_i64 = "instr.ld_i64", 2200;
    ld_i128 = "instr.ld_i128", 2940;
    ld_i256 = "instr.ld_i256", 2940;
    ld_true = "instr.ld_true", 2200;
    ld_false = "instr.ld_false", 2200;
    ld_const_base = "instr.ld_const.base", 23890;
    ld_const_per_byte = "instr.ld_const.per_byte", 1280;
    imm_borrow_loc = "instr.imm_borrow_loc", 2200;
    mut_borrow_loc = "instr.mut_borrow_loc", 2200;
    imm_borrow_field = "instr.imm_borrow_field", 7350;
    mut_borrow_field = "instr.mut_borrow_field", 7350;
    imm_borrow_field_generic = "instr.imm_borrow_field_generic", 7350;
    mut_borrow_field_generic = "instr.mut_borrow_field_generic", 7350;
    imm_borrow_variant_field = "instr.imm_borrow_variant_field", 8350;
    mut_borrow_variant_field = "instr.mut_borrow_variant_field", 8350;
    imm_borrow_variant_field_generic = "instr.imm_borrow_variant_field_generic", 8350;
    mut_borrow_variant_field_generic = "instr.mut_borrow_variant_field_generic", 8350;
    test_variant = "instr.test_variant", 5350;
    test_variant_generic = "instr.test_variant_generic", 5350;
    copy_loc_base = "instr.copy_loc.base", 2940;
    copy_loc_per_abs_val_unit = "instr.copy_loc.per_abs_val_unit", 140;
    move_loc_base = "instr.move_loc.base", 4410;
    st_loc_base = "instr.st_loc.base", 4410;
    call_base = "instr.call.base", 36760;
    call_per_arg = "instr.call.per_arg", 3670;
    call_per_local = "instr.call.per_local", 3670;
    call_generic_base = "instr.call_generic.base", 36760;
    call_generic_per_ty_arg = "instr.call_generic.per_ty_arg", 3670;
    call_generic_per_arg = "instr.call_generic.per_arg", 3670;
    call_generic_per_local = "instr.call_generic.per_local", 3670;
    pack_base = "instr.pack.base", 8080;
    pack_per_field = "instr.pack.per_field", 1470;
    pack_generic_base = "instr.pack_generic.base", 8080;
    pack_generic_per_field = "instr.pack_generic.per_field", 1470;
    unpack_base = "instr.unpack.base", 8080;
    unpack_per_field = "instr.unpack.per_field", 1470;
    unpack_generic_base = "instr.unpack_generic.base", 8080;
    unpack_generic_per_field = "instr.unpack_generic.per_field", 1470;
    pack_closure_base = "instr.pack_closure.base", 9080;
    pack_closure_per_arg = "instr.pack.closure.per_arg", 1470;
    pack_closure_generic_base = "instr.pack_closure_generic.base", 9080;
    pack_closure_generic_per_arg = "instr.pack_closure_generic.per_arg", 1470;
    read_ref_base = "instr.read_ref.base", 7350;
    read_ref_per_abs_val_unit = "instr.read_ref.per_abs_val_unit", 140;
    write_ref_base = "instr.write_ref.base", 7350;
    freeze_ref = "instr.freeze_ref", 360;
    cast_u8 = "instr.cast_u8", 4410;
    cast_u16 = "instr.cast_u16", 4410;
    cast_u32 = "instr.cast_u32", 4410;
    cast_u64 = "instr.cast_u64", 4410;
    cast_u128 = "instr.cast_u128", 4410;
    cast_u256 = "instr.cast_u256", 4410;
    cast_i8 = "instr.cast_i8", 4410;
    cast_i16 = "instr.cast_i16", 4410;
    cast_i32 = "instr.cast_i32", 4410;
    cast_i64 = "instr.cast_i64", 4410;
    cast_i128 = "instr.cast_i128", 4410;
    cast_i256 = "instr.cast_i256", 4410;
    add = "instr.add", 5880;
    sub = "instr.sub", 5880;
    mul = "instr.mul", 5880;
    modulo = "instr.mod", 5880;
    div = "instr.div", 5880;
    negate = "instr.negate", 5880;
    bit_or = "instr.bit_or", 5880;
    bit_and = "instr.bit_and", 5880;
    bit_xor = "instr.bit_xor", 5880;
    bit_shl = "instr.bit_shl", 5880;
    bit_shr = "instr.bit_shr", 5880;
    or = "instr.or", 5880;
    and = "instr.and", 5880;
    not = "instr.not", 5880;
    lt = "instr.lt", 5880;
    gt = "instr.gt", 5880;
    le = "instr.le", 5880;
    ge = "instr.ge", 5880;
    eq_base = "instr.eq.base", 3670;
    eq_per_abs_val_unit = "instr.eq.per_abs_val_unit", 140;
    neq_base = "instr.neq.base", 3670;
    neq_per_abs_val_unit = "instr.neq.per_abs_val_unit", 140;
    imm_borrow_global_base = "instr.imm_borrow_global.base", 18380;
    imm_borrow_global_generic_base = "instr.imm_borrow_global_generic.base", 18380;
    mut_borrow_global_base = "instr.mut_borrow_global.base", 18380;
    mut_borrow_global_generic_base = "instr.mut_borrow_global_generic.base", 18380;
    exists_base = "instr.exists.base", 9190;
    exists_generic_base = "instr.exists_generic.base", 9190;
    move_from_base = "instr.move_from.base", 12860;
    move_from_generic_base = "instr.move_from_generic.base", 12860;
    move_to_base = "instr.move_to.base", 18380;
    move_to_generic_base = "instr.move_to_generic.base", 18380;
    vec_len_base = "instr.vec_len.base", 8080;
    vec_imm_borrow_base = "instr.vec_imm_borrow.base", 12130;
    vec_mut_borrow_base = "instr.vec_mut_borrow.base", 12130;
    vec_push_back_base = "instr.vec_push_back.base", 13960;
    vec_pop_back_base = "instr.vec_pop_back.base", 9550;
    vec_swap_base = "instr.vec_swap.base", 11020;
    vec_pack_base = "instr.vec_pack.base", 22050;
    vec_pack_per_elem = "instr.vec_pack.per_elem", 1470;
    vec_unpack_base = "instr.vec_unpack.base", 18380;
    vec_unpack_per_expected_elem = "instr.vec_unpack.per_expected_elem", 1470;
    subst_ty_per_node = "instr.subst_ty_per_node", 4000;
    bcs_to_bytes_per_byte_serialized = "move_stdlib.bcs.to_bytes.per_byte_serialized", 360;
    bcs_to_bytes_failure = "move_stdlib.bcs.to_bytes.failure", 36760;
    hash_sha2_256_base = "move_stdlib.hash.sha2_256.base", 110280;
    hash_sha2_256_per_byte = "move_stdlib.hash.sha2_256.per_byte", 1830;
    hash_sha3_256_base = "move_stdlib.hash.sha3_256.base", 147040;
    hash_sha3_256_per_byte = "move_stdlib.hash.sha3_256.per_byte", 1650;
    signer_borrow_address_base = "move_stdlib.signer.borrow_address.base", 7350;
    string_check_utf8_base = "move_stdlib.string.check_utf8.base", 11020;
    string_check_utf8_per_byte = "move_stdlib.string.check_utf8.per_byte", 290;
    string_is_char_boundary_base = "move_stdlib.string.is_char_boundary.base", 11020;
    string_sub_string_base = "move_stdlib.string.sub_string.base", 14700;
    string_sub_string_per_byte = "move_stdlib.string.sub_string.per_byte", 110;
    string_index_of_base = "move_stdlib.string.index_of.base", 14700;
    string_index_of_per_byte_pattern = "move_stdlib.string.index_of.per_byte_pattern", 730;
    string_index_of_per_byte_searched = "move_stdlib.string.index_of.per_byte_searched", 360;
    bcs_serialized_size_base = "move_stdlib.bcs.serialized_size.base", 7350;
    bcs_serialized_size_per_byte_serialized = "move_stdlib.bcs.serialized_size.per_byte_serialized", 360;
    bcs_serialized_size_failure = "move_stdlib.bcs.serialized_size.failure", 36760;
    bcs_constant_serialized_size_base = "move_stdlib.bcs.constant_serialized_size.base", 7350;
    bcs_constant_serialized_size_per_type_node = "move_stdlib.bcs.constant_serialized_size.per_type_node", 400;
    cmp_compare_base = "move_stdlib.cmp.compare.base", 3670;
    cmp_compare_per_abs_val_unit = "move_stdlib.cmp.compare.per_abs_val_unit", 140;
    reflect_resolve_base = "aptos_framework.reflect.resolve_base", 40960;
    vector_move_range_base = "move_stdlib.vector.move_range.base", 40000;
    vector_move_range_per_index_moved = "move_stdlib.vector.move_range.per_index_moved", 100;
    mem_swap_base = "move_stdlib.mem.swap.base", 15000;
    table_common_load_base = "table.common.load.base", 3023850;
    table_common_load_base_new = "table.common.load.base_new", 3023850;
    table_common_load_per_byte = "table.common.load.per_byte", 1510;
    table_common_load_failure = "table.common.load.failure", 0;
    table_new_table_handle_base = "table.new_table_handle.base", 36760;
    table_add_box_base = "table.add_box.base", 44110;
    table_add_box_per_byte_serialized = "table.add_box.per_byte_serialized", 360;
    table_borrow_box_base = "table.borrow_box.base", 44110;
    table_borrow_box_per_byte_serialized = "table.borrow_box.per_byte_serialized", 360;
    table_contains_box_base = "table.contains_box.base", 44110;
    table_contains_box_per_byte_serialized = "table.contains_box.per_byte_serialized", 360;
    table_remove_box_base = "table.remove_box.base", 44110;
    table_remove_box_per_byte_serialized = "table.remove_box.per_byte_serialized", 360;
    table_destroy_empty_box_base = "table.destroy_empty_box.base", 44110;
    table_drop_unchecked_box_base = "table.drop_unchecked_box.base", 3670;
    account_create_signer_base = "aptos_framework.account.create_signer.base", 11020;
    aptos_hash_sip_hash_base = "aptos_framework.hash.sip_hash.base", 36760;
    aptos_hash_sip_hash_per_byte = "aptos_framework.hash.sip_hash.per_byte", 730;
    aptos_hash_keccak256_base = "aptos_framework.hash.keccak256.base", 147040;
    aptos_hash_keccak256_per_byte = "aptos_framework.hash.keccak256.per_byte", 1650;
    type_info_type_of_base = "aptos_framework.type_info.type_of.base", 11020;
    type_info_type_of_per_abstract_memory_unit = "aptos_framework.type_info.type_of.per_abstract_memory_unit", 180;
    type_info_type_name_base = "aptos_framework.type_info.type_name.base", 11020;
    type_info_type_name_per_abstract_memory_unit = "aptos_framework.type_info.type_name.per_abstract_memory_unit", 180;
    aptos_hash_sha2_512_base = "aptos_framework.hash.sha2_512.base", 119100;
    aptos_hash_sha2_512_per_byte = "aptos_framework.hash.sha2_512.per_byte", 2200;
    aptos_hash_sha3_512_base = "aptos_framework.hash.sha3_512.base", 165420;
    aptos_hash_sha3_512_per_byte = "aptos_framework.hash.sha3_512.per_byte", 1830;
    aptos_hash_ripemd160_base = "aptos_framework.hash.ripemd160.base", 110280;
    aptos_hash_ripemd160_per_byte = "aptos_framework.hash.ripemd160.per_byte", 1830;
    aptos_hash_blake2b_256_base = "aptos_framework.hash.blake2b_256.base", 64330;
    aptos_hash_blake2b_256_per_byte = "aptos_framework.hash.blake2b_256.per_byte", 550;
    util_from_bytes_base = "aptos_framework.util.from_bytes.base", 11020;
    util_from_bytes_per_byte = "aptos_framework.util.from_bytes.per_byte", 180;
    code_request_publish_base = "aptos_framework.code.request_publish.base", 18380;
    code_request_publish_per_byte = "aptos_framework.code.request_publish.per_byte", 70;
    event_write_to_event_store_base = "aptos_framework.event.write_to_event_store.base", 200060;
    event_write_to_event_store_per_abstract_memory_unit = "aptos_framework.event.write_to_event_store.per_abstract_memory_unit", 610;
    string_utils_format_base = "aptos_framework.string_utils.format.base", 11020;
    string_utils_format_per_byte = "aptos_framework.string_utils.format.per_byte", 30;
    min_transaction_gas = "txn.min_transaction_gas_units", 27600000;
    large_transaction_cutoff = "txn.large_transaction_cutoff", 600;
    intrinsic_gas_per_byte = "txn.intrinsic_gas_per_byte", 11580;
    maximum_gas_units = "txn.maximum_number_of_gas_units", 20000000;
    min_price_per_gas_unit = "txn.min_price_per_gas_unit", 0;
    max_price_per_gas_unit = "txn.max_price_per_gas_unit", 10000000000;
    max_transaction_size = "txn.max_transaction_size_in_bytes", 65536;
    gas_unit_scaling_factor = "txn.gas_unit_scaling_factor", 1000000;
    storage_io_per_state_slot_read = "txn.storage_io_per_state_slot_read", 3023850;
    storage_io_per_state_byte_read = "txn.storage_io_per_state_byte_read", 1510;
    storage_io_per_state_slot_write = "txn.storage_io_per_state_slot_write", 895680;
    storage_io_per_state_byte_write = "txn.storage_io_per_state_byte_write", 890;
    storage_io_per_event_byte_write = "txn.storage_io_per_event_byte_write", 890;
    max_bytes_per_write_op = "txn.max_bytes_per_write_op", 1048576;
    max_bytes_all_write_ops = "txn.max_bytes_all_write_ops_per_transaction", 10485760;
    max_bytes_per_event = "txn.max_bytes_per_event", 1048576;
    max_bytes_all_events = "txn.max_bytes_all_events_per_transaction", 10485760;
    max_write_ops = "txn.max_write_ops_per_transaction", 8192;
    max_execution_gas = "txn.max_execution_gas", 9200000000;
    max_io_gas = "txn.max_io_gas", 10000000000;
    dependency_per_module = "txn.dependency_per_module", 744600;
    dependency_per_byte = "txn.dependency_per_byte", 420;
    max_num_dependencies = "txn.max_num_dependencies", 768;
    max_total_dependency_size = "txn.max_total_dependency_size", 1887436;
    storage_fee_per_state_slot = "txn.storage_fee_per_state_slot", 0;
    storage_fee_per_state_byte = "txn.storage_fee_per_state_byte", 0;
    max_storage_fee = "txn.max_storage_fee", 2000000000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique() {
        let mut keys: Vec<_> = GasSchedule::default()
            .entries()
            .into_iter()
            .map(|(k, _)| k)
            .collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn entries_replace_defaults_and_change_the_hash() {
        let schedule = GasSchedule::with_entries([("instr.nop", 7), ("txn.unknown", 1)]);
        assert_eq!(schedule.nop, 7);
        assert_eq!(schedule.ret, GasSchedule::default().ret);
        assert_ne!(schedule.hash(), GasSchedule::default().hash());
    }

    #[test]
    fn resource_is_read() {
        let mut bytes = 54u64.to_le_bytes().to_vec();
        bytes.extend([1, 9]);
        bytes.extend(b"instr.nop");
        bytes.extend(5u64.to_le_bytes());
        assert_eq!(
            GasSchedule::entries_of_resource(&bytes),
            Ok(vec![("instr.nop".to_owned(), 5)])
        );
        bytes.push(0);
        assert!(GasSchedule::entries_of_resource(&bytes).is_err());
    }
}
