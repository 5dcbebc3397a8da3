//! Releases made available: installed where they are not there, mended where a command was cut
//! off, and verified. Nothing of another release is touched.

mod request;

pub use request::Request;

use crate::host::journal::Journal;
use crate::host::package_copy::PackageCopy;
use crate::host::package_manager::{Site, Wanted, shown};
use crate::host::process::Signals;
use crate::host::state::State;
use crate::host::{fs, install as packages, release};
use crate::model::app::Release;
use crate::model::bundle::Bundle;
use crate::model::command::quote;
use crate::model::digest::Sha256Digest;
use crate::model::event::{Event, Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::{PackageManager, Recorded};
use crate::model::verify::Differences;
use crate::plan::apply::{self as plan, System};
use crate::plan::stage::{Files, Mark, Mending, Step, mending, step};
use std::path::Path;

/// An os-release(5) of more than this is none.
const LARGEST_OS_RELEASE: u64 = 1 << 20;

/// What installing needs of a node.
pub struct Installer<'a> {
    /// Its package manager, where the operator says it.
    pub manager: Option<PackageManager>,
    /// Seconds to wait for another program's package manager lock.
    pub lock_timeout: u32,
    pub state: &'a State,
    pub signals: &'a Signals,
    pub say: Say<'a>,
}

/// A release that is there and whole.
pub struct Installed {
    pub bundle: Bundle,
    pub directory: String,
    /// True where nothing was done for it.
    pub was_there: bool,
}

type Answers = Vec<Option<Result<Installed, Failure>>>;

