//! One connection: HTTP/1.1 or h2c, opened when needed, opened again when the other side closed
//! it. Counts stay exact: a request that was never written is written again elsewhere, and a
//! request that may have been is never repeated.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request that was not written is tried on a new connection.
const TRIES: usize = 3;

/// A connection's bytes.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens connections to the target.
pub trait Dial: Send + Sync {
    /// One new connection.
    fn dial(&self) -> BoxFuture<'static, io::Result<Box<dyn Stream>>>;

    /// The other side itself, where it is in this process: requests then go to it without a
    /// connection, which a hundred thousand of them would mostly wait for.
    fn other_side(&self) -> Option<&dyn OtherSide> {
        None
    }
}

/// Answers requests in this process.
pub trait OtherSide: Send + Sync {
    /// The full response; never fails, as a connection might.
    fn answer(&self, request: Outgoing, h2: bool) -> BoxFuture<'static, Response<Bytes>>;
}

/// Real connections.
#[derive(Clone, Debug)]
pub struct Tcp {
    /// `host:port`.
    pub address: String,
}

impl Dial for Tcp {
    fn dial(&self) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let address = self.address.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Stream> = Box::new(stream);
            Ok(stream)
        })
    }
}

/// A request with its whole body.
pub type Outgoing = Request<Full<Bytes>>;

enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// A place for one request at a time.
pub(crate) struct Lane {
    sender: Option<Sender>,
    h2: bool,
}

/// A full response; status 0 when there was none.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Lane {
    pub(crate) fn new(h2: bool) -> Self {
        Self { sender: None, h2 }
    }

    pub(crate) async fn exchange(&mut self, dial: &dyn Dial, request: Outgoing) -> Received {
        if let Some(other_side) = dial.other_side() {
            let (head, body) = other_side.answer(request, self.h2).await.into_parts();
            return Received {
                status: head.status.as_u16(),
                headers: head.headers,
                body,
            };
        }
        let received = timeout(EXCHANGE_TIMEOUT, self.attempt(dial, request))
            .await
            .unwrap_or_default();
        if received.is_none() {
            self.sender = None;
        }
        received.unwrap_or_default()
    }

    async fn attempt(&mut self, dial: &dyn Dial, mut request: Outgoing) -> Option<Received> {
        for _ in 0..TRIES {
            let sender = self.ready(dial).await?;
            match sender.send(request).await {
                Ok(response) => return full(response).await,
                Err(mut error) => {
                    self.sender = None;
                    request = error.take_message()?;
                }
            }
        }
        None
    }

    async fn ready(&mut self, dial: &dyn Dial) -> Option<&mut Sender> {
        let usable = match &mut self.sender {
            Some(Sender::H1(sender)) => sender.ready().await.is_ok(),
            Some(Sender::H2(sender)) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let opening = open(dial, self.h2);
            self.sender = Some(timeout(CONNECT_TIMEOUT, opening).await.ok()?.ok()?);
        }
        self.sender.as_mut()
    }
}

impl Sender {
    async fn send(
        &mut self,
        request: Outgoing,
    ) -> Result<Response<Incoming>, TrySendError<Outgoing>> {
        match self {
            Self::H1(sender) => sender.try_send_request(request).await,
            Self::H2(sender) => sender.try_send_request(request).await,
        }
    }
}

async fn open(dial: &dyn Dial, h2: bool) -> io::Result<Sender> {
    let io = TokioIo::new(dial.dial().await?);
    // The connections' own tasks end when the lane lets go of the sender.
    if h2 {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io)
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection);
        return Ok(Sender::H2(sender));
    }
    let (sender, connection) = http1::handshake(io).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(Sender::H1(sender))
}

async fn full(response: Response<Incoming>) -> Option<Received> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, RESPONSE_BYTES_MAX)
        .collect()
        .await
        .ok()?;
    Some(Received {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.to_bytes(),
    })
}
