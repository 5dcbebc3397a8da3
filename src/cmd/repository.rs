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

use crate::cli::Repository;
use crate::host::gpg::Signer;
use crate::host::store::Store;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::repository::Head;

/// A repository, and how it is written to.
pub struct Site<'a> {
    pub store: Store,
    pub signer: Option<Signer>,
    /// How its indexes are written.
    pub options: &'a Repository,
}

impl<'a> Site<'a> {
    /// Opens a repository to look at; nothing is written.
    pub fn look(options: &'a Repository) -> Result<(Self, Option<Head>), Failure> {
        let store = Store::open(&options.to)?;
        let head = commit::head(&store)?.map(|(head, _)| head);
        Ok((Site { store, signer: None, options }, head))
    }

    /// Makes ready to write: a key that cannot sign fails here, and nothing is written.
    pub fn ready(&mut self, head: Option<&Head>) -> Result<(), Failure> {
        let Repository { to, sign, passphrase_file, .. } = self.options;
        if head.is_some_and(|head| head.signed) && sign.is_none() {
            return Err(Failure::new(format!("`{to}` is signed, and no key is given"))
                .exit(Exit::Usage)
                .hint("--sign KEY"));
        }
        let signer = sign.as_ref().map(|key| Signer::new(key, passphrase_file.as_deref()));
        self.signer = signer.transpose()?;
        self.store.prepare()
    }

    /// The head of a repository that has to be there.
    pub fn there(&self, head: Option<Head>) -> Result<Head, Failure> {
        head.ok_or_else(|| Failure::new(format!("`{}` is no repository of ours", self.options.to)))
    }
}
