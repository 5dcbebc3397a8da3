//! Exit codes: few, disjoint, the same for every command.

use serde::Serialize;

/// How a command ended, as its exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// Done; for `apply`, the node is as the release wants it.
    Ok,
    /// Anything that has no code of its own below.
    Error,
    /// `apply --detailed-exitcodes`: done, and something changed (as Puppet's 2);
    /// `apply --noop`: something would change.
    Changed,
    /// Resources failed, none changed (as Puppet's 4); or the postrun command failed, or Puppet
    /// ended in a way that its report does not bear out.
    Failed,
    /// Resources failed and others changed (as Puppet's 6).
    ChangedAndFailed,
    /// The ENC was refused; nothing was touched.
    EncRefused,
    /// The release could not be installed; Puppet was not started.
    InstallFailed,
    /// Content is not what `bundle.json` or `--bundle-id` says.
    NotVerified,
    /// Puppet did not compile a catalog, or could not start; nothing was touched.
    NotCompiled,
    /// Another run, or Puppet's own agent, holds this node.
    Locked,
    /// A signal ended the run.
    Interrupted,
    /// Puppet's agent is disabled on this node, and runs with it.
    Disabled,
    /// The run has not ended yet.
    Running,
    /// The run's process is gone and did not say how it ended.
    Lost,
    /// `apply --plan`: the catalog is not the one that was previewed; nothing was applied.
    PlanChanged,
    /// `diff --exit-code`: different, and every call that was taken is taken still.
    Compatible,
    /// `diff --exit-code`: someone has to look.
    Review,
    /// `diff --exit-code`: a call that was taken may be refused.
    Breaking,
    /// The command line was not understood.
    Usage,
}

impl Exit {
    /// Every code, in the order of the table in `--help`.
    pub const ALL: [Exit; 19] = [
        Exit::Ok,
        Exit::Error,
        Exit::Changed,
        Exit::Failed,
        Exit::ChangedAndFailed,
        Exit::EncRefused,
        Exit::InstallFailed,
        Exit::NotVerified,
        Exit::NotCompiled,
        Exit::Locked,
        Exit::Interrupted,
        Exit::Disabled,
        Exit::Running,
        Exit::Lost,
        Exit::PlanChanged,
        Exit::Compatible,
        Exit::Review,
        Exit::Breaking,
        Exit::Usage,
    ];

    /// The number that the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Error => 1,
            Exit::Changed => 2,
            Exit::Failed => 4,
            Exit::ChangedAndFailed => 6,
            Exit::EncRefused => 10,
            Exit::InstallFailed => 11,
            Exit::NotVerified => 12,
            Exit::NotCompiled => 13,
            Exit::Locked => 14,
            Exit::Interrupted => 15,
            Exit::Disabled => 16,
            Exit::Running => 17,
            Exit::Lost => 18,
            Exit::PlanChanged => 19,
            Exit::Compatible => 20,
            Exit::Review => 21,
            Exit::Breaking => 22,
            Exit::Usage => 64,
        }
    }

    /// One line for `--help`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "done (apply: unchanged or changed)",
            Exit::Error => "anything without a code of its own",
            Exit::Changed => {
                "changed, with --detailed-exitcodes; would change, with --noop or preview"
            }
            Exit::Failed => "resources failed, or the postrun command, or Puppet ended oddly",
            Exit::ChangedAndFailed => "resources failed, others changed",
            Exit::EncRefused => "the ENC was refused, nothing touched",
            Exit::InstallFailed => "the release could not be installed, Puppet not started",
            Exit::NotVerified => "content differs from what it should be, Puppet not started",
            Exit::NotCompiled => "Puppet did not compile a catalog, nothing applied",
            Exit::Locked => "another run, or Puppet's own agent, holds this node",
            Exit::Interrupted => "a signal ended the run",
            Exit::Disabled => "Puppet's agent is disabled on this node (puppet agent --disable)",
            Exit::Running => "the run has not ended yet (status, logs, cancel)",
            Exit::Lost => "the run's process is gone and did not say how it ended",
            Exit::PlanChanged => "the catalog is not the one of --plan, nothing applied",
            Exit::Compatible => "diff --exit-code: different, and compatible",
            Exit::Review => "diff --exit-code: different, and someone has to look",
            Exit::Breaking => "diff --exit-code: different, and calls may break",
            Exit::Usage => "the command line was not understood",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_disjoint() {
        let codes: BTreeSet<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
    }
}
