//! A type that does not implement the trait.

struct NotAPlugin;

renamed::export_plugin!(NotAPlugin);
