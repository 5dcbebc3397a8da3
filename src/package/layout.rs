//! A release as the paths of a package (what lies where, and what it says of itself).

use super::compress::gzip;
use super::item::{Content, Item, Kind, Meta};
use crate::model::bundle::{Bundle, FILE_NAME, MODULE_ROOT};
use crate::model::digest::Sha256Digest;
use crate::model::interface::document;
use crate::model::module::{Line, Module};
use crate::model::tree::{Mode, Node, TreePath};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use md5::{Digest, Md5};
use std::collections::{BTreeSet, HashMap};
use std::io;

const COPYRIGHT: &str = include_str!("../../templates/copyright");
const CHANGELOG: &str = include_str!("../../templates/changelog");
const HOMEPAGE: &str = "https://github.com/rmt/localpuppet";

/// The MD5 of each file, by its path in the module root.
pub type Md5Sums = HashMap<TreePath, [u8; 16]>;

/// What the package of a bundle says of itself; `time` in seconds since 1970.
pub fn meta(bundle: &Bundle, provides: String, maintainer: &str, time: u32) -> Meta {
    let kind = if bundle.tag.is_some() { "release" } else { "snapshot" };
    let mut description = vec![
        format!("The Puppet {kind} {} with everything it depends on, immutable,", bundle.app),
        "in the order of its modulepath:".to_owned(),
    ];
    description.extend(bundle.modulepath.iter().map(|entry| format!(" {}", entry.app)));
    description.extend([
        String::new(),
        "Nothing is started or configured by installing it; localpuppet apply".to_owned(),
        "runs Puppet with it.".to_owned(),
        String::new(),
        format!("Bundle ID: {}", bundle.bundle_id),
    ]);
    let licenses: BTreeSet<&str> = bundle
        .modules
        .iter()
        .filter_map(|module| Some(module.license.as_ref()?.as_str()))
        .collect();
    let licenses = licenses.into_iter().collect::<Vec<_>>().join(" AND ");
    Meta {
        name: bundle.package.to_string(),
        version: bundle.version.clone(),
        maintainer: maintainer.to_owned(),
        synopsis: format!("Puppet {kind} {}", bundle.app),
        description,
        provides,
        license: if licenses.is_empty() { "Unspecified".to_owned() } else { licenses },
        time,
        change: format!("Puppet {kind} {}.", bundle.app),
        homepage: HOMEPAGE.to_owned(),
    }
}

/// Every path of a bundle's package, parents first, in the order of their bytes; `interface` is
/// the text of its `interface.json`.
pub fn items(
    bundle: &Bundle,
    interface: &str,
    meta: &Meta,
    md5sums: &Md5Sums,
) -> io::Result<Vec<Item>> {
    let top = bundle.directory().trim_start_matches('/').to_owned();
    let documents = format!("usr/share/doc/{}", meta.name);
    let mut items = above(&top);
    items.extend(above(&documents).into_iter().skip(2));
    let changelog = gzip(changelog(meta).as_bytes(), 9)?;
    items.push(file(format!("{documents}/changelog.gz"), changelog, true));
    let copyright = copyright(bundle, meta).into_bytes();
    items.push(file(format!("{documents}/copyright"), copyright, true));
    let own = |name: &str, text: String| file(format!("{top}/{name}"), text.into_bytes(), false);
    let (described, released) = rayon::join(
        || [own(FILE_NAME, bundle.to_json()), own(document::FILE_NAME, interface.to_owned())],
        || {
            let nodes = bundle.files.iter();
            nodes.map(|node| released(&top, node, md5sums)).collect::<io::Result<Vec<_>>>()
        },
    );
    items.extend(described);
    items.extend(released?);
    items.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(items)
}

/// The directories from the root to `path`; those of every system are not the package's own.
fn above(path: &str) -> Vec<Item> {
    const SYSTEM: [&str; 3] = ["usr", "usr/share", "usr/share/doc"];
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let directory = |end| {
        let path: &str = &path[..end];
        let kind = if SYSTEM.contains(&path) { Kind::SystemDirectory } else { Kind::Directory };
        Item { path: path.to_owned(), kind, is_document: false }
    };
    ends.map(directory).collect()
}

fn released(top: &str, node: &Node, md5sums: &Md5Sums) -> io::Result<Item> {
    let kind = match node {
        Node::Directory { .. } => Kind::Directory,
        Node::Symlink { target, .. } => Kind::Symlink { target: target.clone() },
        Node::File { path, mode, size, sha256 } => {
            let below = path.as_str().strip_prefix(MODULE_ROOT).and_then(|p| p.strip_prefix('/'));
            let read = below.and_then(|below| md5sums.get_key_value(below));
            let (path, &md5) = read.ok_or_else(|| {
                io::Error::other(format!("`{path}` was not read before it was written"))
            })?;
            let (mode, size, sha256, content) =
                (*mode, *size, *sha256, Content::Tree(path.clone()));
            Kind::File { mode, size, sha256, md5, content }
        }
    };
    Ok(Item { path: format!("{top}/{}", node.path()), is_document: false, kind })
}

fn file(path: String, bytes: Vec<u8>, is_document: bool) -> Item {
    let (size, sha256) = (bytes.len() as u64, Sha256Digest::of(&bytes));
    let (md5, content) = (Md5::digest(&bytes).into(), Content::Bytes(bytes));
    let kind = Kind::File { mode: Mode::Plain, size, sha256, md5, content };
    Item { path, kind, is_document }
}

fn copyright(bundle: &Bundle, meta: &Meta) -> String {
    let line = |module: &Module| {
        let name = module.full_name.as_ref().map_or(module.name.as_str(), Line::as_str);
        let version = module.version.as_ref().map_or("without version", Line::as_str);
        let license = module.license.as_ref().map_or("no licence told", Line::as_str);
        format!("  {name} {version}: {license}")
    };
    let modules: Vec<String> = bundle.modules.iter().map(line).collect();
    let time = civil(meta.time);
    COPYRIGHT
        .replace("{app}", bundle.app.as_str())
        .replace("{modules}", &modules.join("\n"))
        .replace("{year}", &time.strftime("%Y").to_string())
}

/// The changelog as Debian policy 4.4 has it; native, one entry.
fn changelog(meta: &Meta) -> String {
    let date = rfc2822::to_string(&civil(meta.time)).unwrap_or_default();
    CHANGELOG
        .replace("{package}", &meta.name)
        .replace("{version}", meta.version.as_str())
        .replace("{change}", &meta.change)
        .replace("{maintainer}", &meta.maintainer)
        .replace("{date}", &date)
}

fn civil(time: u32) -> jiff::Zoned {
    // 32 bits of seconds are years that every calendar knows.
    Timestamp::from_second(i64::from(time)).unwrap_or_default().to_zoned(TimeZone::UTC)
}
