//! Which directories make a release: the app, then its dependencies, breadth first.

use crate::model::app::{AppPath, Line};
use crate::model::failure::Failure;
use crate::model::manifest::{FILE_NAME, Listed, Manifest};
use crate::model::subject::Subject;
use crate::model::suggest::listed;
use crate::model::version::Version;
use std::collections::VecDeque;

/// Which app paths may be in a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Tags alone: what is released cannot change later.
    Tags,
    /// Trunk, branches and any other directory too.
    Anything,
}

/// More directories than this on one modulepath are a mistake, or an attack.
const LONGEST: usize = 1000;

/// Resolves an app to its modulepath.
///
/// `manifest_of` reads the manifest of an app path; for a dependency it may
/// answer with an empty one. `tags_of` tells which tags an app has, for what is not one.
/// Each directory comes once, where it is met first. An app
/// may list directories of its own, as a control repository has them.
pub fn resolve(
    app: &AppPath,
    allowed: Allowed,
    tags_of: impl Fn(&str) -> Vec<String>,
    mut manifest_of: impl FnMut(&AppPath) -> Result<Manifest, Failure>,
) -> Result<Vec<AppPath>, Failure> {
    if allowed == Allowed::Tags && !matches!(app.line(), Line::Tag { .. }) {
        return Err(not_a_tag(&format!("`{app}` is not a release"), app, tags_of));
    }
    let mut graph = Graph { nodes: vec![Found { app: app.clone(), listed: None, lists: vec![] }] };
    let mut queue = VecDeque::from([0]);
    while let Some(at) = queue.pop_front() {
        let manifest =
            manifest_of(&graph.nodes[at].app).map_err(|failure| graph.blame(at, failure))?;
        for listed in manifest.modulepath {
            let is_own = listed.app.is_within(&graph.nodes[at].app);
            let is_tag = matches!(listed.app.line(), Line::Tag { .. });
            if allowed == Allowed::Tags && !is_tag && !is_own {
                let what = format!("{} lists `{}`", graph.manifest(at), listed.app);
                let failure = not_a_tag(&what, &listed.app, tags_of);
                return Err(failure.because(graph.place(at, listed.line)));
            }
            let known = graph.nodes.iter().position(|node| node.app == listed.app);
            let next = match known {
                Some(next) => next,
                None => {
                    let next = graph.add(at, &listed)?;
                    queue.push_back(next);
                    next
                }
            };
            graph.nodes[at].lists.push((next, listed.line));
        }
    }
    graph.refuse_cycles()?;
    Ok(graph.nodes.into_iter().map(|node| node.app).collect())
}

fn not_a_tag(what: &str, app: &AppPath, tags_of: impl Fn(&str) -> Vec<String>) -> Failure {
    let failure = Failure::new(format!("{what}: only tags are released, and `{app}` can change"));
    if let Ok(Subject::Package(_)) = app.as_str().parse() {
        return failure.hint(format!("it is a package already: localpuppet inspect {app}"));
    }
    match app.line() {
        Line::Trunk { name } | Line::Branch { name, .. } => failure
            .hint(format!(
                "tag it, and name the tag: `{}/tags/…`",
                name.strip_suffix("/tags").unwrap_or(name)
            ))
            .hint("or bundle it as a snapshot, below every release: `--snapshot`"),
        _ => failure.hint(instead(app, tags_of).unwrap_or("expected `NAME/tags/TAG`".to_owned())),
    }
}

/// What to name for a path that is no tag, in the app that it is of.
fn instead(app: &AppPath, tags_of: impl Fn(&str) -> Vec<String>) -> Option<String> {
    let (mut name, mut tags) = (app.as_str(), tags_of(app.as_str()));
    while tags.is_empty() {
        (name, _) = name.rsplit_once('/')?;
        tags = tags_of(name);
    }
    let mut below = app.as_str().strip_prefix(name)?.split('/');
    if let Some(tag) = below.find_map(|word| tags.iter().find(|tag| *tag == word)) {
        return Some(format!("did you mean `{name}/tags/{tag}`?"));
    }
    let latest = Version::latest(&tags)?;
    Some(format!("`{name}` has tags {}; name one: `{name}/tags/{latest}`", listed(&tags)))
}

struct Found {
    app: AppPath,
    /// The node and the line that listed it first; none for the app itself.
    listed: Option<(usize, u64)>,
    lists: Vec<(usize, u64)>,
}

struct Graph {
    nodes: Vec<Found>,
}

impl Graph {
    fn manifest(&self, at: usize) -> String {
        format!("manifest of `{}`", self.nodes[at].app)
    }

