//! Free ports, outside the range that the kernel gives to outgoing connections.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::bail;

/// Linux hands out 32768 and up to outgoing connections (`ip_local_port_range`): a port asked of
/// the OS with 0 comes from there, and may be gone to a client's connection before its server
/// starts.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A TCP port on the loopback that nobody listens on; each call within a process gives another.
///
/// # Errors
/// When all ports of the range are taken.
pub fn free_port() -> anyhow::Result<u16> {
    static CURSOR: OnceLock<AtomicU16> = OnceLock::new();
    // Test processes run side by side: each starts looking somewhere else.
    let cursor = CURSOR.get_or_init(|| AtomicU16::new(rand::random_range(0..COUNT)));
    for _ in 0..COUNT {
        let port = FIRST + cursor.fetch_add(1, Ordering::Relaxed) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {FIRST} to {}", FIRST + COUNT - 1)
}

#[cfg(test)]
mod tests {
    use super::free_port;

    #[test]
    fn gives_each_port_once() {
        let ports: std::collections::BTreeSet<u16> =
            (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
    }
}
