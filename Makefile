# Every target does its own set-up on a fresh Debian machine with a Rust toolchain, says what it does,
# and may be run again at any time.

CARGO_TARGET_DIR ?= $(HOME)/.cache/wardline/target
export CARGO_TARGET_DIR
CARGO ?= cargo
FUZZ_SECONDS ?= 60

.PHONY: help demo demo-canary test lint bench peers fuzz prerequisites programs

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

demo: prerequisites ## Play a bank's four models through a real server, and show what it found
	@echo "==> building wardline into $(CARGO_TARGET_DIR): about 15 minutes on two cores the first time, seconds after that"
	$(CARGO) build --workspace
	@echo "==> the demo: seventeen days of telemetry through a real server; about a minute"
	"$(CARGO_TARGET_DIR)/debug/wardline" demo

demo-canary: prerequisites ## Roll a bad version back: real model servers, HAProxy, MLflow and Wardline
	@echo "==> building wardline into $(CARGO_TARGET_DIR): about 15 minutes on two cores the first time, seconds after that"
	$(CARGO) build --workspace
	@python="$$(.ci/test-programs)/python" && "$$python" demo/canary/run "$(CARGO_TARGET_DIR)/debug/wardline"

test: prerequisites programs ## Everything that must pass: formatting, lints, tests, tidiness
	@echo "==> formatting"
	$(CARGO) fmt --all --check
	@echo "==> lints and tests, built once into $(CARGO_TARGET_DIR): about 20 minutes on two cores the first time"
	@.ci/with-lints $(CARGO) build --workspace --all-targets
	@.ci/with-lints $(CARGO) test --workspace --no-fail-fast

lint: prerequisites ## The lints alone
	@.ci/with-lints $(CARGO) build --workspace --all-targets

bench: prerequisites ## Measure intake, hunt, storage and freshness on this machine
	@echo "==> building the release binary into $(CARGO_TARGET_DIR): half an hour or more on two cores the first time"
	$(CARGO) build --release --workspace
	"$(CARGO_TARGET_DIR)/release/wardline" bench

peers: prerequisites ## Measure the statistics beside Evidently, NannyML, river and Alibi Detect
	@benches/peers/run

fuzz: prerequisites ## Feed each decoder hostile bytes for a minute (needs the nightly toolchain)
	@.ci/fuzz $(FUZZ_SECONDS)

prerequisites:
	@.ci/prerequisites

# What the actuators are tested against: HAProxy, nginx, Envoy, Traefik and MLflow.
programs:
	@.ci/test-programs >/dev/null
