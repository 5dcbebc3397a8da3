//! Which version the package of a release has.

use crate::model::app::Release;
use crate::model::failure::Failure;
use crate::model::version::Version;

/// The version of a release, or none for a snapshot, whose content makes its version.
///
/// `siblings` are the tags of the same app that exist; `given` is what the
/// operator wants for a tag that has no version of its own.
pub fn choose(
    release: &Release,
    siblings: &[String],
    given: Option<&Version>,
) -> Result<Option<Version>, Failure> {
    let Some(tag) = release.tag() else {
        return match given {
            None => Ok(None),
            Some(_) => Err(Failure::new(format!(
                "a snapshot of `{release}` has its version from its content"
            ))
            .hint("leave out `--version`")),
        };
    };
    let own = Version::of_tag(tag);
    let version = match (own, given) {
        (Ok(own), None) => own,
        (Ok(own), Some(given)) if own == *given => own,
        (Ok(own), Some(given)) => {
            let what = format!("tag `{tag}` has the version `{own}`, so it cannot have `{given}`");
            return Err(Failure::new(what).hint("leave out `--version`"));
        }
        (Err(_), Some(given)) if given.is_below_releases() => {
            let what = format!("version `{given}` sorts below releases, where snapshots are");
            return Err(Failure::new(what).hint("name one without `~~`: `--version 1.0`"));
        }
        (Err(_), Some(given)) => given.clone(),
        (Err(error), None) => {
            return Err(Failure::new(format!("`{release}` has no package version"))
                .because(error)
                .hint("name one: `--version 1.0`"));
        }
    };
    let same = |other: &&String| {
        other.as_str() != tag
            && Version::of_tag(other).is_ok_and(|other| other.same_order(&version))
    };
    match siblings.iter().find(same) {
        None => Ok(Some(version)),
        Some(other) => {
            let name = release.name();
            Err(Failure::new(format!(
                "tags `{tag}` and `{other}` of `{name}` are both version `{version}` to dpkg or rpm"
            ))
            .hint(format!("one app keeps to one style of tags; move `{name}/tags/{other}` away")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(tag: &str, siblings: &[&str], given: Option<&str>) -> Result<String, String> {
        let release: Release = format!("foo/tags/{tag}").parse().unwrap();
        let siblings: Vec<String> = siblings.iter().map(|tag| (*tag).to_owned()).collect();
        let given = given.map(|text| text.parse().unwrap());
        let version = choose(&release, &siblings, given.as_ref()).map_err(|f| f.to_string())?;
        Ok(version.unwrap().to_string())
    }

    #[test]
    fn two_tags_never_share_a_version() {
        assert_eq!(chosen("v1.2", &["v1.2", "v1.3"], None).unwrap(), "1.2");
        assert_eq!(
            chosen("v1.2", &["v1.2", "1.02"], None).unwrap_err(),
            "tags `v1.2` and `1.02` of `foo` are both version `1.2` to dpkg or rpm"
        );
    }

    #[test]
    fn a_version_is_given_only_where_the_tag_has_none() {
        assert_eq!(chosen("stable", &[], Some("3")).unwrap(), "3");
        assert_eq!(
            chosen("stable", &[], None).unwrap_err(),
            "`foo/tags/stable` has no package version"
        );
        assert!(chosen("r1", &[], Some("3")).is_err());
    }
}
