//! The filter's OCI image: the layout that Istio and Envoy Gateway accept, the same digest each time,
//! unchanged on its way through a real registry.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an unexpected outcome is a failure with a line number"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use manifests::{root, skipped};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The least that is a WebAssembly module, and some bytes that make several blocks of it.
fn module(folder: &Path) -> PathBuf {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend((0..200_000_u32).flat_map(u32::to_le_bytes));
    let path = folder.join("module.wasm");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn build(wasm: &Path, out: &Path) -> Result<String, String> {
    let output = Command::new(root().join("scripts/build-oci"))
        .arg("--wasm")
        .arg(wasm)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

/// A blob, after a look at its digest and size.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"]
        .as_str()
        .unwrap()
        .strip_prefix("sha256:")
        .unwrap();
    let bytes = std::fs::read(layout.join("blobs/sha256").join(digest)).unwrap();
    assert_eq!(bytes.len() as u64, descriptor["size"].as_u64().unwrap());
    assert_eq!(hex(&Sha256::digest(&bytes)), digest);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn index(layout: &Path) -> Value {
    json(&std::fs::read(layout.join("index.json")).unwrap())
}

/// The output of `program` for what is in `file`.
fn filtered(program: &str, arguments: &[&str], file: &Path) -> Vec<u8> {
    let input = std::fs::File::open(file).unwrap();
    let output = Command::new(program)
        .args(arguments)
        .stdin(input)
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    output.stdout
}

#[test]
fn the_image_has_one_layer_with_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let (wasm, out) = (module(folder.path()), folder.path().join("oci"));
    let digest = build(&wasm, &out).unwrap();
    let index = index(&out);
    let manifests = index["manifests"].as_array().unwrap();
    assert_eq!(manifests.len(), 1);
    assert_eq!(manifests[0]["digest"], *digest);
    let manifest = json(&blob(&out, &manifests[0]));
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0]["mediaType"], LAYER);

    // Unpacked by other hands than those that packed it.
    let packed = folder.path().join("layer.tar.gz");
    std::fs::write(&packed, blob(&out, &layers[0])).unwrap();
    let tar = filtered("gzip", &["-dc"], &packed);
    let config = json(&blob(&out, &manifest["config"]));
    let expected = format!("sha256:{}", hex(&Sha256::digest(&tar)));
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([expected]));
    let unpacked = folder.path().join("layer.tar");
    std::fs::write(&unpacked, tar).unwrap();
    let list = filtered("tar", &["--numeric-owner", "--utc", "-tvf", "-"], &unpacked);
    let list = String::from_utf8(list).unwrap();
    let words: Vec<&str> = list.split_whitespace().collect();
    let expected = [
        "-rw-r--r--",
        "0/0",
        "800008",
        "1970-01-01",
        "00:00",
        "plugin.wasm",
    ];
    assert_eq!(words, expected);
    let plugin = filtered("tar", &["-xOf", "-", "plugin.wasm"], &unpacked);
    assert!(plugin == std::fs::read(&wasm).unwrap());
}

#[test]
fn the_same_filter_gives_the_same_image() {
    let folder = tempfile::tempdir().unwrap();
    let (wasm, once) = (module(folder.path()), folder.path().join("once"));
    let digest = build(&wasm, &once).unwrap();
    // Another name, time and mode of the file: only its bytes count. And over an old layout.
    let copy = folder.path().join("copy.wasm");
    std::fs::write(&copy, std::fs::read(&wasm).unwrap()).unwrap();
    std::fs::write(&wasm, b"\0asm\x01\0\0\0").unwrap();
    let again = folder.path().join("again");
    assert_ne!(build(&wasm, &again).unwrap(), digest);
    assert_eq!(build(&copy, &again).unwrap(), digest);
    assert_eq!(index(&once), index(&again));
    let blobs = std::fs::read_dir(again.join("blobs/sha256")).unwrap();
    assert_eq!(blobs.count(), 3, "nothing of the old layout is left");
}

