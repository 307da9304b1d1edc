//! A plugin that borrows what does not live long enough.

struct Borrowing<'a>(&'a String);

cygnixy_host_misuse::plugin!(Borrowing<'_>);

renamed::export_plugin!(Borrowing(&String::from("short")));
