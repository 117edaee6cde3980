//! `throughline import FILE…`: access logs of the past, or as they are written.

mod error;
mod pipeline;
mod progress;
mod sender;
mod source;
mod state;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde::Serialize;
use throughline_session::wire::BootId;

pub use error::ImportError;

use self::pipeline::{Pipeline, Ready, Start};
use self::progress::{Far, Progress, per_second};
use self::sender::{Sender, Sent};
use self::source::{LOOK, Source, first_line};
use self::state::{Keeper, State};
use super::ClientError;
use super::http::Http;
use crate::clock::{Clock as _, System};
use crate::import::{AUTO, Batcher, Built, Format, Reject, Rules, SESSION_SECRET, body, boot_of};

/// Lines shown that make no record.
const REJECTS_SHOWN: usize = 20;
/// Between two times that it is kept how far an import is.
const KEEP: Duration = Duration::from_secs(1);

/// Logs, and how they are read.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Logs, in the order of their time; `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How they are written; `auto` looks at the first line.
    #[arg(long, default_value = AUTO, value_parser = formats(), value_name = "FORMAT")]
    format: String,
    /// Wait for more at the end of the log, and go on when it is rotated; Ctrl-C ends it.
    #[arg(long)]
    follow: bool,
    /// The application that all requests belong to; the policy says it when absent.
    #[arg(long, value_name = "NAME")]
    application: Option<String>,
    /// The host that was asked, where the log does not say it.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// A policy file to find sessions by; when absent, the policy that the service tells filters.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The folder that keeps how far each log was imported; beside the log when absent.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Where the service listens.
    #[arg(
        long,
        env = "THROUGHLINE_URL",
        default_value = "http://127.0.0.1:8470",
        value_name = "URL"
    )]
    url: String,
    /// A token to send records with; the variable keeps it out of process lists.
    #[arg(long, env = crate::config::INGEST_TOKEN, hide_env_values = true)]
    token: Option<String>,
    /// Say what was done as JSON, one object per log.
    #[arg(long)]
    json: bool,
}

fn formats() -> clap::builder::PossibleValuesParser {
    Format::names().into()
}

/// What was done with a log.
#[derive(Debug, Default, Serialize)]
struct Done {
    file: String,
    format: &'static str,
    /// Lines read by this run.
    lines: u64,
    /// Records that the service did not have.
    stored: u64,
    /// Records that it had.
    again: u64,
    /// Records of this log, those of earlier runs too.
    #[serde(skip)]
    ever: u64,
    /// Lines that make no record, and the first of them.
    rejected: u64,
    rejects: Vec<Reject>,
    seconds: f64,
    lines_per_second: u64,
}

/// What all logs have in common.
struct Common {
    sender: Sender,
    rules: Rules,
    secret: String,
}

impl Import {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ImportError> {
        let common = self.common().await?;
        let (mut ever, mut rejected) = (0, 0);
        for file in &self.files {
            loop {
                let done = self.log(file, &common).await?;
                self.tell(out, &done).map_err(ImportError::Output)?;
                ever += done.ever;
                rejected += done.rejected;
                // Followed, it ends only when another file has its name.
                if !self.follow || file == Path::new("-") {
                    break;
                }
            }
        }
        if ever == 0 && rejected > 0 {
            return Err(ImportError::Nothing(rejected));
        }
        Ok(())
    }

    async fn common(&self) -> Result<Common, ImportError> {
        let secret = std::env::var(SESSION_SECRET).unwrap_or_default();
        if secret.is_empty() {
            return Err(ImportError::NoSecret);
        }
        let http = Http::new(&self.url, self.token.as_deref()).map_err(Box::new)?;
        let rules = match &self.policy {
            Some(file) => Rules::of_file(file)?,
            None => live(&http).await?,
        };
        Ok(Common {
            sender: Sender {
                http,
                for_good: self.follow,
            },
            rules: rules.only(self.application.as_deref())?,
            secret,
        })
    }

