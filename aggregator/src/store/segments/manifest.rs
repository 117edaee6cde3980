//! Which closed segments there are: a table of the hot file, so that it changes in the same
//! transaction as the rows that leave it, and the views over both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use duckdb::types::{Type, Value};
use duckdb::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::layout::{ALL, From, HOT_RECORDS, Kind, shapes, unpacked};
use super::merge;
use crate::filters::{Needs, Told};
use crate::quoted::quoted_path;
use crate::store::commit::time;
use crate::store::database::{SCHEMA_VERSION, StoreError};
use crate::store::thread::is_fatal;

/// Views that need nothing but the records and parts.
pub(crate) const VIEWS: &str = include_str!("../views.sql");
/// Name of the file with which other programs read the segments, beside them.
const OUTSIDE: &str = "views.sql";

/// A stretch of the log in files of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Position after its last record; names it.
    pub(super) end: u64,
    /// Raised each time that it is written anew without some of its rows, and more than that.
    pub(super) rewrite: u32,
    /// Schema version that its files have; of a merged segment that was written anew, its records.
    pub(super) version: i64,
    /// Arrival of its first and its last record, microseconds since the Unix epoch.
    pub(super) arrived_us: (i64, i64),
    /// Records in it.
    pub(super) records: u64,
    /// Kinds that it has a file of.
    pub(super) kinds: Vec<String>,
    /// Bytes of all its files, and of those that are no summaries.
    pub(super) bytes: u64,
    pub(super) detail_bytes: u64,
    /// Its records went before their time, and the summaries stayed.
    pub(super) trimmed: bool,
    /// Records that were left out of it, because only a share of their path's are kept.
    pub(super) sampled_out: u64,
    /// JSON: what its shapes have in columns with few values.
    pub(super) told: String,
    /// Applications whose records are in it because it is not their time yet: without any, it only
    /// holds what is pinned.
    pub(super) applications: Vec<String>,
    /// Whose files its records are in, where it was merged of several; else it has one of its own.
    pub(super) parts: Vec<Part>,
}

/// One of the segments that a segment was merged of: it has the file of its records still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) rewrite: u32,
    #[serde(flatten)]
    pub(super) stretch: Stretch,
}

/// The folder of the closed segments.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    turn: Mutex<()>,
    stretches: Mutex<Stretches>,
    /// Files of segments that were cut, or gone, when views were made last.
    cut: Mutex<BTreeSet<PathBuf>>,
    /// The last number that a segment was given as it was begun, since the start.
    begun: AtomicU32,
}

/// The segments by their end, as of the last time that views were made: one stretch of each, or as many as it was
/// merged of.
type Stretches = BTreeMap<(u64, u32), Vec<Stretch>>;

/// What is known of a segment without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) end: u64,
    /// Start of its first and of its last record, microseconds since the Unix epoch, where the file that
    /// says so is there.
    pub(super) starts_us: Option<Times>,
    pub(super) records: u64,
    pub(super) told: Told,
}