    fn place(&self, at: usize, line: u64) -> Failure {
        Failure::new(format!("`{}/{FILE_NAME}` line {line}", self.nodes[at].app))
    }

    /// Says which manifest led to a directory that could not be read.
    fn blame(&self, at: usize, failure: Failure) -> Failure {
        let Some((by, line)) = self.nodes[at].listed else { return failure };
        let app = &self.nodes[at].app;
        Failure::new(format!(
            "{} lists `{app}` on line {line}, which cannot be read",
            self.manifest(by)
        ))
        .because(failure)
    }

    fn add(&mut self, by: usize, listed: &Listed) -> Result<usize, Failure> {
        let app = &listed.app;
        for (other, node) in self.nodes.iter().enumerate() {
            let problem = if node.app.source() == app.source() {
                format!(
                    "`{}` is in the release twice, as `{}` and as `{app}`",
                    app.source(),
                    node.app
                )
            } else if other != by && (node.app.is_within(app) || app.is_within(&node.app)) {
                format!("`{}` and `{app}` are in the release, one inside the other", node.app)
            } else {
                continue;
            };
            let first = match self.nodes[other].listed {
                Some((by, line)) => self.place(by, line).to_string(),
                None => "the release itself".to_owned(),
            };
            let second = self.place(by, listed.line);
            return Err(Failure::new(problem)
                .because(Failure::new(format!("the first is {first}, the second {second}")))
                .hint("Puppet would take modules from both: name one of them in all manifests"));
        }
        if self.nodes.len() >= LONGEST {
            return Err(Failure::new(format!(
                "expected at most {LONGEST} directories in a release"
            ))
            .because(self.place(by, listed.line)));
        }
        let listed_by = Some((by, listed.line));
        self.nodes.push(Found { app: app.clone(), listed: listed_by, lists: vec![] });
        Ok(self.nodes.len() - 1)
    }

