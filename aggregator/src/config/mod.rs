//! What can be set when serving: flags, each with an environment variable, and the tokens.

pub mod units;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::envoy_admin::Target;
use crate::import::SESSION_SECRET;
use crate::store::{Sample, sample};
use crate::tokens::{TOKEN_LEN_MIN, Token};

/// How logs are written to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// Flags of `throughline serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeOptions {
    /// Address and port to listen on (HTTP/1.1 and HTTP/2 without TLS).
    #[arg(
        long,
        env = "THROUGHLINE_LISTEN",
        default_value = "127.0.0.1:8470",
        value_name = "IP:PORT"
    )]
    pub listen: SocketAddr,

    /// Folder for the log and the database; created if absent. One process at a time.
    #[arg(
        long,
        env = "THROUGHLINE_DATA",
        default_value = "./data",
        value_name = "FOLDER"
    )]
    pub data: PathBuf,

    /// Admin address of an Envoy whose request counter is compared with what its filter saw,
    /// e.g. `http://127.0.0.1:9901`; repeatable, or separated by commas. A fragment names the
    /// one `stat_prefix` to count (`http://127.0.0.1:9901#ingress`); without it all count,
    /// except `admin` and `async-client`.
    #[arg(
        long = "envoy-admin",
        env = "THROUGHLINE_ENVOY_ADMIN",
        value_delimiter = ',',
        value_name = "URL"
    )]
    pub envoy_admin: Vec<Target>,

    /// Whoever reaches the loopback address may read without a token: for development only.
    #[arg(long, env = "THROUGHLINE_DEVELOPMENT")]
    pub development: bool,

    /// A pause longer than this ends a visit, where the policy says nothing of `visits` (ms, s, m, h, d).
    #[arg(long, env = "THROUGHLINE_IDLE_TIMEOUT", default_value = "30m", value_parser = units::duration, value_name = "DURATION")]
    pub idle_timeout: Duration,

    /// No visit is longer than this, where the policy says nothing of `visits` (ms, s, m, h, d).
    #[arg(long, env = "THROUGHLINE_LONGEST_VISIT", default_value = "1d", value_parser = units::duration, value_name = "DURATION")]
    pub longest_visit: Duration,

    /// A filter worker that was not heard of for this long counts as vanished (ms, s, m, h, d).
    #[arg(long, env = "THROUGHLINE_WORKER_TIMEOUT", default_value = "15s", value_parser = units::duration, value_name = "DURATION")]
    pub worker_timeout: Duration,

    /// How logs are written to standard error; `RUST_LOG` sets how much.
    #[arg(
        long,
        env = "THROUGHLINE_LOG_FORMAT",
        default_value = "text",
        value_enum
    )]
    pub log_format: LogFormat,

    /// Largest request body taken by `POST /v1/ingest` (B, KiB, MiB); a larger one gets 413.
    #[arg(long, env = "THROUGHLINE_MAX_BATCH_BYTES", default_value = "8MiB", value_parser = units::bytes, value_name = "SIZE")]
    pub max_batch_bytes: u64,

    /// Bytes of batches held in memory until they are on disk (B, KiB, MiB, GiB); above it
    /// senders get 503 with Retry-After.
    #[arg(long, env = "THROUGHLINE_MAX_QUEUE_BYTES", default_value = "64MiB", value_parser = units::bytes, value_name = "SIZE")]
    pub max_queue_bytes: u64,

    /// Bytes of the log that may wait for the database (MiB, GiB); above it senders get 503
    /// with Retry-After.
    #[arg(long, env = "THROUGHLINE_MAX_LOG_BACKLOG", default_value = "16GiB", value_parser = units::bytes, value_name = "SIZE")]
    pub max_log_backlog: u64,

    /// Space that the log leaves free on the disk, for the database (MiB, GiB); below it
    /// senders get 503 with Retry-After.
    #[arg(long, env = "THROUGHLINE_MIN_FREE_DISK", default_value = "256MiB", value_parser = units::bytes, value_name = "SIZE")]
    pub min_free_disk: u64,

    /// Size at which a log segment is closed and the next begins (KiB, MiB, GiB).
    #[arg(long, env = "THROUGHLINE_SEGMENT_BYTES", default_value = "64MiB", value_parser = units::bytes, value_name = "SIZE")]
    pub segment_bytes: u64,

    /// How long records are kept (h, d); then they are deleted from the disk.
    #[arg(long, env = "THROUGHLINE_RETENTION", default_value = "7d", value_parser = units::duration, value_name = "DURATION")]
    pub retention: Duration,

    /// How long an application's records are kept instead, `shop=30d`; repeatable, or separated by
    /// commas.
    #[arg(long, env = "THROUGHLINE_RETENTION_APPLICATION", value_parser = units::named_duration, value_delimiter = ',', value_name = "NAME=DURATION")]
    pub retention_application: Vec<(String, Duration)>,

    /// Bytes that the data folder may take (MiB, GiB, TiB): beyond it the oldest records go before
    /// their time, and summaries of their sessions stay. Without it, as many as there are.
    #[arg(long, env = "THROUGHLINE_DISK_BUDGET", value_parser = units::bytes, value_name = "SIZE")]
    pub disk_budget: Option<u64>,

    /// Of paths that begin like this, only this share of the records is kept in closed segments,
    /// `/static/=0.05` or `shop:/static/=0.05`; repeatable, or separated by commas, the first that
    /// fits counts. Sessions count all requests; those that are pinned or have a verdict keep all.
    #[arg(long = "sample", env = "THROUGHLINE_SAMPLE", value_parser = sample, value_delimiter = ',', value_name = "PATH=SHARE")]
    pub samples: Vec<Sample>,

    /// Records after which a stretch of the log leaves the database for files of its own.
    #[arg(
        long,
        env = "THROUGHLINE_SEGMENT_RECORDS",
        default_value_t = 250_000,
        value_parser = clap::value_parser!(u64).range(1..),
        value_name = "NUMBER"
    )]
    pub segment_records: u64,

    /// Or this long after its first record (m, h, d).
    #[arg(long, env = "THROUGHLINE_SEGMENT_AGE", default_value = "1d", value_parser = units::duration, value_name = "DURATION")]
    pub segment_age: Duration,

    /// So many segments become one once they are settled, if together they span no more than a sixteenth of
    /// the retention: what is looked up is in few files then. 0 or 1: none do.
    #[arg(
        long,
        env = "THROUGHLINE_SEGMENT_MERGE",
        default_value_t = 8,
        value_name = "NUMBER"
    )]
    pub segment_merge: usize,

    /// Memory that DuckDB may use for its buffers (MiB, GiB); queries may put 4 times as much on
    /// the disk for a while.
    #[arg(long, env = "THROUGHLINE_DUCKDB_MEMORY", default_value = "512MiB", value_parser = units::bytes, value_name = "SIZE")]
    pub duckdb_memory: u64,

    /// Threads that DuckDB works on one statement with, 1 to 64; half of the processors, 4 at most, when absent.
    #[arg(long, env = "THROUGHLINE_DUCKDB_THREADS", value_name = "THREADS",
        value_parser = clap::value_parser!(u16).range(1..=64))]
    pub duckdb_threads: Option<u16>,

    /// Visits kept open in memory, about 200 bytes each; beyond it the one idle for longest is closed early,
    /// and counted.
    #[arg(
        long,
        env = "THROUGHLINE_MAX_OPEN_VISITS",
        default_value_t = 250_000,
        value_name = "NUMBER"
    )]
    pub max_open_visits: usize,

    /// A query of the API is stopped after this long (ms, s, m).
    #[arg(long, env = "THROUGHLINE_QUERY_TIMEOUT", default_value = "10s", value_parser = units::duration, value_name = "DURATION")]
    pub query_timeout: Duration,

    /// Sessions that bot detection remembers, about 2 KiB each; beyond it the least used is
    /// forgotten.
    #[arg(
        long,
        env = "THROUGHLINE_DETECTION_SESSIONS",
        default_value_t = 64_000,
        value_name = "NUMBER"
    )]
    pub detection_sessions: usize,

    /// Addresses, and as many networks, that bot detection remembers.
    #[arg(
        long,
        env = "THROUGHLINE_DETECTION_SOURCES",
        default_value_t = 200_000,
        value_name = "NUMBER"
    )]
    pub detection_sources: usize,

    /// Shortest time between two snapshots of bot detection (ms, s, m): what came after the last
    /// is read again after a restart. A snapshot takes at most a twentieth of the time.
    #[arg(long, env = "THROUGHLINE_DETECTION_SNAPSHOT", default_value = "10s", value_parser = units::duration, value_name = "DURATION")]
    pub detection_snapshot: Duration,

    /// Model that `throughline train` has written: what it says of a session is added to the
    /// evidence of each verdict. It makes no verdict. None by default.
    #[arg(long, env = "THROUGHLINE_MODEL", value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Database in MaxMind's format (`.mmdb`) of countries, cities or autonomous systems; repeatable,
    /// or separated by commas, asked in this order. Read at the start. None by default: then no
    /// country is known.
    #[arg(
        long,
        env = "THROUGHLINE_GEO",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    pub geo: Vec<PathBuf>,

    /// DNS server that is asked whether crawlers which the policy names (`crawlers` of a profile) are
    /// who they say, e.g. `192.0.2.53:53`; repeatable, or separated by commas. The system's by default.
    /// Nobody is asked where the policy names none.
    #[arg(
        long,
        env = "THROUGHLINE_DNS",
        value_delimiter = ',',
        value_name = "IP:PORT"
    )]
    pub dns: Vec<SocketAddr>,

    /// File (YAML or JSON) that is the policy: read again when it changes, and not to be changed
    /// through the API.
    #[arg(long, env = "THROUGHLINE_POLICY_FILE", value_name = "FILE")]
    pub policy_file: Option<PathBuf>,

    /// A session seen from more client addresses than this has a shared key: its links are not
    /// followed.
    #[arg(
        long,
        env = "THROUGHLINE_SHARED_KEY_IPS",
        default_value_t = 100,
        value_name = "NUMBER"
    )]
    pub shared_key_ips: u64,

    /// A session seen with more users than this has a shared key: its links are not followed.
    #[arg(
        long,
        env = "THROUGHLINE_SHARED_KEY_USERS",
        default_value_t = 20,
        value_name = "NUMBER"
    )]
    pub shared_key_users: u64,
}