/// What closed segments have of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// Records in segments that reach into it: there are no more.
    pub most: u64,
    /// Records that are in it, about.
    pub about: u64,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Mutex::default(),
            stretches: Mutex::default(),
            cut: Mutex::default(),
            begun: AtomicU32::new(0),
        }
    }

    /// Whether a file of a segment is there, and was not cut.
    pub(super) fn is_there(&self, path: &Path) -> bool {
        path.is_file() && !self.cut().contains(path)
    }

    fn cut(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stretches(&self) -> MutexGuard<'_, Stretches> {
        self.stretches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// All records below the result started before `since_us`: what is about later ones need not
    /// look there.
    pub(crate) fn position_since(&self, since_us: i64) -> u64 {
        let stretches = self.stretches();
        let before = stretches
            .values()
            .flatten()
            .take_while(|stretch| stretch.starts_us.is_some_and(|it| it.1 < since_us));
        before.last().map_or(0, |stretch| stretch.end)
    }

    /// Whether `may` holds for a stretch of `segment`. Of whom nothing is known, it may.
    fn any(&self, segment: &Segment, may: impl Fn(&Stretch) -> bool) -> bool {
        let stretches = self.stretches();
        let known = stretches.get(&(segment.end, segment.rewrite));
        known.is_none_or(|known| known.iter().any(may))
    }

    /// Whether `segment` may have records that started between these times.
    pub(super) fn overlaps(&self, segment: &Segment, times: Times) -> bool {
        self.any(segment, |stretch| stretch.reaches(times))
    }

    /// Whether `segment` may have what is needed.
    pub(super) fn may_have(&self, segment: &Segment, needs: &Needs) -> bool {
        self.any(segment, |stretch| needs.may_be_in(&stretch.told))
    }

    /// As what `segment` can be a part of another.
    pub(super) fn part(&self, segment: &Segment) -> Option<Part> {
        let stretches = self.stretches();
        let own = stretches.get(&(segment.end, segment.rewrite))?;
        let [stretch] = own.as_slice() else {
            return None;
        };
        Some(Part {
            rewrite: segment.rewrite,
            stretch: stretch.clone(),
        })
    }

    /// Where the last of the segments that begin before `at_us` and may have what is needed begins;
    /// forwards, where the first that ends after it ends.
    pub(super) fn next_with(&self, needs: &Needs, at_us: i64, backwards: bool) -> Option<i64> {
        let stretches = self.stretches();
        let all = stretches.values().flatten();
        let may_have = all.filter(|it| needs.may_be_in(&it.told));
        let starts_us = may_have.filter_map(|it| it.starts_us);
        if backwards {
            starts_us.map(|it| it.0).filter(|it| *it < at_us).max()
        } else {
            starts_us.map(|it| it.1).filter(|it| *it > at_us).min()
        }
    }

    /// What closed segments have between these times.
    pub(crate) fn within(&self, from_us: i64, to_us: i64) -> Within {
        let stretches = self.stretches();
        let all = stretches.values().flatten();
        let mut within = Within { most: 0, about: 0 };
        for stretch in all.filter(|it| it.reaches((from_us, to_us))) {
            within.most += stretch.records;
            within.about += stretch.between(from_us, to_us);
        }
        within
    }

    /// Keeps what is known of `segments`, and reads when those began that are new: from the footers of
    /// files, so that it is quick.
    fn know(&self, connection: &Connection, segments: &[Segment]) -> Result<(), StoreError> {
        let kind = ALL.iter().find(|kind| kind.name == "visit_parts");
        let mut stretches = Stretches::new();
        for segment in segments {
            let name = (segment.end, segment.rewrite);
            if !segment.parts.is_empty() {
                let parts = segment.parts.iter().map(|it| it.stretch.clone());
                stretches.insert(name, parts.collect());
                continue;
            }
            let known = self.stretches().get(&name).cloned();
            let known = known.and_then(|it| it.first()?.starts_us);
            let file = kind.filter(|kind| segment.has(kind));
            let file = file.and_then(|kind| self.there(segment, kind, ALWAYS));
            let starts_us = match (known, file) {
                (None, Some(path)) => starts_us(connection, &path)?,
                (known, _) => known,
            };
            let stretch = Stretch {
                end: segment.end,
                starts_us,
                records: segment.records,
                told: serde_json::from_str(&segment.told).unwrap_or_default(),
            };
            stretches.insert(name, vec![stretch]);
        }
        *self.stretches() = stretches;
        Ok(())
    }

    /// Whoever changes the sums of sessions, or which segments there are, has the turn: two such
    /// transactions at once would conflict.
    pub(in crate::store) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a segment looks like before anything was written. No two have the same name: they may be written at
    /// the same time, and DuckDB remembers what it read of files by their names.
    pub(super) fn begin(&self, end: u64, rewrite: u32) -> Segment {
        let begun = |last: u32| Some(rewrite.max(last.saturating_add(1)));
        let order = Ordering::Relaxed;
        let last = self.begun.fetch_update(order, order, begun);
        let last = last.unwrap_or_else(|last| last);
        Segment::new(end, rewrite.max(last.saturating_add(1)))
    }

    /// Takes away what was written of a segment of which nobody will hear, where `done` says so. What
    /// DuckDB did last before it refuses all work is known after the next start only, which sweeps.
    pub(super) fn or_discard<T>(
        &self,
        segment: &Segment,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = &done
            && !is_fatal(error)
        {
            self.discard(segment);
        }
        done
    }

    /// Takes away what was written of a segment of which nobody will hear.
    pub(super) fn discard(&self, segment: &Segment) {
        let own = |part: &&Part| part.rewrite == segment.rewrite;
        let parts = segment.parts.iter().filter(own);
        let parts = parts.map(|part| self.path.join(part.file()));
        for path in ALL.iter().map(|kind| self.path(segment, kind)).chain(parts) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "cannot delete a file; the next start tries again");
                }
                _ => {}
            }
        }
    }

    /// Where the file of a kind is written.
    pub(super) fn path(&self, segment: &Segment, kind: &Kind) -> PathBuf {
        self.path
            .join(file_name(segment.end, segment.rewrite, kind.name))
    }

    /// The paths of its files of `kind` as SQL has them, as far as the files are there, and may have records
    /// that started between these times.
    pub(super) fn there(&self, segment: &Segment, kind: &Kind, times: Times) -> Option<String> {
        let files = segment.files(kind, times).map(|name| self.path.join(name));
        let there = files.filter(|path| self.is_there(path));
        let paths: Vec<_> = there.map(|path| quoted_path(&path)).collect();
        (!paths.is_empty()).then(|| paths.join(", "))
    }

    /// Its rows of `kind`, a source for FROM, where a file is there.
    pub(super) fn source(&self, segment: &Segment, kind: &Kind) -> Option<String> {
        let files = self.there(segment, kind, ALWAYS)?;
        let files = format!("read_parquet([{files}])");
        Some(unpacked(kind, segment.version, &files))
    }

    /// The paths of all its files.
    pub(super) fn paths(&self, segment: &Segment) -> Vec<PathBuf> {
        let names = ALL.iter().flat_map(|kind| segment.files(kind, ALWAYS));
        names.map(|name| self.path.join(name)).collect()
    }

    /// Makes the folder, and what its files are called, durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

