//! Which packages are written, how they are compressed, and who can read that.

use crate::model::compression::{Compression, Format, Method, Target};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use std::collections::BTreeSet;

/// The formats to write, each once, with how it is compressed; refuses what a target cannot install.
pub fn choose(
    formats: &[Format],
    method: Method,
    level: Option<u8>,
    targets: &[Target],
) -> Result<Vec<(Format, Compression)>, Failure> {
    if let Some(target) = targets.iter().find(|target| !formats.contains(&target.format())) {
        let format = target.format();
        let all = formats.iter().map(|format| format!("{format},")).collect::<String>();
        return Err(Failure::new(format!("`{target}` installs .{format}, which is not built"))
            .exit(Exit::Usage)
            .hint(format!("add it: `--format {all}{format}`")));
    }
    let cannot = targets.iter().filter(|target| !target.reads(method));
    let cannot: Vec<String> = cannot.map(|target| format!("`{target}`")).collect();
    if !cannot.is_empty() {
        let cannot = cannot.join(", ");
        return Err(Failure::new(format!(
            "{cannot} cannot install packages compressed with {method}"
        ))
        .exit(Exit::Usage)
        .hint("every target reads `--compression gzip` and `--compression xz`"));
    }
    let formats: BTreeSet<Format> = formats.iter().copied().collect();
    let compressed = |format| match Compression::new(method, level, format) {
        Ok(compression) => Ok((format, compression)),
        Err(error) => Err(Failure::new(error.to_string())
            .exit(Exit::Usage)
            .hint(format!("--compression-level {}", error.nearest()))),
    };
    formats.into_iter().map(compressed).collect()
}
