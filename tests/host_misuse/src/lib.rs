//! A trait implementation that the examples of this folder share: `plugin!(Type)`.

/// Makes a type a plugin without functions.
#[macro_export]
macro_rules! plugin {
    ($type:ty) => {
        impl ::renamed::PluginLua for $type {
            fn name(&self) -> &::core::primitive::str {
                "misuse"
            }
            fn on_load(
                &mut self,
            ) -> ::core::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {
                ::core::result::Result::Ok(())
            }
            fn on_unload(
                &mut self,
            ) -> ::core::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {
                ::core::result::Result::Ok(())
            }
            fn get_lua_functions(
                &self,
                _: &::renamed::mlua::Lua,
            ) -> ::std::collections::HashMap<::std::string::String, ::renamed::mlua::Function> {
                ::std::collections::HashMap::new()
            }
        }
    };
}