impl Installer<'_> {
    /// Makes releases available, each of which may fail by itself; answers in their order.
    pub fn install(&self, requests: &[Request]) -> Vec<Result<Installed, Failure>> {
        let mut answers: Answers = requests.iter().map(|request| self.there(request)).collect();
        if answers.iter().any(Option::is_none) {
            match self.site().and_then(|site| Ok((self.mend_all(&site)?, site))) {
                Ok((unmended, site)) => {
                    self.install_missing(&site, requests, unmended, &mut answers);
                }
                Err(failure) => tell_all(failure, &mut answers),
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(nothing_done()))).collect()
    }

    /// Makes one release available.
    pub fn install_one(&self, request: Request) -> Result<Installed, Failure> {
        self.install(&[request]).pop().unwrap_or_else(|| Err(nothing_done()))
    }

    /// Brings the packages of releases to the package manager's cache; none where one was brought.
    pub fn download(&self, requests: &[Request]) -> Vec<Result<Option<Installed>, Failure>> {
        let mut there: Answers = requests.iter().map(|request| self.there(request)).collect();
        let missing = requests.iter().zip(&there).filter(|(_, there)| there.is_none());
        let wanted: Vec<&Wanted> = missing.map(|(request, _)| &request.wanted).collect();
        let mut downloaded = Vec::new().into_iter();
        if !wanted.is_empty() {
            match self.site() {
                Ok(site) => {
                    let what = format!("downloading {} with {}", shown(&wanted), site.manager);
                    let download = || packages::download(&site, &wanted);
                    downloaded = during(self.say, what, download).into_iter();
                }
                Err(failure) => tell_all(failure, &mut there),
            }
        }
        let answer = |there: Option<Result<Installed, Failure>>| match there {
            Some(there) => there.map(Some),
            None => downloaded.next().unwrap_or_else(|| Err(nothing_done())).map(|()| None),
        };
        there.into_iter().map(answer).collect()
    }

    /// The answer for a release that needs no package manager; none where one is needed.
    fn there(&self, request: &Request) -> Option<Result<Installed, Failure>> {
        let marked = match Journal::of(self.state).is_marked(&request.wanted.package) {
            Ok(true) => Mark::Marked,
            Ok(false) => Mark::Unmarked,
            Err(failure) => return Some(Err(failure)),
        };
        if marked == Mark::Marked {
            return None;
        }
        let found = self.whole(&request.release);
        let files = match &found {
            Ok(None) => Files::Absent,
            Ok(Some(_)) => Files::Whole,
            Err(_) => Files::Differ,
        };
        match (step(files, marked), found) {
            (Step::Install | Step::Mend, _) => None,
            (_, Err(failure)) => Some(Err(self.reinstall(failure, request))),
            (_, Ok(bundle)) => bundle.map(|bundle| self.answer(request, bundle, true)),
        }
    }

    /// What an installed release says of itself; an error where it is not as it was built.
    pub fn whole(&self, release: &Release) -> Result<Option<Bundle>, Failure> {
        let root = self.state.root();
        let directory = release::directory(root, release);
        let what = format!("verifying `{release}`");
        let found = during(self.say, what, || release::examine(root, &directory))?;
        let Some((bundle, differences)) = found else { return Ok(None) };
        if differences.is_empty() {
            return Ok(Some(bundle));
        }
        Err(Failure::new(format!("`{release}` is not as it was built, in `{directory}`"))
            .exit(Exit::NotVerified)
            .because(Differences(differences)))
    }

    /// The same release with other content is never accepted.
    fn answer(
        &self,
        request: &Request,
        bundle: Bundle,
        was_there: bool,
    ) -> Result<Installed, Failure> {
        let directory = release::directory(self.state.root(), &request.release);
        for expected in request.expected() {
            expect_id(expected, &bundle, &directory)?;
        }
        Ok(Installed { bundle, directory, was_there })
    }

    /// Ends what earlier commands were cut off at: all of it, for a package that is half
    /// installed keeps the package manager from any other. Answers with what could not be ended.
    pub fn mend_all(&self, site: &Site) -> Result<Vec<(Release, Failure)>, Failure> {
        let marked = Journal::of(self.state).marked()?;
        let mended = marked.into_iter().map(|release| (self.mend(site, &release), release));
        Ok(mended.filter_map(|(mended, release)| Some((release, mended.err()?))).collect())
    }

    /// Lets a release stay that is whole, or takes away what there is of it.
    fn mend(&self, site: &Site, release: &Release) -> Result<(), Failure> {
        let wanted = Wanted { package: release.package_name(), version: None };
        if self.mending(site, release, &wanted)? == Mending::Clear {
            let text = format!("work on `{release}` was cut off; mending it");
            (self.say)(Event::Warning { text });
            let settled = packages::settle(site);
            if settled.as_ref().is_err_and(|failure| packages::is_locked_out(site, failure)) {
                // It was waited for once.
                return settled;
            }
            // Its package manager may have been at work still.
            if self.mending(site, release, &wanted)? == Mending::Clear {
                let cleared = packages::clear(site, &wanted, release);
                // Where dpkg cannot go on, that is why its package cannot be removed.
                cleared.map_err(|failure| settled.err().unwrap_or(failure))?;
            }
        }
        self.settle_on_disk(release)
    }

    fn mending(&self, site: &Site, release: &Release, wanted: &Wanted) -> Result<Mending, Failure> {
        let files = match self.whole(release) {
            Ok(Some(_)) => Files::Whole,
            Ok(None) => Files::Absent,
            Err(_) => Files::Differ,
        };
        Ok(mending(files, &packages::recorded(site, wanted)?))
    }

    /// rpm leaves it to the kernel when files reach the disk, and dpkg may be told to.
    pub fn settle_on_disk(&self, release: &Release) -> Result<(), Failure> {
        let directory = release::directory(self.state.root(), release);
        fs::sync_file_system(Path::new(&directory))?;
        fs::sync_file_system(Path::new(&self.state.directory()))?;
        Journal::of(self.state).close(&release.package_name())
    }

    /// Installs what is not there now: from files each by itself, from repositories together.
    fn install_missing(
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
            *answer = Some(match self.end(site, request, installed) {
                Err(failure) if failure.exit_code() == Exit::NotVerified => {
                    self.install_again(site, request).unwrap_or(Err(failure))
                }
                ended => ended,
            });
        }
    }

    /// Tries once more where a repository had other content than it should: it may have been
    /// mended since its index was read. None where that cannot be found out.
    fn install_again(&self, site: &Site, request: &Request) -> Option<Result<Installed, Failure>> {
        packages::forget(site).ok()?;
        self.begin(site, request).ok()?;
        let installed = packages::install(site, &[&request.wanted]).pop()?;
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

    /// Both managers keep a package for installed whose files were taken away.
    fn not_there(&self, site: &Site, request: &Request) -> Failure {
        let directory = release::directory(self.state.root(), &request.release);
        let (manager, package) = (site.manager, &request.wanted.package);
        Failure::new(format!(
            "{manager} has `{package}` as installed, but `{directory}` is not there"
        ))
        .exit(Exit::InstallFailed)
        .hint(reinstall(manager, request))
    }

    fn reinstall(&self, failure: Failure, request: &Request) -> Failure {
        match self.package_manager() {
            Ok((manager, _)) => failure.hint(reinstall(manager, request)),
            Err(_) => failure,
        }
    }

    /// The package manager of this node, and how it is run.
    pub fn site(&self) -> Result<Site<'_>, Failure> {
        let (manager, release_version) = self.package_manager()?;
        let root = self.state.root();
        if let Some(c) = plan::unfit_for_puppet(root) {
            let what = format!("the root `{root}` has {c:?} in it, which {manager} cannot take");
            return Err(Failure::new(what).hint("expected letters, digits and `/ . _ - + ~ @ % =`"));
        }
        Ok(Site {
            manager,
            state: self.state,
            signals: self.signals,
            say: self.say,
            lock_timeout: self.lock_timeout,
            release_version,
        })
    }

    fn package_manager(&self) -> Result<(PackageManager, Option<String>), Failure> {
        let system = System::of(&self.os_release()?);
        let manager = match self.manager {
            Some(manager) => manager,
            None => system.package_manager().map_err(|error| {
                Failure::new("failed to find out this node's package manager")
                    .exit(Exit::InstallFailed)
                    .because(error)
                    .hint("say it: `--package-manager apt` or `--package-manager dnf`")
            })?,
        };
        Ok((manager, system.release_version()))
    }

    fn os_release(&self) -> Result<String, Failure> {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            let path = self.state.at(path);
            if let Some(text) = fs::read_bounded(Path::new(&path), LARGEST_OS_RELEASE)? {
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
        }
        Ok(String::new())
    }
}

