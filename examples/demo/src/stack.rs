//! Starts demo API, aggregator and Envoy, and ends them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use crate::access_log::AccessLine;
use crate::binaries;
use crate::bootstrap::Bootstrap;
use crate::http::Http;
use crate::ledger::Status;
use crate::ports::free_port;
use crate::process::Process;
use crate::wait::eventually;

/// Two busy cores and a debug build need seconds, not tens of seconds.
const READY_TIME_MAX: Duration = Duration::from_secs(30);
const END_TIME_MAX: Duration = Duration::from_secs(15);

/// What a [`Stack`] shall be like. The default is the demo's: shop, one worker, every part real.
#[derive(Debug)]
pub struct StackBuilder {
    folder: Option<PathBuf>,
    filter: String,
    plugin: Option<String>,
    workers: u32,
    upstream: Option<SocketAddr>,
    aggregator_arguments: Vec<String>,
    envoy_arguments: Vec<String>,
    secret: Option<String>,
}

impl Default for StackBuilder {
    fn default() -> Self {
        Self {
            folder: None,
            filter: "throughline.wasm".to_owned(),
            plugin: None,
            workers: 1,
            upstream: None,
            aggregator_arguments: Vec::new(),
            envoy_arguments: Vec::new(),
            secret: Some(random_text()),
        }
    }
}

impl StackBuilder {
    /// Logs and data go there and stay; otherwise into a temporary folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Another file of `target/filter` than `throughline.wasm`.
    #[must_use]
    pub fn filter(mut self, file: impl Into<String>) -> Self {
        self.filter = file.into();
        self
    }

    /// Another filter configuration than the one in `envoy/envoy.yaml`; need not be valid.
    #[must_use]
    pub fn plugin(mut self, text: impl Into<String>) -> Self {
        self.plugin = Some(text.into());
        self
    }

    /// Envoy's worker threads.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// Another API behind Envoy; the shop is not started then.
    #[must_use]
    pub fn upstream(mut self, address: SocketAddr) -> Self {
        self.upstream = Some(address);
        self
    }

    /// Further arguments of `throughline serve`.
    #[must_use]
    pub fn aggregator_arguments(mut self, list: impl IntoIterator<Item = &'static str>) -> Self {
        self.aggregator_arguments
            .extend(list.into_iter().map(str::to_owned));
        self
    }

    /// Further arguments of Envoy.
    #[must_use]
    pub fn envoy_arguments(mut self, list: impl IntoIterator<Item = &'static str>) -> Self {
        self.envoy_arguments
            .extend(list.into_iter().map(str::to_owned));
        self
    }

    /// Envoy gets no session secret and no ingest token.
    #[must_use]
    pub fn without_secret(mut self) -> Self {
        self.secret = None;
        self
    }

    /// Another session secret than a random one: it decides which clients are in a sample.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    /// When a program is missing or does not get ready; with the end of its log.
    pub async fn start(self) -> anyhow::Result<Stack> {
        let mut stack = self.prepare()?;
        if let Some(shop) = &mut stack.shop {
            shop.start()?;
        }
        stack.aggregator.start()?;
        stack.envoy.start()?;
        if let Some(shop) = &mut stack.shop {
            let address = stack.upstream;
            let ready = || async move { tokio::net::TcpStream::connect(address).await.is_ok() };
            shop.wait_ready(READY_TIME_MAX, ready).await?;
        }
        stack.aggregator_ready().await?;
        stack.envoy_ready().await?;
        Ok(stack)
    }

    fn prepare(self) -> anyhow::Result<Stack> {
        let (folder, temporary) = match &self.folder {
            Some(folder) => (folder.clone(), None),
            None => {
                let made = tempfile::Builder::new().prefix("throughline-").tempdir()?;
                (made.path().to_path_buf(), Some(made))
            }
        };
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let folder = folder.canonicalize()?;
        let places = Places {
            ingress: local("ENVOY_PORT")?,
            admin: local("ENVOY_ADMIN_PORT")?,
            aggregator: local("THROUGHLINE_PORT")?,
            upstream: self.upstream.map_or_else(|| local("SHOP_PORT"), Ok)?,
            access_log: folder.join("access.log"),
            folder,
        };
        let (token, admin_token) = (random_text(), random_text());
        let shop = match self.upstream {
            Some(_) => None,
            None => Some(places.shop()?),
        };
        Ok(Stack {
            ingress: places.ingress,
            upstream: places.upstream,
            api: Http::new(format!("http://{}", places.aggregator)),
            admin: Http::new(format!("http://{}", places.admin)),
            shop,
            envoy: self.envoy(&places, &token)?,
            aggregator: self.aggregator(&places, &token, &admin_token)?,
            secret: self.secret.unwrap_or_default(),
            token,
            admin_token,
            access_log: places.access_log,
            folder: places.folder,
            workers: self.workers,
            temporary,
        })
    }

