//! The types of a function, in the words of Lua.

use std::borrow::Cow;
use std::fmt;

/// The type of a parameter or a result, such as `number`, `string?` or `...integer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    name: Cow<'static, str>,
    is_optional: bool,
    is_rest: bool,
}

impl Type {
    pub(crate) const fn named(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            is_optional: false,
            is_rest: false,
        }
    }

    /// A Rust type without a counterpart in Lua: its name, without its path.
    pub(crate) fn of_rust<T>() -> Self {
        Self::of_path(std::any::type_name::<T>())
    }

    fn of_path(path: &'static str) -> Self {
        let inside = path.strip_prefix("core::option::Option<");
        if let Some(inside) = inside.and_then(|path| path.strip_suffix('>')) {
            return Self::of_path(inside).optional();
        }
        let bare = path.split('<').next().unwrap_or(path);
        let name = bare.rsplit("::").next().unwrap_or(bare);
        let name = match name {
            "Vec" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" => "table",
            _ if bare.starts_with(['[', '(']) => "table",
            _ => name,
        };
        Self::named(name)
    }

    pub(crate) fn list_of(element: &Self) -> Self {
        Self {
            name: Cow::Owned(format!("{}[]", element.name)),
            is_optional: false,
            is_rest: false,
        }
    }

    pub(crate) fn optional(self) -> Self {
        Self {
            is_optional: true,
            ..self
        }
    }

    pub(crate) fn rest(self) -> Self {
        Self {
            is_rest: true,
            ..self
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (
            if self.is_rest { "..." } else { "" },
            if self.is_optional { "?" } else { "" },
        );
        write!(f, "{before}{}{after}", self.name)
    }
}

/// The types of a function's parameters and results.
///
/// It is written `(number, string?) -> number`; without results, there is no arrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// The types of the parameters. Only the last can be a `...` type.
    pub parameters: Vec<Type>,
    /// The types of the results.
    pub results: Vec<Type>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[Type]| {
            let names: Vec<String> = types.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        write!(f, "({})", list(&self.parameters))?;
        if self.results.is_empty() {
            return Ok(());
        }
        write!(f, " -> {}", list(&self.results))
    }
}
