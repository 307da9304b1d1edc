//! What a plugin's author says of its functions.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::fast::{Signature, Type};

/// The documentation of one function, for [`PluginLua::docs`](crate::PluginLua::docs).
///
/// `cygnixy.help` shows it, and `cygnixy stubs` writes it into the annotations for editors. The types
/// of fast functions are known; only parameters have no names in a closure's type, so they are given
/// here. Of other functions the types are known if they are given.
///
/// ```
/// use plugin_api::FunctionDoc;
///
/// let docs = vec![
///     FunctionDoc::new("add").text("Adds two numbers.").parameters(["a", "b"]),
///     FunctionDoc::new("hello").parameters(["name"]).types(["string?"], ["string"]),
/// ];
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDoc {
    function: Cow<'static, str>,
    text: Cow<'static, str>,
    parameters: Vec<Cow<'static, str>>,
    types: Option<Signature>,
}

impl FunctionDoc {
    /// The documentation of the function of that name, of which nothing is said yet.
    #[must_use]
    pub fn new(function: impl Into<Cow<'static, str>>) -> Self {
        Self {
            function: function.into(),
            text: Cow::Borrowed(""),
            parameters: Vec::new(),
            types: None,
        }
    }

    /// What it does, in one or more lines.
    #[must_use]
    pub fn text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.text = text.into();
        self
    }

    /// The names of its parameters, in order. A last parameter that takes all arguments that are left is
    /// `...` whatever it is called here.
    #[must_use]
    pub fn parameters<N: Into<Cow<'static, str>>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.parameters = names.into_iter().map(Into::into).collect();
        self
    }

    /// The types of its parameters and results in the words of Lua, such as `number`, `string?`,
    /// `integer[]`, `...string` or a name of your own. They take the place of those that are known of a
    /// fast function. None at all are written `[""; 0]`.
    #[must_use]
    pub fn types<P: Into<Cow<'static, str>>, R: Into<Cow<'static, str>>>(
        mut self,
        parameters: impl IntoIterator<Item = P>,
        results: impl IntoIterator<Item = R>,
    ) -> Self {
        self.types = Some(Signature {
            parameters: parameters
                .into_iter()
                .map(|name| Type::written(name.into()))
                .collect(),
            results: results
                .into_iter()
                .map(|name| Type::written(name.into()))
                .collect(),
        });
        self
    }
}

/// What was said, by function.
pub(crate) struct Docs(HashMap<Cow<'static, str>, FunctionDoc>);

impl Docs {
    pub(crate) fn new(docs: Vec<FunctionDoc>) -> Self {
        let by_function = |doc: FunctionDoc| (doc.function.clone(), doc);
        Self(docs.into_iter().map(by_function).collect())
    }

    /// What a function does; empty if nothing was said.
    pub(crate) fn text(&self, function: &str) -> &str {
        self.0.get(function).map_or("", |doc| &doc.text)
    }

    /// A function's types with the names of its parameters, as in `(a: number, b: string?) -> number`.
    /// `known` is what the compiler knows of them.
    pub(crate) fn signature(&self, function: &str, known: Option<&Signature>) -> Option<String> {
        let doc = self.0.get(function);
        let names = doc.map_or(&[][..], |doc| &doc.parameters);
        match doc.and_then(|doc| doc.types.as_ref()).or(known) {
            Some(types) => Some(types.with_names(names)),
            None if names.is_empty() => None,
            // Names alone: every type is possible.
            None => {
                let any = names.iter().map(|name| match &**name {
                    "..." => Type::named("any").rest(),
                    _ => Type::named("any"),
                });
                let types = Signature {
                    parameters: any.collect(),
                    results: vec![Type::named("any").rest()],
                };
                Some(types.with_names(names))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docs() -> Docs {
        Docs::new(vec![
            FunctionDoc::new("add").text("Adds.").parameters(["a", "b"]),
            FunctionDoc::new("join").parameters(["separator", "parts"]),
            FunctionDoc::new("typed").types(["integer[]", "string?"], ["...string"]),
            FunctionDoc::new("named").parameters(["x", "..."]),
            FunctionDoc::new("short").parameters(["first"]),
        ])
    }

    fn known(parameters: &[&'static str]) -> Signature {
        let written = |name: &&'static str| Type::written(Cow::Borrowed(*name));
        Signature {
            parameters: parameters.iter().map(written).collect(),
            results: vec![Type::named("number")],
        }
    }

    #[test]
    fn names_stand_before_the_types_that_are_known() {
        let numbers = known(&["number", "number"]);
        let with_names = docs().signature("add", Some(&numbers));
        assert_eq!(
            with_names.as_deref(),
            Some("(a: number, b: number) -> number")
        );
        let without = docs().signature("short", Some(&numbers));
        assert_eq!(
            without.as_deref(),
            Some("(first: number, number) -> number")
        );
        assert_eq!(docs().text("add"), "Adds.");
    }

    #[test]
    fn the_rest_keeps_its_dots() {
        let rest = docs().signature("join", Some(&known(&["string", "...string"])));
        assert_eq!(
            rest.as_deref(),
            Some("(separator: string, ...string) -> number")
        );
    }

    #[test]
    fn types_that_are_given_take_the_place_of_those_known() {
        let given = docs().signature("typed", Some(&known(&["table"])));
        assert_eq!(given.as_deref(), Some("(integer[], string?) -> ...string"));
    }

    #[test]
    fn names_alone_leave_all_types_open() {
        let open = docs().signature("named", None);
        assert_eq!(open.as_deref(), Some("(x: any, ...any) -> ...any"));
    }

    #[test]
    fn of_what_is_not_documented_the_types_are_what_is_known() {
        assert_eq!(docs().signature("other", None), None);
        assert_eq!(docs().text("other"), "");
        let known = known(&["boolean"]);
        let types = docs().signature("other", Some(&known));
        assert_eq!(types.as_deref(), Some("(boolean) -> number"));
    }
}
