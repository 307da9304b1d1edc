//! What is known of a plugin's functions besides their names.

use std::ffi::c_void;

use plugin_api::abi::{FfiBlock, FunctionInfo, FunctionSink};

/// What is known of a function.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) name: String,
    /// Its types, as in `(number, string?) -> number`.
    pub(crate) signature: Option<String>,
    /// What is needed to call it through LuaJIT's FFI.
    pub(super) direct: Option<Direct>,
}

/// A function that can be called through LuaJIT's FFI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Direct {
    /// Lives as long as the function, which is in the registration's table.
    pub(super) block: *mut FfiBlock,
    /// The kinds of the arguments: `n`, `b`, `s`.
    pub(super) parameters: String,
    /// The kind of the result: `n`, `b`, or `v` for none.
    pub(super) result: char,
}

/// A sink that collects facts in a list, for as long as the list is there.
pub(crate) fn sink(facts: &mut Vec<Facts>) -> FunctionSink {
    unsafe extern "C" fn add(context: *mut c_void, info: *const FunctionInfo) {
        // SAFETY: `context` is the list that `sink` took, and the plugin passes a structure whose
        // texts are valid for the call.
        unsafe {
            let (facts, info) = (&mut *context.cast::<Vec<Facts>>(), &*info);
            let signature = info.signature.to_text();
            let parameters = info.parameters.to_text();
            let is_callable = !info.block.is_null() && parameters.len() <= FfiBlock::ARGUMENTS;
            facts.push(Facts {
                name: info.name.to_text(),
                signature: (!signature.is_empty()).then_some(signature),
                direct: is_callable.then(|| Direct {
                    block: info.block,
                    parameters,
                    result: char::from(info.result),
                }),
            });
        }
    }
    FunctionSink {
        context: std::ptr::from_mut(facts).cast(),
        add,
    }
}
