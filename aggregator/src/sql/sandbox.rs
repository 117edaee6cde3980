//! What the child takes from itself before it looks at the statement.

use std::io;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getppid, set_dumpable_behavior,
    set_parent_process_death_signal, setpriority_process, setrlimit,
};
use rustix::thread::set_no_new_privs;

use super::MEMORY_MIB;

/// Address space, bytes: DuckDB's buffers, its library, the threads' stacks, and room to spare.
const ADDRESS_SPACE: u64 = (MEMORY_MIB + 2048) << 20;
/// Files open at a time: segments have some each.
const FILES: u64 = 4096;
/// How much the child stands back behind the service.
const NICE: i32 = 10;

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let rlimit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, rlimit)?)
}

/// Whether the service is still there: what ended before [`enter`] sent no signal.
pub(super) fn is_child_of(service: u32) -> bool {
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    parent.is_some_and(|parent| u32::try_from(parent) == Ok(service))
}

/// Ends the process after so much processor time, should the service forget to.
pub(super) fn limit_cpu(seconds: u64) -> io::Result<()> {
    limit(Resource::Cpu, seconds)
}

/// Locks the process up, for good.
pub(super) fn enter() -> io::Result<()> {
    // It ends with the service, whatever happens to that.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_no_new_privs(true)?;
    // Nobody of the same user reads its memory, and no core file keeps it.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setpriority_process(None, NICE)?;
    limit(Resource::Core, 0)?;
    // Not one byte into any file, whoever is asked to write it.
    limit(Resource::Fsize, 0)?;
    limit(Resource::As, ADDRESS_SPACE)?;
    limit(Resource::Nofile, FILES)?;
    Ok(())
}
