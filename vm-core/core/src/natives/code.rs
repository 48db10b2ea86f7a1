//! Publishing from Move: the request is handed to the machine's owner.

use super::{NativeCall, abort, declared};
use crate::PublishRequest;
use crate::interp::Interpreter;
use crate::memory::Addr;
use crate::stop::Run;
use crate::value::{VectorHeader, byte_vector};

/// A second request in one transaction.
const ALREADY_REQUESTED: u64 = 0x03_0000;
/// Bytes of an element that is a vector (or a struct that is nothing but one).
const ELEMENT_BYTES: u32 = crate::context::layout::VECTOR_BYTES;

/// The byte vectors of a `vector<vector<u8>>` or `vector<String>`.
fn byte_vectors(run: &Interpreter<'_>, at: Addr) -> Vec<Vec<u8>> {
    let header = VectorHeader::read(run.memory, at);
    (0..header.len)
        .map(|i| byte_vector(run.memory, header.storage + i * ELEMENT_BYTES).to_vec())
        .collect()
}

pub(super) fn request_publish(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let names = byte_vectors(run, call.param(1)?);
    let bundle = byte_vectors(run, call.param(2)?);
    let bytes: u64 = names.iter().chain(&bundle).map(|b| b.len() as u64).sum();
    let gas = run.schedule;
    run.charge(
        gas.code_request_publish_base
            .saturating_add(gas.code_request_publish_per_byte.saturating_mul(bytes)),
    )?;
    let expected_modules = names
        .into_iter()
        .map(|n| String::from_utf8(n).map_err(|_| declared()))
        .collect::<Run<Vec<_>>>()?;
    if run.effects.publish_request.is_some() {
        return Err(abort(ALREADY_REQUESTED));
    }
    run.effects.publish_request = Some(PublishRequest {
        owner: run.address_at(call.param(0)?),
        expected_modules,
        bundle,
        policy: run.memory.get(call.param(3)?),
    });
    Ok(())
}
