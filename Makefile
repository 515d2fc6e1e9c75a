# Thin on purpose: each target is one command you could type. CI calls `make check test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO := cargo
LOOK := target/release/look
BUNDLE ?= infra/bundles/card-fraud/bundle.toml
STACK ?= second-look
STATE ?= target/run/local

.PHONY: help run test check bench bench-quality bench-scale sql train replay events deploy build needs clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: build ## the whole loop on this machine; INPUT=file takes your own NDJSON or CSV
	$(LOOK) run $(if $(INPUT),--input "$(INPUT)") $(RUN_FLAGS)

# Builds the programs too, each having tests of the whole of it; a build before would build what is shared twice.
test: needs ## every test: the deployment to LocalStack, and a whole run under faults
	$(CARGO) test --release --workspace --locked

check: ## formatting, lints, documentation, licences and sources of what is used
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- -D warnings
	$(CARGO) doc --release --workspace --no-deps --locked
	$(CARGO) test --release --workspace --locked --test workspace

bench: build ## speed of the first look, its cold start, and its independence of the warehouse, to target/bench/
	$(CARGO) bench --profile release --workspace --locked --bench handler --bench first_look

bench-quality: build ## how good the decisions are and what they cost, beside peers, to target/bench/quality.json; PART=scoring alone
	$(CARGO) bench --profile release --workspace --locked --bench quality -- $(PART)

bench-scale: ## 1 to 1,000 shards in simulated time, and SQL on 300 million rows, to target/bench/scale.json; PART=10, PART=outage or PART=columnar alone
	$(CARGO) bench --profile release --workspace --locked --bench scale -- $(PART)

sql: ## writes the SQL of the shipped bundles again, to infra/bundles/*/sql
	UPDATE_EXPECT=1 $(CARGO) test --release -p features --test expected_sql

train: build ## a bundle from a labelled history: make train HISTORY=file [OUT=folder]
	$(LOOK) train --bundle $(BUNDLE) --history "$(HISTORY)" --out "$(or $(OUT),target/bundle)"

replay: build ## a file onto a stream: make replay INPUT=file STREAM=name
	$(LOOK) replay "$(INPUT)" --stream "$(STREAM)"

events: ## every event of events/ to its function on this machine, by cargo-lambda; after: make run RUN_FLAGS=--keep
	set -euo pipefail; environment=$$($(LOOK) local status --export --state $(STATE)); eval "$$environment"; \
	for event in events/*/*.json; do \
		function=$$(basename $$(dirname $$event)); echo "$$event"; \
		$(CARGO) lambda invoke $(STACK)-$$function --remote --endpoint-url $$AWS_ENDPOINT_URL --data-file $$event; echo; \
	done

deploy: ## to your AWS account, by way of a bucket for programs and template: make deploy BUCKET=artifacts PARAMETERS="WarehouseWorkgroup=… …" (see docs/deploying.md)
	$(CARGO) lambda build --profile lambda --arm64 --locked -p score -p confirm -p sweep -p load -p train
	aws cloudformation package --template-file infra/template.yaml --s3-bucket "$(BUCKET)" --output-template-file target/packaged.yaml
	aws cloudformation deploy --template-file target/packaged.yaml --s3-bucket "$(BUCKET)" --stack-name $(STACK) --capabilities CAPABILITY_NAMED_IAM --parameter-overrides $(PARAMETERS)

build: needs
	$(CARGO) build --release --workspace --locked

# Said before the build, not ten minutes into it.
needs:
	@command -v cargo >/dev/null || { echo "missing: cargo. Install Rust 1.94.1 or newer with rustup or your distribution"; exit 1; }
	@command -v cc >/dev/null || { echo "missing: a C compiler. Install gcc or clang (Debian: apt-get install build-essential)"; exit 1; }
	@found=; for name in python3 python3.13 python3.12 python3.11; do \
		version=$$($$name -c "import sys; print('%d.%d' % sys.version_info[:2])" 2>/dev/null) || continue; \
		case $$version in 3.11|3.12|3.13) exit 0;; *) found="$$found $$name $$version";; esac; \
	done; \
	echo "missing: Python 3.11, 3.12 or 3.13; found$${found:- none}. Install one (Debian: apt-get install python3 python3-venv; elsewhere: uv python install 3.13)"; exit 1

clean: ## everything that was built or left behind by a run
	-$(LOOK) local down --state $(STATE)
	-$(LOOK) local down
	$(CARGO) clean
