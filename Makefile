# rbnn: `make help` lists the targets. Everything is set up in .venv, .cache and firmware/third_party.

PYTHON ?= python3
VENV := .venv
WHEEL_VENV := .cache/wheel
BIN := $(VENV)/bin
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# Without bytecode, each of the tests' many processes would compile rbnn again.
unexport PYTHONDONTWRITEBYTECODE
export PLATFORMIO_CORE_DIR ?= $(CURDIR)/.cache/platformio

# command:Debian package that brings it
SYSTEM_TOOLS := \
	cc:gcc \
	arm-none-eabi-gcc:gcc-arm-none-eabi \
	arm-none-eabi-nm:binutils-arm-none-eabi \
	qemu-system-arm:qemu-system-arm \
	espeak-ng:espeak-ng
# command:Debian package that brings it, for the tests alone
TEST_TOOLS := \
	chromium:chromium \
	clang:clang \
	cmake:cmake \
	ninja:ninja-build \
	openocd:openocd \
	riscv64-unknown-elf-gcc:gcc-riscv64-unknown-elf \
	valgrind:valgrind
# file, or a pattern of it:Debian package that brings it
SYSTEM_FILES := \
	/usr/include/stdio.h:libc6-dev \
	/usr/lib/arm-none-eabi/newlib/libc.a:libnewlib-arm-none-eabi

