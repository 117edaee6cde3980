//! The log on a disk that tears, rots and fails.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use throughline::log::{
    Appended, Batch as LogBatch, Budget, Disk, FileLog, Folder, Item, Limits, Log as _, Next,
    Refusal, WORKERS_MAX, Windows, WorkerKey,
};
use throughline::metrics::Metrics;
use throughline_session::hex::Hex;

use crate::common::{Batch, Fault, FaultyDisk, Setup, line, until};

const WORKER: WorkerKey = WorkerKey {
    boot: Hex([0, 0, 0, 0, 0, 0, 0, 0xff]),
    worker: 0,
};

fn open_on(folder: &Path, disk: Box<dyn Disk>, committed: u64) -> FileLog {
    let limits = Limits {
        segment_len: 1500,
        backlog_max: u64::MAX,
        free_min: 10,
    };
    let metrics = Arc::new(Metrics::default());
    FileLog::open(folder, disk, limits, committed, Windows::default(), metrics).unwrap()
}

fn open(folder: &Path, committed: u64) -> FileLog {
    open_on(folder, Box::new(Folder(folder.to_path_buf())), committed)
}

async fn append(log: &FileLog, sequence: u64) -> Result<Appended, Refusal> {
    let body = Batch::new(sequence).record(line(1, 0)).body();
    let room = Budget::new(0).room();
    log.append(LogBatch {
        source: WORKER,
        sequence: Some(sequence),
        arrived_us: 1,
        body,
        room,
    })
    .await
}

/// Sequences in the log from `position` on; `None` for a gap.
fn read(log: &FileLog, position: u64) -> Vec<Option<u64>> {
    let mut tail = log.tail(position);
    let mut found = Vec::new();
    while let Next::Item(item) = tail.next(Duration::ZERO).unwrap() {
        found.push(match item {
            Item::Batch(entry) => throughline::ingest::check(&entry.body).unwrap().sequence,
            Item::Gap(_) => None,
        });
    }
    found
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
}

fn len(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

fn some(sequences: impl IntoIterator<Item = u64>) -> Vec<Option<u64>> {
    sequences.into_iter().map(Some).collect()
}

#[tokio::test]
async fn goes_on_after_a_restart_and_knows_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 0);
    for sequence in 0..10 {
        assert_eq!(append(&log, sequence).await, Ok(Appended::Stored));
    }
    assert_eq!(append(&log, 3).await, Ok(Appended::Duplicate));
    drop(log);
    let log = open(folder.path(), 0);
    assert_eq!(append(&log, 3).await, Ok(Appended::Duplicate));
    assert_eq!(append(&log, 10).await, Ok(Appended::Stored));
    assert_eq!(read(&log, 0), some(0..11));
    log.close();
    assert_eq!(append(&log, 11).await, Err(Refusal::Closed));
}

#[tokio::test]
async fn segments_that_are_stored_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 0);
    for sequence in 0..20 {
        append(&log, sequence).await.unwrap();
    }
    let before = segments(folder.path()).len();
    assert!(before >= 5, "{before}");
    let end = log.state().end;
    log.commit(end - 1);
    assert_eq!(segments(folder.path()).len(), 1, "the last is written to");
    assert_eq!(log.state().segments, 1);
    drop(log);
    let log = open(folder.path(), end);
    assert_eq!(append(&log, 99).await, Ok(Appended::Stored));
    assert_eq!(read(&log, end), [Some(99)]);
}

#[tokio::test]
async fn a_torn_end_is_cut_off_wherever_it_tears() {
    for torn in [1, 7, 8, 15, 16, 100, 500] {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path(), 0);
        for sequence in 0..3 {
            append(&log, sequence).await.unwrap();
        }
        drop(log);
        let last = segments(folder.path()).pop().unwrap();
        let file = OpenOptions::new().write(true).open(&last).unwrap();
        file.set_len(len(&last) - torn).unwrap();
        let log = open(folder.path(), 0);
        assert_eq!(read(&log, 0), some(0..2), "{torn}");
        assert_eq!(
            append(&log, 2).await,
            Ok(Appended::Stored),
            "it is new again"
        );
        assert_eq!(read(&log, 0), some(0..3));
    }
}

