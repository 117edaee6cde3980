//! What a user agent says it is. Anyone can say anything: a claim is something to hold the
//! behaviour against, never a proof.

use serde::{Deserialize, Serialize};

/// What the `user-agent` header claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// None seen, or hidden by an evaluation.
    #[default]
    Unknown,
    /// A web browser with a person in front of it.
    Browser,
    /// An application on a phone or desktop.
    App,
    /// An HTTP library or command-line tool.
    Tool,
    /// A crawler, monitor or feed reader that says so.
    Crawler,
    /// A security scanner or an automated browser that says so.
    Attack,
}

/// Words of scanners and of browsers under remote control.
const ATTACK: &[&str] = &[
    "sqlmap",
    "nikto",
    "nuclei",
    "nessus",
    "acunetix",
    "netsparker",
    "dirbuster",
    "gobuster",
    "ffuf",
    "wfuzz",
    "masscan",
    "zgrab",
    "wpscan",
    "hydra",
    "headlesschrome",
    "phantomjs",
    "openvas",
    "dirb",
    "arachni",
    "whatweb",
    "feroxbuster",
];
/// Words of clients that introduce themselves as machines.
const CRAWLER: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "feed",
    "monitor",
    "pingdom",
    "uptime",
    "check",
    "preview",
    "archiver",
    "validator",
    "fetcher",
    "reader",
    "facebookexternalhit",
    "rss",
    "scan",
    "index",
    "+http",
    "http://",
    "https://",
];
/// How libraries and tools begin.
const TOOL: &[&str] = &[
    "curl",
    "wget",
    "python",
    "java/",
    "go-http-client",
    "okhttp",
    "axios",
    "node",
    "ruby",
    "perl",
    "libwww",
    "lwp",
    "php",
    "apache-httpclient",
    "httpie",
    "scrapy",
    "aiohttp",
    "undici",
    "rest-client",
    "guzzle",
    "faraday",
    "requests",
    "reqwest",
    "dart",
    "postman",
    "grpc",
    "kube-probe",
    "elb-",
    "googlehc",
    "envoy",
    "prometheus",
    "sdk",
];

impl Claim {
    /// Reads a user agent.
    #[must_use]
    pub fn of(user_agent: &str) -> Self {
        let text = user_agent.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if text.trim().is_empty() || text == "-" {
            return Self::Unknown;
        }
        if has(ATTACK) {
            return Self::Attack;
        }
        let tool = TOOL.iter().any(|word| text.starts_with(word));
        if has(CRAWLER) && !tool {
            return Self::Crawler;
        }
        let browser = text.starts_with("mozilla/") || text.starts_with("opera/");
        let engine = [
            "applewebkit",
            "gecko/",
            "trident",
            "msie",
            "presto",
            "khtml",
        ];
        if browser && has(&engine) || text.starts_with("opera/") {
            return Self::Browser;
        }
        if tool || browser || has(TOOL) {
            return Self::Tool;
        }
        Self::App
    }
}

#[cfg(test)]
mod tests {
    use super::Claim;

    #[test]
    fn reads_claims() {
        for (text, expected) in [
            ("", Claim::Unknown),
            ("-", Claim::Unknown),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
                Claim::Browser,
            ),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                Claim::Crawler,
            ),
            ("curl/8.5.0", Claim::Tool),
            ("python-requests/2.32", Claim::Tool),
            ("ShopApp/4.2 (iPhone; iOS 17.5)", Claim::App),
            ("Mozilla/5.0 HeadlessChrome/120 AppleWebKit", Claim::Attack),
            ("sqlmap/1.8", Claim::Attack),
        ] {
            assert_eq!(Claim::of(text), expected, "{text}");
        }
    }
}