# the same, for the tests alone
TEST_FILES := \
	/usr/lib/postgresql/*/bin/initdb:postgresql \
	/usr/lib/picolibc/riscv64-unknown-elf/include/string.h:picolibc-riscv64-unknown-elf

# Rooms whose tests train nothing, emulate nothing and compile little
FAST_TESTS := $(addprefix tests/,architecture spec pages keys flash container runs device tasks puf reconf)
C_FILES := find firmware rbnn tests \( -name '*.[ch]' -o -name '*.cc' \) ! -path '*/third_party/*' ! -name rbnn_spec.h -print0

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: system $(VENV)/.installed firmware/third_party/monocypher/monocypher.c ## Install what is missing (apt and pip)

.PHONY: system
system:
	@missing=(); \
	for pair in $(SYSTEM_TOOLS); do command -v "$${pair%%:*}" >/dev/null || missing+=("$${pair#*:}"); done; \
	for pair in $(foreach file,$(SYSTEM_FILES),'$(file)'); do compgen -G "$${pair%%:*}" >/dev/null || missing+=("$${pair#*:}"); done; \
	"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv); \
	"$(PYTHON)" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null || missing+=(python3-dev); \
	if [ "$${#missing[@]}" -gt 0 ]; then \
		command -v apt-get >/dev/null || { echo "Missing: $${missing[*]} (Debian's names). Install them with your package manager." >&2; exit 1; }; \
		sudo=""; \
		if [ "$$(id -u)" -ne 0 ]; then \
			command -v sudo >/dev/null || { echo "Missing: $${missing[*]}. Run as root: apt-get install $${missing[*]}" >&2; exit 1; }; \
			sudo="sudo"; \
		fi; \
		echo "Installing: $${missing[*]}"; \
		$$sudo apt-get update -qq; \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	fi
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
		{ echo "rbnn needs Python 3.11 or 3.12; found $$($(PYTHON) --version). Name another: make PYTHON=python3.11" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | system
	"$(PYTHON)" -m venv "$(VENV)"
	"$(BIN)/pip" install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,test]'
	touch "$@"

firmware/third_party/monocypher/monocypher.c: rbnn/monocypher.py | $(VENV)/.installed
	"$(BIN)/python" -m rbnn.monocypher
	touch "$@"

.PHONY: demo
demo: setup ## Train two tasks, flash the emulated board, unlock, switch, measure on the device
	"$(BIN)/rbnn" demo

.PHONY: demo-seven
demo-seven: setup ## Flash the shipped seven-task model to the emulated board; trains nothing
	"$(BIN)/rbnn" demo --seven

.PHONY: seven
seven: setup ## Pack RUN=folder as the shipped seven-task model; publishes the secrets of that run
	"$(BIN)/python" -m rbnn.export.pack --publish-secrets "$(RUN)"

.PHONY: bench
bench: setup ## Count instructions of layers and a network on the emulated cores, write docs/benchmarks.md
	"$(BIN)/rbnn" bench document --out docs/benchmarks.md

.PHONY: bench-engines
bench-engines: setup ## Measure other engines from git checkouts in SOURCES=folder, write rbnn/cost/peer_table.py
	"$(BIN)/python" -m rbnn.bench.engines "$(SOURCES)"

.PHONY: bench-train
bench-train: setup ## Time training seven tasks together against training each alone
	"$(BIN)/rbnn" bench train

.PHONY: bench-fingerprint
bench-fingerprint: setup ## Entropy of the fingerprint, guesses at real SRAM (RBNN_DATA), write docs/fingerprint.md
	"$(BIN)/rbnn" bench fingerprint --output docs/fingerprint.md \
		$(if $(RBNN_DATA),--readouts "$(RBNN_DATA)/sram/xmc.npz")

.PHONY: bench-registry
bench-registry: setup ## Time a registry of 1,000,000 licences, write docs/benchmarks/registry.md
	"$(BIN)/rbnn" bench registry --out docs/benchmarks/registry.md

.PHONY: bench-audit
bench-audit: setup ## Train clean and TEST-ONLY poisoned networks and audit them (hours; continues), write OUT=folder
	"$(BIN)/rbnn" bench audit --out "$(if $(OUT),$(OUT),bench/audit)"

.PHONY: audit-document
audit-document: setup ## From the measurement in OUT=folder, write docs/audit.md, docs/benchmarks/audit.* and the limits
	"$(BIN)/python" -m rbnn.audit.bench.document "$(if $(OUT),$(OUT),bench/audit)"

.PHONY: bench-library
bench-library: SYSTEM_TOOLS += $(TEST_TOOLS)
bench-library: SYSTEM_FILES += $(TEST_FILES)
bench-library: setup ## Count the C library's bytes on each kind of core, write docs/benchmarks/library.md
	"$(BIN)/python" -m rbnn.bench.library --out docs/benchmarks/library.md

.PHONY: bench-install
bench-install: wheel ## Install the wheel into a new environment, time its first commands, write docs/benchmarks/install.md
	"$(BIN)/python" -m rbnn.bench.user.install dist/*.whl --out docs/benchmarks/install.md

.PHONY: bench-host
bench-host: setup ## Measure Keras and the C engine on this machine, images a second
	"$(BIN)/rbnn" bench host

.PHONY: test
test: SYSTEM_TOOLS += $(TEST_TOOLS)
test: SYSTEM_FILES += $(TEST_FILES)
test: setup lint ## Run the tests: Python, host C under sanitizers, firmware under QEMU
	"$(BIN)/python" -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: test-full
test-full: SYSTEM_TOOLS += $(TEST_TOOLS)
test-full: SYSTEM_FILES += $(TEST_FILES)
test-full: setup lint ## Run all tests, also what is marked full: every core, compiler and architecture
	"$(BIN)/python" -m pytest --full --hypothesis-profile rbnn-search --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: test-fast
test-fast: setup ## Run the tests that need no training and no emulator, in under a minute
	"$(BIN)/python" -m pytest --numprocesses auto --dist loadfile -m 'not slow and not qemu' $(FAST_TESTS)

.PHONY: trust
trust: setup ## Run the security evidence in full (hours; goes on where it was), write docs/trust.md; ROWS="NAME ..." for some
	"$(BIN)/python" -m pytest --trust $(ROWS:%=--row %) --timeout 0 --durations 0

.PHONY: format
format: setup ## Format Python and C, in place
	"$(BIN)/ruff" check --fix rbnn tests setup.py
	"$(BIN)/ruff" format rbnn tests setup.py
	$(C_FILES) | xargs -0 "$(BIN)/clang-format" --style=file:firmware/.clang-format -i

.PHONY: lint
lint: setup ## Check style, types, and that what is generated from rbnn/spec is current
	@failed=; \
	"$(BIN)/mypy" & types=$$!; \
	"$(BIN)/ruff" check rbnn tests setup.py || failed=1; \
	"$(BIN)/ruff" format --check rbnn tests setup.py || failed=1; \
	$(C_FILES) | xargs -0 "$(BIN)/clang-format" --style=file:firmware/.clang-format --dry-run -Werror || failed=1; \
	"$(BIN)/python" -m rbnn.spec.header --check || failed=1; \
	"$(BIN)/python" -m rbnn.spec.document --check || failed=1; \
	wait "$$types" || failed=1; \
	[ -z "$$failed" ]

.PHONY: spec
spec: setup ## Write firmware/spec/rbnn_spec.h and the tables of SPEC.md from rbnn/spec
	"$(BIN)/python" -m rbnn.spec.header
	"$(BIN)/python" -m rbnn.spec.document

.PHONY: wheel
wheel: ## Build the distributions into dist/: the wheel, and the sources that it is made from
	test -x $(WHEEL_VENV)/bin/pip || $(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/pip install --quiet --disable-pip-version-check setuptools==80.9.0
	rm -rf build dist
	$(WHEEL_VENV)/bin/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")' > .cache/wheel.log
	$(WHEEL_VENV)/bin/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist dist/*.tar.gz
	@ls -l dist/*.whl

.PHONY: clean
clean: ## Remove builds and caches; keeps runs, keys and emulated boards
	rm -rf build .cache .pio firmware/.pio .pytest_cache .mypy_cache .ruff_cache .hypothesis
