//! User agents and the headers they send: browsers by family, apps, programs, and programs that
//! pretend to be browsers with more or less care. Header names and values follow what the
//! families send today; what a load balancer strips (`connection`, `te`) is left out.

use rand::{Rng, SeedableRng};

use crate::draw::{Dice, chance, pick, uuid};

/// What a request is for, as `sec-fetch-dest` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page opened in a tab.
    Page,
    /// A call of the API.
    Data,
    /// A script.
    Script,
    /// A style sheet.
    Style,
    /// A picture.
    Image,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// With the list of brands and the platform.
    Chromium {
        brands: String,
        platform: &'static str,
        mobile: bool,
    },
    Firefox,
    Safari,
    /// The same few headers for everything.
    Program(Vec<(&'static str, String)>),
}

/// A user agent.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    ua: String,
    shape: Shape,
    /// None where the client sends none.
    language: Option<&'static str>,
    /// Whether it keeps the session cookie.
    pub(crate) cookies: bool,
    /// Whether it keeps files and asks whether they have changed.
    pub(crate) caches: bool,
    /// What the application in it sends as `x-device-id` with its calls of the API.
    device_id: Option<String>,
}

type Headers = Vec<(&'static str, String)>;

const DEVICE: &str = "x-device-id";

const LANGUAGES: &[&str] = &[
    "en-US,en;q=0.9",
    "en-GB,en;q=0.9",
    "de-DE,de;q=0.9,en;q=0.8",
    "fr-FR,fr;q=0.9,en;q=0.8",
    "es-ES,es;q=0.9,en;q=0.8",
    "it-IT,it;q=0.9,en;q=0.8",
];
/// Versions in use at the same time; most people have one of the last.
const CHROME: &[u32] = &[136, 137, 138, 138, 139, 139, 140, 140, 140, 141, 141, 141];
const FIREFOX: &[u32] = &[128, 140, 142, 143, 143, 144, 144];
const SAFARI: &[&str] = &["17.6", "18.4", "18.5", "18.6", "26.0"];

/// A computer's browser.
pub(crate) fn desktop(dice: &mut Dice) -> Agent {
    match dice.random_range(0..10) {
        0..=4 => chrome(dice, "Google Chrome", ""),
        5 => {
            let version = pick(dice, CHROME);
            chrome_of(
                dice,
                version,
                "Microsoft Edge",
                &format!(" Edg/{version}.0.0.0"),
            )
        }
        6..=7 => firefox(dice),
        _ => safari(dice, "Macintosh; Intel Mac OS X 10_15_7", ""),
    }
}

/// A phone's browser.
pub(crate) fn phone(dice: &mut Dice) -> Agent {
    if chance(dice, 0.5) {
        let os = pick(dice, &["17_6_1", "18_5", "18_6"]);
        return safari(
            dice,
            &format!("iPhone; CPU iPhone OS {os} like Mac OS X"),
            " Mobile/15E148",
        );
    }
    let version = pick(dice, CHROME);
    let ua = format!(
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Mobile Safari/537.36"
    );
    let brands = brands(version, "Google Chrome");
    browser(
        ua,
        Shape::Chromium {
            brands,
            platform: "Android",
            mobile: true,
        },
        dice,
    )
}

/// The shop's own app, which names its device.
pub(crate) fn app(dice: &mut Dice) -> Agent {
    let version = pick(dice, &["5.2.0", "5.3.0", "5.3.1"]);
    let device = (DEVICE, uuid(dice));
    let app_version = ("x-app-version", version.to_owned());
    if chance(dice, 0.5) {
        let model = pick(
            dice,
            &["Pixel 8", "Pixel 9", "SM-S921B", "SM-A556B", "CPH2581"],
        );
        return program(
            format!("ExampleShop/{version} (Android 15; {model}) okhttp/4.12.0"),
            vec![
                ("accept", "application/json".into()),
                ("accept-encoding", "gzip".into()),
                app_version,
                device,
            ],
        );
    }
    let language = pick(dice, LANGUAGES);
    program(
        format!("ExampleShop/{version} CFNetwork/1568.300.101 Darwin/24.2.0"),
        vec![
            ("accept", "*/*".into()),
            ("accept-language", language.into()),
            ("accept-encoding", "gzip, deflate, br".into()),
            app_version,
            device,
        ],
    )
}

/// Programs by name; cookies only where the library keeps them by itself.
pub(crate) fn python(dice: &mut Dice) -> Agent {
    let version = pick(dice, &["2.31.0", "2.32.3", "2.32.5"]);
    program(
        format!("python-requests/{version}"),
        vec![
            ("accept-encoding", "gzip, deflate".into()),
            ("accept", "*/*".into()),
        ],
    )
}

pub(crate) fn go(_: &mut Dice) -> Agent {
    program(
        "Go-http-client/1.1".into(),
        vec![("accept-encoding", "gzip".into())],
    )
}

pub(crate) fn curl(dice: &mut Dice) -> Agent {
    let version = pick(dice, &["7.88.1", "8.5.0", "8.9.1", "8.14.1"]);
    program(format!("curl/{version}"), vec![("accept", "*/*".into())])
}

pub(crate) fn axios(dice: &mut Dice) -> Agent {
    let version = pick(dice, &["1.6.8", "1.7.7", "1.11.0"]);
    program(
        format!("axios/{version}"),
        vec![
            ("accept", "application/json, text/plain, */*".into()),
            ("accept-encoding", "gzip, compress, deflate, br".into()),
        ],
    )
}

pub(crate) fn scrapy(dice: &mut Dice) -> Agent {
    let version = pick(dice, &["2.11.2", "2.12.0", "2.13.3"]);
    let mut agent = program(
        format!("Scrapy/{version} (+https://scrapy.org)"),
        vec![
            (
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".into(),
            ),
            ("accept-language", "en".into()),
            ("accept-encoding", "gzip, deflate, br".into()),
        ],
    );
    agent.cookies = true;
    agent
}

/// A program under any other name.
pub(crate) fn named(ua: &str, accept: &str) -> Agent {
    program(
        ua.into(),
        vec![
            ("accept", accept.into()),
            ("accept-encoding", "gzip, deflate".into()),
        ],
    )
}

/// A program that copied only the user agent of a browser.
pub(crate) fn masked(dice: &mut Dice) -> Agent {
    let mut agent = python(dice);
    agent.ua = desktop(dice).ua;
    agent.cookies = chance(dice, 0.5);
    agent
}

/// A real engine without a window: nearly a browser. It sends no language unless told to, and
/// the careless ones keep the word in their name.
pub(crate) fn headless(dice: &mut Dice) -> Agent {
    let version = pick(dice, CHROME);
    let mut agent = chrome_of(dice, version, "HeadlessChrome", "");
    if chance(dice, 0.35) {
        agent.ua = agent.ua.replace("Chrome/", "HeadlessChrome/");
    } else {
        let (brands, platform) = (brands(version, "Google Chrome"), "Linux");
        agent.shape = Shape::Chromium {
            brands,
            platform,
            mobile: false,
        };
        agent.ua = agent
            .ua
            .replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64");
    }
    if chance(dice, 0.7) {
        agent.language = None;
    }
    agent
}

/// The browser that a company has on its machines: the same for everybody in a run.
pub(crate) fn company_browser(seed: u64) -> Agent {
    desktop(&mut shared(seed, "company"))
}

/// The app on one of many phones that were all bought and set up together: the same in a run, but
/// for the device's name.
pub(crate) fn fleet_app(seed: u64, dice: &mut Dice) -> Agent {
    app(&mut shared(seed, "fleet")).on_device(uuid(dice))
}

fn shared(seed: u64, what: &str) -> Dice {
    Dice::seed_from_u64(shop::mix::text(seed, what))
}

impl Agent {
    /// With an application that names its device in every call of the API.
    pub(crate) fn on_device(mut self, id: String) -> Self {
        if let Shape::Program(headers) = &mut self.shape {
            headers.retain(|(name, _)| *name != DEVICE);
        }
        self.device_id = Some(id);
        self
    }

    pub(crate) fn headers(
        &self,
        kind: Kind,
        method: &str,
        host: &str,
        referer: Option<String>,
    ) -> Headers {
        let mut headers = self.usual_headers(kind, method, host, referer);
        let device_id = self.device_id.iter().filter(|_| kind == Kind::Data);
        headers.extend(device_id.map(|id| (DEVICE, id.clone())));
        headers
    }

    fn usual_headers(
        &self,
        kind: Kind,
        method: &str,
        host: &str,
        referer: Option<String>,
    ) -> Headers {
        let mut headers = match &self.shape {
            Shape::Program(fixed) => {
                let mut headers = vec![("user-agent", self.ua.clone())];
                headers.extend(fixed.iter().cloned());
                return headers;
            }
            Shape::Chromium {
                brands,
                platform,
                mobile,
            } => vec![
                ("sec-ch-ua-platform", format!("\"{platform}\"")),
                ("user-agent", self.ua.clone()),
                ("sec-ch-ua", brands.clone()),
                ("sec-ch-ua-mobile", format!("?{}", u8::from(*mobile))),
            ],
            Shape::Firefox | Shape::Safari => vec![("user-agent", self.ua.clone())],
        };
        headers.push(("accept", self.accept(kind).to_owned()));
        if let Some(language) = self.language {
            headers.push(("accept-language", language.to_owned()));
        }
        let encoding = if self.shape == Shape::Safari {
            "gzip, deflate, br"
        } else {
            "gzip, deflate, br, zstd"
        };
        headers.push(("accept-encoding", encoding.to_owned()));
        if method != "GET" && kind == Kind::Data {
            headers.push(("origin", format!("https://{host}")));
        }
        self.fetch_metadata(kind, referer.is_some(), &mut headers);
        if let Some(referer) = referer {
            headers.push(("referer", referer));
        }
        headers
    }

    fn accept(&self, kind: Kind) -> &'static str {
        match (kind, &self.shape) {
            (Kind::Page, Shape::Chromium { .. }) => {
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
            }
            (Kind::Page, _) => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            (Kind::Style, _) => "text/css,*/*;q=0.1",
            (Kind::Image, Shape::Chromium { .. }) => {
                "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
            }
            (Kind::Image, Shape::Firefox) => {
                "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
            }
            (Kind::Image, _) => {
                "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
            }
            (Kind::Data | Kind::Script, _) => "*/*",
        }
    }

    fn fetch_metadata(&self, kind: Kind, inside: bool, headers: &mut Headers) {
        let (dest, mode) = match kind {
            Kind::Page => ("document", "navigate"),
            Kind::Data => ("empty", "cors"),
            Kind::Script => ("script", "no-cors"),
            Kind::Style => ("style", "no-cors"),
            Kind::Image => ("image", "no-cors"),
        };
        let page = kind == Kind::Page;
        let site = if page && !inside {
            "none"
        } else {
            "same-origin"
        };
        if page && self.shape != Shape::Safari {
            headers.push(("upgrade-insecure-requests", "1".to_owned()));
            headers.push(("sec-fetch-user", "?1".to_owned()));
        }
        headers.push(("sec-fetch-dest", dest.to_owned()));
        headers.push(("sec-fetch-mode", mode.to_owned()));
        headers.push(("sec-fetch-site", site.to_owned()));
        let priority = match kind {
            Kind::Page => "u=0, i",
            Kind::Data | Kind::Script => "u=1, i",
            Kind::Style => "u=0",
            Kind::Image => "u=5, i",
        };
        headers.push(("priority", priority.to_owned()));
    }
}

