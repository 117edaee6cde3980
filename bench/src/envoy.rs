//! An Envoy that answers by itself, with or without a Wasm filter.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use demo::{Process, free_port};
use serde_json::{Value, json};

/// A running Envoy with one worker; dropping it ends it.
pub(crate) struct Envoy {
    process: Process,
    pub(crate) ingress: SocketAddr,
}

/// A Wasm filter and its configuration.
pub(crate) struct Filter {
    pub(crate) file: PathBuf,
    pub(crate) configuration: String,
}

impl Envoy {
    pub(crate) async fn start(
        name: &'static str,
        filter: Option<&Filter>,
        aggregator: SocketAddr,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let ingress = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let file = folder.join(format!("{name}.json"));
        std::fs::write(&file, bootstrap(ingress, filter, aggregator).to_string())?;
        let mut process = Process::new(name, demo::envoy()?, folder)
            .arguments(["-c", &file.display().to_string()])
            .arguments([
                "--concurrency",
                "1",
                "--disable-hot-restart",
                "--log-level",
                "warning",
            ])
            .environment("THROUGHLINE_SESSION_SECRET", "a secret of the benchmark")
            .environment("THROUGHLINE_INGEST_TOKEN", "a-token-of-the-benchmark");
        process.start()?;
        let listens = || async move { tokio::net::TcpStream::connect(ingress).await.is_ok() };
        process.wait_ready(Duration::from_secs(30), listens).await?;
        Ok(Self { process, ingress })
    }

    /// CPU time used so far, user and system, microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<u64> {
        let id = self.process.id().context("Envoy does not run")?;
        // Nanoseconds on the CPU of each thread: `stat` has only hundredths of a second.
        let mut total_ns = 0;
        for task in std::fs::read_dir(format!("/proc/{id}/task"))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let first = text
                .split_whitespace()
                .next()
                .context("an empty schedstat")?;
            total_ns += first.parse::<u64>()?;
        }
        Ok(total_ns / 1_000)
    }
}

/// What a login answers.
const LOGIN: &str = r#"{"user":{"id":"u-1024","name":"Ann"},"token":"0f8fad5bd9cb469fa165708677289501","expires_in":3600}"#;

/// A header that a route sets on its answer.
fn header(key: &str, value: &str) -> Value {
    json!({
        "header": {"key": key, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"
    })
}

fn bootstrap(ingress: SocketAddr, filter: Option<&Filter>, aggregator: SocketAddr) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    });
    // Without it a direct response is sent before the request's body has come.
    let buffer = json!({
        "name": "envoy.filters.http.buffer",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
            "max_request_bytes": 65536
        }
    });
    let mut http_filters: Vec<Value> = filter.map(wasm).into_iter().collect();
    http_filters.extend([buffer, router]);
    let address = |at: SocketAddr| json!({"socket_address": {"address": at.ip().to_string(), "port_value": at.port()}});
    json!({
        "static_resources": {
            "listeners": [{
                "name": "ingress",
                "address": address(ingress),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                        "stat_prefix": "ingress",
                        "use_remote_address": true,
                        "route_config": {"virtual_hosts": [{
                            "name": "all", "domains": ["*"],
                            "routes": [
                                {
                                    "match": {"prefix": "/api/login/"},
                                    "direct_response": {"status": 200, "body": {"inline_string": LOGIN}},
                                    "response_headers_to_add": [
                                        header("content-type", "application/json"),
                                        header("set-cookie", "shop=7c9e66797425440de944be07fc1f90ae; HttpOnly")
                                    ]
                                },
                                {
                                    "match": {"prefix": "/"},
                                    "direct_response": {"status": 200, "body": {"inline_string": "{\"ok\":true}"}}
                                }
                            ]
                        }]},
                        "http_filters": http_filters
                    }
                }]}]
            }],
            "clusters": [{
                "name": "throughline", "type": "STATIC", "connect_timeout": "2s",
                "load_assignment": {"cluster_name": "throughline", "endpoints": [
                    {"lb_endpoints": [{"endpoint": {"address": address(aggregator)}}]}
                ]}
            }]
        }
    })
}

fn wasm(filter: &Filter) -> Value {
    json!({
        "name": "filter",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "filter", "root_id": "filter", "failure_policy": "FAIL_OPEN",
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": filter.file}},
                    "environment_variables": {"host_env_keys": ["THROUGHLINE_SESSION_SECRET", "THROUGHLINE_INGEST_TOKEN"]}
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": filter.configuration
                }
            }
        }
    })
}
