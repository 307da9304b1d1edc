//! Nothing to export.

renamed::export_plugin!();
