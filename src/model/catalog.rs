//! A catalog as Puppet compiled it, without what differs each time; and what two of them differ in.

use super::digest::Sha256Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// More than this, and a catalog is not read.
pub const LARGEST: u64 = 256 << 20;

/// A compiled catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    document: Document,
}

/// What is read of the document; file, line, version, UUID and tags are not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Document {
    name: String,
    environment: Option<String>,
    resources: Vec<Resource>,
    #[serde(default)]
    edges: Vec<Edge>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Resource {
    #[serde(rename = "type")]
    of: String,
    title: String,
    #[serde(default)]
    exported: bool,
    #[serde(default)]
    r#virtual: bool,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    #[serde(default)]
    sensitive_parameters: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Edge {
    source: String,
    target: String,
}

/// A directory that is elsewhere each time, and what stands for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    pub directory: String,
    pub stands: String,
}

/// A resource that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `File[/etc/motd]`
    pub resource: String,
    pub how: How,
    pub parameters: Vec<ParameterChange>,
}

/// Kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Added,
    Removed,
    Changed,
}

/// A parameter that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterChange {
    pub name: String,
    /// Its values are nobody's to see.
    pub sensitive: bool,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Resource {
    /// Whether Puppet was told not to show what it writes into a file: `show_diff => false`.
    fn hides_content(&self) -> bool {
        let off = |value: &Value| match value {
            Value::String(text) => matches!(text.as_str(), "false" | "no"),
            value => *value == Value::Bool(false),
        };
        self.parameters.get("show_diff").is_some_and(off)
    }
}

impl Catalog {
    /// Reads what Puppet wrote; directories that are `away` are as they were in every other.
    pub fn from_json(text: &[u8], away: &[Away]) -> Result<Self, serde_json::Error> {
        let mut document: Document = serde_json::from_slice(text)?;
        // The longest first: one may be inside another.
        let mut away: Vec<&Away> = away.iter().collect();
        away.sort_by_key(|away| std::cmp::Reverse(away.directory.len()));
        for resource in &mut document.resources {
            resource.title = settled(&resource.title, &away);
            resource.parameters.values_mut().for_each(|value| settle(value, &away));
        }
        for edge in &mut document.edges {
            edge.source = settled(&edge.source, &away);
            edge.target = settled(&edge.target, &away);
        }
        document.edges.sort();
        Ok(Catalog { document })
    }

    /// A catalog of nothing, of a node that nothing was applied to.
    pub fn empty() -> Self {
        let (resources, edges) = (Vec::new(), Vec::new());
        Catalog { document: Document { name: String::new(), environment: None, resources, edges } }
    }

    /// Names a catalog and the files of modules that it is of: a release by its bundle ID, a
    /// checkout by what is in them. Values that are nobody's to see are part of it.
    pub fn plan(
        &self,
        bundle_id: Option<Sha256Digest>,
        contents: &BTreeMap<String, String>,
    ) -> Sha256Digest {
        let document = match bundle_id {
            Some(_) => self.document.clone(),
            None => self.clone().with_sources(contents).document,
        };
        let bundle_id = bundle_id.map(|id| id.to_string()).unwrap_or_default();
        // Strings, numbers, lists and maps of them: nothing here can fail to serialise.
        let document = serde_json::to_string(&document).unwrap_or_default();
        Sha256Digest::of(format!("localpuppet plan 1\nrelease {bundle_id}\n{document}\n"))
    }