/// The schema version since which segments are merged.
pub const MERGED_SINCE: i64 = 15;

/// The files of a segment, as its row in `segments` tells: where it ends, how often it was written anew, its kinds
/// and its parts.
///
/// # Errors
/// When its parts cannot be read.
pub fn segment_files(
    end: u64,
    rewrite: u32,
    kinds: &str,
    parts: &str,
) -> Result<Vec<String>, serde_json::Error> {
    let segment = Segment {
        kinds: kinds.split(',').map(str::to_owned).collect(),
        parts: serde_json::from_str(parts)?,
        ..Segment::new(end, rewrite)
    };
    let names = ALL.iter().flat_map(|kind| segment.files(kind, ALWAYS));
    Ok(names.collect())
}

/// The file of a kind of the segment that ends at `end` and was written anew so often.
fn file_name(end: u64, rewrite: u32, kind: &str) -> String {
    format!("{end:020}-{rewrite}-{kind}.parquet")
}

/// From when to when, microseconds since the Unix epoch.
pub(super) type Times = (i64, i64);
pub(super) const ALWAYS: Times = (i64::MIN, i64::MAX);

/// When the first and the last of the records started that visits in the file at `path` are of.
fn starts_us(connection: &Connection, path: &str) -> Result<Option<Times>, StoreError> {
    let sql =
        format!("SELECT epoch_us(min(first)), epoch_us(max(last)) FROM read_parquet([{path}])");
    let ends: (Option<i64>, Option<i64>) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ends.0.zip(ends.1))
}

impl Part {
    /// The file of its records.
    pub(super) fn file(&self) -> String {
        file_name(self.stretch.end, self.rewrite, "records")
    }
}

