//! End-to-end tests; see tests/README.md.
