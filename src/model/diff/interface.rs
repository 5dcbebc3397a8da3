//! What can be called of two releases: what of it is gone, asks for more, or takes less.

use super::{FileChange, Finding, Of, Rule, Verdict};
use crate::model::check::Aliases;
use crate::model::interface::{Interface, Lookup, Supply, shown};
use crate::model::puppet_code::What;
use crate::model::puppet_code::data_type::Type;
use crate::model::puppet_code::definition::{Definition, Parameter, Stated};
use crate::model::puppet_code::lexer::lex;
use crate::model::subtype::{Change, Stands, change};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Compares what can be called, the worst first.
pub fn of(from: &Interface, to: &Interface, files: &[FileChange]) -> Vec<Finding> {
    let (old, new) = (Code::of(from), Code::of(to));
    let changed: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let names: BTreeSet<&Key> = old.known.keys().chain(new.known.keys()).collect();
    let mut findings = Vec::new();
    for key in names {
        match (old.known.get(key), new.known.get(key)) {
            (Some(before), Some(after)) => {
                let (old, new, changed) = (&old, &new, &changed);
                let compared = Pair { old, new, changed, before, after, findings: Vec::new() };
                findings.extend(compared.compare());
            }
            // What cannot be read may define it still.
            (Some(told), None) if new.cannot_read(told) => {}
            (None, Some(told)) if old.cannot_read(told) => {}
            (Some(before), None) => findings.push(alone(before, Rule::Removed)),
            (None, Some(after)) => findings.push(alone(after, Rule::Added)),
            (None, None) => {}
        }
    }
    findings.extend(unreadable(&old, &new, &changed));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

/// A definition, and where it stands.
struct Told<'i> {
    module: &'i str,
    /// Its path in the module.
    file: &'i str,
    definition: &'i Definition,
}

/// The kind and the name in lower case, by which Puppet looks a definition up.
type Key = (Of, String);

/// The code of one release.
struct Code<'i> {
    interface: &'i Interface,
    aliases: Aliases,
    known: BTreeMap<Key, Told<'i>>,
    /// Files by their paths, and why they cannot be read.
    unreadable: BTreeMap<String, String>,
}

impl<'i> Code<'i> {
    fn of(interface: &'i Interface) -> Self {
        let (mut known, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        for (module, inside) in interface.modules() {
            for (file, found) in inside.files() {
                let definitions = match found {
                    Ok(definitions) => definitions,
                    Err(why) => {
                        unreadable.insert(format!("{module}/{file}"), why.to_string());
                        continue;
                    }
                };
                for definition in definitions.iter().filter(|d| interface.is_found(d)) {
                    let name = definition.name.to_ascii_lowercase();
                    let told = Told { module, file, definition };
                    known.entry((of_what(definition.kind), name)).or_insert(told);
                }
            }
        }
        Code { interface, aliases: interface.aliases(), known, unreadable }
    }

    fn cannot_read(&self, told: &Told) -> bool {
        self.unreadable.contains_key(&format!("{}/{}", told.module, told.file))
    }

    fn supply(&self, told: &Told, parameter: &str) -> Supply {
        self.interface.supply(told.module, &told.definition.name, parameter)
    }
}

fn of_what(kind: What) -> Of {
    match kind {
        What::Class => Of::Class,
        What::DefinedType => Of::DefinedType,
        What::TypeAlias => Of::TypeAlias,
        What::Function => Of::Function,
    }
}

/// What is on one side alone.
fn alone(told: &Told, rule: Rule) -> Finding {
    let verdict = match rule {
        Rule::Added => Verdict::Compatible,
        _ => Verdict::Breaking.min(worst_for(told.definition)),
    };
    about(told, verdict, rule)
}

/// No ENC calls anything but classes, and a private class is for its own module.
fn worst_for(definition: &Definition) -> Verdict {
    match definition.kind {
        What::Class if !definition.private => Verdict::Breaking,
        _ => Verdict::Review,
    }
}

fn about(told: &Told, verdict: Verdict, rule: Rule) -> Finding {
    let Told { module, file, definition } = told;
    let place = Some(format!("{module}/{file}:{}", definition.line));
    let (of, name) = (of_what(definition.kind), definition.name.clone());
    Finding { verdict, rule, of, name, parameter: None, before: None, after: None, place }
}

/// Files that one side cannot read; one that is as it was is no difference.
fn unreadable(from: &Code, to: &Code, changed: &HashSet<&str>) -> Vec<Finding> {
    let (old, new) = (&from.unreadable, &to.unreadable);
    let app = |code: &'_ Code, path: &str| {
        let module = path.split_once('/').map_or(path, |(module, _)| module);
        code.interface.modules().get(module).map(|module| module.app.clone())
    };
    let is_same = |path: &String| match (app(from, path), app(to, path)) {
        (Some(was), Some(is)) if old.contains_key(path) && new.contains_key(path) => {
            was.source() == is.source() && !changed.contains(format!("{is}/{path}").as_str())
        }
        _ => false,
    };
    let paths = old.keys().chain(new.keys()).filter(|path| !is_same(path));
    let paths: BTreeSet<&String> = paths.collect();
    let finding = |path: &String| {
        let (before, after) = (old.get(path).cloned(), new.get(path).cloned());
        let (verdict, rule, name) = (Verdict::Review, Rule::Unreadable, path.clone());
        let of = Of::File;
        Finding { verdict, rule, of, name, parameter: None, before, after, place: None }
    };
    paths.into_iter().map(finding).collect()
}

