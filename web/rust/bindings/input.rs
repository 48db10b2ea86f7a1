//! From JavaScript values to the data of this crate. What is not of the expected form is an error that says where.

use crate::chain::{Argument, ChainConfig, ChainLimits, PublishRules, Request};
use crate::error::Error;
use crate::session::{Comparison, Condition, PlaceName, When};
use crate::value::{Input, Limits};
use js_sys::{Array, BigInt, Number, Object, Reflect, Uint8Array};
use monomove_verifier::UpgradePolicy;
use wasm_bindgen::{JsCast, JsValue};

/// Nesting of a value that is given.
const MAX_NESTING: usize = 130;

/// The property `key`, if there is one.
fn property(of: &JsValue, key: &str) -> Option<JsValue> {
    let value = Reflect::get(of, &JsValue::from_str(key)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

fn expected(what: &str, key: &str) -> Error {
    Error::argument(format!("{key}: expected {what}"))
}

fn text(of: &JsValue, key: &str) -> Result<Option<String>, Error> {
    let as_text = |value: JsValue| value.as_string().ok_or_else(|| expected("text", key));
    property(of, key).map(as_text).transpose()
}

fn flag(of: &JsValue, key: &str) -> Result<Option<bool>, Error> {
    let as_bool = |value: JsValue| value.as_bool().ok_or_else(|| expected("a boolean", key));
    property(of, key).map(as_bool).transpose()
}

fn small(of: &JsValue, key: &str) -> Result<Option<u32>, Error> {
    let number = |value: JsValue| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0);
        let number = number.filter(|n| (0.0..=f64::from(u32::MAX)).contains(n));
        let number = number.ok_or_else(|| expected("a whole number below 2^32", key))?;
        Ok(number as u32)
    };
    property(of, key).map(number).transpose()
}

/// A `bigint` or a safe integer as decimal text.
fn integer(value: &JsValue) -> Option<String> {
    if let Some(big) = value.dyn_ref::<BigInt>() {
        return big.to_string(10).ok().map(String::from);
    }
    let number = value.as_f64()?;
    Number::is_safe_integer(value).then(|| format!("{number}"))
}

fn wide(of: &JsValue, key: &str) -> Result<Option<u64>, Error> {
    let parse = |value: JsValue| {
        let number = integer(&value).and_then(|text| text.parse().ok());
        number.ok_or_else(|| expected("an integer from 0 to 2^64 - 1", key))
    };
    property(of, key).map(parse).transpose()
}

fn list(of: &JsValue, key: &str) -> Result<Vec<JsValue>, Error> {
    let items = |value: JsValue| {
        let array = value.dyn_into::<Array>();
        Ok(array
            .map_err(|_| expected("an array", key))?
            .iter()
            .collect())
    };
    property(of, key).map_or_else(|| Ok(Vec::new()), items)
}

fn texts(of: &JsValue, key: &str) -> Result<Vec<String>, Error> {
    let as_text = |value: JsValue| value.as_string().ok_or_else(|| expected("texts", key));
    list(of, key)?.into_iter().map(as_text).collect()
}

/// Bytes.
pub(super) fn bytes(value: &JsValue, what: &str) -> Result<Vec<u8>, Error> {
    let array = value.dyn_ref::<Uint8Array>();
    Ok(array
        .ok_or_else(|| expected("a Uint8Array", what))?
        .to_vec())
}

/// One `Uint8Array`, or an array of them.
pub(super) fn bundle(value: &JsValue, what: &str) -> Result<Vec<Vec<u8>>, Error> {
    match value.dyn_ref::<Array>() {
        Some(array) => array.iter().map(|item| bytes(&item, what)).collect(),
        None => Ok(vec![bytes(value, what)?]),
    }
}

/// A list of texts that may be absent.
pub(super) fn text_list(value: &JsValue, what: &str) -> Result<Vec<String>, Error> {
    if value.is_undefined() || value.is_null() {
        return Ok(Vec::new());
    }
    let holder = Object::new();
    let _ = Reflect::set(&holder, &JsValue::from_str(what), value);
    texts(&holder, what)
}