fn install_file(site: &Site, request: &Request, copy: &PackageCopy) -> Result<(), Failure> {
    let format = site.manager.format();
    let shown = request.file().unwrap_or_default();
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

fn nothing_done() -> Failure {
    Failure::new("nothing was done for it").exit(Exit::InstallFailed)
}

/// What keeps all that is not there from being installed is told of each.
fn tell_all(failure: Failure, answers: &mut Answers) {
    let mut missing = answers.iter_mut().filter(|answer| answer.is_none());
    let (exit, text) = (failure.exit_code(), failure.to_string());
    let first = missing.next();
    missing.for_each(|answer| *answer = Some(Err(Failure::new(&text).exit(exit))));
    if let Some(first) = first {
        *first = Some(Err(failure));
    }
}

fn expect_id(expected: Sha256Digest, found: &Bundle, place: &str) -> Result<(), Failure> {
    if expected == found.bundle_id {
        return Ok(());
    }
    let (app, found) = (&found.app, found.bundle_id);
    let what = format!("expected bundle ID `{expected}` of `{app}`, found `{found}` in `{place}`");
    Err(Failure::new(what).exit(Exit::NotVerified))
}

/// What brings a release back to what its package has; typed by hand, for nobody mends drift in
/// silence.
fn reinstall(manager: PackageManager, request: &Request) -> String {
    let package = &request.wanted.package;
    match (manager, request.file()) {
        (PackageManager::Apt, None) => format!("apt-get install --reinstall {package}"),
        (PackageManager::Dnf, None) => format!("dnf reinstall {package}"),
        (PackageManager::Apt, Some(file)) => format!("dpkg --install {}", quote(file)),
        (PackageManager::Dnf, Some(file)) => format!("rpm --install --replacepkgs {}", quote(file)),
    }
}
