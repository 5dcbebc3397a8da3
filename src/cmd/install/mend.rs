//! What earlier commands were cut off at: releases that are whole stay, all else is taken away.

use super::Installer;
use crate::host::journal::Journal;
use crate::host::package_manager::{Site, Wanted};
use crate::host::{fs, install as packages, release};
use crate::model::app::Release;
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::plan::stage::{Files, Mending, mending};
use std::path::Path;

impl Installer<'_> {
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
}