/// `ChainOptions`.
pub(super) fn chain_config(options: &JsValue) -> Result<ChainConfig, Error> {
    let limits = property(options, "limits").unwrap_or(JsValue::UNDEFINED);
    let schedule = property(options, "gasSchedule").unwrap_or(JsValue::UNDEFINED);
    let mut gas_schedule = Vec::new();
    if let Some(object) = schedule.dyn_ref::<Object>() {
        for key in Object::keys(object)
            .iter()
            .filter_map(|key| key.as_string())
        {
            if let Some(value) = wide(&schedule, &key)? {
                gas_schedule.push((key, value));
            }
        }
    }
    let chain_id = small(options, "chainId")?.unwrap_or(4);
    Ok(ChainConfig {
        framework: flag(options, "framework")?.unwrap_or(true),
        chain_id: u8::try_from(chain_id).map_err(|_| expected("0 to 255", "chainId"))?,
        time_micros: wide(options, "timeMicros")?.unwrap_or(0),
        runtime_checks: flag(options, "runtimeChecks")?.unwrap_or(false),
        limits: ChainLimits {
            gas: wide(&limits, "gas")?,
            heap_bytes: small(&limits, "heapBytes")?,
            stack_bytes: small(&limits, "stackBytes")?,
            call_depth: small(&limits, "callDepth")?,
        },
        gas_schedule,
    })
}

/// `PublishOptions`.
pub(super) fn publish_rules(options: &JsValue) -> Result<PublishRules, Error> {
    let policy = text(options, "policy")?;
    Ok(PublishRules {
        sender: text(options, "sender")?,
        init: flag(options, "init")?.unwrap_or(true),
        verify: flag(options, "verify")?.unwrap_or(true),
        policy: match policy.as_deref() {
            None | Some("compatible") => UpgradePolicy::Compatible,
            Some("arbitrary") => UpgradePolicy::Arbitrary,
            Some("immutable") => UpgradePolicy::Immutable,
            Some(_) => return Err(expected("arbitrary, compatible or immutable", "policy")),
        },
    })
}

/// `CallRequest`.
pub(super) fn request(request: &JsValue) -> Result<Request, Error> {
    let function = text(request, "function")?;
    let args = list(request, "args")?
        .iter()
        .map(argument)
        .collect::<Result<_, _>>()?;
    let hash = property(request, "transactionHash").map(|value| bytes(&value, "transactionHash"));
    let hash = hash.transpose()?.map(|bytes| {
        <[u8; 32]>::try_from(bytes).map_err(|_| expected("32 bytes", "transactionHash"))
    });
    Ok(Request {
        function: function.ok_or_else(|| expected("0x1::module::function", "function"))?,
        type_arguments: texts(request, "typeArguments")?,
        args,
        signers: texts(request, "signers")?,
        gas_limit: wide(request, "gasLimit")?,
        entry_only: flag(request, "entryOnly")?.unwrap_or(false),
        hash: hash.transpose()?,
    })
}

/// `CallRequest[]`.
pub(super) fn requests(value: &JsValue) -> Result<Vec<Request>, Error> {
    let array = value
        .dyn_ref::<Array>()
        .ok_or_else(|| expected("an array", "requests"))?;
    array.iter().map(|item| request(&item)).collect()
}

/// `Argument[]`.
pub(super) fn arguments(value: &JsValue) -> Result<Vec<Argument>, Error> {
    let array = value
        .dyn_ref::<Array>()
        .ok_or_else(|| expected("an array", "args"))?;
    array.iter().map(|item| argument(&item)).collect()
}

/// `Argument`.
fn argument(value: &JsValue) -> Result<Argument, Error> {
    if let Some(object) = plain_object(value)
        && Object::keys(object).length() == 1
    {
        if let Some(text) = text(value, "text")? {
            return Ok(Argument::Text(text));
        }
        if let Some(value) = property(value, "bcs") {
            return Ok(Argument::Bcs(bytes(&value, "bcs")?));
        }
    }
    Ok(Argument::Value(input(value)?))
}