    fn envoy(&self, places: &Places, token: &str) -> anyhow::Result<Process> {
        let template = std::fs::read_to_string(binaries::repository().join("envoy/envoy.yaml"))?;
        let config = Bootstrap {
            ingress: places.ingress,
            admin: places.admin,
            upstream: places.upstream,
            aggregator: places.aggregator,
            wasm: &binaries::filter(&self.filter)?,
            access_log: &places.access_log,
            plugin: self.plugin.as_deref(),
        };
        let bootstrap = places.folder.join("envoy.yaml");
        std::fs::write(&bootstrap, config.render(&template)?)?;
        let envoy = Process::new("envoy", binaries::envoy()?, &places.folder)
            .arguments(["-c".to_owned(), bootstrap.display().to_string()])
            .arguments(["--concurrency".to_owned(), self.workers.to_string()])
            // Several Envoys on one machine would otherwise share memory for hot restarts.
            .arguments(["--disable-hot-restart", "--file-flush-interval-msec", "10"])
            .arguments(self.envoy_arguments.iter().cloned());
        let Some(secret) = &self.secret else {
            return Ok(envoy);
        };
        Ok(envoy
            .environment("THROUGHLINE_SESSION_SECRET", secret)
            .environment("THROUGHLINE_INGEST_TOKEN", token))
    }

    fn aggregator(
        &self,
        places: &Places,
        token: &str,
        admin_token: &str,
    ) -> anyhow::Result<Process> {
        let data = places.folder.join("data").display().to_string();
        let program = binaries::binary("throughline")?;
        Ok(Process::new("throughline", program, &places.folder)
            .arguments([
                "serve".to_owned(),
                "--development".to_owned(),
                "--listen".to_owned(),
                places.aggregator.to_string(),
            ])
            .arguments(["--data".to_owned(), data])
            .arguments([
                "--envoy-admin".to_owned(),
                format!("http://{}", places.admin),
            ])
            .arguments(self.aggregator_arguments.iter().cloned())
            .environment("THROUGHLINE_INGEST_TOKEN", token)
            .environment("THROUGHLINE_ADMIN_TOKEN", admin_token)
            // The log is a file: no escape sequences.
            .environment("NO_COLOR", "1"))
    }
}

/// Who listens where, and the work folder.
struct Places {
    ingress: SocketAddr,
    admin: SocketAddr,
    aggregator: SocketAddr,
    upstream: SocketAddr,
    access_log: PathBuf,
    folder: PathBuf,
}

impl Places {
    fn shop(&self) -> anyhow::Result<Process> {
        let shop = Process::new("shop", binaries::binary("shop")?, &self.folder);
        Ok(shop.arguments(["--listen".to_owned(), self.upstream.to_string()]))
    }
}

/// A running stack. Dropping it kills every process.
#[derive(Debug)]
pub struct Stack {
    /// Where clients connect.
    pub ingress: SocketAddr,
    /// The API behind Envoy.
    pub upstream: SocketAddr,
    /// The aggregator's API.
    pub api: Http,
    /// Envoy's admin pages.
    pub admin: Http,
    /// The session secret that Envoy was given.
    pub secret: String,
    /// The ingest token that Envoy and aggregator were given.
    pub token: String,
    /// The token that changes the policy.
    pub admin_token: String,
    /// The demo API, unless another upstream was named.
    pub shop: Option<Process>,
    /// Envoy with the filter.
    pub envoy: Process,
    /// `throughline serve`.
    pub aggregator: Process,
    access_log: PathBuf,
    folder: PathBuf,
    workers: u32,
    temporary: Option<TempDir>,
}

impl Stack {
    /// See [`StackBuilder`].
    #[must_use]
    pub fn builder() -> StackBuilder {
        StackBuilder::default()
    }

