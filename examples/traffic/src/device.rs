//! A device: one user agent at one address, with its cookie, token, cache and connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::agents::{Agent, Kind};
use crate::client::{Over, Seat};
use crate::truth::RequestLine;
use crate::wire::{Lane, Outgoing, Received};

/// Connections a browser opens at once; more would cost the demo files and show nothing new.
const LANES: usize = 2;
const ETAGS_MAX: usize = 64;

/// A request as an actor asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    kind: Kind,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

/// What came back; status 0 when nothing did.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Bytes,
}

#[derive(Clone, Debug)]
struct Login {
    email: String,
    token: String,
    refresh: String,
}

/// See the module.
pub(crate) struct Device {
    seat: Arc<Seat>,
    pub(crate) agent: Agent,
    ip: IpAddr,
    h2: bool,
    sid: Option<String>,
    login: Option<Login>,
    /// The page that fetches, for `referer`.
    page: Option<String>,
    etags: HashMap<String, String>,
    lanes: Vec<Lane>,
}

/// A request ready to go, with its line in the truth but for time and status.
struct Ready {
    request: Outgoing,
    line: RequestLine,
}

pub(crate) fn get(path: impl Into<String>) -> Ask {
    Ask::new("GET", path.into(), None)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers build the value in place"
)]
pub(crate) fn post(path: impl Into<String>, body: Value) -> Ask {
    Ask::new("POST", path.into(), Some(body.clone()))
}

impl Ask {
    pub(crate) fn new(method: &'static str, path: String, body: Option<Value>) -> Self {
        let kind = Kind::Data;
        Self {
            method,
            path,
            kind,
            body,
            headers: Vec::new(),
        }
    }

