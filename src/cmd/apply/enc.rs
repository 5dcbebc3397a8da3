//! The ENC of a run: asked of its source, or kept from the last time, or that of an earlier run.

use super::Context;
use crate::cmd::instead;
use crate::host::http::{self, Credentials, Files, Tries};
use crate::host::kept_enc::{self, Kept};
use crate::host::process::{Bounds, document};
use crate::host::state::Run;
use crate::host::{ec2, fs, hostname, input};
use crate::model::certname::Certname;
use crate::model::command::CommandLine;
use crate::model::digest::Sha256Digest;
use crate::model::enc::{Enc, EncError, LARGEST};
use crate::model::enc_source::EncSource;
use crate::model::event::Event;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::{Cache, EncFrom, EncRequest};
use crate::model::run::EncRecord;
use crate::model::url::{Scheme, Url};
use crate::model::yaml::Places;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An ENC as it came.
pub struct Call {
    /// Where from.
    pub source: String,
    pub enc: Enc,
    /// Where things stand in it; none of one that is part of a larger document.
    pub places: Places,
}

/// Reads the ENC of a run, and puts on record where it came from; also one that is refused.
pub fn read(context: &Context, run: &mut Run) -> Result<Call, Failure> {
    match &context.request.enc {
        EncFrom::Stdin { .. } => {
            let text = run.document(LARGEST)?;
            parsed(run, "stdin".to_owned(), &text, None, Enc::parse_with_places)
        }
        EncFrom::Run(id) => {
            let text = context.state.enc_of(id, LARGEST)?;
            parsed(run, format!("run {id}"), &text, None, Enc::parse_with_places)
        }
        EncFrom::Source(request) => from_source(context, request, run).map_err(refused),
    }
}

/// A document that is accepted is kept; where its source is away, a run may go on with it.
fn from_source(context: &Context, request: &EncRequest, run: &mut Run) -> Result<Call, Failure> {
    refuse_absent(request)?;
    let question = Question::of(context, request)?;
    let place = question.place();
    let (text, kept_since) = match question.answer() {
        Ok(text) => (text, None),
        Err(Unanswered::Here(failure)) => return Err(failure),
        Err(Unanswered::Away(failure)) => {
            let kept = question.instead(place.as_ref(), failure)?;
            (kept.text, Some(kept.since))
        }
    };
    let is_new = kept_since.is_none();
    let parse = |text: &[u8]| match &request.source {
        EncSource::Ec2(below) => Enc::parse_below(text, below).map(|enc| (enc, Places::new())),
        _ => Enc::parse_with_places(text),
    };
    let enc = parsed(run, question.asked, &text, kept_since, parse)?;
    if let (Some(place), true) = (place, is_new)
        && let Err(failure) = kept_enc::keep(&place.directory, &place.name, &text)
    {
        let text = format!("the ENC is not kept for a time when its source is away: {failure}");
        (context.say)(Event::Warning { text });
    }
    Ok(enc)
}

/// Refuses a file that an option names and that is not there, whoever would be shown it.
fn refuse_absent(request: &EncRequest) -> Result<(), Failure> {
    let named = [
        ("--enc-token-file", &request.token_file),
        ("--enc-client-cert", &request.client_cert),
        ("--enc-client-key", &request.client_key),
        ("--enc-ca", &request.ca),
    ];
    for (option, path) in named {
        let Some(path) = path else { continue };
        if fs::kind(path)?.is_none() {
            let what = format!("`{}` of `{option}` does not exist", path.display());
            return Err(Failure::new(what).hint(match request.source {
                EncSource::Web(_) => format!("name the file: `{option} FILE`"),
                _ => format!("leave `{option}` out: it is for web services"),
            }));
        }
    }
    Ok(())
}

fn parsed(
    run: &mut Run,
    source: String,
    text: &[u8],
    kept_since: Option<String>,
    parse: impl FnOnce(&[u8]) -> Result<(Enc, Places), EncError>,
) -> Result<Call, Failure> {
    let sha256 = Sha256Digest::of(text);
    run.record.enc = Some(EncRecord { source: source.clone(), sha256, kept_since });
    match parse(text) {
        Ok((enc, places)) => Ok(Call { source, enc, places }),
        Err(error) => {
            let what = format!("the ENC `{source}` is refused");
            Err(refused(Failure::new(what).because(error)))
        }
    }
}

fn refused(failure: Failure) -> Failure {
    match failure.exit_code() {
        Exit::Error => failure.exit(Exit::EncRefused),
        _ => failure,
    }
}

/// Why there is no document.
enum Unanswered {
    /// Because of this run, and not of the source.
    Here(Failure),
    Away(Failure),
}

/// A source, and what it is asked on behalf of this node.
struct Question<'a> {
    context: &'a Context<'a>,
    request: &'a EncRequest,
    certname: Option<Certname>,
    /// What is asked, in words that may be repeated.
    asked: String,
}

impl<'a> Question<'a> {
    fn of(context: &'a Context<'a>, request: &'a EncRequest) -> Result<Self, Failure> {
        let certname = match &context.request.certname {
            Some(certname) => Some(certname.clone()),
            None if request.source.asks_by_name() => Some(hostname::certname(context.signals)?),
            None => None,
        };
        let asked = request.source.asked(certname.as_ref());
        Ok(Question { context, request, certname, asked })
    }