fn plain_object(value: &JsValue) -> Option<&Object> {
    let special =
        value.is_null() || value.is_instance_of::<Array>() || value.is_instance_of::<Uint8Array>();
    value
        .dyn_ref::<Object>()
        .filter(|_| !special && value.is_object())
}

/// `ValueInput`.
pub(super) fn input(value: &JsValue) -> Result<Input, Error> {
    nested(value, MAX_NESTING)
}

fn nested(value: &JsValue, depth: usize) -> Result<Input, Error> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Error::argument("the value is nested too deeply"))?;
    if value.is_null() || value.is_undefined() {
        return Ok(Input::Null);
    }
    if let Some(value) = value.as_bool() {
        return Ok(Input::Bool(value));
    }
    if let Some(text) = value.as_string() {
        return Ok(Input::Text(text));
    }
    if let Some(number) = integer(value) {
        return Ok(Input::Number(number));
    }
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        return Ok(Input::Bytes(bytes.to_vec()));
    }
    if let Some(array) = value.dyn_ref::<Array>() {
        let items = array.iter().map(|item| nested(&item, depth));
        return Ok(Input::List(items.collect::<Result<_, _>>()?));
    }
    let object = plain_object(value).ok_or_else(|| {
        Error::argument(
            "a value is a boolean, an integer, text, null, a Uint8Array, an array or an object",
        )
    })?;
    let keys = Object::keys(object);
    let keys = keys.iter().filter_map(|key| key.as_string());
    let field = |key: String| {
        let value = Reflect::get(value, &JsValue::from_str(&key)).unwrap_or(JsValue::NULL);
        Ok((key, nested(&value, depth)?))
    };
    Ok(Input::Fields(keys.map(field).collect::<Result<_, _>>()?))
}

/// `ValueLimits`.
pub(super) fn limits(value: &JsValue) -> Result<Limits, Error> {
    let default = Limits::default();
    Ok(Limits {
        elements: small(value, "elements")?.unwrap_or(default.elements),
        depth: small(value, "depth")?.unwrap_or(default.depth),
    })
}

/// `Condition[]`.
pub(super) fn conditions(value: &JsValue) -> Result<Vec<Condition>, Error> {
    let array = value
        .dyn_ref::<Array>()
        .ok_or_else(|| expected("an array", "conditions"))?;
    array.iter().map(|item| condition(&item)).collect()
}

fn when(value: &JsValue) -> Result<When, Error> {
    let place = text(value, "place")?.as_deref().and_then(PlaceName::parse);
    let comparison = text(value, "is")?;
    let comparison = comparison.as_deref().and_then(Comparison::from_operator);
    Ok(When {
        place: place.ok_or_else(|| expected("p0, l0 or s0", "place"))?,
        comparison: comparison.ok_or_else(|| expected("==, !=, <, <=, > or >=", "is"))?,
        value: text(value, "value")?.ok_or_else(|| expected("text", "value"))?,
    })
}

fn condition(value: &JsValue) -> Result<Condition, Error> {
    let at = text(value, "at")?.unwrap_or_default();
    Ok(match at.as_str() {
        "instruction" => {
            let function = text(value, "function")?;
            let offset = small(value, "offset")?.map(u16::try_from);
            Condition::Instruction {
                function: function.ok_or_else(|| expected("0x1::module::function", "function"))?,
                offset: offset
                    .transpose()
                    .map_err(|_| expected("a code offset", "offset"))?,
                when: property(value, "when").map(|of| when(&of)).transpose()?,
            }
        }
        "gas" => Condition::Gas(wide(value, "used")?.ok_or_else(|| expected("a bigint", "used"))?),
        "global" => Condition::Global {
            key: text(value, "key")?,
            write: flag(value, "write")?.unwrap_or(false),
        },
        "event" => Condition::Event(text(value, "type")?),
        "write" => Condition::Write {
            address: small(value, "address")?.ok_or_else(|| expected("a number", "address"))?,
            size: small(value, "size")?.ok_or_else(|| expected("a number", "size"))?,
        },
        "collection" => Condition::Collection,
        "failure" => Condition::Failure,
        _ => {
            return Err(expected(
                "instruction, gas, global, event, write, collection or failure",
                "at",
            ));
        }
    })
}