#[test]
fn what_is_no_filter_and_no_layout_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "(module)").unwrap();
    let out = folder.path().join("oci");
    assert!(
        build(&text, &out)
            .unwrap_err()
            .contains("no WebAssembly module")
    );
    let wasm = module(folder.path());
    assert!(
        build(&wasm, folder.path())
            .unwrap_err()
            .contains("left alone")
    );
    assert!(wasm.exists());
}

/// Where it was compiled must not show, or it could not be compiled anew elsewhere with one digest.
#[test]
fn the_filter_says_nothing_of_the_machine_that_compiled_it() {
    let Ok(filter) = std::fs::read(root().join("target/filter/throughline.wasm")) else {
        return skipped("needs the filter; scripts/build-filter compiles it");
    };
    let home = std::env::var("HOME").map(|home| format!("{home}/.cargo"));
    let folders = [
        Ok(root().display().to_string()),
        home,
        std::env::var("CARGO_HOME"),
    ];
    for folder in folders.into_iter().flatten() {
        let mut windows = filter.windows(folder.len());
        assert!(
            !windows.any(|window| window == folder.as_bytes()),
            "{folder}"
        );
    }
}

/// A registry on a free port of the loopback; ends when dropped.
struct Registry {
    child: Child,
    address: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        std::mem::drop(self.child.kill());
        std::mem::drop(self.child.wait());
    }
}

fn registry(folder: &Path) -> Option<Registry> {
    let unpacked = root().join(".tools/registry/usr/bin/docker-registry");
    let program = if unpacked.exists() {
        unpacked
    } else {
        "docker-registry".into()
    };
    let data = folder.join("registry");
    let config = folder.join("registry.yml");
    let text = format!(
        "{{version: 0.1, log: {{level: info}}, http: {{addr: '127.0.0.1:0', secret: test}}, \
         storage: {{filesystem: {{rootdirectory: '{}'}}}}}}",
        data.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("listening on ")?;
        Some(rest.split(['"', ' ']).next()?.to_owned())
    });
    // Its log has to go somewhere, or it stops at a full pipe.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(std::mem::drop));
    let Some(address) = address else {
        panic!("docker-registry did not start")
    };
    Some(Registry { child, address })
}

fn skopeo(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("skopeo");
    let output = command
        .arg("--insecure-policy")
        .args(arguments)
        .output()
        .ok()?;
    assert!(output.status.success(), "skopeo {arguments:?}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_digest_survives_a_registry() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(registry), Some(_)) = (registry(folder.path()), skopeo(&["--version"])) else {
        skipped("needs skopeo and docker-registry; scripts/setup-registry installs them");
        return;
    };
    // The filter itself where it was built.
    let filter = root().join("target/filter/throughline.wasm");
    let wasm = if filter.exists() {
        filter
    } else {
        module(folder.path())
    };
    let (out, back) = (folder.path().join("oci"), folder.path().join("back"));
    let digest = build(&wasm, &out).unwrap();
    let remote = format!("docker://{}/throughline-filter", registry.address);
    let local = |path: &Path| format!("oci:{}:0.1.0", path.display());
    let tagged = format!("{remote}:0.1.0");
    skopeo(&["copy", "--dest-tls-verify=false", &local(&out), &tagged]);
    let there = skopeo(&[
        "inspect",
        "--tls-verify=false",
        "--format",
        "{{.Digest}}",
        &tagged,
    ]);
    assert_eq!(there.unwrap().trim(), digest);
    // By digest, as a cluster pulls it.
    let pinned = format!("{remote}@{digest}");
    skopeo(&["copy", "--src-tls-verify=false", &pinned, &local(&back)]);
    let index = index(&back);
    assert_eq!(index["manifests"][0]["digest"], *digest);
    let manifest = json(&blob(&back, &index["manifests"][0]));
    assert_eq!(manifest["layers"][0]["mediaType"], LAYER);
    let (sent, got) = (&manifest["layers"][0], &manifest["config"]);
    assert!(blob(&back, sent) == blob(&out, sent) && blob(&back, got) == blob(&out, got));
}
