//! `throughline serve`: puts the arrows together, and takes them apart again in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context as _;
use throughline_detection::Settings;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;

use crate::api::{App, IMPORTS_MAX, Live, QUERIES_MAX, REPLAYS_MAX, SharedKey, routes};
use crate::clock::Clock;
use crate::config::units::micros;
use crate::config::{ServeOptions, Tokens};
use crate::crawlers::{self, Inquiries, Question};
use crate::envoy_admin::{Envoys, watch};
use crate::evaluate::read_model;
use crate::export::Exports;
use crate::geo::Geo;
use crate::ledger::Books;
use crate::lock::DataLock;
use crate::log::{Budget, Disk, FileLog, Folder, Limits, Log};
use crate::metrics::Metrics;
use crate::policy::Policies;
use crate::sessions::Rules;
use crate::sql::Sql;
use crate::store::{
    Compacting, Compactor, Database, Health, Resources, Restored, Retention, Shared, Store,
    StoreParts, desk,
};
use crate::tokens::Gate;
use crate::verdicts::{Detecting, DetectionParts, Snapshot, Status};
use crate::{server, shutdown};

/// What is asked about crawlers, and where the questions come out.
type Crawlers = (Arc<Inquiries>, Receiver<Question>);

/// A service that is ready to answer, without a socket yet.
pub struct Service {
    /// What the endpoints work with.
    pub app: Arc<App>,
    log: Arc<FileLog>,
    detecting: Detecting,
    store: Store,
    compactor: Compactor,
    crawlers: Option<Crawlers>,
    _lock: DataLock,
}

impl Service {
    /// Opens the data folder, finds out where the last run ended, and starts the threads.
    ///
    /// `disk` is where segments are written; [`Service::open`] takes the data folder.
    ///
    /// # Errors
    /// When the folder is in use or cannot be read, in words for the operator.
    pub fn open_on(
        options: &ServeOptions,
        tokens: Tokens,
        clock: Arc<dyn Clock>,
        disk: Box<dyn Disk>,
    ) -> anyhow::Result<Self> {
        let data = &options.data;
        std::fs::create_dir_all(data)
            .with_context(|| format!("cannot make the data folder {}", data.display()))?;
        let lock = DataLock::take(data)?;
        let session_secret = tokens.session_secret.clone();
        let gate = Gate::open(data, tokens, clock.now_us())?;
        let policies = Policies::open(data, options.policy_file.as_deref())?;
        let (metrics, geo) = (Arc::new(Metrics::default()), open_geo(options)?);
        let database = Arc::new(open_database(options, geo.clone())?);
        let mut restored = Store::restore(&database).context("cannot read the database")?;
        let log = Arc::new(open_log(options, disk, &restored, &metrics)?);
        let workers = std::mem::take(&mut restored.workers);
        let books = Arc::new(Books::new(workers, restored.forgotten));
        let envoys = Arc::new(last_readings(options, &restored));
        let parts = StoreParts {
            database: Arc::clone(&database),
            log: Arc::clone(&log) as Arc<dyn Log>,
            books: Arc::clone(&books),
            envoys: Arc::clone(&envoys),
            outbox: Arc::default(),
            documents: Arc::new(desk::documents(&database).context("cannot read the database")?),
            rules: rules(options),
            segment_records: options.segment_records,
            health: Arc::new(Health::at(&restored)),
            metrics: Arc::clone(&metrics),
        };
        let (health, outbox) = (Arc::clone(&parts.health), Arc::clone(&parts.outbox));
        outbox.begin(restored.verdicts);
        // Before the store, which would have the log delete what detection still needs.
        let (detecting, detection, crawlers) = start_detection(options, &parts, geo)?;
        let (compactor, segments) = start_compactor(options, &parts, &clock)?;
        let store = Store::start(parts, restored).context("cannot start the store")?;
        let app = Arc::new(App {
            gate,
            log: Arc::clone(&log) as Arc<dyn Log>,
            budget: Budget::new(options.max_queue_bytes),
            max_batch_bytes: options.max_batch_bytes,
            sql: start_sql(options, &database)?,
            database,
            queries: Arc::new(Semaphore::new(QUERIES_MAX)),
            replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
            live: Live::default(),
            exports: Exports::default(),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
            session_secret,
            query_timeout: options.query_timeout,
            segments,
            errands: compactor.errands(),
            books,
            envoys,
            health,
            metrics,
            started_us: clock.now_us(),
            clock,
            worker_timeout: options.worker_timeout,
            closing: AtomicBool::new(false),
            policies: Arc::new(policies),
            detection,
            outbox,
            announced: tokio::sync::Mutex::default(),
            shared_key: shared_key(options),
        });
        Ok(Self {
            app,
            log,
            detecting,
            store,
            compactor,
            crawlers: Some(crawlers),
            _lock: lock,
        })
    }