impl Stretch {
    /// Whether it may be of these times. Whoever does not know looks everywhere.
    fn reaches(&self, (from_us, to_us): Times) -> bool {
        let overlaps = |(first_us, last_us): Times| first_us <= to_us && last_us >= from_us;
        self.starts_us.is_none_or(overlaps)
    }

    /// How many of its records started between these times, if they are spread evenly.
    fn between(&self, from_us: i64, to_us: i64) -> u64 {
        let Some((first_us, last_us)) = self.starts_us else {
            return self.records;
        };
        let length = |from_us: i64, to_us: i64| u128::from(to_us.abs_diff(from_us)) + 1;
        let part = length(from_us.max(first_us), to_us.min(last_us));
        let share = u128::from(self.records) * part / length(first_us, last_us);
        u64::try_from(share).unwrap_or(self.records)
    }
}

impl Segment {
    /// Without files.
    pub(super) fn new(end: u64, rewrite: u32) -> Self {
        Self {
            end,
            rewrite,
            version: SCHEMA_VERSION,
            arrived_us: (0, 0),
            records: 0,
            kinds: Vec::new(),
            bytes: 0,
            detail_bytes: 0,
            trimmed: false,
            sampled_out: 0,
            told: "{}".into(),
            applications: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Names of its files of `kind`, one but for merged records: of those, the files that may have what started
    /// between these times.
    pub(super) fn files(&self, kind: &Kind, times: Times) -> impl Iterator<Item = String> {
        let merged = kind.name == "records" && !self.parts.is_empty();
        let parts = self
            .parts
            .iter()
            .filter(move |part| merged && part.stretch.reaches(times));
        let own = (self.has(kind) && !merged).then(|| file_name(self.end, self.rewrite, kind.name));
        own.into_iter().chain(parts.map(Part::file))
    }

    /// Whether all files of its records may have what started between these times.
    pub(super) fn is_whole(&self, times: Times) -> bool {
        self.parts.iter().all(|it| it.stretch.reaches(times))
    }

    /// It has a file of `kind`, or one more of its records.
    pub(super) fn add_file(&mut self, kind: &Kind, bytes: u64) {
        if !self.has(kind) {
            self.kinds.push(kind.name.to_owned());
        }
        self.bytes += bytes;
        if !kind.summary {
            self.detail_bytes += bytes;
        }
    }

    pub(super) fn has(&self, kind: &Kind) -> bool {
        self.kinds.iter().any(|name| name == kind.name)
    }
}

/// The closed segments, in the log's order.
pub(super) fn list(connection: &Connection) -> Result<Vec<Segment>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT end_position, rewrite, version, epoch_us(arrived_from), epoch_us(arrived_to),
            records, kinds, bytes, detail_bytes, trimmed, applications, sampled_out, told, parts
         FROM segments ORDER BY end_position",
    )?;
    let read = |row: &Row<'_>| {
        let kinds: Value = row.get(6)?;
        Ok(Segment {
            end: row.get(0)?,
            rewrite: row.get(1)?,
            version: row.get(2)?,
            arrived_us: (row.get(3)?, row.get(4)?),
            records: row.get(5)?,
            kinds: match kinds {
                Value::Text(names) => names.split(',').map(str::to_owned).collect(),
                _ => Vec::new(),
            },
            bytes: row.get(7)?,
            detail_bytes: row.get(8)?,
            trimmed: row.get(9)?,
            applications: serde_json::from_str(&row.get::<_, String>(10)?).unwrap_or_default(),
            sampled_out: row.get(11)?,
            told: row.get(12)?,
            // Nothing else says where its records are.
            parts: serde_json::from_str(&row.get::<_, String>(13)?).map_err(|error| {
                duckdb::Error::FromSqlConversionFailure(13, Type::Text, Box::new(error))
            })?,
        })
    };
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Adds `segment`; within a transaction.
pub(super) fn add(connection: &Connection, segment: &Segment) -> Result<(), StoreError> {
    let row = params![
        segment.end,
        segment.rewrite,
        segment.version,
        time(segment.arrived_us.0),
        time(segment.arrived_us.1),
        segment.records,
        segment.kinds.join(","),
        segment.bytes,
        segment.detail_bytes,
        segment.trimmed,
        serde_json::to_string(&segment.applications).unwrap_or_default(),
        segment.sampled_out,
        segment.told,
        serde_json::to_string(&segment.parts).unwrap_or_default(),
    ];
    let sql = "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    connection.execute(sql, row)?;
    Ok(())
}

