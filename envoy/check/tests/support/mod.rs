//! A real Envoy with a small API and a listening ear behind it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use manifests::document::documents;
use manifests::{root, skipped};
use serde_json::{Value, json};

/// How long a condition may take on a busy machine.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(30);

/// The secrets in Envoy's environment.
pub(crate) const SECRETS: [(&str, &str); 2] = [
    (
        "THROUGHLINE_SESSION_SECRET",
        "a-session-secret-of-the-tests",
    ),
    ("THROUGHLINE_INGEST_TOKEN", "an-ingest-token-of-the-tests"),
];

/// Envoy and the filter, or none with a word of why.
pub(crate) fn programs() -> Option<(PathBuf, PathBuf)> {
    let envoy = root().join(".tools/envoy/envoy");
    let filter = root().join("target/filter/throughline.wasm");
    if envoy.exists() && filter.exists() {
        return Some((envoy, filter.canonicalize().unwrap()));
    }
    skipped("needs Envoy and the filter; `make setup` puts them in place");
    None
}

/// The first document of a file.
pub(crate) fn read(file: &str) -> Value {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    documents(&text).unwrap().remove(0)
}

/// What stands at `pointer`, to be changed.
pub(crate) fn at<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Value {
    let found = value.pointer_mut(pointer);
    found.unwrap_or_else(|| panic!("nothing at {pointer}"))
}

/// The connection manager of a bootstrap's only listener.
pub(crate) const MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// The filter's plugin configuration in Envoy's own form.
pub(crate) fn plugin(bootstrap: &mut Value) -> &mut Value {
    at(
        bootstrap,
        &format!("{MANAGER}/http_filters/0/typed_config/config"),
    )
}

/// A running Envoy; ends when dropped.
pub(crate) struct Envoy {
    child: Child,
    folder: tempfile::TempDir,
    /// Where its listener listens.
    pub(crate) address: SocketAddr,
}

impl Envoy {
    /// Starts Envoy with `bootstrap`, on free ports, with the first cluster at `api` and the second
    /// at `aggregator`.
    pub(crate) fn start(
        mut bootstrap: Value,
        api: SocketAddr,
        aggregator: SocketAddr,
    ) -> Option<Self> {
        let (envoy, filter) = programs()?;
        let folder = tempfile::tempdir().unwrap();
        for pointer in ["/admin/address", "/static_resources/listeners/0/address"] {
            *at(&mut bootstrap, pointer) = place(SocketAddr::from(([127, 0, 0, 1], 0)));
        }
        for (index, address) in [api, aggregator].into_iter().enumerate() {
            let pointer = format!(
                "/static_resources/clusters/{index}/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address"
            );
            *at(&mut bootstrap, &pointer) = place(address);
        }
        *at(plugin(&mut bootstrap), "/vm_config/code/local/filename") = json!(filter);
        let config = folder.path().join("envoy.json");
        std::fs::write(&config, bootstrap.to_string()).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(envoy)
            .arg("--config-path")
            .arg(config)
            .args([
                "--concurrency",
                "1",
                "--use-dynamic-base-id",
                "--admin-address-path",
            ])
            .arg(folder.path().join("admin"))
            .envs(SECRETS)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut started = Self {
            child,
            folder,
            address,
        };
        started.address = started.wait_for_listener();
        Some(started)
    }

    /// The end of Envoy's log so far; it begins with a long list of what Envoy can do.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn wait_for_listener(&mut self) -> SocketAddr {
        let end = Instant::now() + TIME_MAX;
        while Instant::now() < end {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "Envoy ended: {}", self.log());
            let admin = std::fs::read_to_string(self.folder.path().join("admin"));
            if let Some(address) = admin.ok().and_then(|admin| listener(&admin)) {
                return address;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Envoy does not listen: {}", self.log())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn listener(admin: &str) -> Option<SocketAddr> {
    let url = format!("http://{admin}/listeners?format=json");
    let listeners: Value = serde_json::from_str(&curl(&[&url])).ok()?;
    let socket = listeners.pointer("/listener_statuses/0/local_address/socket_address")?;
    let port = u16::try_from(socket.get("port_value")?.as_u64()?).ok()?;
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

fn place(address: SocketAddr) -> Value {
    let (address, port) = (address.ip().to_string(), address.port());
    json!({"socket_address": {"address": address, "port_value": port}})
}

/// What curl prints; empty when nobody answers.
pub(crate) fn curl(arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--insecure",
        "--noproxy",
        "*",
        "--max-time",
        "10",
    ]);
    let output = command.args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Answers each request with its own head as the body.
pub(crate) fn echo() -> SocketAddr {
    serve(|head, _| {
        let length = head.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{head}")
    })
}

/// Refuses each call, and hands out what came.
pub(crate) fn ear() -> (SocketAddr, Receiver<(String, Vec<u8>)>) {
    let (sender, calls) = channel();
    let address = serve(move |head, body| {
        drop(sender.send((head.to_owned(), body)));
        "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
    });
    (address, calls)
}

/// Takes each batch as the aggregator does, and hands out its records.
pub(crate) fn taker() -> (SocketAddr, Receiver<Value>) {
    let (sender, records) = channel();
    let address = serve(move |_, body| {
        let body = String::from_utf8(body).unwrap();
        let mut lines = body.lines().map(|line| serde_json::from_str(line).unwrap());
        let header: Value = lines.next().unwrap();
        lines.for_each(|record| drop(sender.send(record)));
        let reply = json!({"acknowledged": header["sequence"], "duplicate": false}).to_string();
        let length = reply.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{reply}")
    });
    (address, records)
}

fn serve(mut answer: impl FnMut(&str, Vec<u8>) -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if let Some((head, body)) = request(&stream) {
                drop((&stream).write_all(answer(&head, body).as_bytes()));
            }
        }
    });
    address
}

/// Head and body of a request that tells its length.
fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// A key and a certificate of its own, made by openssl; none with a word of why where it is absent.
pub(crate) fn certificate(folder: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    let (certificate, key) = (file("crt"), file("key"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", &format!("/CN={name}"), "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status();
    if made.is_ok_and(|status| status.success()) {
        return Some((certificate, key));
    }
    skipped("needs openssl");
    None
}