    /// [`Service::open_on`] the data folder itself.
    ///
    /// # Errors
    /// When the folder is in use or cannot be read, in words for the operator.
    pub fn open(
        options: &ServeOptions,
        tokens: Tokens,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let disk = Box::new(Folder(options.data.join("log")));
        Self::open_on(options, tokens, clock, disk)
    }

    /// Has DNS asked, in the background of the runtime that calls it, whether crawlers are who they say;
    /// these servers, or the system's. Nothing is asked before.
    pub fn verify_crawlers(&mut self, servers: &[SocketAddr]) {
        if let Some((inquiries, questions)) = self.crawlers.take() {
            let app = Arc::downgrade(&self.app);
            drop(tokio::spawn(crawlers::verify(
                app,
                inquiries,
                questions,
                servers.to_vec(),
            )));
        }
    }

    /// Stores what was acknowledged, unless it would take long, and closes everything; `false` when the database could
    /// not be written. The log keeps the rest for the next start. Blocks.
    #[must_use]
    pub fn close(self) -> bool {
        self.log.close();
        self.compactor.stop();
        self.detecting.join();
        self.store.join()
    }
}

fn limits(options: &ServeOptions) -> Limits {
    Limits {
        segment_len: options.segment_bytes,
        backlog_max: options.max_log_backlog,
        free_min: options.min_free_disk,
    }
}

fn open_database(options: &ServeOptions, geo: Option<Arc<Geo>>) -> anyhow::Result<Database> {
    let file = options.data.join("hot.duckdb");
    let resources = Resources::of(options.duckdb_memory);
    let threads = options.duckdb_threads.map(usize::from);
    let resources = Resources {
        threads: threads.unwrap_or(resources.threads),
        ..resources
    };
    Database::open_with(&file, resources, geo)
        .with_context(|| format!("cannot open {}", file.display()))
}

fn open_log(
    options: &ServeOptions,
    disk: Box<dyn Disk>,
    restored: &Restored,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<FileLog> {
    let folder = options.data.join("log");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::File::open(&options.data)?.sync_all())
        .context("cannot make the log's folder")?;
    FileLog::open(
        &folder,
        disk,
        limits(options),
        restored.position,
        restored.windows.clone(),
        Arc::clone(metrics),
    )
    .context("cannot open the log")
}

/// From how many addresses or users on a key is no one person's.
fn shared_key(options: &ServeOptions) -> SharedKey {
    SharedKey {
        ips: options.shared_key_ips,
        users: options.shared_key_users,
    }
}

fn open_geo(options: &ServeOptions) -> anyhow::Result<Option<Arc<Geo>>> {
    if options.geo.is_empty() {
        return Ok(None);
    }
    let geo = Geo::open(&options.geo).context("--geo")?;
    Ok(Some(Arc::new(geo)))
}

fn start_detection(
    options: &ServeOptions,
    store: &StoreParts,
    geo: Option<Arc<Geo>>,
) -> anyhow::Result<(Detecting, Arc<Status>, Crawlers)> {
    let status = Arc::<Status>::default();
    let model = options.model.as_deref().map(read_model).transpose()?;
    let (inquiries, questions) = Inquiries::new(Arc::clone(&store.metrics));
    let parts = DetectionParts {
        log: Arc::clone(&store.log),
        database: Arc::clone(&store.database),
        health: Arc::clone(&store.health),
        outbox: Arc::clone(&store.outbox),
        status: Arc::clone(&status),
        metrics: Arc::clone(&store.metrics),
        snapshot: Snapshot::in_folder(&options.data.join("detection"))
            .context("cannot make the folder of detection's state")?,
        snapshot_time: options.detection_snapshot,
        settings: Settings {
            sessions_max: options.detection_sessions,
            sources_max: options.detection_sources,
            ..Settings::default()
        },
        model: model.map(Arc::new),
        geo,
        inquiries: Some(Arc::clone(&inquiries)),
    };
    let detecting = Detecting::start(parts).context("cannot start detection")?;
    Ok((detecting, status, (inquiries, questions)))
}

