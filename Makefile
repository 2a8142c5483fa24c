# The front door. Each target installs what it lacks (scripts/provision.sh), builds what is out of
# date and is silent about the rest. make help lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Ninja and ctest bring their own parallelism.
.NOTPARALLEL:

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
FUZZ_SECONDS ?= 30
TORTURE_SECONDS ?= 1200
TORTURE_TASKS ?= 0
SOAK_SECONDS ?= 900
SOAK_CROWD ?= 200
export JOBS
VERSION := $(shell sed -n 's/^project.sidecar-executor VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
DIST = sidecar-executor-$(VERSION)-linux-amd64
RELEASE = build/release
SOURCES = git ls-files -co --exclude-standard -- 'src/*.[ch]pp' 'tools/*.[ch]pp' 'tests/*.[ch]pp' 'bench/*.[ch]pp'
SHELL_FILES = git grep -lE --untracked '^\#(!.*sh($$| )| shellcheck shell=)' -- .ci scripts tests tools bench examples packaging
# Ninja's progress is for people, its errors for all.
NINJA = set -o pipefail; if [ -t 1 ]; then $(build_command); else \
  $(build_command) -- --quiet | { grep -v '^ninja: no work to do' || true; }; fi
build_command = cmake --build build/$(1) -j $(JOBS) $(if $(2),--target $(2))
# CMake looks at itself again when its files change; this is for the first time and for new presets.
configure = @if [ ! -f build/$(1)/build.ninja ] || [ CMakePresets.json -nt build/$(1)/build.ninja ]; then \
  echo "Configuring build/$(1)"; \
  mkdir -p build/$(1); \
  cmake --preset $(1) $(2) >build/$(1)/configure.log 2>&1 || { cat build/$(1)/configure.log; exit 1; }; \
  fi
DOCKER = scripts/with-docker.sh
REGISTRY = scripts/with-registry.sh

.PHONY: help build demo test check bench dist tidy format coverage fuzz torture soak clean asan debug \
  build-tests test-podman check-reproducible build-asan build-asan-tests test-asan test-asan-system check-format check-rooms check-shell check-tidy

help:
	@echo "sidecar-executor $(VERSION)"
	@echo
	@echo "  make build      $(RELEASE)/sidecar-executor, one static file"
	@echo "  make demo       runs real containers through it: serve, fail, be unhealthy, be killed"
	@echo "  make test       all tests: unit, component (loopback), system (real dockerd)"
	@echo "  make check      format, rooms, shellcheck, clang-tidy on what changed, tests with sanitizers"
	@echo "  make bench      the benchmarks"
	@echo "  make dist       dist/$(DIST).tar.gz, the .deb, their .sha256"
	@echo
	@echo "  make format     clang-format on every source     make tidy       clang-tidy on every source"
	@echo "  make coverage   line coverage of src/            make fuzz       each target FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "  make torture    random faults, TORTURE_SECONDS=$(TORTURE_SECONDS), SEED=n"
	@echo "  make soak       $(SOAK_CROWD) tasks at once, SOAK_SECONDS=$(SOAK_SECONDS)"
	@echo "  make debug      build/debug                      make clean      removes build/ and dist/"
	@echo "  make test-podman   the system tests against Podman (root; minutes)"
	@echo "  make check-reproducible   builds the last commit again from nothing and compares (minutes)"
	@echo
	@echo "Missing Debian packages are installed, as root or through sudo. JOBS=$(JOBS). A private dockerd is"
	@echo "started if none answers at DOCKER_HOST. TESTS='-R name' gives make test more ctest arguments."

provision-%:
	@scripts/provision.sh --for $*

build: provision-build
	$(call configure,release)
	@$(call NINJA,release,sidecar-executor mini-agent)

debug: provision-build
	$(call configure,debug)
	@$(call NINJA,debug)

build-tests: provision-test
	$(call configure,release)
	@$(call NINJA,release)

test: build-tests
	@$(DOCKER) $(REGISTRY) scripts/run-tests.sh release $(TESTS)

# A second engine; docs/podman.md.
test-podman: build-tests provision-podman
	@scripts/with-podman.sh scripts/test-podman.sh $(TESTS)

demo: provision-demo
	$(call configure,release)
	@$(call NINJA,release,sidecar-executor mini-agent)
	@$(DOCKER) scripts/demo.sh

# llvm-symbolizer and the sanitizers' runtime come with the packages of check.
build-asan asan: provision-check
	$(call configure,asan)
	@$(call NINJA,asan)

# Without the system tests and mini-agent: half of what there is to compile.
build-asan-tests: provision-check
	$(call configure,asan)
	@$(call NINJA,asan,unit_tests component_tests mini_agent_tests)

test-asan: build-asan-tests
	@scripts/run-tests.sh asan -L 'unit|component' $(TESTS)

test-asan-system: build-asan provision-test
	@$(DOCKER) $(REGISTRY) scripts/run-tests.sh asan -L system $(TESTS)

check: provision-check provision-test check-format check-rooms check-shell check-tidy test-asan
	@echo "check: all is well"

check-format: provision-check
	@set -o pipefail; $(SOURCES) | tr '\n' '\0' | xargs -0 -r clang-format-19 --dry-run --Werror && echo "format: well"

check-rooms:
	@scripts/check-rooms.sh && scripts/check-messages.sh && echo "rooms, messages: well"

check-shell: provision-check
	@shellcheck -x $$($(SHELL_FILES)) && echo "shellcheck: well"

check-tidy: provision-check build-tests
	@scripts/tidy-changed.sh

tidy: provision-check build-tests
	@scripts/tidy-changed.sh --all

format: provision-check
	@set -o pipefail; $(SOURCES) | tr '\n' '\0' | xargs -0 -r clang-format-19 -i

bench: provision-bench
	$(call configure,release,-DSX_BENCH=ON)
	@grep -q SX_BENCH:BOOL=ON $(RELEASE)/CMakeCache.txt || cmake --preset release -DSX_BENCH=ON >/dev/null
	@$(call NINJA,release,sidecar-executor mini-agent lifecycle_bench poll_bench micro_bench)
	@$(DOCKER) bench/run.sh $(BENCH)

coverage: provision-coverage provision-test
	$(call configure,coverage)
	@$(call NINJA,coverage)
	@scripts/coverage.sh

fuzz: provision-fuzz
	$(call configure,fuzz)
	@$(call NINJA,fuzz,fuzz_all)
	@scripts/fuzz.sh $(FUZZ_SECONDS)

# SEED is the first seed, of which TORTURE_TASKS=1 runs that one. TORTURE: more arguments.
torture: provision-test
	$(call configure,release)
	@$(call NINJA,release,torture)
	@$(REGISTRY) $(RELEASE)/tests/torture --first $(or $(SEED),$(shell date +%s)000) \
	  --seconds $(TORTURE_SECONDS) --tasks $(TORTURE_TASKS) $(TORTURE)

soak: provision-bench
	$(call configure,release,-DSX_BENCH=ON)
	@grep -q SX_BENCH:BOOL=ON $(RELEASE)/CMakeCache.txt || cmake --preset release -DSX_BENCH=ON >/dev/null
	@$(call NINJA,release,sidecar-executor mini-agent soak)
	@$(DOCKER) bash -c 'scripts/make-image.sh sx-bench:1 && exec $(RELEASE)/bench/soak \
	  --seconds $(SOAK_SECONDS) --crowd $(SOAK_CROWD) $(SOAK)'

dist: build
	@scripts/dist.sh $(VERSION)

check-reproducible: build
	@scripts/check-reproducible.sh $(VERSION)

clean:
	@rm -rf build dist
