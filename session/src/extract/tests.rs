//! What each place's table of cases is written with.

use super::*;

/// A source and the exchange it is looked for in.
pub(crate) struct Case {
    source: Source,
    request: Vec<(String, String)>,
    response: Vec<(String, String)>,
    request_body: Option<(Vec<u8>, Extent, String)>,
    response_body: Option<(Vec<u8>, String)>,
    encoding: String,
    tls: (Option<String>, Option<String>),
}

impl Case {
    pub(crate) fn new(source: &str) -> Self {
        Self {
            source: serde_json::from_str(source).unwrap(),
            request: Vec::new(),
            response: Vec::new(),
            request_body: None,
            response_body: None,
            encoding: String::new(),
            tls: (None, None),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn response_header(mut self, name: &str, value: &str) -> Self {
        self.response.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.request_body = Some((body.to_vec(), Extent::Whole, content_type.to_owned()));
        self
    }

    pub(crate) fn cut_body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.request_body = Some((body.to_vec(), Extent::CutOff, content_type.to_owned()));
        self
    }

    pub(crate) fn response_body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.response_body = Some((body.to_vec(), content_type.to_owned()));
        self
    }

    pub(crate) fn encoded(mut self, encoding: &str) -> Self {
        encoding.clone_into(&mut self.encoding);
        self
    }

    pub(crate) fn tls(mut self, subject: Option<&str>, sni: Option<&str>) -> Self {
        self.tls = (subject.map(str::to_owned), sni.map(str::to_owned));
        self
    }

    pub(crate) fn finds(self, expected: &str) {
        self.check(true, &Outcome::Found(Cow::Borrowed(expected.as_bytes())));
    }

    pub(crate) fn finds_nothing(self) {
        self.check(true, &Outcome::Missing);
    }

    pub(crate) fn fails(self, failure: Failure) {
        self.check(true, &Outcome::Failed(failure));
    }

    /// While only the request's headers are there.
    pub(crate) fn waits(self) {
        self.check(false, &Outcome::NotYet);
    }

    fn check(self, ended: bool, expected: &Outcome<'_>) {
        let block = |pairs: &[(String, String)]| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
                .collect();
            HeaderBlock::from_pairs(&pairs)
        };
        let (request, response) = (block(&self.request), block(&self.response));
        let encoding = self.encoding.as_bytes();
        let parts = Parts {
            request: Request::new(&request),
            request_body: self
                .request_body
                .as_ref()
                .map(|(body, extent, kind)| Body::new(body, *extent, kind.as_bytes(), encoding)),
            response: ended.then_some(&response),
            response_body: self
                .response_body
                .as_ref()
                .map(|(body, kind)| Body::new(body, Extent::Whole, kind.as_bytes(), encoding)),
            tls_peer_subject: self.tls.0.as_deref().map(str::as_bytes),
            tls_sni: self.tls.1.as_deref().map(str::as_bytes),
            ended,
        };
        let found = self.source.find(&parts);
        assert_eq!(&found, expected, "{:?} in {:?}", self.source, self.request);
    }
}

/// Why a source is refused.
pub(crate) fn refusal(source: &str) -> String {
    serde_json::from_str::<Source>(source)
        .err()
        .unwrap()
        .to_string()
}

#[test]
fn every_place_has_its_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/extract");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .filter(|name| !matches!(name.as_str(), "mod" | "tests" | "decode" | "document"))
        .collect();
    files.sort();
    assert_eq!(files, ALL);
}

#[test]
fn every_place_is_fuzzed() {
    let fuzz = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");
    let listed = std::fs::read_to_string(format!("{fuzz}/Cargo.toml")).unwrap();
    for place in ALL {
        let file = format!("fuzz_targets/{place}.rs");
        assert!(
            std::fs::exists(format!("{fuzz}/{file}")).unwrap(),
            "fuzz/{file}"
        );
        assert!(listed.contains(&file), "fuzz/Cargo.toml lacks {file}");
    }
}
