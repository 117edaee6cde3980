# What a machine needs: git, curl, a C compiler, python3, Node 20 and rustup. Everything else is put
# into .tools/ and target/ by `make setup`, which says what it installs and why.

# One profile for demo and tests: what one has compiled, the other does not compile again, and a
# release build of Arrow and DuckDB's bindings alone would take longer than the whole demo. The
# dependencies are optimised in it (Cargo.toml), and the filter always is (scripts/build-filter).
CARGO_FLAGS := --locked

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-faults screenshots oci evaluate evaluate-tools prove-grouping bench-filter bench-ingest bench-ui bench-import bench-detect bench-query bench-api clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Put DuckDB's library, Envoy, the compiled filter and the web UI in place
	@scripts/setup-duckdb
	@scripts/setup-envoy
	@scripts/build-filter --test
	@scripts/build-ui

build: setup ## Compile the aggregator, the demo API, the traffic and the demo
	@cargo build $(CARGO_FLAGS) --workspace --bins

demo: build ## Start everything, tell a story in a minute, go on (DEMO_SECONDS=20 ends by itself)
	@cargo run $(CARGO_FLAGS) --quiet --package demo

test: build ## Check format and lints, run every test, end to end included
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	scripts/build-filter --clippy
	scripts/test-ui
	@scripts/setup-registry
	@scripts/setup-chromium
	cargo test $(CARGO_FLAGS) --workspace
	scripts/test-api

test-faults: build ## Kill the aggregator 50 times (FAULT_KILLS), fill its disk, tear its files, crowd it
	@FAULT_KILLS=$${FAULT_KILLS:-50} cargo test $(CARGO_FLAGS) --workspace --test service faults -- --nocapture \
		> target/test-faults.log 2>&1 || { tail -40 target/test-faults.log; exit 1; }
	@grep -oE '^(test faults.*|skipped: .*|[0-9]+ records were .*)' target/test-faults.log
	@grep -oE 'test-faults: kills=.*' target/test-faults.log

screenshots: build ## Draw docs/images: every page of the web UI in both themes
	UPDATE_IMAGES=1 cargo test $(CARGO_FLAGS) --package throughline-tests --test e2e browser

oci: ## Pack the filter as an OCI image into target/oci and print its digest
	@scripts/build-filter
	@scripts/build-oci

evaluate: ## Score bot detection: the demo's traffic by true client, and the public log in ../shared/data
	@CARGO_FLAGS="$(CARGO_FLAGS)" scripts/evaluate

prove-grouping: ## Replay the same traffic under different groupings and score each (docs/GROUPING.md)
	@cargo run $(CARGO_FLAGS) --quiet --package grouping --bin prove_grouping -- --json target/bench/grouping.json \
		--snapshot docs/grouping.snapshot.md --site "$${SITE_DATA:-../shared/data}"

evaluate-tools: build ## Real tools (curl, scrapy, ffuf, hydra, …) against the demo API: what caught each
	@scripts/setup-tools
	@cargo run $(CARGO_FLAGS) --quiet --package demo --bin evaluate_tools

bench-filter: setup ## Measure Envoy's CPU per request: no filter, an empty one, ours, each place
	@scripts/build-filter --bench
	@cargo run $(CARGO_FLAGS) --quiet --package bench -- filter

bench-ingest: setup ## Measure ingest end to end beside a bare append (BENCH_RECORDS, BENCH_SECONDS=600)
	@cargo build $(CARGO_FLAGS) --release --package throughline-aggregator --bin throughline --package bench --bin bench
	@target/release/bench ingest

bench-ui: build ## Measure the web UI: paint, interaction, size, axe (BENCH_RECORDS=5000000 fills the store first)
	@BENCH_UI=1 cargo test $(CARGO_FLAGS) --package throughline-tests --test e2e browser -- --nocapture > target/bench-ui.log 2>&1 \
		|| { tail -20 target/bench-ui.log; exit 1; }
	@grep '^bench-ui:' target/bench-ui.log

bench-import: setup ## Import a combined log beside GoAccess, which counts it: lines per second (BENCH_LINES)
	@cargo build $(CARGO_FLAGS) --release --quiet --package throughline-aggregator --bin throughline
	@scripts/bench-import

bench-detect: ## Measure features and detectors: time per record, memory per session
	@cargo run $(CARGO_FLAGS) --release --quiet --package throughline-detection --example bench_detect

bench-query: setup ## Measure lists, sessions, endpoints and a restart while 20,000 records/s come in (BENCH_RECORDS=5000000)
	@cargo build $(CARGO_FLAGS) --release --package throughline-aggregator --bins
	@cargo run $(CARGO_FLAGS) --release --quiet --package bench -- query

bench-api: setup ## Measure the API's answers for two clients while 5,000 records/s come in (BENCH_RECORDS=5000000)
	@cargo build $(CARGO_FLAGS) --release --package throughline-aggregator --bins
	@cargo run $(CARGO_FLAGS) --release --quiet --package bench -- api

clean: ## Remove what was compiled; .tools stays
	cargo clean
