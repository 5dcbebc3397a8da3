//! Releases made available: installed where they are not there, mended where a command was cut
//! off, and verified. Nothing of another release is touched.

mod mend;
mod missing;
mod request;
mod site;

pub use request::Request;

use crate::host::journal::Journal;
use crate::host::package_manager::{Site, Wanted, shown};
use crate::host::process::Signals;
use crate::host::state::State;
use crate::host::{install as packages, release};
use crate::model::app::Release;
use crate::model::bundle::{self, Bundle};
use crate::model::command::quote;
use crate::model::digest::Sha256Digest;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::model::verify::Differences;
use crate::plan::drift::{WayBack, way_back};
use crate::plan::stage::{Files, Mark, Step, step};

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
        let found = self.examined(&request.release);
        let files = match &found {
            Ok(None) => Files::Absent,
            Ok(Some(_)) => Files::Whole,
            Err(_) => Files::Differ,
        };
        match (step(files, marked), found) {
            (Step::Install | Step::Mend, _) => None,
            (_, Err(drift)) => Some(Err(self.hinted(drift, request))),
            (_, Ok(bundle)) => bundle.map(|bundle| self.answer(request, bundle, true)),
        }
    }

    /// What an installed release says of itself; an error where it is not as it was built.
    pub fn whole(&self, release: &Release) -> Result<Option<Bundle>, Failure> {
        self.examined(release).map_err(|drift| drift.failure)
    }

    fn examined(&self, release: &Release) -> Result<Option<Bundle>, Drift> {
        let root = self.state.root();
        let directory = release::directory(root, release);
        let what = format!("verifying `{release}`");
        let found = during(self.say, what, || release::examine(root, &directory))
            .map_err(|failure| Drift { failure, way_back: WayBack::Reinstallation })?;
        let Some((bundle, differences)) = found else { return Ok(None) };
        if differences.is_empty() {
            return Ok(Some(bundle));
        }
        let way_back = way_back(&directory, &differences);
        let what = format!("`{release}` is not as it was built, in `{directory}`");
        let failure = Failure::new(what).exit(Exit::NotVerified).because(Differences(differences));
        Err(Drift { failure, way_back })
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

    /// Every manager keeps a package for installed whose files were taken away.
    fn not_there(&self, site: &Site, request: &Request) -> Failure {
        let directory = release::directory(self.state.root(), &request.release);
        let (manager, package) = (site.manager, &request.wanted.package);
        Failure::new(format!(
            "{manager} has `{package}` as installed, but `{directory}/{}` is not there",
            bundle::FILE_NAME
        ))
        .exit(Exit::InstallFailed)
        .hint(reinstall(manager, request, self.state))
    }

    /// With what to type; by hand, for nobody mends drift in silence.
    fn hinted(&self, drift: Drift, request: &Request) -> Failure {
        let Drift { failure, way_back } = drift;
        let command = || Some(reinstall(self.package_manager().ok()?.0, request, self.state));
        let directory = || quote(&release::directory(self.state.root(), &request.release));
        let hint = match way_back {
            WayBack::Removal(paths) => Some(format!("rm -r {}", paths.join(" "))),
            WayBack::Reinstallation => command(),
            WayBack::Renewal => command().map(|then| format!("rm -r {} && {then}", directory())),
        };
        hint.into_iter().fold(failure, Failure::hint)
    }
}

/// A release that is there and not taken.
struct Drift {
    failure: Failure,
    way_back: WayBack,
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

/// What brings back what a package has.
fn reinstall(manager: PackageManager, request: &Request, state: &State) -> String {
    let (package, root) = (&request.wanted.package, state.root());
    let below = |option: &str, rest: &str| match root {
        "" => String::new(),
        root => format!("{option}{}{rest}", quote(root)),
    };
    match (manager, request.file().map(quote)) {
        (PackageManager::Apt, None) => {
            let configured = below("APT_CONFIG=", "/var/lib/localpuppet/apt/apt.conf ");
            format!("{configured}apt-get install --reinstall {package}")
        }
        (PackageManager::Dnf, None) => {
            let root =
                below(" --installroot=", "") + &below(" --setopt=reposdir=", "/etc/yum.repos.d");
            format!("dnf reinstall {package}{root}")
        }
        (PackageManager::Zypper, None) => {
            format!("zypper install --force {package}")
        }
        (PackageManager::Apt, Some(file)) => {
            format!("dpkg{} --install {file}", below(" --root=", ""))
        }
        (PackageManager::Dnf | PackageManager::Zypper, Some(file)) => {
            format!("rpm{} --install --replacepkgs {file}", below(" --root=", ""))
        }
    }
}
