//! `throughline tail [FILTER]`

use std::io::Write;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{ClientError, Place, plain, text, took, when};

/// What happens, as it comes.
#[derive(Debug, clap::Args)]
pub struct Tail {
    /// Filter, as docs/filters.md describes it: `app:shop status:5xx`.
    filter: Vec<String>,
    /// What is shown: requests, sessions, verdicts; several with commas.
    #[arg(long, default_value = "requests,verdicts")]
    kinds: String,
    /// End after so many.
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

/// An event in the making.
#[derive(Default)]
struct Event {
    name: String,
    data: String,
}

impl Tail {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let parameters = [
            ("q", Some(self.filter.join(" "))),
            ("kinds", Some(self.kinds.clone())),
        ];
        let http = self.place.http()?;
        let mut body = http.follow("/v1/live", &parameters).await?;
        let mut left = self.count.unwrap_or(u64::MAX);
        let (mut line, mut event) = (Vec::new(), Event::default());
        while let Some(Ok(frame)) = body.frame().await {
            for byte in frame.into_data().unwrap_or_default() {
                if byte != b'\n' {
                    line.push(byte);
                    continue;
                }
                let whole = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if !event.take(&whole) {
                    continue;
                }
                left -= u64::from(self.show(&std::mem::take(&mut event), out)?);
                if left == 0 {
                    return Ok(());
                }
            }
        }
        Err(ClientError::Strange(
            self.place.url.clone(),
            "the stream ended".into(),
        ))
    }

    /// Prints an event; whether it counts.
    fn show(&self, event: &Event, out: &mut dyn Write) -> Result<bool, ClientError> {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        let counts = matches!(event.name.as_str(), "request" | "session" | "verdict");
        let text = if self.place.json {
            json!({"event": event.name, "data": data}).to_string()
        } else {
            words(&event.name, &data)
        };
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(ClientError::Output)?;
        Ok(counts)
    }
}

impl Event {
    /// Takes a line of the stream; `true` when the event is complete.
    fn take(&mut self, line: &str) -> bool {
        if line.is_empty() {
            return !self.name.is_empty();
        }
        match line.split_once(": ") {
            Some(("event", name)) => name.clone_into(&mut self.name),
            Some(("data", data)) => data.clone_into(&mut self.data),
            _ => {}
        }
        false
    }
}

fn words(name: &str, data: &Value) -> String {
    let clean = |text: String| -> String {
        let letter = |it: char| if it.is_control() { '·' } else { it };
        text.chars().map(letter).collect()
    };
    let session: String = text(data, "/session").chars().take(12).collect();
    clean(match name {
        "request" => {
            let ms = json!({"ms": data["duration_us"].as_f64().unwrap_or(0.0) / 1000.0});
            format!(
                "{}  {session}  {:>3} {:>8}  {} {}{}",
                when(data, "/start"),
                text(data, "/status"),
                took(&ms, "/ms"),
                text(data, "/method"),
                text(data, "/host"),
                text(data, "/path"),
            )
        }
        "session" => format!(
            "{}  {session}  session of {}: {} requests",
            when(data, "/last"),
            text(data, "/application"),
            text(data, "/requests"),
        ),
        "verdict" => format!(
            "{}  {session}  BOT {} ({:.2}) {}",
            when(data, "/last"),
            text(data, "/bot_type"),
            data["confidence"].as_f64().unwrap_or(0.0),
            text(data, "/subject"),
        ),
        "lost" => format!(
            "… {} events were lost: this reader is too slow",
            text(data, "/events")
        ),
        other => format!("{other} {}", plain(data)),
    })
}
