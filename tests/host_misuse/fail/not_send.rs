//! A plugin that cannot be used by several threads.

struct Local(std::rc::Rc<()>);

cygnixy_host_misuse::plugin!(Local);

renamed::export_plugin!(Local(std::rc::Rc::new(())));
