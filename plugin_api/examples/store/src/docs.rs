//! What the functions do.

use plugin_api::FunctionDoc;

/// The documentation of all functions. All but `open` are methods of what `open` returns.
pub(crate) fn docs() -> Vec<FunctionDoc> {
    vec![
        FunctionDoc::new("open")
            .text(
                "Opens a store, a file that is made if it is not there. One handle can have it open at a time.\n\
                 The other functions are its methods: `store.open(path):get(key)`.",
            )
            .parameters(["path"])
            .types(["string"], ["Store"]),
        FunctionDoc::new("close")
            .text(
                "Closes a store; an open transaction is rolled back. A handle that is collected does the same. \
                 Does nothing the second time.",
            )
            .parameters(["store"])
            .types(["Store"], NONE),
        FunctionDoc::new("get")
            .text("The value of a key; nil if there is none. In a transaction, with what was written in it.")
            .parameters(["store", "key"])
            .types(["Store", "string"], ["string?"]),
        FunctionDoc::new("set")
            .text("Gives a key a value. Outside of a transaction, it is on the disk when this returns.")
            .parameters(["store", "key", "value"])
            .types(["Store", "string", "string"], NONE),
        FunctionDoc::new("delete")
            .text("Removes a key; whether it was there. Outside of a transaction, durable as `set`.")
            .parameters(["store", "key"])
            .types(["Store", "string"], ["boolean"]),
        FunctionDoc::new("count")
            .text("How many keys there are.")
            .parameters(["store"])
            .types(["Store"], ["integer"]),
        FunctionDoc::new("seek")
            .text("The first key from `from` on and before `to`, with its value; nil if there is none.")
            .parameters(["store", "from", "to"])
            .types(["Store", "string?", "string?"], ["string?", "string?"]),
        FunctionDoc::new("next")
            .text("The first key after `key` and before `to`, with its value; nil if there is none.")
            .parameters(["store", "key", "to"])
            .types(["Store", "string", "string?"], ["string?", "string?"]),
        FunctionDoc::new("range")
            .text(
                "Iterates over keys and values from `from` on and before `to`, in order. The loop may write: \
                 each step looks for the next key that there is.",
            )
            .parameters(["store", "from", "to"])
            .types(["Store", "string?", "string?"], ["(fun(): string?, string?)"]),
        FunctionDoc::new("prefix")
            .text("Iterates over the keys that begin with a text, as `range` does.")
            .parameters(["store", "prefix"])
            .types(["Store", "string"], ["(fun(): string?, string?)"]),
        FunctionDoc::new("write")
            .text(
                "Calls a function with a transaction and commits it; its results are returned. If the function \
                 raises an error, nothing is written, and the error is raised again. The function may end the \
                 transaction itself.",
            )
            .parameters(["store", "f"])
            .types(["Store", "fun(transaction: Store): ...any"], ["...any"]),
        FunctionDoc::new("begin")
            .text(
                "Begins a transaction, which has the methods of a store, `commit` and `rollback`. There is one at a \
                 time; meanwhile the store itself can be read, as it was before.",
            )
            .parameters(["store"])
            .types(["Store"], ["Store"]),
        FunctionDoc::new("commit")
            .text("Ends a transaction. All that was written in it is on the disk when this returns.")
            .parameters(["transaction"])
            .types(["Store"], NONE),
        FunctionDoc::new("rollback")
            .text("Ends a transaction and forgets what was written in it. Does nothing the second time.")
            .parameters(["transaction"])
            .types(["Store"], NONE),
    ]
}

const NONE: [&str; 0] = [];
