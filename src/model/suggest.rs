//! "Did you mean …": the nearest of what exists.

/// The candidate nearest to `text`, where one is near enough to be meant.
pub fn nearest<'a>(text: &str, candidates: &'a [String]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(text, candidate), candidate.as_str()))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Names in backticks between commas, at most twenty of them.
pub fn listed(names: &[String]) -> String {
    let shown = names.iter().take(20).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let rest = names.len().saturating_sub(20);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_what_is_near_is_suggested() {
        let tags = ["r7".to_owned(), "r8".to_owned()];
        assert_eq!(nearest("r9", &tags), Some("r8"));
        assert_eq!(nearest("modulpath", &["modulepath".to_owned()]), Some("modulepath"));
        assert_eq!(nearest("zzz", &tags), None);
    }
}