    /// Walks every way through the manifests once; a way back to itself is refused.
    fn refuse_cycles(&self) -> Result<(), Failure> {
        let mut done = vec![false; self.nodes.len()];
        // The way from the app to the node in hand, with the next entry to follow in each.
        let mut way = vec![(0, 0)];
        while let Some(&mut (at, ref mut next)) = way.last_mut() {
            let Some(&(to, line)) = self.nodes[at].lists.get(*next) else {
                done[at] = true;
                way.pop();
                continue;
            };
            *next += 1;
            if let Some(start) = way.iter().position(|&(node, _)| node == to) {
                let names = way[start..].iter().map(|&(node, _)| node).chain([to]);
                let names = names.map(|node| format!("`{}`", self.nodes[node].app));
                let chain = names.collect::<Vec<_>>().join(" → ");
                return Err(Failure::new(format!(
                    "manifests list each other in a circle: {chain}"
                ))
                .because(self.place(at, line))
                .hint("take one of these entries out"));
            }
            if !done[to] {
                way.push((to, 0));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world of manifests: `app: dep dep`, a line each.
    fn resolve_in(world: &str, app: &str, allowed: Allowed) -> Result<String, String> {
        let manifest_of = |app: &AppPath| {
            let prefix = format!("{app}:");
            let line = world.lines().map(str::trim).find_map(|line| line.strip_prefix(&prefix));
            let line = line.ok_or_else(|| Failure::new(format!("no directory `{app}`")))?;
            let entries = line.split_whitespace().enumerate();
            let listed =
                entries.map(|(at, app)| Listed { app: app.parse().unwrap(), line: at as u64 + 2 });
            Ok(Manifest { modulepath: listed.collect() })
        };
        let resolved = resolve(&app.parse().unwrap(), allowed, |_| vec![], manifest_of);
        let join =
            |paths: Vec<AppPath>| paths.iter().map(AppPath::as_str).collect::<Vec<_>>().join(" ");
        resolved.map(join).map_err(|failure| {
            let mut text = failure.to_string();
            failure.causes().iter().for_each(|cause| text.push_str(&format!("; {cause}")));
            text
        })
    }

    #[test]
    fn the_app_comes_first_then_dependencies_breadth_first_each_once() {
        let world = "a/tags/1: b/tags/1 c/tags/1
            b/tags/1: d/tags/1
            c/tags/1: e/tags/1 d/tags/1
            d/tags/1:
            e/tags/1:";
        let resolved = resolve_in(world, "a/tags/1", Allowed::Tags);
        assert_eq!(resolved.unwrap(), "a/tags/1 b/tags/1 c/tags/1 d/tags/1 e/tags/1");
    }

    #[test]
    fn what_can_change_is_refused_and_named_unless_anything_is_allowed() {
        let world = "a/tags/1: b/trunk
            a/trunk: b/trunk
            b/trunk:";
        let refused = resolve_in(world, "a/tags/1", Allowed::Tags).unwrap_err();
        assert_eq!(
            refused,
            "manifest of `a/tags/1` lists `b/trunk`: only tags are released, and `b/trunk` can change; \
             `a/tags/1/manifest.yaml` line 2"
        );
        let refused = resolve_in(world, "a/trunk", Allowed::Tags).unwrap_err();
        assert_eq!(
            refused,
            "`a/trunk` is not a release: only tags are released, and `a/trunk` can change"
        );
        assert_eq!(resolve_in(world, "a/trunk", Allowed::Anything).unwrap(), "a/trunk b/trunk");
    }

    #[test]
    fn what_is_no_tag_is_told_which_there_are() {
        let hint = |app: &str| {
            let tags_of = |name: &str| match name {
                "b" | "team/b" => ["r9", "r10"].map(str::to_owned).to_vec(),
                _ => vec![],
            };
            let read = |_: &AppPath| Ok(Manifest::default());
            let refused = resolve(&app.parse().unwrap(), Allowed::Tags, tags_of, read);
            refused.unwrap_err().hints().join("; ")
        };
        assert_eq!(hint("b"), "`b` has tags `r9`, `r10`; name one: `b/tags/r10`");
        assert_eq!(hint("b/tags"), hint("b"));
        for app in ["b/r9", "b/tag/r9", "b/tags/r9/module"] {
            assert_eq!(hint(app), "did you mean `b/tags/r9`?");
        }
        assert_eq!(hint("team/b/r9"), "did you mean `team/b/tags/r9`?");
        assert_eq!(hint("c"), "expected `NAME/tags/TAG`");
        assert_eq!(
            hint("b/branches/x"),
            "tag it, and name the tag: `b/tags/…`; \
             or bundle it as a snapshot, below every release: `--snapshot`"
        );
        assert_eq!(hint("b/tags/trunk"), hint("b/trunk"));
    }

    #[test]
    fn a_circle_is_shown_whole() {
        let world = "a/tags/1: b/tags/1
            b/tags/1: c/tags/1
            c/tags/1: b/tags/1";
        assert_eq!(
            resolve_in(world, "a/tags/1", Allowed::Tags).unwrap_err(),
            "manifests list each other in a circle: `b/tags/1` → `c/tags/1` → `b/tags/1`; \
             `c/tags/1/manifest.yaml` line 2"
        );
    }

    #[test]
    fn one_source_under_two_tags_is_refused_with_both_places() {
        let world = "a/tags/1: b/tags/1 c/tags/1
            b/tags/1:
            c/tags/1: b/tags/2
            b/tags/2:";
        assert_eq!(
            resolve_in(world, "a/tags/1", Allowed::Tags).unwrap_err(),
            "`b` is in the release twice, as `b/tags/1` and as `b/tags/2`; the first is \
             `a/tags/1/manifest.yaml` line 2, the second `c/tags/1/manifest.yaml` line 2"
        );
    }

    #[test]
    fn one_directory_inside_another_is_refused() {
        let world = "a/tags/1: b/x b/x/y
            b/x:
            b/x/y:";
        let refused = resolve_in(world, "a/tags/1", Allowed::Anything).unwrap_err();
        assert!(refused.contains("one inside the other"), "{refused}");
        let world = "a/tags/1: a/tags/1/b a/tags/1/b/c
            a/tags/1/b:
            a/tags/1/b/c:";
        let refused = resolve_in(world, "a/tags/1", Allowed::Tags).unwrap_err();
        assert!(refused.contains("one inside the other"), "{refused}");
    }

    #[test]
    fn an_app_may_list_directories_of_its_own() {
        let world = "a/tags/1: a/tags/1/site a/tags/1/modules
            a/tags/1/site:
            a/tags/1/modules:";
        let resolved = resolve_in(world, "a/tags/1", Allowed::Tags).unwrap();
        assert_eq!(resolved, "a/tags/1 a/tags/1/site a/tags/1/modules");
        let world = "a/tags/1: b/tags/1/modules
            b/tags/1/modules:";
        assert!(resolve_in(world, "a/tags/1", Allowed::Tags).is_err());
    }

    #[test]
    fn a_missing_directory_is_blamed_on_the_manifest_that_lists_it() {
        let refused = resolve_in("a/tags/1: b/tags/9", "a/tags/1", Allowed::Tags).unwrap_err();
        assert_eq!(
            refused,
            "manifest of `a/tags/1` lists `b/tags/9` on line 2, which cannot be read; no directory `b/tags/9`"
        );
    }
}