/// A definition that both releases have.
struct Pair<'c, 'i> {
    old: &'c Code<'i>,
    new: &'c Code<'i>,
    /// Paths of files that are not as they were.
    changed: &'c HashSet<&'c str>,
    before: &'c Told<'i>,
    after: &'c Told<'i>,
    findings: Vec<Finding>,
}

impl Pair<'_, '_> {
    fn tell(
        &mut self,
        verdict: Verdict,
        rule: Rule,
        parameter: Option<&str>,
        texts: (Option<String>, Option<String>),
    ) {
        let worst = worst_for(self.before.definition);
        let finding = about(self.after, verdict.min(worst), rule);
        let (before, after) = texts;
        let parameter = parameter.map(str::to_owned);
        self.findings.push(Finding { parameter, before, after, ..finding });
    }

    fn compare(mut self) -> Vec<Finding> {
        let (before, after) = (self.before.definition, self.after.definition);
        match (before.private, after.private) {
            (false, true) => self.tell(Verdict::Breaking, Rule::Private, None, (None, None)),
            (true, false) => self.tell(Verdict::Compatible, Rule::Public, None, (None, None)),
            _ => {}
        }
        if before.inherits != after.inherits {
            let texts = (before.inherits.clone(), after.inherits.clone());
            self.tell(Verdict::Review, Rule::Inherits, None, texts);
        }
        // What an alias stands for, or a function gives back.
        self.stated(None, &before.stands_for, &after.stands_for);
        for (at, parameter) in before.parameters.iter().enumerate() {
            match counterpart(at, before, after) {
                Some(other) => self.parameter(parameter, other),
                None => {
                    let texts = (Some(shown(&parameter.of)), None);
                    let name = Some(parameter.name.as_str());
                    self.tell(Verdict::Breaking, Rule::ParameterRemoved, name, texts);
                }
            }
        }
        for (at, parameter) in after.parameters.iter().enumerate() {
            if counterpart(at, after, before).is_none() {
                self.added(parameter);
            }
        }
        self.findings
    }

    fn added(&mut self, parameter: &Parameter) {
        let texts = (None, Some(with_default(parameter)));
        let name = Some(parameter.name.as_str());
        match need(parameter, self.new.supply(self.after, &parameter.name)) {
            Need::No => self.tell(Verdict::Compatible, Rule::ParameterAdded, name, texts),
            Need::Perhaps => self.tell(Verdict::Review, Rule::RequiredParameterAdded, name, texts),
            Need::Yes => self.tell(Verdict::Breaking, Rule::RequiredParameterAdded, name, texts),
        }
    }

    fn parameter(&mut self, before: &Parameter, after: &Parameter) {
        let name = Some(before.name.as_str());
        self.stated(name, &before.of, &after.of);
        let supplies =
            (self.old.supply(self.before, &before.name), self.new.supply(self.after, &after.name));
        let needs = (need(before, supplies.0), need(after, supplies.1));
        let texts = (before.default.clone(), after.default.clone());
        let (had, has) = (before.default.is_some(), after.default.is_some());
        match needs {
            (old, new) if new > old && new == Need::Yes => {
                self.tell(Verdict::Breaking, Rule::DefaultRemoved, name, texts);
            }
            (old, new) if new > old => {
                self.tell(Verdict::Review, Rule::DefaultRemoved, name, texts);
            }
            (Need::Yes, Need::No) => {
                self.tell(Verdict::Compatible, Rule::DefaultAdded, name, texts);
            }
            _ if had != has || !same_source(&before.default, &after.default) => {
                self.tell(Verdict::Review, Rule::DefaultChanged, name, texts);
            }
            _ if after.default.as_deref().is_some_and(|default| self.is_of_changed(default)) => {
                self.tell(Verdict::Review, Rule::DefaultChanged, name, texts);
            }
            _ if supplies.0 != supplies.1 => {
                let told = |supply| Some(in_data(supply).to_owned());
                let texts = (told(supplies.0), told(supplies.1));
                self.tell(Verdict::Review, Rule::Data, name, texts);
            }
            _ => {}
        }
    }