fn chrome(dice: &mut Dice, name: &str, suffix: &str) -> Agent {
    let version = pick(dice, CHROME);
    chrome_of(dice, version, name, suffix)
}

fn chrome_of(dice: &mut Dice, version: u32, name: &str, suffix: &str) -> Agent {
    let (os, platform) = pick(
        dice,
        &[
            ("Windows NT 10.0; Win64; x64", "Windows"),
            ("Windows NT 10.0; Win64; x64", "Windows"),
            ("Windows NT 10.0; Win64; x64", "Windows"),
            ("Macintosh; Intel Mac OS X 10_15_7", "macOS"),
            ("X11; Linux x86_64", "Linux"),
        ],
    );
    let ua = format!(
        "Mozilla/5.0 ({os}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36{suffix}"
    );
    let brands = brands(version, name);
    browser(
        ua,
        Shape::Chromium {
            brands,
            platform,
            mobile: false,
        },
        dice,
    )
}

fn brands(version: u32, name: &str) -> String {
    format!("\"Chromium\";v=\"{version}\", \"Not=A?Brand\";v=\"24\", \"{name}\";v=\"{version}\"")
}

fn firefox(dice: &mut Dice) -> Agent {
    let version = pick(dice, FIREFOX);
    let os = pick(
        dice,
        &[
            "Windows NT 10.0; Win64; x64",
            "Macintosh; Intel Mac OS X 10.15",
            "X11; Linux x86_64",
        ],
    );
    let ua = format!("Mozilla/5.0 ({os}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0");
    browser(ua, Shape::Firefox, dice)
}

fn safari(dice: &mut Dice, os: &str, mobile: &str) -> Agent {
    let version = pick(dice, SAFARI);
    let ua = format!(
        "Mozilla/5.0 ({os}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}{mobile} Safari/{}",
        if mobile.is_empty() {
            "605.1.15"
        } else {
            "604.1"
        }
    );
    browser(ua, Shape::Safari, dice)
}

fn browser(ua: String, shape: Shape, dice: &mut Dice) -> Agent {
    let language = Some(pick(dice, LANGUAGES));
    Agent {
        ua,
        shape,
        language,
        cookies: true,
        caches: true,
        device_id: None,
    }
}

fn program(ua: String, headers: Headers) -> Agent {
    Agent {
        ua,
        shape: Shape::Program(headers),
        language: None,
        cookies: false,
        caches: false,
        device_id: None,
    }
}