    /// Imports one log, as far as it goes.
    async fn log(&self, path: &Path, common: &Common) -> Result<Done, ImportError> {
        let Some((mut source, head)) = self.begin(path)? else {
            let file = path.display().to_string();
            return Ok(Done {
                file,
                ..Done::default()
            });
        };
        let unread = |error| ImportError::Read(path.to_path_buf(), error);
        let first = first_line(&head, true).unwrap_or_default();
        let format = self.format_of(path, first)?;
        let boot = boot_of(first, self.application.as_deref());
        let keeper = (path != Path::new("-"))
            .then(|| Keeper::new(path, boot, self.state.as_deref()))
            .transpose()?;
        let state = match &keeper {
            Some(keeper) => keeper.load(boot)?,
            None => State::new(boot),
        };
        if self.follow {
            let (file, offset) = (path.display(), state.offset);
            let told = format!("follows {file} from byte {offset} until it is replaced, or Ctrl-C");
            drop(writeln!(std::io::stderr(), "{told}"));
        }
        source.seek(state.offset).map_err(unread)?;
        let start = Start {
            offset: state.offset,
            line: state.line,
            planned: state.planned,
            follow: self.follow,
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        let mut log = Log {
            progress: Progress::new(&name.to_string_lossy(), state.offset),
            all: source.len().filter(|_| !self.follow),
            done: Done {
                file: path.display().to_string(),
                format: format.name,
                ..Done::default()
            },
            kept: Instant::now(),
            common,
            keeper,
            state,
            boot,
        };
        let (rules, secret, host) = (&common.rules, &common.secret, &self.host);
        // Whether it can be made at all.
        Batcher::new(format, rules, secret.as_bytes(), None)?;
        let parts = (rules.clone(), secret.clone(), host.clone());
        let batcher = move || {
            let (rules, secret, host) = &parts;
            Batcher::new(format, rules, secret.as_bytes(), host.clone()).ok()
        };
        let mut chunks = Pipeline::start(source, start, batcher).map_err(unread)?;
        while let Some(ready) = chunks.next() {
            log.take(ready.map_err(unread)?).await?;
        }
        log.end().await
    }

    /// Opens a log; followed, it is waited for until it has a line. `None` where it has none.
    fn begin(&self, path: &Path) -> Result<Option<(Source, Vec<u8>)>, ImportError> {
        loop {
            match Source::open(path) {
                Ok((_, head)) if head.starts_with(&[0x1f, 0x8b]) => {
                    return Err(ImportError::Compressed(path.display().to_string()));
                }
                Ok((source, head)) if first_line(&head, !self.follow).is_some() => {
                    return Ok(Some((source, head)));
                }
                Ok(_) if !self.follow => return Ok(None),
                Err(error) if !self.follow || error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ImportError::Read(path.to_path_buf(), error));
                }
                Ok(_) | Err(_) => std::thread::sleep(LOOK),
            }
        }
    }

    fn format_of(&self, file: &Path, first: &[u8]) -> Result<&'static Format, ImportError> {
        let found = match self.format.as_str() {
            AUTO => Format::of(first),
            name => Format::named(name),
        };
        let line = String::from_utf8_lossy(first);
        found.ok_or_else(|| ImportError::Format {
            file: file.to_path_buf(),
            line: line.trim().chars().take(80).collect(),
        })
    }

    fn tell(&self, out: &mut dyn Write, done: &Done) -> std::io::Result<()> {
        if self.json {
            return writeln!(out, "{}", serde_json::to_string(done).unwrap_or_default());
        }
        for reject in &done.rejects {
            let Reject { line, reason, text } = reject;
            let text = text.replace(char::is_control, " ");
            drop(writeln!(std::io::stderr(), "line {line}: {reason}: {text}"));
        }
        writeln!(
            out,
            "{}: {} lines, {} stored, {} there before, {} rejected, {:.1} s, {} lines/s",
            done.file,
            done.lines,
            done.stored,
            done.again,
            done.rejected,
            done.seconds,
            done.lines_per_second
        )
    }
}

/// The policy that filters are told; the built-in rules where none was ever set.
async fn live(http: &Http) -> Result<Rules, ImportError> {
    let asked = http
        .raw(Method::GET, "/v1/policy/live", bytes::Bytes::new())
        .await;
    let (status, answer) = asked.map_err(Box::new)?;
    match status {
        StatusCode::OK => Ok(Rules::of_live(answer.to_string().as_bytes())?),
        StatusCode::NOT_FOUND => Ok(Rules::default()),
        _ => Err(Box::new(ClientError::of_problem(&answer)).into()),
    }
}

/// One log on its way.
struct Log<'a> {
    common: &'a Common,
    boot: BootId,
    state: State,
    keeper: Option<Keeper>,
    kept: Instant,
    progress: Progress,
    all: Option<u64>,
    done: Done,
}

impl Log<'_> {
    fn keep(&mut self) -> Result<(), ImportError> {
        self.kept = Instant::now();
        match &self.keeper {
            Some(keeper) => keeper.save(&mut self.state),
            None => Ok(()),
        }
    }

    /// Sends what a chunk holds, and notes that it is there.
    async fn take(&mut self, ready: Ready) -> Result<(), ImportError> {
        let Ready {
            end,
            lines,
            full,
            built,
        } = ready;
        // Where it was cut is known only now: it is cut there again, whatever has come since.
        if !full {
            self.state.planned = Some(end);
            self.keep()?;
        }
        let records = u64::from(built.records);
        self.state.books.records += records;
        self.state.books.rejected += built.rejected;
        if records > 0 {
            let sequence = Some(self.state.sequence);
            match self.common.sender.send(self.body(&built, sequence)).await? {
                Sent::Stored => self.done.stored += records,
                Sent::Again => self.done.again += records,
            }
        }
        self.state.books.acknowledged += records;
        self.state.offset = end;
        self.state.line += lines;
        self.state.sequence += 1;
        self.state.planned = None;
        if !full || self.kept.elapsed() >= KEEP {
            self.keep()?;
        }
        self.done.lines += lines;
        self.done.rejected += built.rejected;
        let room = REJECTS_SHOWN.saturating_sub(self.done.rejects.len());
        self.done
            .rejects
            .extend(built.rejects.into_iter().take(room));
        self.progress.show(Far {
            done: end,
            all: self.all,
            lines: self.done.lines,
            rejected: self.done.rejected,
        });
        Ok(())
    }

    fn body(&self, built: &Built, sequence: Option<u64>) -> Vec<u8> {
        let (version, now_us) = (self.common.rules.name(), System.now_us());
        body(
            built,
            self.boot,
            sequence,
            version,
            self.state.books,
            now_us,
        )
    }

    /// Says that everything was acknowledged.
    async fn end(mut self) -> Result<Done, ImportError> {
        self.progress.clear();
        if self.done.lines > 0 {
            self.keep()?;
            let heartbeat = self.body(&Built::default(), None);
            self.common.sender.send(heartbeat).await?;
        }
        self.done.ever = self.state.books.records;
        self.done.seconds = self.progress.elapsed().as_secs_f64();
        self.done.lines_per_second = per_second(self.done.lines, self.done.seconds);
        Ok(self.done)
    }
}
