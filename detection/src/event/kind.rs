//! What was asked for: a page, what belongs to a page, data, or a file for machines.

/// The kind of thing an exchange is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a person looks at.
    Page,
    /// Styles, scripts and fonts: what a browser cannot show a page without.
    Code,
    /// Pictures, sound, video.
    Image,
    /// JSON, XML and the like from an API.
    Data,
    /// RSS and Atom.
    Feed,
    /// Archives, documents and other downloads.
    File,
    /// `/favicon.ico` and its relatives: only browsers ask.
    Favicon,
    /// `/robots.txt` and sitemaps: only machines ask.
    Robots,
}

fn of_extension(extension: &str) -> Option<Kind> {
    Some(match extension {
        "html" | "htm" | "xhtml" | "php" | "asp" | "aspx" | "jsp" | "do" => Kind::Page,
        "css" | "js" | "mjs" | "map" | "woff" | "woff2" | "ttf" | "eot" | "otf" | "wasm" => {
            Kind::Code
        }
        "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "avif" | "bmp" | "ico" | "mp4"
        | "webm" | "mp3" | "ogg" => Kind::Image,
        "json" | "ndjson" => Kind::Data,
        "rss" | "atom" | "rdf" | "rss2" => Kind::Feed,
        "pdf" | "zip" | "gz" | "tgz" | "bz2" | "xz" | "tar" | "rpm" | "deb" | "exe" | "jar"
        | "txt" | "csv" | "doc" | "docx" | "xls" | "xlsx" | "iso" | "rb" | "py" | "c" | "h"
        | "sh" | "pl" | "diff" | "patch" | "conf" => Kind::File,
        _ => return None,
    })
}

fn of_content_type(content_type: &str) -> Option<Kind> {
    let (family, rest) = content_type.split_once('/')?;
    Some(match (family, rest) {
        ("text", "html") | ("application", "xhtml+xml") => Kind::Page,
        ("text", "css" | "javascript") | ("application", "javascript" | "wasm") | ("font", _) => {
            Kind::Code
        }
        ("image" | "audio" | "video", _) => Kind::Image,
        ("application", "rss+xml" | "atom+xml" | "rdf+xml") => Kind::Feed,
        ("application", rest) if rest.ends_with("json") || rest.contains("grpc") => Kind::Data,
        ("application" | "text", rest) if rest.ends_with("xml") => Kind::Data,
        _ => return None,
    })
}

impl Kind {
    /// Decides by path and query first, then by the response's type.
    #[must_use]
    pub fn of(path: &str, query: Option<&str>, content_type: Option<&str>) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        if name == "robots.txt" || name == "sitemap.xml" || name == "sitemap.xml.gz" {
            return Self::Robots;
        }
        if name == "favicon.ico" || name.starts_with("apple-touch-icon") {
            return Self::Favicon;
        }
        let feed = |text: &str| {
            text.split(['/', '.', '=', '&', '_', '-']).any(|word| {
                ["feed", "feeds", "rss", "rss2", "rss20", "atom", "rdf"].contains(&word)
            })
        };
        if feed(name) || query.is_some_and(feed) {
            return Self::Feed;
        }
        let extension = name
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase());
        extension
            .as_deref()
            .and_then(of_extension)
            .or_else(|| content_type.and_then(of_content_type))
            .unwrap_or_else(|| {
                let api = [
                    "/api/", "/graphql", "/v1/", "/v2/", "/v3/", "/rest/", "/rpc/",
                ];
                if api.iter().any(|part| path.starts_with(part)) {
                    Self::Data
                } else {
                    Self::Page
                }
            })
    }

    /// What a browser fetches by itself for a page.
    #[must_use]
    pub fn is_asset(self) -> bool {
        matches!(self, Self::Code | Self::Image | Self::Favicon)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn tells_kinds_apart() {
        for (path, query, content_type, expected) in [
            ("/", None, None, Kind::Page),
            ("/blog/post", None, None, Kind::Page),
            ("/a/style.CSS", None, None, Kind::Code),
            ("/img/x.png", None, Some("text/html"), Kind::Image),
            ("/favicon.ico", None, None, Kind::Favicon),
            ("/robots.txt", None, None, Kind::Robots),
            ("/", Some("flav=rss20"), None, Kind::Feed),
            ("/blog/feed/", None, None, Kind::Page),
            ("/blog/feed", None, None, Kind::Feed),
            ("/api/products/7", None, None, Kind::Data),
            ("/products/7", None, Some("application/json"), Kind::Data),
            ("/x/archive.tar.gz", None, None, Kind::File),
        ] {
            assert_eq!(Kind::of(path, query, content_type), expected, "{path}");
        }
    }
}
