//! What is known of a plugin's functions besides their names.

use std::ffi::c_void;
use std::mem::offset_of;

use plugin_api::abi::{FfiBlock, FunctionInfo, FunctionSink, Str};

/// What is known of a function.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) name: String,
    /// Its types, as in `(a: number, string?) -> number`.
    pub(crate) signature: Option<String>,
    /// What it does.
    pub(crate) doc: Option<String>,
    /// What is needed to call it through LuaJIT's FFI.
    pub(super) direct: Option<Direct>,
}

/// A function that can be called through LuaJIT's FFI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Direct {
    pub(super) block: Block,
    /// The kinds of the arguments: `n`, `b`, `s`.
    pub(super) parameters: String,
    /// The kind of the result: `n`, `b`, or `v` for none.
    pub(super) result: char,
}

/// Where a function's block is. It lives as long as the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block(pub(super) *mut FfiBlock);

// SAFETY: the block is used only where its function is called: by whoever uses the Lua state.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

/// A sink that collects facts in a list, for as long as the list is there.
pub(crate) fn sink(facts: &mut Vec<Facts>) -> FunctionSink {
    unsafe extern "C" fn add(context: *mut c_void, info: *const FunctionInfo) {
        // SAFETY: `context` is the list that `sink` took, and the plugin passes a structure whose
        // texts are valid for the call. It is not taken for a `FunctionInfo` as a whole: an older
        // plugin's ends before `doc`, and the others were there from the beginning.
        unsafe {
            let facts = &mut *context.cast::<Vec<Facts>>();
            let has_doc = (*info).size >= offset_of!(FunctionInfo, doc) + size_of::<Str>();
            let doc = if has_doc {
                (*info).doc.to_text()
            } else {
                String::new()
            };
            let signature = (*info).signature.to_text();
            let parameters = (*info).parameters.to_text();
            let is_callable = !(*info).block.is_null() && parameters.len() <= FfiBlock::ARGUMENTS;
            facts.push(Facts {
                name: (*info).name.to_text(),
                signature: (!signature.is_empty()).then_some(signature),
                doc: (!doc.is_empty()).then_some(doc),
                direct: is_callable.then(|| Direct {
                    block: Block((*info).block),
                    parameters,
                    result: char::from((*info).result),
                }),
            });
        }
    }
    FunctionSink {
        context: std::ptr::from_mut(facts).cast(),
        add,
    }
}