/// Envoys as they were when they were last read.
fn last_readings(options: &ServeOptions, restored: &Restored) -> Envoys {
    let read = |json: &String| serde_json::from_str(json).ok();
    let kept = restored.envoys.iter().filter_map(read);
    Envoys::new(&options.envoy_admin, kept.collect())
}

fn start_compactor(
    options: &ServeOptions,
    store: &StoreParts,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Compactor, Arc<Shared>)> {
    let standing = Arc::<Shared>::default();
    let parts = Compacting {
        database: Arc::clone(&store.database),
        log: Arc::clone(&store.log),
        health: Arc::clone(&store.health),
        documents: Arc::clone(&store.documents),
        clock: Arc::clone(clock),
        retention: retention(options),
        data: options.data.clone(),
        standing: Arc::clone(&standing),
    };
    let compactor = Compactor::start(parts).context("cannot start the compactor")?;
    Ok((compactor, standing))
}

fn retention(options: &ServeOptions) -> Retention {
    Retention {
        age: options.retention,
        applications: options.retention_application.iter().cloned().collect(),
        budget: options.disk_budget,
        samples: options.samples.clone(),
        segment_records: options.segment_records,
        segment_age: options.segment_age,
        merged: options.segment_merge,
    }
}

fn start_sql(options: &ServeOptions, database: &Arc<Database>) -> anyhow::Result<Sql> {
    Sql::new(Arc::clone(database), options.query_timeout).context("cannot clear the folder of SQL")
}

fn rules(options: &ServeOptions) -> Rules {
    Rules {
        idle_us: micros(options.idle_timeout),
        longest_us: micros(options.longest_visit),
        open_max: options.max_open_visits,
    }
}

/// Between two looks at the policy file: with the filters' heartbeats, 1 s, a change takes 2 s.
const POLICY_LOOK: Duration = Duration::from_millis(500);

async fn watch_policy(app: Arc<App>) {
    loop {
        tokio::time::sleep(POLICY_LOOK).await;
        let policies = Arc::clone(&app.policies);
        if let Err(error) = tokio::task::spawn_blocking(move || policies.look()).await {
            tracing::error!(%error, "cannot look at the policy file");
        }
        app.announce_profiles().await;
    }
}

/// Serves until the process is asked to end; what was acknowledged is in the database or the log then.
///
/// # Errors
/// What keeps the service from starting, in words for the operator.
pub async fn serve(
    options: ServeOptions,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<()> {
    server::allow_descriptors();
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener
        .local_addr()
        .context("the listening socket has no address")?;
    let opening = options.clone();
    let own_clock = Arc::clone(&clock);
    let mut service =
        tokio::task::spawn_blocking(move || Service::open(&opening, tokens, own_clock)).await??;
    service.verify_crawlers(&options.dns);
    let app = Arc::clone(&service.app);
    for target in options.envoy_admin {
        drop(tokio::spawn(watch(
            target,
            Arc::clone(&app.envoys),
            Arc::clone(&clock),
        )));
    }
    drop(tokio::spawn(watch_policy(Arc::clone(&app))));
    let end = async {
        match shutdown::requested().await {
            Ok(signal) => tracing::info!(signal, "shutting down"),
            Err(error) => tracing::error!(%error, "cannot listen for signals"),
        }
        app.close();
    };
    tracing::info!(url = format!("http://{address}"), data = %options.data.display(), "listening");
    server::run(listener, routes(&app), end).await;
    if tokio::task::spawn_blocking(move || service.close()).await? {
        tracing::info!(
            "stopped; what was acknowledged is in the database, or in the log for the next start"
        );
    } else {
        tracing::warn!("stopped; the log keeps what could not be stored");
    }
    Ok(())
}
