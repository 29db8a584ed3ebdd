# Timberline: build, run, test. `make` alone lists what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BINARY := build/timberline
SWIFT_BUILD := swift build -c release --static-swift-stdlib --product timberline

.PHONY: help setup ui build run test test-unit test-ui test-e2e crash fuzz bench bench-tenants bench-growth bench-meaning bench-vectors eval format lint dist clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install the Debian packages that building needs, those that are missing
	@scripts/setup.sh build

ui: setup ## Build the web bundle
	@Sources/Web/UI/build.sh

build: ui ## Build the release binary, build/timberline
	$(SWIFT_BUILD)
	@mkdir -p build
	@install -m 755 "$$($(SWIFT_BUILD) --show-bin-path)/timberline" $(BINARY)
	@strip --strip-debug $(BINARY)
	@scripts/check-binary.sh $(BINARY)

run: build ## Build everything and start it with a sample incident
	@exec $(BINARY) demo

test: lint test-unit build test-e2e test-ui ## Everything that continuous integration runs
	@scripts/summary.sh

test-unit: ui ## Unit, property and fuzz tests of every room, and the bundle's own tests
	@Sources/Web/UI/check.sh
	@scripts/summary.sh --reset
	set -o pipefail; swift test 2>&1 | tee .build/test-unit.log

test-e2e: build ## The real binary over real sockets: API, command line, crash and full-disk harness, at small size
	@scripts/setup.sh test
	python3 -m unittest discover -v -s Tests/EndToEnd -p 'test_*.py' 2>&1 | tee .build/test-e2e.log

test-ui: build ## The pages in a real browser
	@scripts/setup.sh browser
	TIMBERLINE_BINARY=$(abspath $(BINARY)) Tests/UITests/run.sh 2>&1 | tee .build/test-ui.log

crash: build ## The crash harness at length: CYCLES kill -9 cycles (default 200)
	@scripts/setup.sh test
	TIMBERLINE_CRASH_CYCLES=$${CYCLES:-200} python3 -m unittest discover -v -s Tests/EndToEnd -p test_crash.py

fuzz: build ## The parsers, the API and the query language against random input, at length (ROUNDS, default 2000)
	@scripts/setup.sh test
	TIMBERLINE_FUZZ_ROUNDS=$${ROUNDS:-2000} TIMBERLINE_ORACLE_QUERIES=$${ROUNDS:-2000} \
	  python3 -m unittest discover -v -s Tests/EndToEnd -p 'test_[hq]*.py'

bench: build ## The engine's benchmark, answers checked; CORPUS=FILE.ndjson for yours, PAGE=docs/benchmarks.md to write it down
	python3 Tests/Benchmarks/bench.py engine --binary $(abspath $(BINARY)) $(if $(CORPUS),--corpus $(CORPUS)) $(if $(PAGE),--write $(PAGE))

bench-tenants: build ## Ingest over 1,000 tenants of 10,000
	python3 Tests/Benchmarks/bench.py tenants --binary $(abspath $(BINARY)) $(if $(PAGE),--write $(PAGE))

bench-meaning: build ## Search by meaning in a tenant of 100,000 patterns
	python3 Tests/Benchmarks/bench.py meaning --binary $(abspath $(BINARY)) $(if $(PAGE),--write $(PAGE))

bench-vectors: ## The vector index beside hnswlib, USearch and FAISS; LOGS=DIR for vectors of real log lines
	swift build -c release --product VectorBench
	python3 Tests/Benchmarks/vectors/bench_vectors.py --binary .build/release/VectorBench $(if $(LOGS),--logs $(LOGS)) $(if $(PAGE),--write $(PAGE))

eval: ## The log intelligence over labelled data: DATA=DIR with eval, loghub and incidents; MODEL=FILE for the second stage
	swift build -c release --product EvaluationTool
	python3 Tests/Benchmarks/evaluate.py --binary .build/release/EvaluationTool $(if $(DATA),--data $(DATA)) $(if $(MODEL),--model $(MODEL)) $(if $(PAGE),--write $(PAGE))

bench-growth: build ## The cost of a question as a tenant grows
	python3 Tests/Benchmarks/bench.py growth --binary $(abspath $(BINARY)) $(if $(CORPUS),--corpus $(CORPUS)) $(if $(PAGE),--write $(PAGE))

format: ## Format the sources
	swift format --in-place --recursive --parallel Package.swift Sources Tests

lint: ## Check format and the rules of the house
	@scripts/lint.sh

dist: build ## A tarball of the binary, its licence, the unit file and the sample configuration
	@packaging/build.sh $(BINARY)

clean: ## Delete what was built
	rm -rf .build build Sources/CWebAssets/dist
