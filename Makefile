# Everything that one does with a clone. Needs make and Python 3.11 or later; each target makes its
# own virtual environment in build/venv with what it needs, and installs it again when pyproject.toml
# changes.
#
#   PYTHON=…       the Python to use                     SEEDS=3        place and route seeds of `make synth`
#   CONFIG=NAME    what `make demo` shows instead: one of sim/configs, or a .toml file
#   MEMORY=litedram, BUS=axi4      what `make demo` runs on: LiteDRAM's controller; AXI4
#   PYTEST_ARGS=…  more arguments for pytest             SNAPSHOTS=N    how many `make soak` takes
#   BOARD=NAME     one of the files in boards            BOARD_ARGS=…   more arguments for it

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

VENV := build/venv
SEEDS ?= 1
BOARD ?= ulx3s
DEMO := $(if $(filter litedram,$(MEMORY)),dram,sim)
SNAPSHOTS ?= 2000
PYTEST := $(VENV)/test/bin/python -m pytest -n auto --dist worksteal -q -rfEs

# The extras of pyproject.toml that each environment holds
EXTRAS_core  :=
EXTRAS_sim   := sim
EXTRAS_dram  := sim,litedram
EXTRAS_synth := synth
EXTRAS_lint  := lint
EXTRAS_docs  := docs,registers
EXTRAS_cocotb := cocotb,test
EXTRAS_test  := sim,model,litedram,registers,formal,synth,board,test
EXTRAS_board := sim,board,litedram

.PHONY: help
help: ## say what there is to make
	@echo 'make TARGET, of:'; sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile \
	    | while IFS='|' read -r name about; do printf '%-10s %s\n' "$$name" "$$about"; done

.PHONY: demo
demo: $(VENV)/$(DEMO)/.made ## snapshot three programs, check the images, show them: build/demo; or CONFIG=dma
	@$(VENV)/$(DEMO)/bin/memsnap demo $(CONFIG) $(MEMORY:%=--memory %) $(BUS:%=--bus %) \
	    --out build/demo$(MEMORY:%=-%)$(BUS:%=-%)

.PHONY: test
test: $(VENV)/test/.made ## the tests, in minutes; the targets below have more of them
	@$(PYTEST) $(PYTEST_ARGS)

.PHONY: long
long: $(VENV)/test/.made ## the same tests with more sets of parameters
	@$(PYTEST) -m "long and not soak" $(PYTEST_ARGS)

.PHONY: proofs
proofs: $(VENV)/test/.made ## formal proofs, and that defects put in on purpose are noticed
	@$(PYTEST) -m "proof and not soak" $(PYTEST_ARGS)

.PHONY: systems
systems: $(VENV)/test/.made ## tests of the unit in systems: programs, boards, LiteDRAM, LiteX, the package for others
	@$(PYTEST) -m "systems and not soak" $(PYTEST_ARGS)

.PHONY: cocotb
cocotb: $(VENV)/cocotb/.made ## the Verilog among cocotbext-axi's masters and RAMs, in two simulators; SEED=1 …
	@$(VENV)/cocotb/bin/python -m pytest -n 2 -q -rfEs -m cocotb tests/test_cocotb.py $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/lint/.made ## ruff
	@$(VENV)/lint/bin/ruff check .

.PHONY: bench
bench: $(VENV)/sim/.made ## count the unit's figures in clocks, compare with docs/figures; ACCEPT=1 keeps them there
	@$(VENV)/sim/bin/memsnap bench --out build/bench $(if $(ACCEPT),,$(addprefix --against ,$(wildcard docs/figures/bench.json)))
	@$(if $(ACCEPT),mkdir -p docs/figures && cp build/bench/bench.json build/bench/figures* docs/figures/,:)

.PHONY: synth
synth: $(VENV)/synth/.made ## cells and clock on ECP5 and iCE40: build/synth/synth.json; ACCEPT=1 keeps them in docs
	@$(VENV)/synth/bin/python -m memsnap_sim.synth --out build/synth --seeds $(SEEDS) $(if $(ACCEPT),--page docs/synthesis.md)
	@$(if $(ACCEPT),mkdir -p docs/figures && cp build/synth/synth.json docs/figures/,:)

.PHONY: board
board: $(VENV)/board/.made ## a bitstream, which takes minutes: build/board/ulx3s; or BOARD=icebreaker
	@test -e boards/$(BOARD).py || { echo "there is no board $(BOARD): there are" \
	    $(patsubst boards/%.py,%,$(wildcard boards/*.py)) >&2; exit 1; }
	@$(VENV)/board/bin/python boards/$(BOARD).py build $(BOARD_ARGS)

.PHONY: verilog
verilog: $(VENV)/core/.made ## the unit with its defaults as Verilog: build/verilog/memsnap.v
	@mkdir -p build/verilog
	@$(VENV)/core/bin/memsnap verilog -o build/verilog/memsnap.v

.PHONY: docs
docs: $(VENV)/docs/.made ## the documentation as pages: build/docs/index.html
	@$(VENV)/docs/bin/python docs/diagrams/draw.py --check
	@NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --quiet --strict
	@echo "wrote build/docs/index.html"

.PHONY: soak
soak: $(VENV)/test/.made ## random snapshots for many minutes, and long tests
	@$(VENV)/test/bin/python -m pytest -n auto -q -m soak
	@$(VENV)/test/bin/python tests/soak.py --snapshots $(SNAPSHOTS)
	@$(VENV)/test/bin/python tests/soak.py --snapshots 5000 --bus axi4 --short
	@$(VENV)/test/bin/python tests/soak.py --snapshots 300 --bus axi4

.PHONY: clean
clean: ## remove build, with the environments in it
	rm -rf build

# A virtual environment ---------------------------------------------------------------------------

# Prints the first Python that will do, or says what is missing
define FIND_PYTHON
for python in "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11 python; do \
    test -n "$$python" || continue; \
    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then break; fi; \
    if test "$$python" = "$(PYTHON)"; then \
        echo "PYTHON=$$python must be Python 3.11 or later with its venv module" >&2; exit 1; fi; \
    python=; \
done; \
test -n "$$python" || { echo "Python 3.11 or later with its venv module is needed: install it" \
    "(Debian: apt-get install python3-venv), or say make PYTHON=/path/to/python3" >&2; exit 1; }
endef

$(VENV)/%/.made: pyproject.toml
	@$(FIND_PYTHON); rm -rf $(@D); mkdir -p $(VENV); \
	echo "making $(@D) with $$($$python --version), the first time takes a while"; \
	$$python -m venv $(@D)
	@{ $(@D)/bin/python -m pip install --disable-pip-version-check --progress-bar off \
	       -e '.$(if $(EXTRAS_$*),[$(EXTRAS_$*)])' && touch $@; } \
	    | sed -n -e 's/^Collecting \([A-Za-z0-9_.-]*\).*/  get \1/p' -e 's/^Installing coll.*/  install/p'
	@test -e $@ || { echo "pip could not install what $(@D) needs: see above" >&2; exit 1; }
