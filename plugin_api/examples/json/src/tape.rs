//! A JSON document as a list of its values, in the order of the text. It stands between Lua and
//! serde: each side goes through it without knowing of the other.

/// How deeply arrays and objects may be nested.
pub(crate) const MOST_LEVELS: usize = 1000;

/// How many bytes of a path are told, about.
const LONGEST_PATH: usize = 100;

/// A value, or the beginning of one: the members of an array or object follow it, in an object each
/// after its key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(&'a str),
    /// A text in [`Tape::unescaped`]: where it begins, and its length.
    Unescaped(usize, usize),
    Array(Extent),
    Object(Extent),
}

/// What an array or object spans.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    /// How many members it has.
    pub(crate) count: u32,
    /// The distance to the node after its last member; 0 while it is being filled.
    pub(crate) skip: u32,
}

#[derive(Debug)]
pub(crate) struct Tape<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// The texts that differ from how they are written in the document.
    pub(crate) unescaped: String,
}

impl<'a> Tape<'a> {
    /// An empty one with room for so many nodes, and some more.
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(nodes + 32),
            unescaped: String::new(),
        }
    }

    pub(crate) fn push(&mut self, node: Node<'a>) {
        self.nodes.push(node);
    }

    /// Adds a text that does not live as long as the document.
    pub(crate) fn push_unescaped(&mut self, text: &str) {
        self.push(Node::Unescaped(self.unescaped.len(), text.len()));
        self.unescaped.push_str(text);
    }

    /// Begins an array or object; `close` ends it.
    pub(crate) fn open(&mut self, node: fn(Extent) -> Node<'a>) -> usize {
        self.push(node(Extent::default()));
        self.nodes.len() - 1
    }

    /// Ends the array or object that begins at a node. False if it is larger than a Lua table can be.
    pub(crate) fn close(&mut self, at: usize, count: usize) -> bool {
        let skip = self.nodes.len() - at;
        let (Ok(count), Ok(skip)) = (u32::try_from(count), u32::try_from(skip)) else {
            return false;
        };
        if let Some(Node::Array(extent) | Node::Object(extent)) = self.nodes.get_mut(at) {
            *extent = Extent { count, skip };
        }
        i32::try_from(count).is_ok()
    }

    /// The text of a node, if it is one.
    pub(crate) fn text(&self, node: Node<'a>) -> Option<&str> {
        match node {
            Node::Text(text) => Some(text),
            Node::Unescaped(start, length) => self.unescaped.get(start..start + length),
            _ => None,
        }
    }

    /// The index of the node behind the value at an index.
    pub(crate) fn after(&self, at: usize) -> usize {
        match self.nodes.get(at) {
            Some(Node::Array(extent) | Node::Object(extent)) => at + extent.skip as usize,
            _ => at + 1,
        }
    }

    /// The indices of the members of the array or object that begins at a node: of the values in an
    /// array, of the keys in an object.
    pub(crate) fn members(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let (count, is_object) = match self.nodes.get(at) {
            Some(Node::Array(extent)) => (extent.count, false),
            Some(Node::Object(extent)) => (extent.count, true),
            _ => (0, false),
        };
        let mut next = at + 1;
        (0..count).map(move |_| {
            let member = next;
            next = self.after(member + usize::from(is_object));
            member
        })
    }

    /// How Lua code would write the way to the value at an index. The arrays and objects around it need
    /// not be ended, nor need the value be there yet. Only the beginning of a long way is told.
    pub(crate) fn path_to(&self, target: usize) -> String {
        let mut path = "value".to_owned();
        let mut at = 0;
        while at != target {
            if path.len() > LONGEST_PATH {
                path.push_str("...");
                break;
            }
            let is_object = matches!(self.nodes.get(at), Some(Node::Object(_)));
            let (mut index, mut member) = (1, at + 1);
            let value = loop {
                let value = member + usize::from(is_object);
                let is_ended = match self.nodes.get(value) {
                    Some(Node::Array(extent) | Node::Object(extent)) => extent.skip != 0,
                    _ => true,
                };
                if !is_ended || self.after(value) > target {
                    break value;
                }
                (index, member) = (index + 1, self.after(value));
            };
            match self.nodes.get(member).and_then(|key| self.text(*key)) {
                Some(key) if is_object => path.push_str(&step(key)),
                _ => path.push_str(&format!("[{index}]")),
            }
            at = value;
        }
        path
    }
}

/// `.key`, or `["other key"]`.
fn step(key: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.chars().all(is_word) && !key.starts_with(|c: char| c.is_ascii_digit()) && !key.is_empty()
    {
        format!(".{key}")
    } else {
        format!("[{key:?}]")
    }
}
