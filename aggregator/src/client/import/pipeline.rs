//! A log → records, on all processors, in the log's order.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::source::{Fate, LOOK, Source};
use crate::import::{Batcher, Built, Chunk, Chunks};

/// Threads that make records, at most.
const THREADS_MAX: usize = 8;

/// Where to begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) offset: u64,
    pub(super) line: u64,
    /// Where the first chunk ends, if that is known.
    pub(super) planned: Option<u64>,
    /// Wait for more at the end.
    pub(super) follow: bool,
}

/// What became of a chunk; its lines' bytes are gone.
pub(super) struct Ready {
    pub(super) end: u64,
    pub(super) lines: u64,
    pub(super) full: bool,
    pub(super) built: Built,
}

/// The chunks of a log as they are ready, in order.
pub(super) struct Pipeline {
    ready: Vec<Receiver<io::Result<Ready>>>,
    next: usize,
}

impl Pipeline {
    /// Starts the threads; each makes records with a batcher of its own.
    pub(super) fn start(
        source: Source,
        start: Start,
        batcher: impl Fn() -> Option<Batcher> + Send + Sync + Clone + 'static,
    ) -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.clamp(1, THREADS_MAX);
        let (mut work, mut ready) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let (to, from) = sync_channel::<io::Result<Chunk>>(1);
            let (done, made) = sync_channel(1);
            let batcher = batcher.clone();
            std::thread::Builder::new()
                .name("import".into())
                .spawn(move || build(&from, &done, batcher()))?;
            work.push(to);
            ready.push(made);
        }
        std::thread::Builder::new()
            .name("import-read".into())
            .spawn(move || read(source, start, &work))?;
        Ok(Self { ready, next: 0 })
    }

    /// The next chunk; `None` at the end.
    pub(super) fn next(&mut self) -> Option<io::Result<Ready>> {
        let from = self.ready.get(self.next % self.ready.len().max(1))?;
        self.next += 1;
        from.recv().ok()
    }
}

fn build(
    from: &Receiver<io::Result<Chunk>>,
    to: &SyncSender<io::Result<Ready>>,
    batcher: Option<Batcher>,
) {
    // It was made once before, to see that it can be.
    let Some(batcher) = batcher else { return };
    while let Ok(chunk) = from.recv() {
        let ready = chunk.map(|chunk| Ready {
            end: chunk.end(),
            lines: chunk.lines(),
            full: chunk.full,
            built: batcher.build(&chunk),
        });
        if to.send(ready).is_err() {
            return;
        }
    }
}

/// Deals chunks out, one after the other.
fn read(source: Source, start: Start, work: &[SyncSender<io::Result<Chunk>>]) {
    let mut chunks = Chunks::new(source, start.offset, start.line, start.follow);
    let mut planned = start.planned;
    let mut last_look = false;
    let mut turns = work.iter().cycle();
    loop {
        match chunks.next(planned.take()) {
            Ok(Some(chunk)) => {
                let sent = turns.next().map(|to| to.send(Ok(chunk)));
                if !matches!(sent, Some(Ok(()))) {
                    return;
                }
            }
            Ok(None) if !start.follow || last_look => return,
            Ok(None) => {
                match chunks.inner().fate(chunks.start()) {
                    Fate::Grows => {}
                    // Whoever writes it may take a moment to notice.
                    Fate::Rotated => last_look = true,
                    Fate::Truncated => return,
                }
                std::thread::sleep(LOOK);
            }
            Err(error) => {
                if let Some(to) = turns.next() {
                    drop(to.send(Err(error)));
                }
                return;
            }
        }
    }
}
