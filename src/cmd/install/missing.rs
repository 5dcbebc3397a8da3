//! Releases that are not there: marked, installed, looked at, and taken away again where that failed.

use super::{Answers, Installed, Installer, Request};
use crate::host::journal::Journal;
use crate::host::package_copy::PackageCopy;
use crate::host::package_manager::{Site, Wanted, shown};
use crate::host::{fs, install as packages, release};
use crate::model::app::Release;
use crate::model::event::{Event, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::Recorded;
use std::path::Path;

impl Installer<'_> {
    /// Installs what is not there now: from files each by itself, from repositories together.
    pub(super) fn install_missing(
        &self,
        site: &Site,
        requests: &[Request],
        unmended: Vec<(Release, Failure)>,
        answers: &mut Answers,
    ) {
        for (release, failure) in unmended {
            let of_it = |request: &Request| request.release == release;
            match requests.iter().position(of_it) {
                Some(at) => answers[at] = Some(Err(failure)),
                None => (self.say)(Event::Warning { text: failure.to_string() }),
            }
        }
        let mut together = Vec::new();
        let missing = requests.iter().zip(answers).filter(|(_, answer)| answer.is_none());
        for (request, answer) in missing {
            // What was mended may be there.
            *answer = self.there(request);
            if answer.is_some() {
                continue;
            }
            match (self.begin(site, request), request.copy()) {
                (Err(failure), _) => *answer = Some(Err(failure)),
                (Ok(()), None) if request.is_judged() => {
                    let installed = install_looked_at(site, request);
                    *answer = Some(self.ended(site, request, installed));
                }
                (Ok(()), None) => together.push((request, answer)),
                (Ok(()), Some(copy)) => {
                    let installed = install_file(site, request, copy);
                    *answer = Some(self.end(site, request, installed));
                }
            }
        }
        let wanted: Vec<&Wanted> = together.iter().map(|(request, _)| &request.wanted).collect();
        if wanted.is_empty() {
            return;
        }
        let what = installing(site, &wanted);
        let installed = during(self.say, what, || packages::install(site, &wanted));
        for ((request, answer), installed) in together.into_iter().zip(installed) {
            *answer = Some(self.ended(site, request, installed));
        }
    }

    /// The end of what came from a repository, at the second try where that may help.
    fn ended(
        &self,
        site: &Site,
        request: &Request,
        installed: Result<(), Failure>,
    ) -> Result<Installed, Failure> {
        match self.end(site, request, installed) {
            Err(failure) if failure.exit_code() == Exit::NotVerified => {
                self.install_again(site, request).unwrap_or(Err(failure))
            }
            ended => ended,
        }
    }

    /// Tries once more where a repository had other content than it should: it may have been
    /// mended since its index was read. None where that cannot be found out.
    fn install_again(&self, site: &Site, request: &Request) -> Option<Result<Installed, Failure>> {
        packages::forget(site).ok()?;
        self.begin(site, request).ok()?;
        let installed = match request.is_judged() {
            true => install_looked_at(site, request),
            false => packages::install(site, &[&request.wanted]).pop()?,
        };
        Some(self.end(site, request, installed))
    }

    /// Marks a release, where its package manager has not got it already.
    fn begin(&self, site: &Site, request: &Request) -> Result<(), Failure> {
        request.fits(site.manager)?;
        match packages::recorded(site, &request.wanted)? {
            Recorded::Installed(_) => Err(self.not_there(site, request)),
            Recorded::Absent | Recorded::Broken(_) => {
                Journal::of(self.state).open(&request.release)
            }
        }
    }

    /// Sees what an installation came to. What failed is taken away again: the old state or the
    /// new one.
    fn end(
        &self,
        site: &Site,
        request: &Request,
        installed: Result<(), Failure>,
    ) -> Result<Installed, Failure> {
        let release = &request.release;
        let seen = installed.and_then(|()| {
            let bundle = self.whole(release)?.ok_or_else(|| self.not_there(site, request))?;
            self.answer(request, bundle, false)
        });
        let ended = match &seen {
            Ok(_) => self.settle_on_disk(release),
            Err(failure)
                if packages::is_locked_out(site, failure) && self.is_untouched(site, request) =>
            {
                Journal::of(self.state).close(&request.wanted.package)
            }
            // Who was told to end leaves the rest to the next command.
            Err(_) if self.signals.received().is_some() => Ok(()),
            Err(_) => packages::clear(site, &request.wanted, release)
                .and_then(|()| self.settle_on_disk(release)),
        };
        match (seen, ended) {
            (Ok(installed), Ok(())) => Ok(installed),
            (Ok(_), Err(failure)) => Err(failure.exit(Exit::InstallFailed)),
            // The mark stays, and the next command tries again.
            (Err(failure), _) => Err(told_of_tags(failure, request)),
        }
    }

    /// True where nothing of a release is there, in the database or on disk.
    fn is_untouched(&self, site: &Site, request: &Request) -> bool {
        let directory = release::directory(self.state.root(), &request.release);
        matches!(fs::kind(Path::new(&directory)), Ok(None))
            && packages::recorded(site, &request.wanted).is_ok_and(|it| it == Recorded::Absent)
    }
}

/// Installs a release from the repositories whose package is looked at before: one that was
/// downloaded already, where it is the right one.
fn install_looked_at(site: &Site, request: &Request) -> Result<(), Failure> {
    let wanted = &request.wanted;
    let look = |path: &str| request.looked_at(site.state, Path::new(path));
    let cached = packages::cached(site, wanted);
    let copy = match cached.iter().find_map(|path| look(path).ok()) {
        Some(copy) => copy,
        None => {
            let what = format!("downloading {} with {}", shown(&[wanted]), site.manager);
            during(site.say, what, || packages::fetched(site, wanted, look))?
        }
    };
    install_file(site, request, &copy)
}

fn install_file(site: &Site, request: &Request, copy: &PackageCopy) -> Result<(), Failure> {
    let format = site.manager.format();
    let shown = request.file().unwrap_or(request.wanted.package.as_str());
    let install = |path: &str| packages::install_file(site, &request.wanted, path, shown);
    let installed = || copy.named(&format!("{}.{format}", request.wanted.package), install);
    during(site.say, installing(site, &[&request.wanted]), installed)
}

/// Who names a trunk may take it for a release.
fn told_of_tags(failure: Failure, request: &Request) -> Failure {
    let release = &request.release;
    if release.tag().is_some() || request.file().is_some() {
        return failure;
    }
    let name = release.name();
    failure.hint(format!(
        "`{release}` can change and is no release; it is there only where it was bundled with \
         `--snapshot`: name a tag, `{name}/tags/…`"
    ))
}

fn installing(site: &Site, wanted: &[&Wanted]) -> String {
    format!("installing {} with {}", shown(wanted), site.manager)
}