    fn answer(&self) -> Result<Vec<u8>, Unanswered> {
        let tries = Tries::within(self.request.timeout);
        match &self.request.source {
            EncSource::Stdin => self.read(Path::new("-")),
            EncSource::File(path) => self.read(path),
            EncSource::Web(_) => {
                let (url, credentials) = self.service().map_err(Unanswered::Here)?;
                self.unless_interrupted(move || http::get(&url, &credentials, &tries, LARGEST))
            }
            EncSource::Ec2(_) => {
                let endpoint = self.request.ec2_metadata.clone();
                self.unless_interrupted(move || ec2::user_data(&endpoint, &tries, LARGEST))
            }
            EncSource::Program(path) => self.run(path),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Unanswered> {
        let path = path.to_owned();
        let hint = "name the node's ENC with `--enc FILE`, or write it to stdin with `--enc -`";
        let read = move || {
            input::read(&path, LARGEST)
                .map_err(|failure| instead::of_document(failure, &path, hint))
        };
        self.unless_interrupted(read)
    }

    /// The URL, and what it may be asked with: secrets go to nobody who cannot prove who he is.
    fn service(&self) -> Result<(Url, Credentials), Failure> {
        let request = self.request;
        let url: Url = self.asked.parse().map_err(|error| {
            Failure::new(format!("`{}` is no URL for this node", request.source)).because(error)
        })?;
        let secrets = [
            ("--enc-token-file", &request.token_file),
            ("--enc-client-cert", &request.client_cert),
        ];
        let given = secrets.into_iter().find(|(_, file)| file.is_some());
        if let (Scheme::Http, Some((name, _))) = (url.scheme(), given) {
            let what = format!("expected `https://` for `{name}`, found `{}`", self.asked);
            return Err(Failure::new(what));
        }
        let files = Files {
            token: request.token_file.as_deref(),
            identity: request.client_cert.as_deref().zip(request.client_key.as_deref()),
            authorities: request.ca.as_deref(),
        };
        Ok((url, Credentials::read(files)?))
    }

    fn run(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        let line = CommandLine::new(path, self.certname.iter().map(Certname::as_str));
        let time = Duration::from_secs(self.request.timeout.into());
        let bounds = Bounds { largest: LARGEST, time };
        let signals = self.context.signals;
        document(&line, signals, bounds).map_err(|error| match signals.received() {
            Some(signal) => interrupted(signal),
            None => {
                let what = format!("failed to get the ENC from `{}`", self.asked);
                Unanswered::Away(Failure::new(what).because(error).hint(format!("try it: {line}")))
            }
        })
    }

    /// What takes long, left where a signal comes.
    fn unless_interrupted(
        &self,
        work: impl FnOnce() -> Result<Vec<u8>, Failure> + Send + 'static,
    ) -> Result<Vec<u8>, Unanswered> {
        match self.context.signals.during(work) {
            Ok(Some(answer)) => answer.map_err(Unanswered::Away),
            Ok(None) => Err(interrupted(self.context.signals.received().unwrap_or_default())),
            Err(error) => {
                let what = format!("failed to start a thread that asks `{}`", self.asked);
                Err(Unanswered::Away(Failure::new(what).because(error)))
            }
        }
    }

    /// Where its answers are kept; none for what cannot be asked twice.
    fn place(&self) -> Option<Place> {
        if self.request.source.is_passing() {
            return None;
        }
        let directory = PathBuf::from(self.context.state.directory()).join("enc");
        Some(Place { directory, name: Sha256Digest::of(&self.asked) })
    }

    /// The kept document where that is allowed, else the failure.
    fn instead(&self, place: Option<&Place>, failure: Failure) -> Result<Kept, Failure> {
        let Some(place) = place else { return Err(failure) };
        let kept = kept_enc::kept(&place.directory, &place.name, LARGEST);
        match (kept, self.request.cache) {
            (Ok(Some(kept)), Cache::Allowed) => {
                let causes = failure.causes().into_iter().map(|cause| format!(": {cause}"));
                let why = failure.to_string() + &causes.collect::<String>();
                let since = &kept.since;
                let text = format!("{why}; going on with the ENC that came from there at {since}");
                (self.context.say)(Event::Warning { text });
                Ok(kept)
            }
            (Ok(Some(Kept { since, .. })), Cache::Refused) => Err(failure.hint(format!(
                "go on with the ENC that came from there at {since}: `--enc-cache`"
            ))),
            (Ok(None), Cache::Allowed) => {
                Err(failure.hint("`--enc-cache` has no ENC of this source yet"))
            }
            (Err(unreadable), Cache::Allowed) => Err(unreadable),
            (_, Cache::Refused) => Err(failure),
        }
    }
}

fn interrupted(signal: i32) -> Unanswered {
    let what = format!("ended by signal {signal} while waiting for the ENC");
    Unanswered::Here(Failure::new(what).exit(Exit::Interrupted))
}

/// Where the documents of one source are kept.
struct Place {
    directory: PathBuf,
    name: Sha256Digest,
}
