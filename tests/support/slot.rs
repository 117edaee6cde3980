//! At most two stacks at once, across threads and processes.
//!
//! Each stack is three processes that want a core; more of them on a small machine only run into
//! each other's deadlines.

use std::fs::File;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

const SLOTS: usize = 2;

/// The right to run a stack, until dropped. The kernel takes it back from a process that dies.
#[derive(Debug)]
pub struct Slot {
    _lock: File,
}

impl Slot {
    /// Waits for a free one.
    pub async fn take() -> Self {
        let files: Vec<File> = (0..SLOTS)
            .map(|slot| {
                let path = std::env::temp_dir().join(format!("throughline-e2e-{slot}.lock"));
                File::options()
                    .create(true)
                    .append(true)
                    .open(path)
                    .unwrap()
            })
            .collect();
        loop {
            for file in &files {
                if flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                    return Self {
                        _lock: file.try_clone().unwrap(),
                    };
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
