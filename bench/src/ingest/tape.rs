//! Real records to send again and again: the demo's traffic, as the filter writes it, in batches of 500
//! to 2,000, with other sessions and times in each round.

use std::sync::mpsc;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use stage::filter::{Filter, Policy};
use stage::play;
use stage::scene::Scene;

/// Records of the batches, in turn.
const SIZES: [usize; 4] = [500, 1_000, 1_500, 2_000];
/// What a digit of a session and of a time stands behind.
const SESSION: &[u8] = b"session\":\"";
const START: &[u8] = b"\"start_us\":";
/// Digits of a start, and those of a session that change with the round.
const START_LEN: usize = 16;
const ROUND_LEN: usize = 4;

/// The lines of a batch, and where in them sessions and times stand.
struct Cut {
    lines: Vec<u8>,
    records: u32,
    sessions: Vec<usize>,
    starts: Vec<(usize, i64)>,
}

/// Batches without their headers.
pub(crate) struct Tape {
    cuts: Vec<Cut>,
    /// Microseconds from the first record to the last: the next round begins there.
    span_us: i64,
    last_us: i64,
    pub(crate) records: u64,
    /// Mean number of fields and bytes of a record.
    pub(crate) fields: f64,
    pub(crate) line_bytes: f64,
}

/// Who sends.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) boot: u64,
    pub(crate) worker: u32,
    pub(crate) sequence: u64,
    /// Records sent before, all of them acknowledged.
    pub(crate) sent: u64,
}

impl Tape {
    /// Plays the demo's traffic through the filter until there are `records`.
    pub(crate) fn record(records: usize) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for seed in 301.. {
            if lines.len() >= records {
                break;
            }
            perform(seed, &mut lines)?;
        }
        lines.truncate(records);
        let mut fields = 0;
        let mut bytes = 0;
        for line in &lines {
            let value: Value = serde_json::from_slice(line)?;
            fields += value.as_object().map_or(0, serde_json::Map::len);
            bytes += line.len();
        }
        let count = lines.len() as f64;
        let mut tape = Self {
            cuts: Vec::new(),
            span_us: 0,
            last_us: 0,
            records: lines.len() as u64,
            fields: fields as f64 / count,
            line_bytes: bytes as f64 / count,
        };
        let mut rest = &lines[..];
        for size in SIZES.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            if now.is_empty() {
                break;
            }
            tape.cuts.push(Cut::of(now)?);
            rest = later;
        }
        let starts = tape.cuts.iter().flat_map(|cut| &cut.starts);
        let starts = starts.map(|(_, start)| *start);
        let first = starts.clone().min().context("no records")?;
        tape.last_us = starts.max().context("no records")?;
        tape.span_us = tape.last_us - first + 1;
        Ok(tape)
    }

    /// The batch with this number, its records counted; numbers go on for ever.
    pub(crate) fn batch(&self, number: usize, from: &Sender) -> (Vec<u8>, u32) {
        let round = number / self.cuts.len();
        let Some(cut) = self.cuts.get(number % self.cuts.len()) else {
            return (Vec::new(), 0);
        };
        let shift_us = self.span_us * i64::try_from(round).unwrap_or(0);
        let header = json!({
            "throughline": 1, "boot": format!("{:016x}", from.boot), "worker": from.worker,
            "sequence": from.sequence, "records": cut.records,
            "closed_us": self.last_us + shift_us, "capture_point": "gateway",
            "node": "bench", "policy_version": "bench", "filter_version": "bench",
            "ledger": {"seen": from.sent + u64::from(cut.records), "acknowledged": from.sent,
                "dropped": {"buffer_full": 0, "rejected": 0, "unwritable": 0}},
        });
        let mut body = header.to_string().into_bytes();
        body.push(b'\n');
        let begin = body.len();
        body.extend_from_slice(&cut.lines);
        let digits = format!("{:0ROUND_LEN$x}", round & 0xffff);
        let mut put = |at: usize, digits: &str| {
            if let Some(place) = body.get_mut(begin + at..begin + at + digits.len()) {
                place.copy_from_slice(digits.as_bytes());
            }
        };
        if round > 0 {
            for at in &cut.sessions {
                put(*at, &digits);
            }
            for (at, start) in &cut.starts {
                put(*at, &(start + shift_us).to_string());
            }
        }
        (body, cut.records)
    }
}

impl Cut {
    fn of(lines: &[Vec<u8>]) -> anyhow::Result<Self> {
        let mut cut = Self {
            lines: Vec::new(),
            records: u32::try_from(lines.len())?,
            sessions: Vec::new(),
            starts: Vec::new(),
        };
        for (index, line) in lines.iter().enumerate() {
            let old = line
                .iter()
                .position(|byte| *byte == b',')
                .context("a line of one field")?;
            let (_, rest) = line.split_at(old);
            let begin = cut.lines.len();
            cut.lines.extend(format!("{{\"index\":{index}").bytes());
            cut.lines.extend_from_slice(rest);
            let line = cut.lines.get(begin..).unwrap_or_default();
            let places = |what: &'static [u8]| {
                let found = line.windows(what.len()).enumerate();
                found
                    .filter(move |(_, it)| *it == what)
                    .map(move |(at, _)| at + what.len())
            };
            cut.sessions.extend(places(SESSION).map(|at| begin + at));
            let at = places(START).next().context("a record without a start")?;
            let digits = line.get(at..at + START_LEN).context("a short start")?;
            cut.starts
                .push((begin + at, std::str::from_utf8(digits)?.parse()?));
            cut.lines.push(b'\n');
        }
        Ok(cut)
    }
}

/// Adds the record lines of one scene.
fn perform(seed: u64, lines: &mut Vec<Vec<u8>>) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::sync_channel(4096);
    let scene = Scene::of(seed, 1.0);
    let playing = std::thread::spawn(move || play::play(&scene, sender).map(drop));
    let mut filter = Filter::new(seed, Policy::Complete)?;
    let before = lines.len();
    let mut take = |batches: Vec<Vec<u8>>| {
        for batch in batches {
            let all = batch.split(|byte| *byte == b'\n').skip(1);
            lines.extend(all.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
        }
    };
    for passing in receiver {
        take(filter.pass(passing)?);
    }
    take(filter.finish()?);
    playing
        .join()
        .map_err(|_| anyhow::anyhow!("playing failed"))??;
    ensure!(lines.len() > before, "scene {seed} has no records");
    Ok(())
}