/// The secrets of the first start, which come by environment only: flags show up in process
/// lists. `throughline token` makes others.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    /// Lets filters in at `POST /v1/ingest`.
    pub ingest: Option<Token>,
    /// Lets readers in.
    pub read: Option<Token>,
    /// Lets in whoever may change the policy.
    pub admin: Option<Token>,
    /// Anyone on this machine may read.
    pub development: bool,
    /// What the sessions of logs that are taken in are made with: the same as in Envoy.
    pub session_secret: Option<String>,
}

/// Name of the environment variable with the token for `POST /v1/ingest`.
pub const INGEST_TOKEN: &str = "THROUGHLINE_INGEST_TOKEN";
/// Name of the environment variable with the token for `GET /v1/…`.
pub const READ_TOKEN: &str = "THROUGHLINE_READ_TOKEN";
/// Name of the environment variable with the token for changes to the policy.
pub const ADMIN_TOKEN: &str = "THROUGHLINE_ADMIN_TOKEN";

/// What is wrong with the settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No ingest token.
    #[error(
        "{INGEST_TOKEN} is not set: choose a secret of at least {TOKEN_LEN_MIN} characters \
         (`openssl rand -hex 24`) and give the same one to the filter, or make one with \
         `throughline token create NAME --role ingest`"
    )]
    IngestTokenMissing,
    /// A token that can be guessed.
    #[error(
        "{0} is too short: at least {TOKEN_LEN_MIN} characters are needed (`openssl rand -hex 24`)"
    )]
    TokenTooShort(&'static str),
    /// Open to the network.
    #[error(
        "--listen {0} is reachable from other machines, and with --development anyone may read: \
         leave it out and make a token with `throughline token create NAME --role read`, or listen \
         on 127.0.0.1"
    )]
    DevelopmentExposed(SocketAddr),
    /// A token to read with, and none needed.
    #[error(
        "--development lets anyone on this machine read, and {READ_TOKEN} is set: leave one out"
    )]
    DevelopmentAndToken,
    /// The limits contradict each other.
    #[error(
        "--max-batch-bytes ({batch} B) must not exceed --max-queue-bytes ({queue} B) or {most} B"
    )]
    BatchTooLarge {
        /// Bytes of `--max-batch-bytes`.
        batch: u64,
        /// Bytes of `--max-queue-bytes`.
        queue: u64,
        /// The most that a frame of the log can hold.
        most: u64,
    },
    /// A visit that no two requests fit into.
    #[error("--longest-visit must not be shorter than --idle-timeout")]
    VisitTooShort,
}

