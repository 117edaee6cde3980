//! Who plays: one entry per tool, with what it asks for, how fast and how much.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Where a tool is.
pub(crate) enum Installed {
    /// This program.
    At(PathBuf),
    /// On this machine nowhere.
    Nowhere,
}

/// One tool's run.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) installed: Installed,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Which sessions are its own, in the API's filter language.
    pub(crate) filter: String,
    /// Why it may never get as far as the filter.
    pub(crate) note: &'static str,
}

const WORDS: &[&str] = &[
    ".env",
    ".git/config",
    "wp-login.php",
    "wp-admin",
    "phpmyadmin",
    "admin",
    "administrator",
    "backup.zip",
    "backup.sql",
    "dump.sql",
    "config.json",
    "config.php.bak",
    "server-status",
    "actuator/env",
    "api/v1/users",
    "api/internal",
    "api/debug",
    "swagger-ui.html",
    "openapi.json",
    "graphiql",
    "console",
    "jenkins",
    ".aws/credentials",
    ".ssh/id_rsa",
    "id_rsa",
    "metrics",
    "manager/html",
    "solr",
    "cgi-bin/test.cgi",
    "api/admin",
    "login.action",
    "owa",
    "old",
    "test",
    "private",
    "tmp",
    "db",
    "robots.txt",
    "sitemap.xml",
    "healthz",
];

const SPIDER: &str = r#"
import scrapy

class Catalogue(scrapy.Spider):
    name = "catalogue"
    custom_settings = {
        "ROBOTSTXT_OBEY": False, "DOWNLOAD_DELAY": 0.15, "CONCURRENT_REQUESTS": 2,
        "CLOSESPIDER_PAGECOUNT": 150, "TELNETCONSOLE_ENABLED": False,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "*/*", "X-Forwarded-For": "ADDRESS"},
    }
    start_urls = ["TARGET/api/products?page=1"]

    def parse(self, response):
        page = response.json()
        for item in page.get("items", []):
            yield response.follow("/api/products/%s" % item["id"], callback=lambda _: None)
        if page.get("next"):
            yield response.follow(page["next"])
"#;
/// Somebody's list of stolen logins, tried with requests.
const STUFFER: &str = r#"
import time, requests
with requests.Session() as session:
    for n in range(60):
        login = {"email": "jane.doe%d@mail.example" % n, "password": "Summer2024!"}
        session.post("TARGET/api/login", json=login, headers={"X-Forwarded-For": "ADDRESS"})
        time.sleep(0.3)
"#;
/// Who is a customer? Asked with httpx.
const ASKER: &str = r#"
import time, httpx
with httpx.Client(headers={"X-Forwarded-For": "ADDRESS"}) as client:
    for n in range(60):
        client.post("TARGET/api/password-reset", json={"email": "mia.lind%d@web.example" % n})
        time.sleep(0.3)
"#;
/// Product after product in one browser profile.
const BROWSING: &str = r#"
for id in $(seq 1001 1030); do
    "$CHROMIUM" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir=chromium --dump-dom "TARGET/product/$id" > /dev/null 2>&1 || exit 1
done
"#;

/// Writes what the tools read: scripts, word lists, addresses.
pub(crate) fn files(target: &str, folder: &Path) -> anyhow::Result<()> {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).with_context(|| name.to_owned())
    };
    let users = (0..12).map(|n| format!("ann.berg{n}@mail.example\n"));
    let pages = (1001..1081).map(|id| format!("{target}/product/{id}\n"));
    write("words", &(WORDS.join("\n") + "\n"))?;
    write("users", &users.collect::<String>())?;
    write("passwords", "123456\npassword\nSummer2024!\nletmein\n")?;
    write("pages", &pages.collect::<String>())?;
    for (name, file, text) in [
        ("scrapy", "spider.py", SPIDER),
        ("requests", "stuffer.py", STUFFER),
        ("httpx", "asker.py", ASKER),
        ("chromium", "browsing.sh", BROWSING),
    ] {
        let text = text.replace("TARGET", target);
        write(file, &text.replace("ADDRESS", &address(name)))?;
    }
    Ok(())
}

