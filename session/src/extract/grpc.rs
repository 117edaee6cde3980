//! Service and method of a gRPC call: `/package.Service/Method`.

use super::{Grpc, Outcome};
use crate::request::Request;

pub(super) fn find<'a>(request: &Request<'a>, part: Grpc) -> Outcome<'a> {
    let is_grpc = request
        .headers
        .and_then(|headers| headers.get(b"content-type"))
        .is_some_and(|kind| kind.trim_ascii().starts_with(b"application/grpc"));
    if !is_grpc {
        return Outcome::Missing;
    }
    let path = request
        .path()
        .unwrap_or_default()
        .strip_prefix(b"/")
        .unwrap_or_default();
    let mut segments = path.split(|byte| *byte == b'/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some(service), Some(method), None) if !service.is_empty() && !method.is_empty() => {
            Some(match part {
                Grpc::Service => service,
                Grpc::Method => method,
            })
            .into()
        }
        _ => Outcome::Missing,
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_service_and_method() {
        let case = |part: &str, path, kind| {
            Case::new(&format!(r#"{{"grpc":"{part}"}}"#))
                .header(":path", path)
                .header("content-type", kind)
        };
        for (path, kind, service, method) in [
            ("/a.B/C", "application/grpc", "a.B", "C"),
            ("/B/C", "application/grpc", "B", "C"),
            ("/a.b.c.D/Get", "application/grpc+proto", "a.b.c.D", "Get"),
            ("/a.B/C?x=1", "application/grpc-web", "a.B", "C"),
            ("/a.B/C", " application/grpc; x", "a.B", "C"),
            ("/a.B/C", "application/grpc+json", "a.B", "C"),
            ("/a.B/C", "application/grpc-web-text", "a.B", "C"),
            (
                "/grpc.health.v1.Health/Check",
                "application/grpc",
                "grpc.health.v1.Health",
                "Check",
            ),
            ("/a_1.B2/C_3?", "application/grpc", "a_1.B2", "C_3"),
            ("/a.B/é", "application/grpc", "a.B", "é"),
        ] {
            case("service", path, kind).finds(service);
            case("method", path, kind).finds(method);
        }
        for (path, kind) in [
            ("/a.B/C", "application/json"),
            ("/a.B", "application/grpc"),
            ("/a.B/", "application/grpc"),
            ("//C", "application/grpc"),
            ("/a.B/C/D", "application/grpc"),
            ("/", "application/grpc"),
            ("", "application/grpc"),
            ("a.B/C", "application/grpc"),
            ("*", "application/grpc"),
            ("/a.B/C", ""),
            ("/a.B/C", "text/application/grpc"),
        ] {
            case("service", path, kind).finds_nothing();
            case("method", path, kind).finds_nothing();
        }
    }
}