    pub(crate) fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Answer {
    pub(crate) fn ok(&self) -> bool {
        (200..400).contains(&self.status)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The ids of the items of a list.
    pub(crate) fn ids(&self) -> Vec<u64> {
        let body = self.json();
        let items = body.get("items").and_then(Value::as_array);
        let id = |item: &Value| item.get("id").and_then(Value::as_u64);
        items.map_or(Vec::new(), |items| items.iter().filter_map(id).collect())
    }

    /// The address of the next page.
    pub(crate) fn next(&self) -> Option<String> {
        self.json()
            .get("next")
            .and_then(Value::as_str)
            .map(str::to_owned)
    }
}

impl Device {
    pub(crate) fn new(seat: Arc<Seat>, agent: Agent, ip: IpAddr, h2: bool) -> Self {
        Self {
            seat,
            agent,
            ip,
            h2,
            sid: None,
            login: None,
            page: None,
            etags: HashMap::new(),
            lanes: vec![Lane::new(h2)],
        }
    }

    /// Moves to another address, over a connection of its own.
    pub(crate) fn move_to(&mut self, ip: IpAddr) {
        self.ip = ip;
        self.lanes = vec![Lane::new(self.h2)];
    }

    /// Forgets cookie and cache, as a private window does, and the login.
    pub(crate) fn forget(&mut self) {
        self.sid = None;
        self.login = None;
        self.etags.clear();
    }

    pub(crate) fn logged_in(&self) -> bool {
        self.login.is_some()
    }

    /// Sends a request; renews the token and asks again where it had expired.
    pub(crate) async fn send(&mut self, ask: Ask) -> Result<Answer, Over> {
        let answer = self.once(ask.clone(), false).await?;
        let expired = answer.status == 401
            && answer.json().pointer("/error/code").and_then(Value::as_str)
                == Some("token_expired");
        if expired && self.renew().await? {
            return self.once(ask, true).await;
        }
        Ok(answer)
    }

    /// Sends several requests side by side; the answers come in the order of the requests.
    pub(crate) async fn burst(&mut self, asks: Vec<Ask>) -> Result<Vec<Answer>, Over> {
        while self.lanes.len() < LANES.min(asks.len()) {
            self.lanes.push(Lane::new(self.h2));
        }
        let mut queues: Vec<Vec<(usize, Ready)>> = self.lanes.iter().map(|_| Vec::new()).collect();
        let lanes = queues.len().max(1);
        let mut curtain = Ok(());
        for (n, ask) in asks.into_iter().enumerate() {
            match self.prepare(ask, false) {
                Ok(ready) => queues[n % lanes].push((n, ready)),
                Err(over) => {
                    curtain = Err(over);
                    break;
                }
            }
        }
        let seat = &self.seat;
        let runs = self
            .lanes
            .iter_mut()
            .zip(queues)
            .map(|(lane, queue)| async move {
                let mut done = Vec::new();
                for (n, ready) in queue {
                    let path = ready.line.path.clone();
                    done.push((n, path, exchange(seat, lane, ready).await));
                }
                done
            });
        let mut done: Vec<_> = join_all(runs).await.into_iter().flatten().collect();
        self.lanes.truncate(1);
        curtain?;
        done.sort_by_key(|(n, ..)| *n);
        Ok(done
            .into_iter()
            .map(|(_, path, received)| self.absorb(&path, received))
            .collect())
    }

    /// Opens a page; what it fetches afterwards names it as the referer.
    pub(crate) async fn navigate(&mut self, path: &str) -> Result<Answer, Over> {
        let answer = self.send(get(path).kind(Kind::Page)).await?;
        self.page = Some(path.to_owned());
        Ok(answer)
    }

    /// Changes the page without loading it, as a single-page application does.
    pub(crate) fn turn_to(&mut self, path: &str) {
        self.page = Some(path.to_owned());
    }

    /// Logs in; the status of the attempt.
    pub(crate) async fn login(&mut self, email: &str, password: &str) -> Result<u16, Over> {
        self.login = None;
        let body = json!({"email": email, "password": password});
        let answer = self.send(post("/api/login", body)).await?;
        if answer.status == 200 {
            self.seat.note_account(email);
            self.login = tokens(&answer, email);
        }
        Ok(answer.status)
    }

    pub(crate) async fn logout(&mut self) -> Result<(), Over> {
        self.send(post("/api/logout", json!({}))).await?;
        self.login = None;
        Ok(())
    }

    /// Trades the refresh token for a new pair; whether there is one.
    pub(crate) async fn renew(&mut self) -> Result<bool, Over> {
        let Some(login) = self.login.take() else {
            return Ok(false);
        };
        let body = json!({"refresh_token": login.refresh});
        let answer = self.once(post("/api/token/refresh", body), true).await?;
        if answer.status == 0 || answer.status >= 500 {
            // Nothing was traded: the old pair serves for another try, later.
            self.login = Some(login);
            return Ok(false);
        }
        self.login = tokens(&answer, &login.email);
        Ok(self.login.is_some())
    }

    async fn once(&mut self, ask: Ask, spare: bool) -> Result<Answer, Over> {
        let path = ask.path.clone();
        let ready = self.prepare(ask, spare)?;
        let received = exchange(&self.seat, &mut self.lanes[0], ready).await;
        Ok(self.absorb(&path, received))
    }

    fn prepare(&mut self, ask: Ask, spare: bool) -> Result<Ready, Over> {
        let world = &self.seat.world;
        world.admit()?;
        let host = &world.plan.host;
        let uri = if self.h2 {
            format!("http://{host}{}", ask.path)
        } else {
            ask.path.clone()
        };
        let (seq, request_id) = self.seat.next(spare, self.ip);
        let mut request = Request::builder().method(ask.method).uri(uri);
        if !self.h2 {
            request = request.header(header::HOST, host);
        }
        let referer = self
            .page
            .as_ref()
            .map(|page| format!("https://{host}{page}"));
        for (name, value) in self.agent.headers(ask.kind, ask.method, host, referer) {
            request = request.header(name, value);
        }
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let sid = self.sid.as_ref().filter(|_| self.agent.cookies);
        if let Some(sid) = sid {
            request = request.header(header::COOKIE, format!("sid={sid}"));
        }
        if let Some(login) = self.login.as_ref().filter(|_| ask.kind == Kind::Data) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", login.token));
        }
        if let Some(etag) = self.etags.get(&ask.path) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        // What the load balancer in front adds, alike for everyone.
        request = request
            .header("x-forwarded-for", self.ip.to_string())
            .header("x-forwarded-proto", "https")
            .header("x-request-id", &request_id);
        let body = ask
            .body
            .map_or(Bytes::new(), |body| body.to_string().into());
        // Actors make no header that HTTP cannot carry; if one did, the story would end here.
        let request = request.body(Full::new(body)).map_err(|_| Over)?;
        let login = self.login.as_ref().filter(|_| ask.kind == Kind::Data);
        let line = RequestLine {
            r#type: "request",
            client: self.seat.name.clone(),
            class: self.seat.actor.class.name(),
            actor: self.seat.actor.name,
            request_id,
            seq,
            start_us: 0,
            method: ask.method,
            path: ask.path,
            status: 0,
            ip: self.ip,
            user: login.map(|login| login.email.clone()),
            session_hint: hint(login, sid),
        };
        Ok(Ready { request, line })
    }

    fn absorb(&mut self, path: &str, received: Received) -> Answer {
        if self.agent.cookies
            && let Some(sid) = cookie(&received.headers)
        {
            self.sid = Some(sid);
        }
        let etag = received
            .headers
            .get(header::ETAG)
            .and_then(|etag| etag.to_str().ok());
        if let Some(etag) = etag.filter(|_| self.agent.caches && self.etags.len() < ETAGS_MAX) {
            self.etags.insert(path.to_owned(), etag.to_owned());
        }
        Answer {
            status: received.status,
            body: received.body,
        }
    }
}

/// Once begun, an exchange is never broken off from this side: what was sent is counted.
async fn exchange(seat: &Seat, lane: &mut Lane, ready: Ready) -> Received {
    let Ready { request, mut line } = ready;
    let world = &seat.world;
    line.start_us = world.now_us();
    let received = lane.exchange(world.dial.as_ref(), request).await;
    line.status = received.status;
    world.count(received.status);
    world.truth.write(&line);
    received
}

fn tokens(answer: &Answer, email: &str) -> Option<Login> {
    let body = answer.json();
    let text = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Login {
        email: email.to_owned(),
        token: text("token")?,
        refresh: text("refresh_token")?,
    })
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    cookies
        .filter_map(|cookie| cookie.to_str().ok()?.strip_prefix("sid="))
        .find_map(|rest| rest.split(';').next().map(str::to_owned))
}

fn hint(login: Option<&Login>, sid: Option<&String>) -> String {
    let short = |text: &str| -> String {
        let digest = Sha256::digest(text.as_bytes());
        digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    match (login, sid) {
        (Some(login), _) => format!("bearer:{}", short(&login.token)),
        (None, Some(sid)) => format!("sid:{}", short(sid)),
        (None, None) => "none".to_owned(),
    }
}
