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

    /// A type as an author wrote it: `string`, `string?`, `...string`.
    pub(crate) fn written(text: Cow<'static, str>) -> Self {
        let is_rest = text.starts_with("...");
        let is_optional = text.ends_with('?');
        let bare = text.strip_prefix("...").unwrap_or(&text);
        let bare = bare.strip_suffix('?').unwrap_or(bare).trim();
        let name = match bare {
            "" => "any".to_owned(),
            bare => bare.to_owned(),
        };
        Self {
            name: Cow::Owned(name),
            is_optional,
            is_rest,
        }
    }

    /// A Rust type without a counterpart in Lua: its name, without its path.
    pub(crate) fn of_rust<T>() -> Self {
        Self::of_path(std::any::type_name::<T>())
    }

    /// The name of a Rust type without its path.
    pub(crate) fn bare_name<T>() -> &'static str {
        bare_name(std::any::type_name::<T>())
    }

    fn of_path(path: &'static str) -> Self {
        let inside = path.strip_prefix("core::option::Option<");
        if let Some(inside) = inside.and_then(|path| path.strip_suffix('>')) {
            return Self::of_path(inside).optional();
        }
        let name = match bare_name(path) {
            "Vec" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" => "table",
            _ if path.starts_with(['[', '(']) => "table",
            name => name,
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

/// A path without its modules and what is in its brackets.
fn bare_name(path: &'static str) -> &'static str {
    let bare = path.split('<').next().unwrap_or(path);
    bare.rsplit("::").next().unwrap_or(bare)
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

impl Signature {
    /// As it is written, with names before the types of the first parameters: `(a: number) -> number`.
    /// Without a name, or if it is a `...` type, a parameter is only its type.
    pub(crate) fn with_names(&self, names: &[Cow<'static, str>]) -> String {
        let bare = Self {
            parameters: Vec::new(),
            results: self.results.clone(),
        };
        let with_name = |(index, of): (usize, &Type)| match names.get(index) {
            Some(name) if !of.is_rest && !name.is_empty() => format!("{name}: {of}"),
            _ => of.to_string(),
        };
        let parameters: Vec<String> = self.parameters.iter().enumerate().map(with_name).collect();
        let results = bare.to_string();
        let results = results.strip_prefix("()").unwrap_or_default();
        format!("({}){results}", parameters.join(", "))
    }
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
