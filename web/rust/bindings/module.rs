//! Tools for binaries, as the glue sees them.

use super::{answer, error, input, to_js};
use crate::chain::{encode_arguments, tag};
use crate::data::Bytes;
use crate::error::Error;
use crate::layouts::ModuleLayouts;
use crate::module::{Binary, argument_types, assemble, decode, layouts_of, verify};
use crate::value::Value;
use monomove_format::CompiledModule;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

type Answer = Result<JsValue, JsValue>;

fn read(bytes: &[u8]) -> Result<Binary, JsValue> {
    Binary::read(bytes).map_err(|problem| error(Error::format(problem)))
}

/// Kind and ABI.
#[wasm_bindgen(js_name = moduleDecode)]
pub fn module_decode(bytes: &[u8]) -> Answer {
    answer(decode(bytes))
}

/// `Listing`.
#[wasm_bindgen(js_name = moduleListing)]
pub fn module_listing(bytes: &[u8]) -> Answer {
    to_js(&read(bytes)?.lines())
}

/// Assembler text.
#[wasm_bindgen(js_name = moduleAssembly)]
pub fn module_assembly(bytes: &[u8]) -> Result<String, JsValue> {
    Ok(read(bytes)?.assembly())
}

/// `Verdict`.
#[wasm_bindgen(js_name = moduleVerify)]
pub fn module_verify(bytes: &[u8]) -> Answer {
    to_js(&verify(bytes))
}

/// `AssemblyResult`, places in characters.
#[wasm_bindgen(js_name = moduleAssemble)]
pub fn module_assemble(source: &str, version: Option<u32>, dependencies: &JsValue) -> Answer {
    let dependencies = if dependencies.is_undefined() {
        Vec::new()
    } else {
        input::bundle(dependencies, "dependencies").map_err(error)?
    };
    answer(assemble(source, version, &dependencies))
}

/// `Uint8Array[]`.
#[wasm_bindgen(js_name = moduleEncodeArgs)]
pub fn module_encode_args(bytes: &[u8], function: &str, args: &JsValue, types: &JsValue) -> Answer {
    let Ok(module) = CompiledModule::deserialize(bytes) else {
        return Err(error(Error::argument("a script has no functions to call")));
    };
    let encode = || {
        let types = input::text_list(types, "typeArguments")?;
        let types = types
            .iter()
            .map(|text| tag(text))
            .collect::<Result<Vec<_>, _>>()?;
        let parameters = argument_types(&module, function, &types)?;
        let args = input::arguments(args)?;
        let layouts = layouts_of(module.clone());
        let encoded = encode_arguments(&args, &parameters, &layouts)?;
        Ok(encoded.into_iter().map(Bytes).collect::<Vec<_>>())
    };
    answer(encode())
}

/// `Value`.
#[wasm_bindgen(js_name = moduleDecodeValue)]
pub fn module_decode_value(bytes: &[u8], ty: &str, bcs: &[u8], limits: &JsValue) -> Answer {
    let decode = || {
        let (ty, limits) = (tag(ty)?, input::limits(limits)?);
        let layouts = match Binary::read(bytes) {
            Ok(Binary::Module(module)) => layouts_of(module),
            _ => ModuleLayouts::default(),
        };
        Ok(Value::decode(&ty, bcs, &layouts, limits))
    };
    answer(decode())
}
