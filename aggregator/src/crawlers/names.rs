//! The DNS side: the name of an address, and the addresses of the name.
//!
//! A stub: it asks servers that ask others (`--dns`, or those of the system), and follows nothing itself.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::message::{Data, Kind, Query, Reply, reverse};
use super::{Answer, Question};

/// How long one server has for one answer.
const ATTEMPT_TIME: Duration = Duration::from_secs(2);
/// How long a question may take in all, with every name that an address has.
const WHOLE_TIME: Duration = Duration::from_secs(10);
/// How often all servers are asked.
const ROUNDS: usize = 2;
/// Servers that are asked, as with the system's own resolver.
const SERVERS_MAX: usize = 3;
/// Names of one address that are followed: an address may have thousands.
const NAMES_MAX: usize = 8;
/// Where the system's servers stand.
const SYSTEM: &str = "/etc/resolv.conf";

/// Why no server can be asked.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The system's file cannot be read.
    #[error("{SYSTEM}: {0}: name a server with --dns (THROUGHLINE_DNS), e.g. --dns 192.0.2.53:53")]
    File(#[from] io::Error),
    /// The system's file names none.
    #[error(
        "{SYSTEM} names no server: name one with --dns (THROUGHLINE_DNS), e.g. --dns 192.0.2.53:53"
    )]
    None,
}

/// Asks DNS servers.
#[derive(Debug, Clone)]
pub struct Names(Vec<SocketAddr>);

impl Names {
    /// Asks these servers; those of the system where none is given.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(servers: &[SocketAddr]) -> Result<Self, NamesError> {
        let mut servers = servers.to_vec();
        if servers.is_empty() {
            servers = of_system(&std::fs::read_to_string(SYSTEM)?);
        }
        servers.truncate(SERVERS_MAX);
        if servers.is_empty() {
            return Err(NamesError::None);
        }
        Ok(Self(servers))
    }

    /// Whether an address lies in one of the domains: a name of it does, and leads back to it.
    pub async fn ask(&self, question: &Question) -> Answer {
        let answer = tokio::time::timeout(WHOLE_TIME, self.look(question)).await;
        answer.ok().flatten().unwrap_or(Answer::Silent)
    }

    /// `None` where some of it cannot be found out.
    async fn look(&self, question: &Question) -> Option<Answer> {
        let address = question.address.to_canonical();
        let names = self.find(reverse(address), Kind::Ptr).await?;
        let inside = names.into_iter().filter_map(|it| match it {
            Data::Name(name) => Some((domain_of(&name, &question.domains)?, name)),
            Data::Address(_) => None,
        });
        let kind = if address.is_ipv4() {
            Kind::A
        } else {
            Kind::Aaaa
        };
        let mut all_known = true;
        for (domain, name) in inside.take(NAMES_MAX) {
            let found = self.find(name, kind).await;
            all_known &= found.is_some();
            if found.is_some_and(|found| found.contains(&Data::Address(address))) {
                return Some(Answer::Confirmed(domain.clone()));
            }
        }
        all_known.then_some(Answer::Refuted)
    }

    /// What the first server that knows says; `None` where none does.
    async fn find(&self, name: String, kind: Kind) -> Option<Vec<Data>> {
        // The identifier is what a forger has to guess, beside the port.
        let id = RandomState::new().hash_one(&name).to_le_bytes();
        let query = Query {
            id: u16::from_le_bytes(*id.first_chunk()?),
            name,
            kind,
        };
        for server in self.0.iter().cycle().take(self.0.len() * ROUNDS) {
            let asked = tokio::time::timeout(ATTEMPT_TIME, exchange(*server, &query)).await;
            match asked {
                Ok(Ok(Reply::Answered(found))) => return Some(found),
                Ok(Ok(Reply::Failed | Reply::Cut)) => {}
                Ok(Err(error)) => tracing::debug!(%server, %error, "no answer from DNS"),
                Err(_) => tracing::debug!(%server, "no answer from DNS in time"),
            }
        }
        None
    }
}

async fn exchange(server: SocketAddr, query: &Query) -> io::Result<Reply> {
    let bytes = query.bytes().ok_or(io::ErrorKind::InvalidInput)?;
    match by_udp(server, query, &bytes).await? {
        Reply::Cut => by_tcp(server, query, &bytes).await,
        reply => Ok(reply),
    }
}

async fn by_udp(server: SocketAddr, query: &Query, bytes: &[u8]) -> io::Result<Reply> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Connected: what comes from elsewhere is not even seen.
    socket.connect(server).await?;
    socket.send(bytes).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let reply = buffer.get(..length).and_then(|it| query.read(it));
        if let Some(reply) = reply {
            return Ok(reply);
        }
    }
}

async fn by_tcp(server: SocketAddr, query: &Query, bytes: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream
        .write_all(&[&length.to_be_bytes(), bytes].concat())
        .await?;
    let mut message = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut message).await?;
    let reply = query.read(&message);
    Ok(reply.ok_or(io::ErrorKind::InvalidData)?)
}

/// The servers of the system's file.
fn of_system(text: &str) -> Vec<SocketAddr> {
    const PORT: u16 = 53;
    let servers = text.lines().filter_map(|line| {
        let address = line
            .trim()
            .strip_prefix("nameserver")?
            .split_whitespace()
            .next()?;
        Some(SocketAddr::new(address.parse().ok()?, PORT))
    });
    servers.collect()
}

/// The domain that a name is in, or is itself: `googlebot.com` has `crawl-1.googlebot.com`, and not
/// `evilgooglebot.com`.
fn domain_of<'a>(name: &str, domains: &'a [String]) -> Option<&'a String> {
    domains.iter().find(|domain| {
        let before = name.strip_suffix(domain.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_labels_count() {
        let domains = ["googlebot.com".to_owned(), "search.example".to_owned()];
        for (name, expected) in [
            ("crawl-66-249-66-1.googlebot.com", Some("googlebot.com")),
            ("googlebot.com", Some("googlebot.com")),
            ("a.search.example", Some("search.example")),
            ("evilgooglebot.com", None),
            ("googlebot.com.evil.example", None),
            ("com", None),
        ] {
            let found = domain_of(name, &domains);
            assert_eq!(found.map(String::as_str), expected, "{name}");
        }
    }

    #[test]
    fn the_systems_servers_are_those_of_its_file() {
        let text = "# made by hand\nsearch example.org\nnameserver 192.0.2.53\n nameserver 2001:db8::53 # far\n";
        let servers = of_system(text);
        assert_eq!(
            servers,
            [
                "192.0.2.53:53".parse().unwrap(),
                "[2001:db8::53]:53".parse().unwrap()
            ]
        );
    }
}
