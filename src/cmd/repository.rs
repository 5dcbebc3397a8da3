//! A repository as publishers use it: read what is handed in, enter it, make the next generation.

pub mod candidate;
pub mod check;
pub mod commit;
pub mod enter;
pub mod generation;
pub mod index;
pub mod list;
pub mod pages;
pub mod prune;
pub mod publication;

use crate::cli::Repository;
use crate::host::gpg::{Signer, Verifier};
use crate::host::store::Store;
use crate::host::{clock, fs};
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::{DIRECTORY, Name};
use crate::model::offer::INDEX_PAGE;
use crate::model::repository::{HEAD, Head, PUBLIC_KEY};
use index::Change;
use std::time::Duration;

/// So often others may be faster before a publisher gives up.
const TRIES: u32 = 200;

/// Tries to write until nobody else has written the same in between.
fn unless_overtaken<T>(
    what: &str,
    mut attempt: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    for number in 0..TRIES {
        if let Some(done) = attempt()? {
            return Ok(done);
        }
        clock::sleep(Duration::from_millis(u64::from(10 + number.min(50) * 7)));
    }
    Err(Failure::new(format!("{what} was changed by others {TRIES} times meanwhile"))
        .hint("nothing is lost: type the same again"))
}

/// A repository, and how it is written to.
pub struct Site<'a> {
    pub store: Store,
    pub signer: Option<Signer>,
    /// The public keys of a repository that packages are promoted from.
    pub keys: Option<Vec<u8>>,
    /// Who knows signatures by them.
    pub verifier: Option<Verifier>,
    /// How its indexes are written.
    pub options: &'a Repository,
}

impl<'a> Site<'a> {
    /// Opens a repository to look at; nothing is written.
    pub fn look(options: &'a Repository) -> Result<(Self, Option<Head>), Failure> {
        // Packages are open from when they are read until they are stored.
        fs::open_many();
        let store = Store::open(&options.to)?;
        let head = commit::head(&store)?.map(|(head, _)| head);
        Ok((Site { store, signer: None, keys: None, verifier: None, options }, head))
    }

    /// Makes ready to write: a key that cannot sign fails here, and nothing is written.
    pub fn ready(&mut self, head: Option<&Head>) -> Result<(), Failure> {
        self.stays_signed(head)?;
        self.try_key()
    }

    /// A signed repository stays signed, and one whose .rpm are not signed does not become it:
    /// they are what they are for ever.
    pub fn stays_signed(&self, head: Option<&Head>) -> Result<(), Failure> {
        let Repository { to, sign, .. } = self.options;
        let is_signed = match head {
            Some(head) => head.signed,
            // A head that was lost takes no signature along.
            None => self.store.has(PUBLIC_KEY)?,
        };
        match (head, sign) {
            (_, None) if is_signed => {
                Err(Failure::new(format!("`{to}` is signed, and no key is given"))
                    .exit(Exit::Usage)
                    .hint("--sign KEY"))
            }
            (Some(head), Some(key)) if !head.signed && index::has_rpm(&self.store, head)? => {
                let what = format!("`{to}` has .rpm that are not signed, and stay so");
                Err(Failure::new(what)
                    .exit(Exit::Usage)
                    .hint("sign them on their way into a new repository:")
                    .hint(format!("localpuppet promote {to} --to NEW --sign {key}")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses where there is something already that another program has made, and clients may read.
    pub fn is_free(&self) -> Result<(), Failure> {
        let first = ["apt/dists/stable/InRelease", "apt/dists/stable/Release"];
        for key in first.into_iter().chain(["yum/repodata/repomd.xml", INDEX_PAGE]) {
            if self.store.has(key)? && self.store.list(DIRECTORY)?.is_empty() {
                let to = &self.options.to;
                let what = format!("`{to}` has `{key}`, and no ledger: another program made it");
                return Err(Failure::new(what).hint("publish to a place of its own: `--to DIR`"));
            }
        }
        Ok(())
    }

    /// Takes the key that is given, if one is, and tries it.
    pub fn try_key(&mut self) -> Result<(), Failure> {
        let Repository { sign, passphrase_file, .. } = self.options;
        let signer = sign.as_ref().map(|key| Signer::new(key, passphrase_file.as_deref()));
        self.signer = signer.transpose()?;
        Ok(())
    }

    /// Makes a change current, with all that others have begun, and tells of it on the pages.
    /// `begun` is what has told others of the change until then.
    pub fn settle(
        &self,
        mut change: Change,
        begun: Option<String>,
        say: Say,
    ) -> Result<Settled, Failure> {
        if commit::head(&self.store)?.is_none() {
            // None yet, or lost: the ledger has all that the indexes are made of.
            let known = list::entries(&self.store)?.into_iter().filter(|known| !known.removed);
            change.add.extend(known.map(|known| known.entry));
        }
        let others = enter::begun_by_others(self, &mut change)?;
        let head = during(say, "writing indexes", || commit::commit(self, &change))?;
        during(say, "writing pages", || pages::write(self, &change))?;
        begun.iter().chain(&others.ended).try_for_each(|begun| self.store.remove(begun))?;
        Ok(Settled { head, completed: others.names })
    }

    /// The head of a repository that has to be there.
    pub fn there(&self, head: Option<Head>) -> Result<Head, Failure> {
        if let Some(head) = head {
            return Ok(head);
        }
        let to = &self.options.to;
        Err(match self.store.list(DIRECTORY)?.is_empty() {
            true => Failure::new(format!("`{to}` is no repository of ours"))
                .hint(format!("name one, or make it: localpuppet publish FILE --to {to}")),
            false => Failure::new(format!("`{to}` has a ledger, and `{HEAD}` is not there"))
                .exit(Exit::NotVerified)
                .hint(commit::LOST),
        })
    }
}

/// A change that is current.
pub struct Settled {
    pub head: Head,
    /// Packages that others had begun with.
    pub completed: Vec<Name>,
}
