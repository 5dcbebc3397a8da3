//! `interface.json`: the class interface as a bundle carries it, one line a definition.
//!
//! Types are written as Puppet writes them and read again as a parameter's are, so
//! that what no type can be told of stays unknown.

use super::{Data, Interface, Module};
use crate::model::app::AppPath;
use crate::model::digest::Sha256Digest;
use crate::model::puppet_code::Unreadable;
use crate::model::puppet_code::What;
use crate::model::puppet_code::definition::{Definition, Parameter, Stated};
use crate::model::puppet_code::lexer::is_literal;
use crate::model::tree::Node;
use serde::{Deserialize, Serialize, Serializer};

/// The file in a release's directory that has it.
pub const FILE_NAME: &str = "interface.json";

/// More than this, and an `interface.json` is not read: some 100,000 classes.
pub const LARGEST: u64 = 32 << 20;

/// The version of the format below.
const SCHEMA: u32 = 1;

/// Why a document is not an `interface.json`.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("expected `schema` {SCHEMA}, found `{0}`; a newer localpuppet reads it")]
    Schema(u32),
    #[error("its SHA-256 is not the one that `interface` of bundle.json has")]
    Changed,
    #[error("`modules` has `{0}` twice")]
    Twice(String),
    #[error("`{0}` is defined in a module that `modules` has not")]
    Stray(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    /// Data of the release itself.
    data: Data,
    modules: Vec<ModuleLine>,
    definitions: Vec<DefinitionLine>,
    unreadable: Vec<UnreadableLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleLine {
    name: String,
    app: AppPath,
    #[serde(default, skip_serializing_if = "is_default")]
    data: Data,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionLine {
    kind: What,
    name: String,
    module: String,
    /// Its path in the module.
    file: String,
    line: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inherits: Option<String>,
    /// Of an alias what it stands for, of a function what it returns.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    private: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterLine {
    name: String,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// A default that is a value, else the code that makes it; required without either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_source: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    rest: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnreadableLine {
    module: String,
    file: String,
    line: usize,
    why: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Document {
    fn of(interface: &Interface) -> Self {
        let mut document = Document {
            schema: SCHEMA,
            data: interface.own_data.clone(),
            modules: Vec::new(),
            definitions: Vec::new(),
            unreadable: Vec::new(),
        };
        for (name, module) in &interface.modules {
            let (app, data) = (module.app.clone(), module.data.clone());
            document.modules.push(ModuleLine { name: name.clone(), app, data });
            for (file, found) in &module.files {
                match found {
                    Ok(found) => document
                        .definitions
                        .extend(found.iter().map(|d| DefinitionLine::of(d, name, file))),
                    Err(why) => document.unreadable.push(UnreadableLine {
                        module: name.clone(),
                        file: file.clone(),
                        line: why.line,
                        why: why.what.clone(),
                    }),
                }
            }
        }
        document
    }
}

/// As its document has it.
impl Serialize for Interface {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document::of(self).serialize(serializer)
    }
}

impl Interface {
    /// The canonical document: the same interface gives the same bytes.
    pub fn to_json(&self) -> String {
        let document = Document::of(self);
        format!(
            "{{\n  \"schema\": {},\n  \"data\": {},\n  \"modules\": {},\n  \
             \"definitions\": {},\n  \"unreadable\": {}\n}}\n",
            document.schema,
            line(&document.data),
            list(&document.modules),
            list(&document.definitions),
            list(&document.unreadable)
        )
    }

    /// Reads the document of a bundle, which names it by its digest.
    pub fn of_bundle(text: &[u8], named: &Node) -> Result<Self, DocumentError> {
        match named {
            Node::File { sha256, .. } if *sha256 == Sha256Digest::of(text) => Self::from_json(text),
            _ => Err(DocumentError::Changed),
        }
    }

    /// Reads a document that may have been written by anyone.
    pub fn from_json(text: &[u8]) -> Result<Self, DocumentError> {
        let document: Document = serde_json::from_slice(text)?;
        if document.schema != SCHEMA {
            return Err(DocumentError::Schema(document.schema));
        }
        let mut interface = Interface { own_data: document.data, ..Interface::default() };
        for ModuleLine { name, app, data } in document.modules {
            if interface.modules.insert(name.clone(), Module::new(app, data)).is_some() {
                return Err(DocumentError::Twice(name));
            }
        }
        for line in document.definitions {
            let Some(module) = interface.modules.get_mut(&line.module) else {
                return Err(DocumentError::Stray(line.name));
            };
            let file = module.files.entry(line.file.clone()).or_insert_with(|| Ok(Vec::new()));
            if let Ok(found) = file {
                found.push(line.into_definition());
            }
        }
        for UnreadableLine { module, file, line, why } in document.unreadable {
            let Some(module) = interface.modules.get_mut(&module) else {
                return Err(DocumentError::Stray(file));
            };
            module.files.insert(file, Err(Unreadable { line, what: why }));
        }
        Ok(interface)
    }
}

/// Strings, numbers and lists of them: nothing here can fail to serialise.
fn line(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_default()
}

fn list(items: &[impl Serialize]) -> String {
    let lines: Vec<String> = items.iter().map(line).collect();
    match lines.as_slice() {
        [] => "[]".to_owned(),
        lines => format!("[\n    {}\n  ]", lines.join(",\n    ")),
    }
}

fn stated(of: &Stated) -> Option<String> {
    match of {
        Stated::No => None,
        Stated::Known(of) => Some(of.to_string()),
        Stated::Unknown(source) => Some(source.clone()),
    }
}

impl DefinitionLine {
    fn of(definition: &Definition, module: &str, file: &str) -> Self {
        DefinitionLine {
            kind: definition.kind,
            name: definition.name.clone(),
            module: module.to_owned(),
            file: file.to_owned(),
            line: definition.line,
            inherits: definition.inherits.clone(),
            of: stated(&definition.stands_for),
            private: definition.private,
            summary: definition.summary.clone(),
            parameters: definition.parameters.iter().map(ParameterLine::of).collect(),
        }
    }

    fn into_definition(self) -> Definition {
        Definition {
            kind: self.kind,
            name: self.name,
            line: self.line,
            inherits: self.inherits,
            parameters: self.parameters.into_iter().map(ParameterLine::into_parameter).collect(),
            stands_for: Stated::of_source(self.of),
            private: self.private,
            summary: self.summary,
        }
    }
}

impl ParameterLine {
    fn of(parameter: &Parameter) -> Self {
        let default = parameter.default.clone();
        let (default, default_source) = match default.as_deref().is_some_and(is_literal) {
            true => (default, None),
            false => (None, default),
        };
        ParameterLine {
            name: parameter.name.clone(),
            of: stated(&parameter.of),
            default,
            default_source,
            rest: parameter.rest,
            summary: parameter.summary.clone(),
        }
    }

    fn into_parameter(self) -> Parameter {
        Parameter {
            name: self.name,
            of: Stated::of_source(self.of),
            default: self.default.or(self.default_source),
            rest: self.rest,
            summary: self.summary,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn interface(texts: &[(&str, &str)]) -> Interface {
        let mut interface = Interface::default();
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        interface.own_data = Data::Keys {
            always: keys(&["foo::a"]),
            sometimes: keys(&["foo::b"]),
            fits: BTreeSet::new(),
        };
        let mut module = Module::new("foo/tags/r1".parse().unwrap(), Data::Unknown);
        for (path, text) in texts {
            module
                .add((*path).to_owned(), crate::model::puppet_code::definition::definitions(text));
        }
        interface.insert("foo".to_owned(), module);
        interface
    }

    #[test]
    fn a_document_has_a_line_for_each_definition() {
        let found = interface(&[
            (
                "manifests/init.pp",
                "# Looks after foo\n# @param port where\nclass foo (Integer[1] $port = 80, $any, Foo[$x] $odd = $::y) inherits foo::p { }\n",
            ),
            ("manifests/broken.pp", "class foo::broken { $x = 'open }"),
            ("types/port.pp", "type Foo::Port = Integer[1, 65535]"),
            ("functions/f.pp", "# @api private\nfunction foo::f(String *$all) >> Any { }"),
            ("manifests/empty.pp", ""),
        ]);
        let expected = r#"{
  "schema": 1,
  "data": {"keys":{"always":["foo::a"],"sometimes":["foo::b"]}},
  "modules": [
    {"name":"foo","app":"foo/tags/r1","data":"unknown"}
  ],
  "definitions": [
    {"kind":"function","name":"foo::f","module":"foo","file":"functions/f.pp","line":2,"type":"Any","private":true,"parameters":[{"name":"all","type":"String","rest":true}]},
    {"kind":"class","name":"foo","module":"foo","file":"manifests/init.pp","line":3,"inherits":"foo::p","summary":"Looks after foo","parameters":[{"name":"port","type":"Integer[1]","default":"80","summary":"where"},{"name":"any"},{"name":"odd","type":"Foo[$x]","default_source":"$::y"}]},
    {"kind":"type-alias","name":"Foo::Port","module":"foo","file":"types/port.pp","line":1,"type":"Integer[1, 65535]"}
  ],
  "unreadable": [
    {"module":"foo","file":"manifests/broken.pp","line":1,"why":"a string is not closed"}
  ]
}
"#;
        assert_eq!(found.to_json(), expected);
        assert_eq!(Interface::from_json(expected.as_bytes()).unwrap(), found);
        assert!(Interface::default().to_json().contains("\"definitions\": [],"));
    }

    #[test]
    fn what_is_no_interface_is_refused() {
        let refused = |from: &str, to: &str| {
            let text = interface(&[("manifests/init.pp", "class foo { }")]).to_json();
            let text = text.replacen(from, to, 1);
            Interface::from_json(text.as_bytes()).unwrap_err().to_string()
        };
        assert_eq!(
            refused("\"schema\": 1", "\"schema\": 2"),
            "expected `schema` 1, found `2`; a newer localpuppet reads it"
        );
        assert_eq!(
            refused("\"module\":\"foo\"", "\"module\":\"fo\""),
            "`foo` is defined in a module that `modules` has not"
        );
        let twice = r#"{"name":"foo","app":"foo"},"#.to_owned() + "\n    {\"name\":\"foo\"";
        assert_eq!(refused("{\"name\":\"foo\"", &twice), "`modules` has `foo` twice");
        assert!(refused("\"line\"", "\"lime\"").starts_with("unknown field `lime`"));
    }

    /// Types as a parameter may state them, some of which are none.
    fn type_text() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("Any".to_owned()),
            Just("Undef".to_owned()),
            Just("Foo::Port".to_owned()),
            Just("URI".to_owned()),
            Just("Integer[$x]".to_owned()),
            (any::<i64>(), any::<i64>()).prop_map(|(a, b)| format!("Integer[{a}, {b}]")),
            any::<f64>().prop_map(|a| format!("Float[{a:?}]")),
            (0..9_i64).prop_map(|a| format!("String[{a}]")),
            "[ -~\n\u{e9}]{0,6}".prop_map(|a| format!("Enum['{a}', \"{a}\", true]")),
            "[ -~]{0,6}".prop_map(|a| format!("Pattern[/{a}/, '{a}']")),
            "[a-z/\\\\]{0,4}".prop_map(|a| format!("Regexp[/{a}/]")),
        ];
        leaf.prop_recursive(4, 24, 3, |inside| {
            let inside = prop::collection::vec(inside, 1..4);
            let name = prop::sample::select(
                &[
                    "Array",
                    "Hash",
                    "Variant",
                    "Optional",
                    "NotUndef",
                    "Tuple",
                    "Sensitive",
                    "Type",
                    "Callable",
                    "Foo",
                    "Init",
                ][..],
            );
            let bounds = prop::sample::select(&["", ", 0, 0", ", 1", ", default, 3"][..]);
            let plain = (name, inside.clone(), bounds).prop_map(|(name, inside, bounds)| {
                format!("{name}[{}{bounds}]", inside.join(", "))
            });
            let key = prop::sample::select(&["a", "'b c'", "Optional[c]", "NotUndef['d']"][..]);
            let members = (key, inside)
                .prop_map(|(key, inside)| format!("Struct[{{{key} => {}}}]", inside[0]));
            prop_oneof![plain, members]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            types in prop::collection::vec(type_text(), 1..4),
            default in "[ -~\u{e9}\n]{0,12}",
            keys in prop::collection::btree_set("[a-z:]{1,8}", 0..4),
        ) {
            let parameters: Vec<String> =
                types.iter().enumerate().map(|(at, of)| format!("{of} $p{at} = '{default}'")).collect();
            let text = format!("# {default}\nclass foo({}) {{}}\n", parameters.join(", "));
            let mut found = interface(&[("manifests/init.pp", &text), ("manifests/x.pp", &types[0])]);
            let sometimes = BTreeSet::from(["x::y".to_owned()]);
            found.own_data = Data::Keys { always: keys.clone(), sometimes, fits: keys };
            let written = found.to_json();
            let read = Interface::from_json(written.as_bytes()).unwrap();
            prop_assert_eq!(&read, &found);
            prop_assert_eq!(read.to_json(), written);
        }
    }
}