/// Takes `segment` out; within a transaction.
pub(super) fn remove(connection: &Connection, segment: &Segment) -> Result<(), StoreError> {
    let sql = "DELETE FROM segments WHERE end_position = ?";
    connection.execute(sql, [segment.end])?;
    Ok(())
}

/// Where the last segment ends; 0 where there is none.
pub(super) fn closed(segments: &[Segment]) -> u64 {
    segments.last().map_or(0, |it| it.end)
}

/// Deletes the parts of visits up to `end` that are kept beside their sums, for pages that follow a cursor; within
/// a transaction.
pub(super) fn drop_parts(connection: &Connection, end: u64) -> Result<(), StoreError> {
    connection.execute("DELETE FROM hot_visit_parts WHERE position <= ?", [end])?;
    let sql = "UPDATE parts_since SET position = greatest(position, ?)";
    connection.execute(sql, [end])?;
    Ok(())
}

/// What the rows of `kind` that are still hot look like in its view; up to `closed` they are in files.
pub(super) fn hot(kind: &Kind, closed: u64) -> String {
    match kind.from {
        From::Batches => HOT_RECORDS.into(),
        From::Sums(table) => format!("SELECT * FROM {table} WHERE position > {closed}"),
        From::Records(select) => select.replace("{records}", "hot_records"),
        From::Told { hot, .. } => hot.into(),
        From::Files(_) => "SELECT NULL::UBIGINT AS hash, NULL::BLOB AS session WHERE false".into(),
    }
}

/// Rows of files that are to be forgotten are in no view.
pub(super) fn but(kind: &Kind) -> String {
    let one = |column: &&str| format!("{column} NOT IN (SELECT session FROM forgotten_sessions)");
    let all: Vec<_> = kind.sessions.iter().map(one).collect();
    if all.is_empty() {
        return String::new();
    }
    format!(" WHERE {}", all.join(" AND "))
}

/// The rows of `kind`: what is `hot`, and the files, without rows that are `but` something; `path` gives a
/// segment's, with commas.
pub(super) fn rows(
    kind: &Kind,
    segments: &[Segment],
    hot: Option<String>,
    but: &str,
    path: &dyn Fn(&Segment, &Kind) -> Option<String>,
) -> Option<String> {
    let mut versions: BTreeMap<i64, Vec<&Segment>> = BTreeMap::new();
    for segment in segments {
        versions.entry(segment.version).or_default().push(segment);
    }
    let read = |of: &[&Segment], kind: &Kind| {
        let paths = of.iter().filter_map(|segment| path(segment, kind));
        let paths: Vec<_> = paths.collect();
        let version = of.first()?.version;
        let files = format!("read_parquet([{}])", paths.join(", "));
        (!paths.is_empty()).then(|| unpacked(kind, version, &files))
    };
    let files = versions.iter().filter_map(|(version, of)| {
        let own = read(of, kind)?;
        let from = if kind.name == "shapes" {
            let records = ALL.iter().find(|kind| kind.name == "records")?;
            let rows = shapes(*version, &own, read(of, records).as_deref());
            format!("({rows})")
        } else {
            own
        };
        Some(format!("SELECT * FROM {from}{but}"))
    });
    let parts: Vec<_> = hot.into_iter().chain(files).collect();
    (!parts.is_empty()).then(|| parts.join("\nUNION ALL BY NAME "))
}

/// The view of `kind`, of its [`rows`].
fn view(kind: &Kind, rows: &str) -> String {
    format!("CREATE OR REPLACE VIEW {} AS {rows};\n", kind.name)
}

/// Whether files hold sessions that are to be forgotten.
pub(super) fn hides(connection: &Connection) -> Result<bool, StoreError> {
    let hidden = "SELECT count(*) > 0 FROM forgotten_sessions";
    Ok(connection.query_row(hidden, [], |row| row.get(0))?)
}

