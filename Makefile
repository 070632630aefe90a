# make book       build the site
# make serve      serve the site
# make pdf        print the whole book into one PDF, with an installed Chromium or Chrome
# make zip        pack the site, to be read without a network and without a server
# make test       run all tests and all notebooks, properties on a sample of their examples
#      test FAST=1    without what is slow, in 80 s: for while you edit
#      test FULL=1    with every example, every element and thirty kills: for before a release
# make lint       check style, types and the workflows of hosted CI
# make portable   run all notebooks outside of the repository, and all claims, on an imitated older CPU
# make notebooks  run all notebooks and store their outputs
# make bench      measure against PyTorch and others, store in convlab/results/files
# make bench-training   the same for training loops: images per second
# make matrix     the tests of the package on the oldest and the newest supported versions
#
# Each target first makes .venv if it is missing or older than requirements.txt or pyproject.toml.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
READY := .venv/.ready
# Each process computes with one thread, or they would wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4
# The cells of a notebook stay in one process.
NOTEBOOKS := --nbval --nbval-current-env book
# tests/conftest.py says which tests stay together, and in which order they start.
TESTS := tests convlab benchmarks
BALANCED := --dist loadscope --no-loadscope-reorder
SITE := _build/html/index.html

.DEFAULT_GOAL := book
.DELETE_ON_ERROR:
.PHONY: book pdf zip test serve lint notebooks bench bench-training portable matrix clean

# The list is complete, so pip need not search. Compiling is left to all cores.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The book needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	            "Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into .venv; this takes about two minutes, once."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-compile \
	  -r requirements.txt
	@$(BIN)/python -m pip check --disable-pip-version-check
	@$(BIN)/python -m compileall -qq -j 0 .venv || true  # some packages ship files of other Pythons
	@touch $@

# --all: an incremental build forgets the warnings of unchanged pages and new style sheets.
book: $(READY)
	$(BIN)/jupyter-book build --all -W -n --keep-going .
	@echo
	@echo "First page: $(CURDIR)/$(SITE)"
	@echo "Open it in a browser, or run 'make serve' and go to http://localhost:$(PORT)/"

serve: $(SITE)
	@echo "Serving on http://localhost:$(PORT)/ (Ctrl-C ends it; PORT=... chooses another port)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory $(dir $(SITE))

$(SITE):
	$(MAKE) book

pdf: book
	$(BIN)/python -m tools.paper $(dir $(SITE)) _build/convlab.pdf

zip: book
	$(BIN)/python tools/zip_site.py $(dir $(SITE)) _build/convlab-site.zip

test: $(READY)
ifdef FAST
	CONVLAB_EXAMPLES=few $(PYTEST) $(BALANCED) -m "not slow" $(TESTS)
else ifdef FULL
	CONVLAB_EXAMPLES=full CONVLAB_KILLS=30 $(PYTEST) $(BALANCED) $(TESTS) $(NOTEBOOKS)
else
	$(PYTEST) $(BALANCED) $(TESTS) $(NOTEBOOKS)
endif

# Finds outputs that hold on one machine only, and notebooks that need more than the wheel.
portable: export ATEN_CPU_CAPABILITY = default
portable: export ONEDNN_MAX_CPU_ISA = SSE41
portable: export OPENBLAS_CORETYPE = Nehalem
portable: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tools/outside.py -n auto --maxprocesses 4
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.book.claims

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml

notebooks: $(READY)
	$(BIN)/python tools/run_notebooks.py

# Leave the machine alone meanwhile. make bench BENCH="--suite ladder --quick" gives it arguments.
bench: $(READY)
	$(BIN)/python -m benchmarks $(BENCH)

bench-training: $(READY)
	$(BIN)/python -m benchmarks.training $(BENCH)

# Not part of CI: it needs other Pythons and 12 GB. make matrix MATRIX="oldest tests/nn" runs less.
matrix: $(READY)
	$(BIN)/python tools/matrix.py $(MATRIX)

clean:
	rm -rf _build build dist
