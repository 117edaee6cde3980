#![no_main]
//! Any bytes as a plugin configuration, a live policy, a policy.

use libfuzzer_sys::fuzz_target;
use throughline_session::policy::{LiveDocument, PluginConfig, Policy, PolicyDocument};

fuzz_target!(|data: &[u8]| {
    if let Ok(config) = PluginConfig::parse(data) {
        drop(Policy::new(&config.policy, "fuzz"));
    }
    drop(LiveDocument::parse(data));
    if let Ok(document) = PolicyDocument::parse(data) {
        drop(Policy::new(&document, "fuzz"));
    }
});
