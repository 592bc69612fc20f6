# From a fresh clone, `make demo` and `make test` need nothing but Python 3.11 or newer with its venv module.
PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
# Pins for every package that a target installs; a package index is whatever pip is set up for.
LOCK = requirements-dev.lock
TFLITE_LOCK = requirements-tflite.lock
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO = fixtures/recordings/chest_strap.jsonl.gz
DEMO_STORE = .demo
# The script of a model; what needs the pipeline to learn from lies outside of models.
TRAINER = $(if $(wildcard models/training/$(MODEL).py),models.training.$(MODEL),benchmarks.train_$(MODEL))
OUT = .train/$(MODEL)/out
# Tests run one per core: numpy must not start threads of its own beside them.
THREADS = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: help demo clinic-demo test test-long tflite-runtime test-tflite-runtime install lint train bench fixtures clean

help: ## What there is to make
	@echo 'make TARGET [PYTHON=python3.12] [VENV=.venv]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-14s %s\n' "  $$name" "$$text"; done

demo: $(VENV)/.installed ## Replay a recorded chest strap through the whole path, live, and show the summary
	@rm -rf $(DEMO_STORE)
	@$(BIN)/vitalkeep run --replay $(DEMO) --speed 20 --store $(DEMO_STORE)

clinic-demo: $(VENV)/.clinic ## A clinic with a made-up year of 131 patients, in your browser until Ctrl-C
	@$(BIN)/python -m tests.rigs.clinic_demo

test: $(VENV)/.dev ## All tests but the slow ones, some minutes
	@$(THREADS) $(BIN)/python -m pytest -n auto -m 'not slow'

test-long: $(VENV)/.dev ## The slow tests
	@$(THREADS) $(BIN)/python -m pytest -n auto -m slow

tflite-runtime: $(VENV)-tflite/.installed ## The other runtime of the nets, in an environment of its own (PYTHON=python3.11)
	@echo "installed: $(VENV)-tflite/bin/vitalkeep --help"

# What models say and what is made of it; the stores and profiles, which know no model, are not asked again.
test-tflite-runtime: $(VENV)-tflite/.installed ## Models and their laws with tflite-runtime and NumPy 1
	@$(THREADS) VITALKEEP_TFLITE=tflite-runtime $(VENV)-tflite/bin/python -m pytest -n auto -m 'not slow' tests/models tests/laws/test_models.py tests/laws/test_pipeline_cut.py tests/laws/test_metrics.py

install: $(VENV)/.installed ## vitalkeep and its file readers into .venv
	@echo "installed: $(BIN)/vitalkeep --help"

lint: $(VENV)/.dev ## Style, types and who may import whom
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

train: $(VENV)-train/.installed ## Make the weights of a model again: make train MODEL=beat DATA=FOLDER [OUT=FOLDER] [OPTIONS=...]
	@test -n '$(MODEL)' && test -n '$(DATA)' || { echo 'make train MODEL=NAME DATA=FOLDER (CONTRIBUTING.md says more)' >&2; exit 2; }
	@mkdir -p $(OUT) .train/$(MODEL)
	@$(VENV)-train/bin/python -m $(TRAINER) --data $(DATA) --scratch .train/$(MODEL) --out $(OUT) $(OPTIONS)

bench: $(VENV)-bench/.installed ## Side by side with other tools: accuracy, speed, memory (on real recordings, or on made ones)
	@$(VENV)-bench/bin/python -m benchmarks.startup
	@$(VENV)-bench/bin/python -m benchmarks.qrs
	@$(VENV)-bench/bin/python -m benchmarks.respiration
	@$(VENV)-bench/bin/python -m benchmarks.ppg
	@$(VENV)-bench/bin/python -m benchmarks.analyze_day
	@$(VENV)-bench/bin/python -m benchmarks.oximetry
	@$(VENV)-bench/bin/python -m benchmarks.hrv
	@$(VENV)-bench/bin/python -m benchmarks.live

fixtures: $(VENV)/.installed ## Make the fixture recordings again, byte for byte
	@$(BIN)/python -m fixtures.make

clean: ## Take .venv and the caches away; the wearer's data stays
	rm -rf $(VENV) $(VENV)-bench $(VENV)-tflite $(VENV)-train $(DEMO_STORE) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

# How an environment is made, told what is missing where it cannot be.
define make_venv
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo 'vitalkeep needs Python 3.11 or newer: sudo apt install python3 python3-venv' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vitalkeep needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1): sudo apt install python3.11 python3.11-venv, then make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'Python is here without its venv module: sudo apt install python3-venv' >&2; exit 1; }
	@echo 'making $(1) (once; some minutes on a small machine)'
	@$(PYTHON) -m venv $(1) || { rm -rf $(1); exit 1; }
endef

$(BIN)/python:
	$(call make_venv,$(VENV))

$(VENV)-bench/bin/python:
	$(call make_venv,$(VENV)-bench)

$(VENV)-tflite/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { echo "tflite-runtime 2.14 needs Python 3.11, $(PYTHON) is $$($(PYTHON) -V 2>&1): make tflite-runtime PYTHON=python3.11" >&2; exit 1; }
	$(call make_venv,$(VENV)-tflite)

$(VENV)-train/bin/python:
	$(call make_venv,$(VENV)-train)

# A stamp is older than pyproject.toml or the lock when one of those changed, so the next target installs again.
$(VENV)/.installed: pyproject.toml $(LOCK) | $(BIN)/python
	@$(PIP) install --constraint $(LOCK) --editable '.[files]'
	@touch $@

$(VENV)/.clinic: $(VENV)/.installed
	@$(PIP) install --constraint $(LOCK) --editable '.[clinic]'
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@$(PIP) install --constraint $(LOCK) --editable '.[dev]'
	@touch $@

# Without the lock: a peer sets its own limits.
$(VENV)-bench/.installed: pyproject.toml | $(VENV)-bench/bin/python
	@$(VENV)-bench/bin/python -m pip --disable-pip-version-check --quiet install --editable '.[bench]'
	@touch $@

# The one lock, but for what the other one has otherwise.
$(VENV)-tflite/.installed: pyproject.toml $(LOCK) $(TFLITE_LOCK) | $(VENV)-tflite/bin/python
	@awk -F== 'NR == FNR { other[$$1]; print; next } !($$1 in other)' $(TFLITE_LOCK) $(LOCK) > $(VENV)-tflite/lock.txt
	@$(VENV)-tflite/bin/python -m pip --disable-pip-version-check --quiet install --constraint $(VENV)-tflite/lock.txt --editable '.[files,plot,tflite-runtime]' pytest pytest-xdist hypothesis
	@touch $@

# Without the lock as well: TensorFlow sets limits of its own.
$(VENV)-train/.installed: pyproject.toml | $(VENV)-train/bin/python
	@$(VENV)-train/bin/python -m pip --disable-pip-version-check --quiet install --editable '.[train]'
	@touch $@