#[tokio::test]
async fn zeroes_at_the_end_are_no_batches() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 0);
    append(&log, 0).await.unwrap();
    drop(log);
    let last = segments(folder.path()).pop().unwrap();
    let whole = len(&last);
    OpenOptions::new()
        .write(true)
        .open(&last)
        .unwrap()
        .set_len(whole + 4096)
        .unwrap();
    let log = open(folder.path(), 0);
    assert_eq!(len(&last), whole);
    assert_eq!(read(&log, 0), some([0]));
}

#[tokio::test]
async fn damage_in_the_middle_costs_no_more_than_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 0);
    for sequence in 0..9 {
        append(&log, sequence).await.unwrap();
    }
    drop(log);
    let files = segments(folder.path());
    assert_eq!(files.len(), 3, "three batches each");
    let frame = len(&files[0]) / 3;
    // A damaged body: only that batch is missing, in the last segment too.
    flip(&files[0], frame + 50);
    flip(&files[2], frame + 50);
    // A damaged length: nobody knows where the next batch begins in this segment.
    flip(&files[1], frame + 3);
    let log = open(folder.path(), 0);
    let expected = [
        Some(0),
        None,
        Some(2),
        Some(3),
        None,
        Some(6),
        None,
        Some(8),
    ];
    assert_eq!(read(&log, 0), expected);
    assert_eq!(append(&log, 9).await, Ok(Appended::Stored));
    drop(log);
    std::fs::remove_file(&files[1]).unwrap();
    let log = open(folder.path(), 0);
    let expected = [
        Some(0),
        None,
        Some(2),
        None,
        Some(6),
        None,
        Some(8),
        Some(9),
    ];
    assert_eq!(read(&log, 0), expected);
}

#[tokio::test]
async fn a_damaged_length_in_the_last_segment_hides_nothing_silently() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 0);
    for sequence in 0..6 {
        append(&log, sequence).await.unwrap();
    }
    let end = log.state().end;
    drop(log);
    let files = segments(folder.path());
    assert_eq!(files.len(), 2, "three batches each");
    let (whole, frame) = (len(&files[1]), len(&files[1]) / 3);
    flip(&files[1], frame + 3);
    let mut expected = [some(0..4), vec![None]].concat();
    for sequence in 6..8 {
        let log = open(folder.path(), 0);
        assert_eq!(len(&files[1]), whole, "nothing is cut");
        assert_eq!(read(&log, 0), expected);
        assert_eq!(append(&log, sequence).await, Ok(Appended::Stored));
        expected.push(Some(sequence));
        assert_eq!(read(&log, 0), expected);
        assert_eq!(read(&log, end), some(6..=sequence), "positions go on");
    }
    // The last frame damaged likewise: nothing whole follows it, so it counts as torn.
    let last = segments(folder.path()).pop().unwrap();
    flip(&last, frame + 3);
    expected.pop();
    assert_eq!(read(&open(folder.path(), 0), 0), expected);
    assert_eq!(len(&last), frame);
}

#[tokio::test]
async fn positions_never_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 5000);
    append(&log, 0).await.unwrap();
    let end = log.state().end;
    assert!(end > 5000);
    drop(log);
    for file in segments(folder.path()) {
        std::fs::remove_file(file).unwrap();
    }
    let log = open(folder.path(), end);
    append(&log, 1).await.unwrap();
    assert_eq!(read(&log, end), some([1]));
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    for fault in [
        Fault::Append,
        Fault::Sync,
        Fault::AppendAndCut,
        Fault::Create,
        Fault::Full,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (disk, set) = FaultyDisk::new(folder.path().to_path_buf());
        let log = open_on(folder.path(), Box::new(disk), 0);
        // Three fill a segment, so that the next needs a new file.
        for sequence in 0..3 {
            append(&log, sequence).await.unwrap();
        }
        set(fault);
        for sequence in [3, 4, 3] {
            let refused = append(&log, sequence).await.unwrap_err();
            assert!(
                matches!(refused, Refusal::Unwritable(_)),
                "{fault:?}: {refused}"
            );
        }
        assert!(log.state().failing.is_some());
        assert_eq!(
            append(&log, 1).await,
            Ok(Appended::Duplicate),
            "which needs no disk"
        );
        set(Fault::None);
        assert_eq!(append(&log, 3).await, Ok(Appended::Stored), "{fault:?}");
        assert_eq!(log.state().failing, None);
        assert_eq!(read(&log, 0), some(0..4), "{fault:?}");
        drop(log);
        let log = open(folder.path(), 0);
        assert_eq!(read(&log, 0), some(0..4), "{fault:?}");
    }
}