    /// Logs, data and the rendered Envoy configuration.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until the aggregator answers.
    ///
    /// # Errors
    /// When it does not; with the end of its log.
    pub async fn aggregator_ready(&mut self) -> anyhow::Result<()> {
        let api = &self.api;
        let ready = || async move {
            matches!(api.get("/readyz").await, Ok((status, _)) if status.is_success())
        };
        self.aggregator.wait_ready(READY_TIME_MAX, ready).await
    }

    /// Waits until Envoy listens.
    ///
    /// # Errors
    /// When it does not; with the end of its log.
    pub async fn envoy_ready(&mut self) -> anyhow::Result<()> {
        let admin = &self.admin;
        let ready = || async move {
            matches!(admin.get("/ready").await, Ok((status, _)) if status.is_success())
        };
        self.envoy.wait_ready(READY_TIME_MAX, ready).await
    }

    /// Knocks until every worker's filter has spoken to the aggregator: one that never saw a request
    /// does not ask for the policy either.
    ///
    /// # Errors
    /// When one has not within 30 s.
    pub async fn wake(&self) -> anyhow::Result<()> {
        eventually("every worker has spoken", READY_TIME_MAX, async || {
            let status = self.status().await.ok()?;
            if status.workers.len() >= self.workers as usize {
                return Some(());
            }
            // A connection of its own, which the kernel gives to any worker.
            let knock = Http::new(format!("http://{}", self.ingress));
            knock.get("/healthz").await.ok()?;
            None
        })
        .await
    }

    /// The aggregator's books.
    ///
    /// # Errors
    /// When it does not answer so.
    pub async fn status(&self) -> anyhow::Result<Status> {
        self.api.json("/v1/status").await
    }

    /// Requests that Envoy itself counted on its listener, asked now.
    ///
    /// # Errors
    /// When its admin pages do not answer so.
    pub async fn envoy_requests(&self) -> anyhow::Result<u64> {
        let path = "/stats?filter=%5Ehttp.ingress.downstream_rq_total%24";
        let (_, text) = self.admin.get(path).await?;
        let text = String::from_utf8_lossy(&text);
        let count = text
            .rsplit(':')
            .next()
            .map(str::trim)
            .and_then(|count| count.parse().ok());
        count.with_context(|| format!("Envoy's request counter: {text}"))
    }

    /// Waits until every request that Envoy counted is in the store, and in lists.
    ///
    /// # Errors
    /// When it is not within `limit`; the books then say where the rest is.
    pub async fn settled(&self, limit: Duration) -> anyhow::Result<Status> {
        eventually("every request is in the store", limit, async || {
            // Asked anew: the figure in the books may be older than the last request.
            let counted = self.envoy_requests().await.ok()?;
            let status = self.status().await.ok()?;
            let all = status.handled() == Some(counted) && status.totals.stored == counted;
            let listed = status.store.summed == status.store.position;
            (all && listed && status.totals.pending == 0).then_some(status)
        })
        .await
    }

    /// Envoy's own account; see [`crate::read_access_log`].
    ///
    /// # Errors
    /// When a line cannot be read.
    pub fn access_log(&self) -> anyhow::Result<Vec<AccessLine>> {
        crate::read_access_log(&self.access_log)
    }

    /// Ends Envoy, then the aggregator, then the demo API, each by SIGTERM.
    ///
    /// # Errors
    /// When one does not end in time; the rest is killed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.envoy.terminate(END_TIME_MAX).await?;
        self.aggregator.terminate(END_TIME_MAX).await?;
        if let Some(shop) = &mut self.shop {
            shop.terminate(END_TIME_MAX).await?;
        }
        Ok(())
    }
}

impl Drop for Stack {
    /// A test that failed leaves its folder behind, for its logs.
    fn drop(&mut self) {
        if let Some(temporary) = &mut self.temporary
            && std::thread::panicking()
        {
            temporary.disable_cleanup(true);
            drop(writeln!(
                std::io::stderr(),
                "logs are in {}",
                self.folder.display()
            ));
        }
    }
}

/// The port that the environment names, or a free one.
fn local(variable: &str) -> anyhow::Result<SocketAddr> {
    let port = match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .with_context(|| format!("${variable}={text}"))?,
        Err(_) => free_port()?,
    };
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// 256 random bits in hex.
fn random_text() -> String {
    format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    )
}