/// Makes all views anew; files that are not there, or were cut, are left out, and given back.
pub(crate) fn make_views(
    connection: &Connection,
    folder: &Folder,
) -> Result<Vec<PathBuf>, StoreError> {
    let segments = list(connection)?;
    let hides = hides(connection)?;
    let paths = segments.iter().flat_map(|it| folder.paths(it));
    *folder.cut() = paths.filter(|path| !is_whole(path)).collect();
    let mut sql = String::new();
    for kind in ALL {
        let but = if hides { but(kind) } else { String::new() };
        let hot = hot(kind, closed(&segments));
        let rows = rows(kind, &segments, Some(hot), &but, &|segment, kind| {
            folder.there(segment, kind, ALWAYS)
        });
        sql += &rows.map_or_else(String::new, |rows| view(kind, &rows));
    }
    connection.execute_batch(&sql)?;
    connection.execute_batch(VIEWS)?;
    folder.know(connection, &segments)?;
    Ok(missing(&segments, folder))
}

/// Whether a Parquet file has its end: where it does not, DuckDB refuses every answer that looks into it.
fn is_whole(path: &Path) -> bool {
    const MAGIC: [u8; 4] = *b"PAR1";
    let mut end = [0; 8];
    let read = File::open(path).and_then(|mut file| {
        let length = file.seek(SeekFrom::End(-8))? + 8;
        file.read_exact(&mut end)?;
        Ok(length)
    });
    let [a, b, c, d, magic @ ..] = end;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    read.is_ok_and(|length| magic == MAGIC && footer + 12 <= length)
}

/// The files of `segments` that are not there, or were cut.
pub(super) fn missing(segments: &[Segment], folder: &Folder) -> Vec<PathBuf> {
    let paths = segments.iter().flat_map(|it| folder.paths(it));
    paths.filter(|path| !folder.is_there(path)).collect()
}

/// Writes the file with which another DuckDB reads the closed segments, in the place of the one
/// before.
pub(super) fn write_outside(connection: &Connection, folder: &Folder) -> Result<(), StoreError> {
    let segments = list(connection)?;
    let mut sql = String::from(
        "-- Made by throughline, anew with each segment: the closed segments in this folder.\n\
         -- In this folder: duckdb -init views.sql\n",
    );
    for kind in ALL {
        let names = |segment: &Segment, kind: &Kind| {
            let files = segment.files(kind, ALWAYS);
            let quoted: Vec<_> = files.map(|name| format!("'{name}'")).collect();
            (!quoted.is_empty()).then(|| quoted.join(", "))
        };
        match rows(kind, &segments, None, "", &names) {
            Some(rows) => sql += &view(kind, &rows),
            None => writeln!(sql, "-- No {} yet.", kind.name).unwrap_or_default(),
        }
    }
    if segments.iter().any(|it| it.records > 0) {
        sql += VIEWS;
    }
    let new = folder.path.join("views.sql.new");
    std::fs::write(&new, sql)?;
    File::open(&new)?.sync_all()?;
    std::fs::rename(&new, folder.path.join(OUTSIDE))?;
    Ok(folder.sync()?)
}

/// Deletes files that no segment has: what a crash left behind.
pub(crate) fn sweep(connection: &Connection, folder: &Folder) -> Result<u64, StoreError> {
    let mut known: Vec<PathBuf> = Vec::new();
    for segment in list(connection)? {
        known.extend(folder.paths(&segment));
    }
    known.push(folder.path.join(OUTSIDE));
    let mut deleted = 0;
    let spilt = merge::spill(&folder.path);
    if spilt.exists() {
        std::fs::remove_dir_all(&spilt)?;
    }
    for entry in std::fs::read_dir(&folder.path)? {
        let path = entry?.path();
        if path.is_file() && !known.contains(&path) {
            std::fs::remove_file(&path)?;
            deleted += 1;
        }
    }
    Ok(deleted)
}