#[tokio::test]
async fn an_idle_log_begins_a_segment_when_it_is_to() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, set) = FaultyDisk::new(folder.path().to_path_buf());
    let log = open_on(folder.path(), Box::new(disk), 0);
    append(&log, 0).await.unwrap();
    set(Fault::AppendAndCut);
    append(&log, 1).await.unwrap_err();
    let end = log.state().end;
    log.commit(end);
    log.rotate();
    let idle = Duration::from_millis(1200);
    tokio::time::sleep(idle).await;
    assert_eq!((log.state().begin, log.state().base), (0, 0), "it cannot");
    set(Fault::None);
    until("it begins anew", async || log.state().base == end).await;
    until("what was stored is gone", async || log.state().begin == end).await;
    // What has nothing in it is not begun anew.
    log.rotate();
    tokio::time::sleep(idle).await;
    assert_eq!(segments(folder.path()).len(), 1);
    append(&log, 1).await.unwrap();
    assert_eq!(read(&log, end), some(1..2));
    drop(log);
    assert_eq!(read(&open(folder.path(), end), end), some(1..2));
}

#[tokio::test]
async fn a_refused_batch_forgets_no_worker() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, set) = FaultyDisk::new(folder.path().to_path_buf());
    let mut windows = Windows::default();
    windows.insert(WORKER, 0, 1);
    for worker in 1..u32::try_from(WORKERS_MAX).unwrap() {
        windows.insert(WorkerKey { worker, ..WORKER }, 0, 2);
    }
    let limits = Limits {
        segment_len: 1500,
        backlog_max: u64::MAX,
        free_min: 0,
    };
    let metrics = Arc::new(Metrics::default());
    let log = FileLog::open(folder.path(), Box::new(disk), limits, 0, windows, metrics).unwrap();
    let from_another = || async {
        let worker = u32::MAX;
        log.append(LogBatch {
            source: WorkerKey { worker, ..WORKER },
            sequence: Some(0),
            arrived_us: 3,
            body: Batch::new(0).worker(worker).record(line(1, 0)).body(),
            room: Budget::new(0).room(),
        })
        .await
    };
    set(Fault::Append);
    assert!(from_another().await.is_err());
    assert_eq!(append(&log, 0).await, Ok(Appended::Duplicate));
    set(Fault::None);
    assert_eq!(from_another().await, Ok(Appended::Stored));
    assert_eq!(append(&log, 0).await, Ok(Appended::Stored), "now it is");
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, set) = FaultyDisk::new(folder.path().join("log"));
    let service = Setup {
        disk: Some(Box::new(disk)),
        ..Setup::default()
    }
    .open(folder.path())
    .unwrap();
    set(Fault::Sync);
    let body = Batch::new(0).record(line(1, 0)).body();
    let answer = service.post(body.clone()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(
        answer.json()["type"],
        "urn:throughline:problem:log-unwritable"
    );
    set(Fault::None);
    let answer = service.post(body).await;
    assert_eq!(answer.json()["duplicate"], false, "{}", answer.text);
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 1);
    service.close();
}

#[tokio::test]
async fn missing_parts_show_in_the_status_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let log_folder = folder.path().join("log");
    let log = open(&log_folder, 0);
    for sequence in 0..6 {
        append(&log, sequence).await.unwrap();
    }
    drop(log);
    flip(&segments(&log_folder)[0], 50);
    for restart in 0..2 {
        let service = Setup::default().open(folder.path()).unwrap();
        until("stored", async || {
            service.get("/readyz").await.status == StatusCode::OK
        })
        .await;
        service.stored().await;
        assert_eq!(
            service.sql::<i64>("SELECT count(*) FROM records"),
            5,
            "{restart}"
        );
        let status = service.get("/v1/status").await.json();
        let gaps = status["log"]["gaps"].as_array().unwrap();
        assert_eq!(gaps.len(), 1, "{status}");
        assert_eq!(gaps[0]["segment"], "00000000000000000000.seg");
        assert_eq!(gaps[0]["position"], 0);
        service.close();
    }
}
