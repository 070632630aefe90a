# make book   build the site          make test   run every test
# make serve  show the site           make lint   style and types
# make notebooks  run every notebook again and store what it prints
# make bench      measure against PyTorch and others, store in benchmarks/results
# make bench-training   the same for training loops: images per second
# make matrix     the tests of the package on the oldest and the newest supported versions
#
# Each target first makes .venv if it is missing or older than what it is made from.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
READY := .venv/.ready
# The tests of one file stay in one process; so do the cells of a notebook. Each process of the
# first kind computes with one thread, or they would wait for each other.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile
SITE := _build/html/index.html

.DEFAULT_GOAL := book
.DELETE_ON_ERROR:
.PHONY: book test serve lint notebooks bench bench-training portable matrix clean

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The book needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	            "Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into .venv; this takes about two minutes, once."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt -e .
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

# Both halves run even if the first fails, so that one look shows everything.
test: $(READY)
	@status=0; \
	echo "== the package, the notebooks as stored, the site"; \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) || status=1; \
	echo "== every notebook run again, every output compared"; \
	$(BIN)/python -m pytest $(PARALLEL) --nbval --nbval-current-env book || status=1; \
	exit $$status

# The same comparison on an imitated CPU: one thread, no wide instructions. Finds outputs
# that hold on one machine only.
portable: $(READY)
	OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 OPENBLAS_CORETYPE=Nehalem \
	$(BIN)/python -m pytest $(PARALLEL) --nbval --nbval-current-env book

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

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