    /// The modules' files that resources are made of, as `puppet:///modules/…`.
    pub fn sources(&self) -> BTreeSet<String> {
        let files = self.document.resources.iter().filter(|resource| resource.of == "File");
        let sources = files.filter_map(|file| file.parameters.get("source"));
        let texts = sources.flat_map(|source| match source {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        });
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Adds to each resource that is made of a module's file what is in that file.
    pub fn with_sources(mut self, digests: &BTreeMap<String, String>) -> Self {
        for resource in &mut self.document.resources {
            let source = match resource.parameters.get("source") {
                Some(Value::Array(list)) => {
                    list.iter().filter_map(Value::as_str).find(|one| digests.contains_key(*one))
                }
                source => source.and_then(Value::as_str),
            };
            if let Some(digest) = source.and_then(|source| digests.get(source)) {
                let name = "content of source".to_owned();
                resource.parameters.insert(name, Value::String(digest.clone()));
            }
        }
        self
    }

    /// Takes out what is for other nodes alone: an exported resource is applied only where something
    /// collects it on its own node too, as Puppet's own list of what it looks after says, in small
    /// letters.
    pub fn without_exports(mut self, managed: &BTreeSet<String>) -> Self {
        let name = |one: &Resource| format!("{}[{}]", one.of, one.title);
        let (kept, gone): (Vec<_>, Vec<_>) = self
            .document
            .resources
            .into_iter()
            .partition(|one| !one.exported || managed.contains(&name(one).to_lowercase()));
        let gone: BTreeSet<String> = gone.iter().map(name).collect();
        self.document.resources = kept;
        let is_gone = |edge: &Edge| gone.contains(&edge.source) || gone.contains(&edge.target);
        self.document.edges.retain(|edge| !is_gone(edge));
        self
    }

    /// The classes in it.
    pub fn classes(&self) -> BTreeSet<String> {
        let classes = self.document.resources.iter().filter(|resource| resource.of == "Class");
        classes.map(|class| class.title.clone()).collect()
    }

    /// The resources that Puppet does something for, by their names.
    fn resources(&self) -> BTreeMap<String, &Resource> {
        let resources = self.document.resources.iter().filter(|one| !is_group(one));
        resources.map(|one| (format!("{}[{}]", one.of, one.title), one)).collect()
    }

    /// Classes and stages, each with what puts it in order alone: what else a class is given shows
    /// in its resources.
    fn groups(&self) -> BTreeMap<String, Resource> {
        let groups = self.document.resources.iter().filter(|one| is_group(one)).cloned();
        let ordered = groups.map(|mut one| {
            one.parameters.retain(|name, _| ORDER.contains(&name.as_str()));
            (format!("{}[{}]", one.of, one.title), one)
        });
        ordered.collect()
    }

    /// What is in what, of all that is also in another catalog.
    fn contained(&self, other: &Catalog) -> BTreeSet<&Edge> {
        let all = |of: &Catalog| -> BTreeSet<String> {
            let all = of.document.resources.iter();
            all.map(|one| format!("{}[{}]", one.of, one.title)).collect()
        };
        let (own, known) = (all(self), all(other));
        let stays = |name: &String| own.contains(name) && known.contains(name);
        let edges = self.document.edges.iter();
        edges.filter(|edge| stays(&edge.source) && stays(&edge.target)).collect()
    }

    /// The order of those resources that are also in another catalog.
    fn order(&self, other: &Catalog) -> Vec<String> {
        let known = other.resources();
        let names = self.document.resources.iter().map(|one| format!("{}[{}]", one.of, one.title));
        names.filter(|name| known.contains_key(name)).collect()
    }
}

/// The parameters that put a class or a stage before or after something.
const ORDER: [&str; 5] = ["before", "notify", "require", "stage", "subscribe"];

fn is_group(resource: &Resource) -> bool {
    ["Class", "Stage"].contains(&resource.of.as_str())
}

/// What differs, resource by resource, in the order of their names; of classes and stages that
/// stay, what they come before and after.
pub fn changes(from: &Catalog, to: &Catalog) -> Vec<Change> {
    let (mut old, mut new) = (from.resources(), to.resources());
    let groups = (from.groups(), to.groups());
    for (name, group) in &groups.0 {
        if let Some(other) = groups.1.get(name) {
            old.insert(name.clone(), group);
            new.insert(name.clone(), other);
        }
    }
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| {
        let (before, after) = (old.get(name).copied(), new.get(name).copied());
        let how = match (before, after) {
            (None, _) => How::Added,
            (_, None) => How::Removed,
            _ => How::Changed,
        };
        let parameters = parameters(before, after);
        let resource = name.clone();
        let told = how != How::Changed || !parameters.is_empty();
        told.then_some(Change { resource, how, parameters })
    };
    names.into_iter().filter_map(change).collect()
}

/// True where what is in both comes in another order.
pub fn is_reordered(from: &Catalog, to: &Catalog) -> bool {
    from.order(to) != to.order(from)
}

/// True where what is in both is in another class or defined type.
pub fn is_regrouped(from: &Catalog, to: &Catalog) -> bool {
    from.contained(to) != to.contained(from)
}

fn parameters(before: Option<&Resource>, after: Option<&Resource>) -> Vec<ParameterChange> {
    let all = |of: Option<&Resource>| -> BTreeMap<String, Value> {
        let Some(of) = of else { return BTreeMap::new() };
        let flags = [("exported", of.exported), ("virtual", of.r#virtual)];
        let flags = flags.into_iter().filter(|(_, is)| *is);
        let flags = flags.map(|(name, is)| (name.to_owned(), Value::Bool(is)));
        of.parameters.clone().into_iter().chain(flags).collect()
    };
    let hidden = |of: Option<&Resource>, name: &String| {
        of.is_some_and(|of| {
            of.sensitive_parameters.contains(name)
                || of.parameters.get(name).is_some_and(has_sensitive)
                || (name == "content" && of.hides_content())
        })
    };
    let (old, new) = (all(before), all(after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| {
        let (was, is) = (old.get(name), new.get(name));
        let sensitive = hidden(before, name) || hidden(after, name);
        let shown = |value: Option<&Value>| value.filter(|_| !sensitive).cloned();
        let (name, before, after) = (name.clone(), shown(was), shown(is));
        (was != is).then_some(ParameterChange { name, sensitive, before, after })
    };
    names.into_iter().filter_map(change).collect()
}

/// True where a part of a value is one of Puppet's `Sensitive`.
fn has_sensitive(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_sensitive),
        Value::Object(pairs) => {
            pairs.get("__ptype").and_then(Value::as_str) == Some("Sensitive")
                || pairs.values().any(has_sensitive)
        }
        _ => false,
    }
}

fn settle(value: &mut Value, away: &[&Away]) {
    match value {
        Value::String(text) => *text = settled(text, away),
        Value::Array(items) => items.iter_mut().for_each(|item| settle(item, away)),
        Value::Object(pairs) => pairs.values_mut().for_each(|value| settle(value, away)),
        _ => {}
    }
}

fn settled(text: &str, away: &[&Away]) -> String {
    let replace = |text: String, away: &&Away| text.replace(&away.directory, &away.stands);
    away.iter().fold(text.to_owned(), replace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn catalog(resources: Value) -> Catalog {
        let document = json!({
            "name": "web01", "environment": "production", "version": "x", "catalog_uuid": "y",
            "resources": resources, "edges": [{"source": "Class[main]", "target": "File[/x]"}],
        });
        let away = Away { directory: "/tmp/1".into(), stands: "@run@".into() };
        Catalog::from_json(document.to_string().as_bytes(), &[away]).unwrap()
    }

    #[test]
    fn what_is_exported_is_not_told_unless_it_is_applied_here_too() {
        let new = catalog(json!([
            {"type": "File", "title": "/A", "exported": true},
            {"type": "File", "title": "/b", "exported": true},
            {"type": "File", "title": "/c", "exported": false},
        ]));
        let told = |catalog: Catalog| -> Vec<String> {
            changes(&Catalog::empty(), &catalog).into_iter().map(|one| one.resource).collect()
        };
        assert_eq!(told(new.clone()), ["File[/A]", "File[/b]", "File[/c]"]);
        let managed = ["file[/a]".to_owned(), "file[/c]".to_owned()];
        assert_eq!(told(new.without_exports(&managed.into())), ["File[/A]", "File[/c]"]);
    }

    #[test]
    fn what_differs_is_told_by_parameter_and_secrets_are_not() {
        let old = catalog(json!([
            {"type": "File", "title": "/x", "file": "/tmp/1/a.pp", "line": 1,
             "parameters": {"content": "a", "mode": "0644", "path": "/tmp/1/x"}},
            {"type": "User", "title": "u", "parameters": {"password": "s3cret", "uid": 1},
             "sensitive_parameters": ["password"]},
            {"type": "Exec", "title": "e", "parameters": {"environment": [
             {"__ptype": "Sensitive", "__pvalue": "s3cret"}]}},
            {"type": "Notify", "title": "gone"},
            {"type": "Class", "title": "Foo", "parameters": {"x": 1}},
        ]));
        let new = catalog(json!([
            {"type": "File", "title": "/x", "line": 9,
             "parameters": {"content": "b", "path": "/tmp/1/x", "owner": "root"}},
            {"type": "User", "title": "u", "parameters": {"password": "0ther", "uid": 1},
             "sensitive_parameters": ["password"]},
            {"type": "Exec", "title": "e", "parameters": {"environment": []}},
            {"type": "Notify", "title": "new", "parameters": {"message": "m"}},
            {"type": "Class", "title": "Foo", "parameters": {"x": 2}},
        ]));
        let told = serde_json::to_value(changes(&old, &new)).unwrap();
        let parameter = |name, before: Value, after: Value| json!({"name": name, "sensitive": false, "before": before, "after": after});
        let secret = |name| json!({"name": name, "sensitive": true, "before": null, "after": null});
        assert_eq!(
            told,
            json!([
                {"resource": "Exec[e]", "how": "changed", "parameters": [secret("environment")]},
                {"resource": "File[/x]", "how": "changed", "parameters": [
                    parameter("content", json!("a"), json!("b")),
                    parameter("mode", json!("0644"), json!(null)),
                    parameter("owner", json!(null), json!("root")),
                ]},
                {"resource": "Notify[gone]", "how": "removed", "parameters": []},
                {"resource": "Notify[new]", "how": "added", "parameters": [
                    parameter("message", json!(null), json!("m")),
                ]},
                {"resource": "User[u]", "how": "changed", "parameters": [secret("password")]},
            ])
        );
        assert!(!is_reordered(&old, &new));
        assert_eq!(changes(&old, &old), []);
    }

    #[test]
    fn what_classes_come_before_and_are_in_is_told() {
        let of = |before: &str, container: &str| {
            let document = json!({"name": "web01", "environment": "production", "resources": [
                {"type": "Class", "title": "A", "parameters": {"x": before, "before": before}},
                {"type": "Class", "title": "B"}, {"type": "Class", "title": before},
                {"type": "Notify", "title": "n"}],
                "edges": [{"source": container, "target": "Notify[n]"}]});
            Catalog::from_json(document.to_string().as_bytes(), &[]).unwrap()
        };
        let (old, new) = (of("C", "Class[A]"), of("D", "Class[B]"));
        let told = serde_json::to_value(changes(&old, &new)).unwrap();
        let before = json!({"name": "before", "sensitive": false, "before": "C", "after": "D"});
        let change = json!({"resource": "Class[A]", "how": "changed", "parameters": [before]});
        assert_eq!(told, json!([change]));
        assert!(is_regrouped(&old, &new));
        assert!(!is_regrouped(&old, &of("D", "Class[A]")));
        assert!(!is_regrouped(&old, &old));
    }

    #[test]
    fn content_of_a_file_that_is_not_to_be_shown_is_not() {
        let file = |content: &str, off: Value| {
            catalog(json!([{"type": "File", "title": "/x",
                "parameters": {"content": content, "mode": content, "show_diff": off}}]))
        };
        let hidden = |before: Value, after: Value| {
            let told = changes(&file("a", before), &file("b", after));
            let hidden = told[0].parameters.iter().filter(|one| one.sensitive);
            hidden.map(|one| (one.name.clone(), one.before.clone())).collect::<Vec<_>>()
        };
        for off in [json!(false), json!("false"), json!("no")] {
            assert_eq!(hidden(off.clone(), off.clone()), [("content".to_owned(), None)]);
            assert_eq!(hidden(json!(true), off), [("content".to_owned(), None)]);
        }
        assert_eq!(hidden(json!(true), json!(true)), []);
    }

    #[test]
    fn a_plan_is_that_of_the_same_catalog_anywhere() {
        let resources =
            json!([{"type": "File", "title": "/x", "parameters": {"path": "/tmp/1/x"}}]);
        let here = catalog(resources.clone());
        let there = json!({"name": "web01", "environment": "production", "catalog_uuid": "other",
            "resources": [{"type": "File", "title": "/x", "tags": ["a"], "parameters": {"path": "/srv/2/x"}}],
            "edges": [{"source": "Class[main]", "target": "File[/x]"}]});
        let away = Away { directory: "/srv/2".into(), stands: "@run@".into() };
        let there = Catalog::from_json(there.to_string().as_bytes(), &[away]).unwrap();
        let plan = |catalog: &Catalog| catalog.plan(None, &BTreeMap::new());
        assert_eq!(plan(&here), plan(&there));
        assert_ne!(plan(&here), here.plan(Some(Sha256Digest::of("r1")), &BTreeMap::new()));
        let other = json!([{"type": "File", "title": "/x", "parameters": {"path": "/tmp/1/y"}}]);
        assert_ne!(plan(&here), plan(&catalog(other)));
    }

    #[test]
    fn a_plan_of_a_checkout_is_of_what_is_in_its_files() {
        let source = "puppet:///modules/foo/data";
        let made =
            catalog(json!([{"type": "File", "title": "/x", "parameters": {"source": source}}]));
        let contents = |digest: &str| BTreeMap::from([(source.to_owned(), digest.to_owned())]);
        let plan = |of: Option<Sha256Digest>, digest| made.plan(of, &contents(digest));
        assert_eq!(plan(None, "a"), plan(None, "a"));
        assert_ne!(plan(None, "a"), plan(None, "b"));
        let release = Some(Sha256Digest::of("r1"));
        assert_eq!(plan(release, "a"), plan(release, "b"));
    }
}
