//! Some files of a package, without the rest of it.

use super::{Entry, EntryKind, ReadError, Visitor, damaged, deb, relative, rpm};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

/// More entries than this are not gone through.
const MOST_PATHS: usize = 2_000_000;

/// What is wanted of a file in a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Skip,
    /// All of it, where it has no more bytes than these.
    Keep(u64),
    /// Neither it nor anything behind it.
    Stop,
}

/// Reads the files of a package that are chosen by their paths, which have no leading `/`; what
/// it says of itself is not checked.
pub fn pick(
    mut file: impl Read + Seek,
    choose: impl FnMut(&str) -> Choice,
) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut magic = Vec::new();
    (&mut file).take(8).read_to_end(&mut magic)?;
    file.rewind()?;
    let mut picked = Picked { choose, found: Vec::new(), seen: 0 };
    match magic.as_slice() {
        b"!<arch>\n" => deb::show(BufReader::new(file), length, &mut picked)?,
        [0xed, 0xab, 0xee, 0xdb, ..] => rpm::show(BufReader::new(file), length, &mut picked)?,
        _ => return Err(ReadError::Neither),
    }
    Ok(picked.found)
}

struct Picked<C> {
    choose: C,
    found: Vec<(String, Vec<u8>)>,
    seen: usize,
}

impl<C: FnMut(&str) -> Choice> Visitor for Picked<C> {
    fn entry(
        &mut self,
        entry: Entry,
        content: &mut dyn Read,
    ) -> Result<ControlFlow<()>, ReadError> {
        self.seen += 1;
        if self.seen > MOST_PATHS {
            return damaged(format!("it has more than {MOST_PATHS} paths"));
        }
        let EntryKind::File = entry.kind else { return Ok(ControlFlow::Continue(())) };
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let path = relative(&name);
        match (self.choose)(path) {
            Choice::Stop => return Ok(ControlFlow::Break(())),
            Choice::Skip => {}
            Choice::Keep(most) if entry.size > most => {
                return damaged(format!("`{path:.200}` has more than {most} bytes"));
            }
            Choice::Keep(most) => {
                let mut bytes = Vec::new();
                content.take(most).read_to_end(&mut bytes)?;
                if bytes.len() as u64 != entry.size {
                    return damaged(format!("it ends inside `{path:.200}`"));
                }
                self.found.push((path.to_owned(), bytes));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Who looks for some files is not asked to judge the rest.
    fn problem(&mut self, _: String) {}
}
