//! Digests: `hash` and `aptos_hash`.

use super::NativeCall;
use crate::interp::Interpreter;
use crate::stop::Run;
use sha2::Digest;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// A native that turns a `vector<u8>` into a digest.
fn digest(
    run: &mut Interpreter<'_>,
    call: &NativeCall,
    base: u64,
    per_byte: u64,
    hash: fn(&[u8]) -> Vec<u8>,
) -> Run<()> {
    let len = run.bytes_param(call, 0)?.len() as u64;
    run.charge(base.saturating_add(per_byte.saturating_mul(len)))?;
    let digest = hash(run.bytes_param(call, 0)?);
    run.return_bytes(call, &digest)
}

pub(super) fn sha2_256(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.hash_sha2_256_base,
        gas.hash_sha2_256_per_byte,
        |b| sha2::Sha256::digest(b).to_vec(),
    )
}

pub(super) fn sha3_256(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.hash_sha3_256_base,
        gas.hash_sha3_256_per_byte,
        |b| sha3::Sha3_256::digest(b).to_vec(),
    )
}

pub(super) fn sha2_512(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.aptos_hash_sha2_512_base,
        gas.aptos_hash_sha2_512_per_byte,
        |b| sha2::Sha512::digest(b).to_vec(),
    )
}

pub(super) fn sha3_512(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.aptos_hash_sha3_512_base,
        gas.aptos_hash_sha3_512_per_byte,
        |b| sha3::Sha3_512::digest(b).to_vec(),
    )
}

pub(super) fn keccak256(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.aptos_hash_keccak256_base,
        gas.aptos_hash_keccak256_per_byte,
        |b| sha3::Keccak256::digest(b).to_vec(),
    )
}

pub(super) fn ripemd160(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.aptos_hash_ripemd160_base,
        gas.aptos_hash_ripemd160_per_byte,
        |b| ripemd::Ripemd160::digest(b).to_vec(),
    )
}

pub(super) fn blake2b_256(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    digest(
        run,
        call,
        gas.aptos_hash_blake2b_256_base,
        gas.aptos_hash_blake2b_256_per_byte,
        |b| blake2::Blake2b256::digest(b).to_vec(),
    )
}

/// SipHash-2-4 with key 0.
pub(super) fn sip_hash(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    let len = run.bytes_param(call, 0)?.len() as u64;
    run.charge(
        gas.aptos_hash_sip_hash_base
            .saturating_add(gas.aptos_hash_sip_hash_per_byte.saturating_mul(len)),
    )?;
    let mut hasher = SipHasher24::new();
    hasher.write(run.bytes_param(call, 0)?);
    let value = hasher.finish();
    run.return_u64(call, value)
}