/// All tools.
pub(crate) fn tools(target: &str) -> Vec<Tool> {
    let mut tools = scrapers(target);
    tools.extend(attackers(target));
    tools
}

fn scrapers(target: &str) -> Vec<Tool> {
    let curl = header("curl");
    let range = format!("{target}/api/products/[1001-1100]");
    let curl = [
        "-sS",
        "-o",
        "/dev/null",
        "--rate",
        "4/s",
        "-H",
        &curl,
        &range,
    ];
    let wget = format!("--header={}", header("wget"));
    let wget = ["-q", "--wait=0.3", "-P", "wget", &wget, "-i", "pages"];
    vec![
        tool("curl", "curl", &curl),
        tool("wget", "wget", &wget),
        tool("scrapy", "scrapy", &["runspider", "spider.py"]),
        tool("chromium", "bash", &["browsing.sh"]),
    ]
}

fn attackers(target: &str) -> Vec<Tool> {
    let (ffuf, fuzz) = (header("ffuf"), format!("{target}/FUZZ"));
    let ffuf = [
        "-u", &fuzz, "-w", "words", "-t", "1", "-p", "0.3", "-H", &ffuf, "-s",
    ];
    let gobuster = header("gobuster");
    let gobuster = [
        "dir", "-u", target, "-w", "words", "-t", "1", "--delay", "300ms", "-q", "-H", &gobuster,
    ];
    let port = target.rsplit(':').next().unwrap_or_default();
    let form = format!(
        r#"/api/login:{{"email"\:"^USER^","password"\:"^PASS^"}}:H=Content-Type\: application/json:H=X-Forwarded-For\: {}:F=error"#,
        address("hydra")
    );
    let hydra = [
        "-L",
        "users",
        "-P",
        "passwords",
        "-t",
        "1",
        "-W",
        "1",
        "-I",
        "-s",
        port,
        "127.0.0.1",
        "http-post-form",
        &form,
    ];
    vec![
        tool("requests", "python", &["stuffer.py"]),
        tool("httpx", "python", &["asker.py"]),
        tool("ffuf", "ffuf", &ffuf),
        tool("gobuster", "gobuster", &gobuster),
        tool("hydra", "hydra", &hydra),
    ]
}

fn header(name: &str) -> String {
    format!("X-Forwarded-For: {}", address(name))
}

/// From 198.51.100.0/24, by the tool's name.
fn address(name: &str) -> String {
    format!("198.51.100.{}", name.bytes().fold(0_u8, u8::wrapping_add))
}

/// A browser cannot be told to say where it comes from.
fn filter(name: &str) -> String {
    match name {
        "chromium" => "ip:127.0.0.1%20ua:HeadlessChrome".to_owned(),
        _ => format!("ip:{}", address(name)),
    }
}

fn tool(name: &'static str, program: &str, arguments: &[&str]) -> Tool {
    let bots = demo::repository().join(".tools/bots");
    let own = [bots.join("venv/bin"), bots.join("debian/usr/bin")];
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Python's tools only where setup-tools has put them, so that a bare python is not mistaken.
    let python = ["python", "scrapy"].contains(&program);
    let system = std::env::split_paths(&path).filter(|_| !python);
    let find = |program: &str| {
        let mut places = own.iter().cloned().chain(system);
        places.find_map(|place| Some(place.join(program)).filter(|file| file.is_file()))
    };
    let libraries = [
        "usr/lib",
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
    ];
    let libraries = libraries.map(|it| bots.join("debian").join(it).display().to_string());
    let mut environment = Vec::new();
    let mut installed = find(program).map_or(Installed::Nowhere, Installed::At);
    if name == "chromium" {
        let chromium = [
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome",
        ];
        match chromium.iter().find(|file| Path::new(file).is_file()) {
            Some(file) => environment.push(("CHROMIUM".to_owned(), (*file).to_owned())),
            None => installed = Installed::Nowhere,
        }
    } else if name == "hydra" {
        environment.push(("LD_LIBRARY_PATH".to_owned(), libraries.join(":")));
    }
    Tool {
        name,
        installed,
        arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
        environment,
        filter: filter(name),
        note: match name {
            "hydra" => "speaks HTTP/1.0, which Envoy answers with 426 before any filter",
            _ => "",
        },
    }
}
