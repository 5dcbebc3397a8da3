//! A catalog as `apply` would compile it, by the same command, which ends where it would apply it.

use super::code::Found;
use crate::cmd::apply::FILES;
use crate::host::process::{self, OnSignal, Signals, capture};
use crate::host::puppet::{self, Program};
use crate::host::{catalog, scratch::Scratch};
use crate::model::catalog::Catalog;
use crate::model::certname::Certname;
use crate::model::digest::Sha256Digest;
use crate::model::enc::Enc;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::redaction::redacted;
use crate::model::run::Mode;
use crate::plan::apply::{self as plan, Colour, Places, Surroundings};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Refuses to apply whatever was compiled.
const NEVER: &str = "/bin/false";

/// Compiles catalogs for this node.
pub struct Compiler<'a> {
    pub program: &'a Program,
    pub certname: Option<Certname>,
    pub signals: &'a Signals,
}

/// A compiled catalog.
pub struct Compiled {
    /// As Puppet wrote it.
    plain: Catalog,
    /// What is in the modules' files that it names.
    contents: BTreeMap<String, String>,
    /// The resources that Puppet would look after.
    managed: Option<BTreeSet<String>>,
}

impl Compiled {
    /// Names it, for `apply --plan`.
    pub fn plan(&self, bundle_id: Option<Sha256Digest>) -> Sha256Digest {
        self.plain.plan(bundle_id, &self.contents)
    }

    /// What would be applied of the catalog, with what is in the files that it names.
    pub fn whole(self) -> Catalog {
        let whole = self.plain.with_sources(&self.contents);
        match self.managed {
            Some(managed) => whole.without_exports(&managed),
            None => whole,
        }
    }
}

impl Compiler<'_> {
    /// Compiles a catalog in a directory that goes again.
    pub fn compile(&self, found: &Found, enc: &Enc) -> Result<Compiled, Failure> {
        let scratch = Scratch::new()?;
        let run = scratch.path().to_owned();
        crate::cmd::apply::fit_for_puppet("the directory for temporary files", &run)?;
        for (name, content) in FILES {
            scratch.file(name, content.as_bytes(), 0o600)?;
        }
        scratch.file("enc.yaml", enc.to_yaml().as_bytes(), 0o600)?;
        scratch.directory("memory/var/state")?;
        let places = Places { memory: format!("{run}/memory"), run };
        let around = Surroundings {
            puppet: self.program.path.clone(),
            home: process::home(&places.memory),
            certname: self.certname.clone(),
            passed: process::present(&plan::PASSED),
            colour: Colour::No,
            compiled: plan::Compiled::AppliedIf { command: NEVER.to_owned() },
        };
        let line = plan::puppet(&found.code, &places, &around, Mode::Apply);
        let ran = capture(&line, self.signals, OnSignal::Tell);
        if let Some(signal) = self.signals.received() {
            let what = format!("ended by signal {signal}");
            return Err(Failure::new(what).exit(Exit::Interrupted));
        }
        // It fails as it has to: only with a report was it through with the catalog.
        let said = ran.err().map(|error| error.stderr().to_owned()).unwrap_or_default();
        let text = catalog::read(Path::new(&places.run))?;
        let is_through = puppet::report(&places.run)?.is_some();
        let text = text.filter(|_| is_through).ok_or_else(|| {
            let why =
                plan::reason(&puppet::log_tail(&places.run)).or_else(|| plan::last_line(&said));
            let why = redacted(&why.unwrap_or_else(|| "it did not say why".to_owned()), enc);
            Failure::new(format!("Puppet did not compile the catalog of `{}`", found.code.app))
                .exit(Exit::NotCompiled)
                .because(Failure::new(why))
        })?;
        let away = plan::away(&found.code, &places);
        let plain = Catalog::from_json(&text, &away)
            .map_err(|error| Failure::new("Puppet's catalog cannot be read").because(error))?;
        let contents = catalog::contents(&found.code.modulepath, plain.sources().iter());
        let managed = catalog::managed(Path::new(&places.run), plan::RESOURCES)?;
        Ok(Compiled { plain, contents, managed })
    }
}
