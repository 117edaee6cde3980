//! The shop as a program; see `docs/demo.md`.
#![expect(
    clippy::print_stdout,
    reason = "the one line says where the shop listens"
)]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use shop::{Config, Shop};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The demo's application: a small JSON API over HTTP/1.1 and h2c.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Makes the catalogue, the latencies and the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds until an access token expires.
    #[arg(long, default_value_t = 900)]
    token_seconds: u64,
    /// Factor on all latencies; 0 answers at once.
    #[arg(long, default_value_t = 1.0)]
    latency_scale: f64,
    /// One answer in so many is a 500 or 503; 0 means none.
    #[arg(long, default_value_t = 500)]
    fault_every: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let shop = Arc::new(Shop::new(Config {
        seed: options.seed,
        token_lifetime: Duration::from_secs(options.token_seconds),
        latency_scale: options.latency_scale,
        fault_every: options.fault_every,
    }));
    let listener = TcpListener::bind(options.listen).await?;
    println!("shop: listening on {}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    shop::serve(listener, shop, stop).await;
    Ok(())
}
