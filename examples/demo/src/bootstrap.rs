//! `envoy/envoy.yaml` with other ports and paths.
//!
//! The demo and the tests run the very file that users copy. Each default is replaced where it
//! stands; one that is not found exactly once is an error, so the file cannot drift away unseen.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};

/// What differs from the defaults in `envoy/envoy.yaml`.
#[derive(Debug)]
pub struct Bootstrap<'a> {
    /// Where clients connect.
    pub ingress: SocketAddr,
    /// Envoy's admin pages.
    pub admin: SocketAddr,
    /// The API behind Envoy.
    pub upstream: SocketAddr,
    /// Where batches go.
    pub aggregator: SocketAddr,
    /// The filter.
    pub wasm: &'a Path,
    /// Envoy's JSON access log.
    pub access_log: &'a Path,
    /// The filter's configuration; the file's own when absent. Need not be valid JSON.
    pub plugin: Option<&'a str>,
}

impl Bootstrap<'_> {
    /// The changed text.
    ///
    /// # Errors
    /// When `template` does not have each default exactly once.
    pub fn render(&self, template: &str) -> anyhow::Result<String> {
        let place =
            |at: SocketAddr| format!("{{ address: {}, port_value: {} }}", at.ip(), at.port());
        let mut text = template.to_owned();
        for (default, value) in [
            (
                "{ address: 0.0.0.0, port_value: 10000 }",
                place(self.ingress),
            ),
            (
                "{ address: 127.0.0.1, port_value: 9901 }",
                place(self.admin),
            ),
            (
                "{ address: 127.0.0.1, port_value: 8080 }",
                place(self.upstream),
            ),
            (
                "{ address: 127.0.0.1, port_value: 8470 }",
                place(self.aggregator),
            ),
            // The traffic generator plays many addresses: it is the one trusted proxy.
            (
                "xff_num_trusted_hops: 0",
                "xff_num_trusted_hops: 1".to_owned(),
            ),
            (
                "path: /dev/stdout",
                format!("path: {}", quoted(self.access_log)?),
            ),
            (
                "filename: target/filter/throughline.wasm",
                format!("filename: {}", quoted(self.wasm)?),
            ),
        ] {
            text = replace_once(&text, default, &value)?;
        }
        match self.plugin {
            Some(plugin) => replace_plugin(&text, plugin),
            None => Ok(text),
        }
    }
}

fn quoted(path: &Path) -> anyhow::Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("not UTF-8: {}", path.display()))?;
    Ok(serde_json::to_string(text)?)
}

fn replace_once(text: &str, default: &str, value: &str) -> anyhow::Result<String> {
    let found = text.matches(default).count();
    if found != 1 {
        bail!("envoy/envoy.yaml has `{default}` {found} times instead of once");
    }
    Ok(text.replacen(default, value, 1))
}

/// The block under `value: |` makes way for `plugin`.
fn replace_plugin(text: &str, plugin: &str) -> anyhow::Result<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let mut starts = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.trim() == "value: |");
    let (Some((start, head)), None) = (starts.next(), starts.next()) else {
        bail!("envoy/envoy.yaml does not have one `value: |`");
    };
    let after = start + 1;
    let block = lines.iter().skip(after);
    let length = block
        .take_while(|line| line.trim().is_empty() || indent(line) > indent(head))
        .count();
    let pad = " ".repeat(indent(head) + 2);
    let mut changed: Vec<String> = lines
        .iter()
        .take(after)
        .map(|&line| line.to_owned())
        .collect();
    changed.extend(plugin.lines().map(|line| format!("{pad}{line}")));
    changed.extend(
        lines
            .iter()
            .skip(after + length)
            .map(|&line| line.to_owned()),
    );
    Ok(changed.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(plugin: Option<&str>) -> anyhow::Result<String> {
        let template = include_str!("../../../envoy/envoy.yaml");
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (wasm, access_log) = (Path::new("/x/f.wasm"), Path::new("/x/access.log"));
        let (ingress, admin, upstream, aggregator) = (at(1), at(2), at(3), at(4));
        Bootstrap {
            ingress,
            admin,
            upstream,
            aggregator,
            wasm,
            access_log,
            plugin,
        }
        .render(template)
    }

    #[test]
    fn replaces_every_default() {
        let text = render(None).unwrap();
        for (part, expected) in [
            ("port_value: 1 }", 1),
            ("port_value: 2 }", 1),
            ("port_value: 3 }", 1),
            ("port_value: 4 }", 1),
            ("path: \"/x/access.log\"", 1),
            ("filename: \"/x/f.wasm\"", 1),
            ("\"session_cookie\"", 1),
            ("0.0.0.0", 0),
        ] {
            assert_eq!(text.matches(part).count(), expected, "{part}");
        }
    }

    #[test]
    fn replaces_the_plugin_configuration_alone() {
        let text = render(Some("{\"a\":\n1}")).unwrap();
        assert!(!text.contains("session_cookie"));
        assert!(text.contains("value: |\n                            {\"a\":\n                            1}\n                  - name: envoy.filters.http.router"));
    }

    #[test]
    fn a_default_that_is_gone_is_an_error() {
        let error = replace_once("a b", "c", "d").unwrap_err();
        assert!(error.to_string().contains("`c` 0 times"));
        assert!(replace_once("c c", "c", "d").is_err());
    }
}