impl ServeOptions {
    /// Checks what clap cannot, and takes the tokens from `env` (name → value).
    ///
    /// # Errors
    /// The first thing that is wrong, in words that say what to do.
    pub fn check(&self, env: impl Fn(&str) -> Option<String>) -> Result<Tokens, ConfigError> {
        let token = |name| match env(name).filter(|secret| !secret.is_empty()) {
            None => Ok(None),
            Some(secret) => Token::new(&secret)
                .map(Some)
                .ok_or(ConfigError::TokenTooShort(name)),
        };
        let read = token(READ_TOKEN)?;
        if self.development && !self.listen.ip().is_loopback() {
            return Err(ConfigError::DevelopmentExposed(self.listen));
        }
        if self.development && read.is_some() {
            return Err(ConfigError::DevelopmentAndToken);
        }
        let most = crate::log::BODY_LEN_MAX;
        if self.max_batch_bytes > self.max_queue_bytes.min(most) {
            let (batch, queue) = (self.max_batch_bytes, self.max_queue_bytes);
            return Err(ConfigError::BatchTooLarge { batch, queue, most });
        }
        if self.longest_visit < self.idle_timeout {
            return Err(ConfigError::VisitTooShort);
        }
        Ok(Tokens {
            ingest: token(INGEST_TOKEN)?,
            read,
            admin: token(ADMIN_TOKEN)?,
            development: self.development,
            session_secret: env(SESSION_SECRET).filter(|secret| !secret.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        serve: ServeOptions,
    }

    fn check(flags: &[&str], env: &[(&str, &str)]) -> Result<bool, ConfigError> {
        let line = Line::parse_from([&["throughline"], flags].concat());
        let find = |name: &str| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        line.serve.check(find).map(|tokens| tokens.read.is_some())
    }

    #[test]
    fn tokens_are_asked_for_where_they_are_needed() {
        let ingest = (INGEST_TOKEN, "an ingest token, long");
        let read = (READ_TOKEN, "a read token that is long");
        assert_eq!(check(&[], &[ingest]), Ok(false));
        assert_eq!(check(&[], &[ingest, read]), Ok(true));
        assert_eq!(
            check(&[], &[(INGEST_TOKEN, "")]),
            Ok(false),
            "there may be others"
        );
        let short = check(&[], &[ingest, (READ_TOKEN, "short")]);
        assert_eq!(short, Err(ConfigError::TokenTooShort(READ_TOKEN)));
        let short = check(&[], &[ingest, (ADMIN_TOKEN, "short")]);
        assert_eq!(short, Err(ConfigError::TokenTooShort(ADMIN_TOKEN)));
        let open = ["--development", "--listen", "0.0.0.0:80"];
        assert!(matches!(
            check(&open, &[ingest]),
            Err(ConfigError::DevelopmentExposed(_))
        ));
        assert_eq!(check(&open[1..], &[ingest, read]), Ok(true));
        assert_eq!(
            check(&["--development"], &[ingest, read]),
            Err(ConfigError::DevelopmentAndToken)
        );
        let local = ["--development", "--listen", "[::1]:0"];
        assert_eq!(check(&local, &[ingest]), Ok(false));
        let large = check(&["--max-batch-bytes", "65MiB"], &[ingest]);
        assert!(matches!(large, Err(ConfigError::BatchTooLarge { .. })));
        let short = check(&["--longest-visit", "5m"], &[ingest]);
        assert_eq!(short, Err(ConfigError::VisitTooShort));
    }
}
