//! The pipelines of `examples/ci`: their own commands, in their order, on the tree of the
//! examples, into a bucket; what they publish, nodes install.

use crate::node::{Client, Ran, Source, ran, shell};
use crate::s3::{ObjectStore, made};
use crate::{Bench, ok};
use serde_yaml::{Mapping, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A checkout of the examples at the tag `foo/r2`, with what a runner is given.
struct Runner {
    bench: Bench,
    store: ObjectStore,
    /// What is kept from who may only read the pipeline.
    secrets: BTreeMap<&'static str, String>,
}

impl Runner {
    fn new() -> Self {
        let (bench, store) = (Bench::new(), ObjectStore::weed());
        assert!(made(&format!("{}/puppet-releases", store.endpoint)));
        bench.key("release", "ed25519", "open sesame", "never");
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let script = format!("rm -r modules out; cp -r {0}/modules {0}/enc .", examples.display());
        shell(bench.directory.path(), &script);
        let secrets = BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", "key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("SIGN_KEY", fs::read_to_string(bench.path("release.secret")).unwrap()),
            ("SIGN_PASSPHRASE", "open sesame".to_owned()),
        ]);
        Runner { bench, store, secrets }
    }

    /// Runs a step as both services do.
    fn step(&self, script: &str, variables: &BTreeMap<String, String>) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_localpuppet")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.current_dir(self.bench.directory.path()).env("PATH", path);
        command.env("AWS_ENDPOINT_URL", &self.store.endpoint).envs(variables);
        ran(&mut command)
    }

    /// What variables of a pipeline are, with secrets in their places.
    fn variables(&self, of: Option<&Value>) -> BTreeMap<String, String> {
        let empty = Mapping::new();
        let pairs = of.and_then(Value::as_mapping).unwrap_or(&empty).iter();
        let value = |value: &str| match value.strip_prefix("${{ secrets.") {
            Some(name) => self.secrets[name.trim_end_matches(" }}")].clone(),
            None => value.to_owned(),
        };
        pairs.map(|(name, text)| (text_of(name), value(&text_of(text)))).collect()
    }

    /// The release is there, checked and signed, and a node installs it.
    fn is_published(&self) {
        let url = format!("{}/puppet-releases", self.store.endpoint);
        shell(self.bench.directory.path(), &format!("curl -sSf {url}/key.asc > key.asc"));
        let key = self.bench.path("key.asc");
        let apt = Client::apt(&self.bench.path("apt"), &Source { url: &url, key: Some(&key) });
        ok(&apt.apt_get(&["update"]));
        ok(&apt.apt_get(&["-y", "install", "localpuppet-foo-r2"]));
        assert!(apt.installed("usr/share/localpuppet/foo/r2/bundle.json"));
    }
}

fn pipeline(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn the_pipeline_of_github_publishes_a_tag() {
    let runner = Runner::new();
    let job = &pipeline("github.yml")["jobs"]["release"];
    let mut variables = runner.variables(job.get("env"));
    let set = runner.bench.path("set");
    variables.insert("GITHUB_REF_NAME".to_owned(), "foo/r2".to_owned());
    variables.insert("GITHUB_ENV".to_owned(), set.display().to_string());
    variables.insert("RUNNER_TEMP".to_owned(), runner.bench.path("").display().to_string());
    let mut said = Vec::new();
    for step in job["steps"].as_sequence().unwrap().iter().filter(|step| step.get("run").is_some())
    {
        let mut own = variables.clone();
        own.extend(runner.variables(step.get("env")));
        let ran = runner.step(&text_of(&step["run"]), &own);
        ok(&ran);
        said.push(ran.text);
        let set = fs::read_to_string(&set).unwrap_or_default();
        let pairs = set.lines().filter_map(|line| line.split_once('='));
        variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    assert_eq!(said.len(), 6);
    told(&said.concat());
    assert!(!runner.bench.path("sign.key").exists());
    runner.is_published();
}

#[test]
fn the_pipeline_of_gitlab_publishes_a_tag() {
    let runner = Runner::new();
    let pipeline = pipeline("gitlab.yml");
    let mut said = String::new();
    for stage in pipeline["stages"].as_sequence().unwrap() {
        let job = &pipeline[text_of(stage).as_str()];
        let mut variables = runner.variables(job.get("variables"));
        // Its protected variables have the names that the program reads.
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            variables.insert(name.to_owned(), runner.secrets[name].clone());
        }
        let key = runner.bench.path("release.secret").display().to_string();
        variables.insert("LOCALPUPPET_SIGN_KEY".to_owned(), key);
        let passphrase = runner.secrets["SIGN_PASSPHRASE"].clone();
        variables.insert("LOCALPUPPET_SIGN_PASSPHRASE".to_owned(), passphrase);
        variables.insert("CI_COMMIT_TAG".to_owned(), "foo/r2".to_owned());
        let script = job["script"].as_sequence().unwrap().iter().map(text_of);
        let ran = runner.step(&script.collect::<Vec<_>>().join("\n"), &variables);
        ok(&ran);
        said.push_str(&ran.text);
    }
    told(&said);
    runner.is_published();
}

/// The step of a pipeline that holds ENCs against the release, where none calls it.
#[test]
fn a_pipeline_says_where_no_enc_calls_the_release() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let directory = tempfile::tempdir().unwrap();
    let script = format!("cp -r {0}/modules {0}/enc .; rm enc/web02.yaml", examples.display());
    shell(directory.path(), &script);
    let github = pipeline("github.yml");
    let steps = github["jobs"]["release"]["steps"].as_sequence().unwrap();
    let step =
        steps.iter().find(|step| step["run"].as_str().is_some_and(|run| run.contains("UNCALLED")));
    let github = text_of(&step.unwrap()["run"]);
    let gitlab = pipeline("gitlab.yml");
    let lines = gitlab["bundle"]["script"].as_sequence().unwrap().iter().map(text_of);
    let gitlab =
        lines.skip_while(|line| !line.starts_with("for enc")).collect::<Vec<_>>().join("\n");
    let program = Path::new(env!("CARGO_BIN_EXE_localpuppet")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for (script, app) in [(&github, "APP"), (&gitlab, "app")] {
        for (uncalled, code) in [("refused", 1), ("allowed", 0)] {
            let mut command = Command::new("bash");
            command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
            command.current_dir(directory.path()).env("RUNNER_TEMP", directory.path());
            command.env("PATH", &path).env(app, "foo/tags/r2").env("UNCALLED", uncalled);
            let said = ran(&mut command);
            let told = format!("no ENC below enc/ calls foo/tags/r2, which is {uncalled}\n");
            assert!(said.code == code && said.text.ends_with(&told), "{said}");
        }
    }
}

/// What each step had to say.
fn told(said: &str) {
    for line in [
        "foo/tags/r2 version 2\n",
        "format      rpm",
        "ok: the call of 1 class fits `foo/tags/r2`",
        "published localpuppet-foo-r2 2 (.deb)",
        ", signed, 2 packages: whole",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