    /// Whether a default takes a variable of a class in another file, which is not as it was.
    fn is_of_changed(&self, default: &str) -> bool {
        let interface = self.new.interface;
        let is_changed = |variable: &str| {
            let Some((class, _)) = variable.trim_start_matches("::").rsplit_once("::") else {
                return false;
            };
            let Lookup::Found { module, file, .. } = interface.class(class) else { return false };
            let is_own = (module, file) == (self.after.module, self.after.file);
            let app = interface.modules().get(module).map(|module| module.app.as_str());
            let path = format!("{}/{module}/{file}", app.unwrap_or_default());
            !is_own && self.changed.contains(path.as_str())
        };
        variables(default).any(is_changed)
    }

    fn stated(&mut self, parameter: Option<&str>, before: &Stated, after: &Stated) {
        let (old, new) = (self.old, self.new);
        let same_aliases = old.aliases == new.aliases;
        let any = Type::Any;
        let known = |stated: &'_ Stated| match stated {
            Stated::No => Some(any.clone()),
            Stated::Known(of) => Some(of.clone()),
            Stated::Unknown(_) => None,
        };
        let became = match (known(before), known(after)) {
            _ if before == after && (same_aliases || !has_alias(before)) => Change::Same,
            (Some(old_type), Some(new_type)) => change(
                Stands { of: &old_type, aliases: &old.aliases },
                Stands { of: &new_type, aliases: &new.aliases },
            ),
            _ => Change::Undecided,
        };
        let (verdict, rule) = match became {
            Change::Same => return,
            Change::Widened | Change::SameOrWidened => (Verdict::Compatible, Rule::TypeWidened),
            Change::Narrowed => (Verdict::Breaking, Rule::TypeNarrowed),
            Change::Disjoint => (Verdict::Breaking, Rule::TypeDisjoint),
            Change::Incomparable => (Verdict::Review, Rule::TypeIncomparable),
            Change::SameOrNarrowed | Change::Undecided => (Verdict::Review, Rule::TypeUndecided),
        };
        self.tell(verdict, rule, parameter, (Some(shown(before)), Some(shown(after))));
    }
}

/// What a parameter is in another release: of a function by its place, else by its name.
fn counterpart<'d>(at: usize, own: &Definition, other: &'d Definition) -> Option<&'d Parameter> {
    match own.kind {
        What::Function => other.parameters.get(at),
        _ => other.parameters.iter().find(|other| other.name == own.parameters[at].name),
    }
}

/// Whether a call has to give a parameter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    No,
    Perhaps,
    Yes,
}

fn need(parameter: &Parameter, supply: Supply) -> Need {
    match supply {
        _ if parameter.default.is_some() || parameter.rest => Need::No,
        Supply::Always => Need::No,
        Supply::Sometimes => Need::Perhaps,
        Supply::Never => Need::Yes,
    }
}

/// The variables in the source of a default.
fn variables(source: &str) -> impl Iterator<Item = &str> {
    source.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())]
    })
}

fn in_data(supply: Supply) -> &'static str {
    match supply {
        Supply::Never => "not in data",
        Supply::Sometimes => "perhaps in data",
        Supply::Always => "in data",
    }
}

fn with_default(parameter: &Parameter) -> String {
    let of = shown(&parameter.of);
    match &parameter.default {
        Some(default) => format!("{of} = {default}"),
        None => of,
    }
}

/// The same but for blanks and comments.
fn same_source(a: &Option<String>, b: &Option<String>) -> bool {
    let words = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        let tokens = lex(text).ok()?.tokens;
        let words = tokens.iter().map(|token| text[token.start..token.end].to_owned());
        Some(words.collect::<Vec<_>>())
    };
    a == b || words(a).is_some_and(|a| words(b) == Some(a))
}

fn has_alias(of: &Stated) -> bool {
    match of {
        Stated::No => false,
        Stated::Unknown(_) => true,
        // Whatever else has capital letters and colons.
        Stated::Known(of) => of.has_reference(),
    }
}
