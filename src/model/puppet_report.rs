//! What Puppet reports of one run, as far as it decides the outcome.

use serde::{Deserialize, Serialize};

/// Puppet's report (format 10 and later) as JSON; all else in it is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PuppetReport {
    pub puppet_version: String,
    pub status: Status,
    /// False where the catalog was not gone through to its end.
    #[serde(default)]
    pub transaction_completed: Option<bool>,
    #[serde(default)]
    pub noop: bool,
    #[serde(default)]
    pub noop_pending: bool,
    #[serde(default)]
    metrics: Metrics,
}

/// Puppet's own word for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Unchanged,
    Changed,
    Failed,
    #[serde(other)]
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Metrics {
    #[serde(default)]
    resources: Metric,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Metric {
    values: Vec<(String, String, serde_json::Number)>,
}

/// How many resources ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    pub total: u64,
    pub changed: u64,
    pub failed: u64,
    pub skipped: u64,
    pub out_of_sync: u64,
}

impl PuppetReport {
    /// The counts; from the metrics, because newer Puppets list only the resources that changed.
    pub fn resources(&self) -> Resources {
        let count = |name: &str| self.count(name);
        Resources {
            total: count("total"),
            changed: count("changed"),
            failed: count("failed").saturating_add(count("failed_to_restart")),
            skipped: count("skipped"),
            out_of_sync: count("out_of_sync"),
        }
    }

    /// True where Puppet came to look at a first resource. Those of a
    /// dependency cycle are counted as failed without a look; one that is being
    /// looked at is counted as scheduled.
    pub fn has_begun(&self) -> bool {
        let resources = self.resources();
        self.count("scheduled") > 0 || resources.changed > 0 || resources.total != resources.failed
    }

    fn count(&self, name: &str) -> u64 {
        let found = self.metrics.resources.values.iter().find(|(known, _, _)| known == name);
        found.and_then(|(_, _, value)| value.as_u64()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_past_what_is_not_needed() {
        let text = r#"{"host":"vm","puppet_version":"7.23.0","status":"changed",
            "transaction_completed":true,"noop":false,"noop_pending":false,"logs":[{"x":1}],
            "metrics":{"resources":{"name":"resources","values":[["total","Total",9],
            ["changed","Changed",2],["failed","Failed",0]]},"time":{"values":[["file","File",0.5]]}}}"#;
        let report: PuppetReport = serde_json::from_str(text).unwrap();
        assert_eq!(report.status, Status::Changed);
        assert_eq!(report.resources(), Resources { total: 9, changed: 2, ..Resources::default() });
    }
}
