//! A disk that is really full: a small file system of its own.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;

use crate::common::{Program, load, until};

/// A file system of 64 MiB in memory; unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// `None` where this user may not mount.
    fn mount(at: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|it| it.status.success());
        mounted.then(|| Self(at.to_path_buf()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

/// Takes all the space there is.
fn fill(file: &Path) {
    let mut ballast = File::create(file).unwrap();
    for len in [1 << 20, 1 << 12] {
        while ballast.write_all(&vec![1; len]).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(folder.path()) else {
        println!("skipped: a disk that is really full: mounting a tmpfs needs root");
        return;
    };
    let (data, ballast) = (small.0.join("data"), small.0.join("ballast"));
    let flags = [
        "--segment-bytes",
        "1MiB",
        "--min-free-disk",
        "4MiB",
        "--duckdb-memory",
        "128MiB",
    ];
    let program = Program::start(&data, &flags);
    let mut next = 0;
    // Twice: it must be able to go on more than once.
    for _ in 0..2 {
        for _ in 0..20 {
            let (status, _) = program.client.post(load::batch(0, next)).await.unwrap();
            assert_eq!(status, StatusCode::OK);
            next += 1;
        }
        fill(&ballast);
        let refused = loop {
            let (status, problem) = program.client.post(load::batch(0, next)).await.unwrap();
            if status != StatusCode::OK {
                break (status, problem);
            }
            next += 1;
        };
        assert_eq!(refused.0, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.1);
        assert_eq!(refused.1["type"], "urn:throughline:problem:log-unwritable");
        let (status, reasons) = program.client.get("/readyz").await.unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{reasons}");
        assert!(
            reasons.to_string().contains("the log cannot be written"),
            "{reasons}"
        );
        // A filter goes on trying, and it is taken when there is room.
        let stop = Arc::new(AtomicBool::new(false));
        let client = program.client.clone();
        let sender = tokio::spawn(load::send(client, 0, next, Arc::clone(&stop)));
        std::fs::remove_file(&ballast).unwrap();
        until("it goes on by itself", async || {
            let (status, _) = program.client.get("/readyz").await.unwrap();
            status == StatusCode::OK
        })
        .await;
        stop.store(true, Ordering::SeqCst);
        next = sender.await.unwrap();
    }
    load::balanced(&program, next * load::RECORDS).await;
    program.terminate();
    let (status, said) = program.wait();
    assert!(status.success(), "{said}");
    assert!(said.contains("bytes are free on the disk"), "{said}");
    let outcome = load::outcome(&data, &[next]);
    assert_eq!((outcome.lost, outcome.duplicated), (0, 0));
}
