# Everything a reader, a teacher or a maintainer does with this project, one target each: `make help` lists them.
# The environment in .venv is made from requirements.lock by whichever target first needs it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN  := $(VENV)/bin
# The first Python on PATH that the locked packages support (asked, not guessed: a name on PATH may be an empty shim).
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON     = $(shell for python in python3 python python3.13 python3.12 python3.11; do \
	"$$python" -c '$(SUPPORTED)' >/dev/null 2>&1 && { echo "$$python"; break; }; done)

.PHONY: environment
environment: $(VENV)/.in-step  ## make .venv from the lock (the other targets do it themselves)

# What $(VENV) holds is believed only while a stamp says so: `.only-uv`, or `.in-step` with the lock. A stamp is removed before
# anything changes and written when all is done. So an interrupted installation leaves none, whatever stopped it, and the next
# one begins from nothing (an installer takes a package whose folder is there for whole; from uv's cache it is quick).
STAMPS := $(VENV)/.in-step $(VENV)/.only-uv
# Both programs are asked to speak: one that is empty or cut may be there, and an empty one even ends well.
STANDS := ls $(STAMPS) 2>/dev/null | grep -q . && $(BIN)/python --version 2>/dev/null | grep -q Python && \
	$(BIN)/uv --version 2>/dev/null | grep -q uv
AGAIN  := $(if $(shell $(STANDS) && echo yes),,again)
again:

# One make at a time works on it. Its lock is the system's, on this folder, and what it starts inherits it: the next make waits
# for an installer whose make was killed, too.
ALONE := import fcntl, os, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))
define with_uv
	test -n "$(PYTHON)" || { echo "This project needs Python 3.11, 3.12 or 3.13 on PATH, and found none." \
		"Install one (for example Debian's or Homebrew's python3.13, or 'conda env create -f environment.yml')," \
		"or name it: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)" >&2; exit 1; }; \
	exec 9< . && { $(PYTHON) -c '$(ALONE)' at-once 2>/dev/null || \
		{ echo "Another make works on $(VENV): waiting for it …"; $(PYTHON) -c '$(ALONE)'; }; } && \
	{ { $(STANDS); } || { \
		if test -e $(VENV); then echo "$(VENV) is not whole: it is made again."; fi && \
		echo "Making $(VENV) with $$($(PYTHON) --version) …" && rm -f $(STAMPS) && \
		$(PYTHON) -m venv --clear $(VENV) && \
		sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements.lock > $(VENV)/uv.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock && \
		touch $(VENV)/.only-uv; }; }
endef

# uv comes from pip, at the locked version and with the locked hashes, inside the environment; then uv fills the rest.
# It compiles what it installs: where PYTHONDONTWRITEBYTECODE is set, as in some containers, each process would otherwise
# compile TensorFlow anew, which takes longer than to load it.
$(VENV)/.in-step: requirements.lock pyproject.toml $(AGAIN)
	@$(with_uv) && if ! { test $@ -nt requirements.lock && test $@ -nt pyproject.toml; }; then \
		echo "Installing the locked packages into $(VENV) (3 GB; half a minute to a few minutes) …" && rm -f $(STAMPS) && \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock && \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . && \
		touch $@; fi

# ---- For readers ------------------------------------------------------------------------------------------------------------

.PHONY: book
book: execute html  ## execute every lesson, render the book, print the path of its first page

.PHONY: lab
lab: environment  ## open the lessons in JupyterLab
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: execute
execute: environment  ## execute the lessons that changed (papermill), two at a time, into _build/executed
	@$(BIN)/python -m tools.execute

.PHONY: html
html: environment  ## render the executed lessons, if anything changed
	@$(BIN)/python -m tools.render

.PHONY: downloads
downloads: book  ## the book to take along: a PDF, all notebooks, all pages; linked from its page "Run it" (needs Chromium)
	@$(BIN)/python -m tools.downloads

# ---- For teachers -----------------------------------------------------------------------------------------------------------

# make class GROUPS=3 LESSONS="03_3 06_2" DATA=/path/to/adience EXECUTE=1
.PHONY: class
class: environment  ## for a class: a seed for each group, editions for students and teacher, nbgrader's assignments
	@$(BIN)/python -m tools.classroom $(LESSONS) $(if $(GROUPS),--groups $(GROUPS)) \
		$(if $(DATA),--parameter data_dir "$(DATA)") $(if $(EXECUTE),--execute)

# ---- For maintainers --------------------------------------------------------------------------------------------------------

PYTEST := $(BIN)/python -m pytest
# Two workers suit two cores, and two lessons that train at once suit the memory.
SHARE  := --numprocesses 2
# nbval compares what papermill has made; it executes nothing itself (see tools/replay.py).
NBVAL  := -p tools.replay --nbval-sanitize-with tests/notebooks/sanitise.cfg
# This lesson reads, trains and scores: it shows what a change of the package does to a lesson.
TYPICAL := notebooks/03_3_what_is_a_score_worth.ipynb

.PHONY: quick
quick: lint types  ## for daily work: lint, types, the package's quick tests, quick runs of the lessons you changed
	@$(PYTEST) $(SHARE) --dist worksteal -m 'not slow' tests/facelab
	@$(BIN)/python -m tools.execute -p quick True $$({ echo $(TYPICAL); \
		git diff --name-only --diff-filter=d HEAD -- 'notebooks/*.ipynb'; \
		git ls-files --others --exclude-standard -- 'notebooks/*.ipynb'; } | sort --unique)

.PHONY: test
test: lint types unit book chapters  ## everything that must pass: lint, types, unit tests, book, lessons and pages

.PHONY: lint
lint: environment  ## ruff: rules and format, of the notebooks too
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: format
format: environment  ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: types
types: environment  ## mypy
	@$(BIN)/mypy

# The renderer's tests have processes of their own: TensorFlow and Mesa's renderer both bring LLVM, and in one process crash.
.PHONY: unit
unit: environment  ## the unit tests: the package, the renderer, the project's files
	@$(PYTEST) $(SHARE) --dist loadfile tests/facesim
	@$(PYTEST) $(SHARE) --dist worksteal tests/facelab tests/tools tests/project

# Each worker has half of the quick runs of a kind: they share a kernel.
.PHONY: chapters
chapters: book  ## the lessons: hygiene, quick runs, as in Colab too, outputs as committed; and the pages
	@$(PYTEST) $(SHARE) --dist loadgroup $(NBVAL) tests/notebooks tests/book notebooks

.PHONY: nbval
nbval: execute  ## only: do the committed notebooks show what the lessons give now?
	@$(PYTEST) $(NBVAL) notebooks

# LESSONS="03_3 B": files of the lessons whose names begin so. A name that no file has stays as it is, and is complained of.
NAMED = $(foreach name,$(LESSONS),$(or $(wildcard notebooks/$(name)_*.ipynb),$(name)))

# Not in `make test`: to be run every night, or before a release. The record of what passed is for the page "Run it".
.PHONY: colab
colab: environment  ## the committed lessons alone, quick, with Colab's versions; with FULL=1 by default and compared (an hour or more)
	@$(BIN)/python -m tools.colab $(if $(FULL),--full) $(NAMED)

# $(call with_versions,NAME,PYTHON,RESOLUTION): the package's tests and the lessons in an environment of their own.
define with_versions
	@$(BIN)/uv venv --quiet --clear --python $(2) _build/$(1)
	@$(BIN)/uv pip install --quiet --python _build/$(1) --resolution $(3) . \
		'pytest>=9' 'pytest-benchmark>=5.1' 'hypothesis>=6.110' 'ipykernel>=6.29'
	@_build/$(1)/bin/python -m pytest -q tests/facelab
	@_build/$(1)/bin/python -m ipykernel install --prefix _build/$(1) --name python3 >/dev/null
	@JUPYTER_PATH="$(CURDIR)/_build/$(1)/share/jupyter" PYDEVD_DISABLE_FILE_VALIDATION=1 \
		$(BIN)/python -m tools.execute -p quick True \
		--output _build/$(1)/lessons $(NAMED)
endef

.PHONY: oldest
oldest: environment  ## the package's tests and the lessons, quick, with the oldest versions that it allows (takes Python 3.11)
	$(call with_versions,oldest,3.11,lowest-direct)

# The 3.N that is the first one that pyproject.toml does not allow.
NEXT = $(shell sed -n 's/^requires-python = .*<3\.\([0-9]*\)"$$/\1/p' pyproject.toml)

.PHONY: newest
newest: environment  ## the same with the newest Python and versions that it allows; says whether the next Python could be
	@echo "With Python 3.$(NEXT), which is not allowed yet:" && \
		if $(BIN)/uv pip compile pyproject.toml --quiet --prerelease disallow --only-binary :all: \
			--python-version 3.$(NEXT) >/dev/null; \
		then echo "every requirement has a release (CONTRIBUTING, \"Change the environment\", says what to do)"; fi
	$(call with_versions,newest,3.$(shell expr $(NEXT) - 1),highest --upgrade)

.PHONY: benchmarks
benchmarks: environment  ## how long the loader, the pipeline, the renderer and the lessons take
	@$(PYTEST) --benchmark-only tests/benchmarks

.PHONY: soak
soak: environment  ## kill `make book` 50 times at random moments, and look whether anything is lost (40 minutes)
	@$(BIN)/python -m tools.soak

.PHONY: normalise
normalise: environment  ## execute the lessons and put notebooks and records in their place, ready to be committed
	@$(BIN)/ruff format --quiet notebooks
	@$(BIN)/python -m tools.folding
	@$(BIN)/python -m tools.execute --publish

.PHONY: full-runs
full-runs: environment  ## train the lessons of chapters 3 to 6 and 8 on all folds, and the contest; record it (3.5 hours; goes on where it stopped)
	@$(BIN)/python -m tools.full_runs
	@$(BIN)/python -m tools.contest
	@$(BIN)/python -m tools.contest --test

.PHONY: address
address: environment  ## give the course the address of another repository: make address REPOSITORY=owner/name
	@$(BIN)/python -m tools.address "$(REPOSITORY)"

.PHONY: lock
lock:  ## resolve requirements.lock again from pyproject.toml
	@$(with_uv) && VIRTUAL_ENV=$(VENV) $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-header --all-extras \
		--quiet --output-file requirements.lock

.PHONY: clean
clean:  ## remove what was built (the environment stays: rm -r .venv)
	@rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

# ---- The embedded faces: only to render them again ---------------------------------------------------------------------------

.PHONY: assets
assets: environment  ## fetch the renderer's meshes and textures, pinned and checked
	@$(BIN)/python -m facesim fetch-assets

.PHONY: faces
faces: environment  ## render the embedded faces again and pack them (20 minutes; goes on where it stopped)
	@$(BIN)/python -m facesim render _build/faces
	@$(BIN)/python -m facesim pack _build/faces src/facelab/data

.PHONY: backbone
backbone: environment  ## render other people and pretrain the backbone on them (half an hour; goes on where it stopped)
	@$(BIN)/python -m facesim render _build/others --seed 2 --photographs 20000 --identities 1
	@$(BIN)/python -m tools.pretrain _build/others/embedded_faces

.PHONY: answers
answers: environment  ## train one network and record its answers for the interactive pages (two minutes; goes on where it stopped)
	@$(BIN)/python -m tools.answers

.PHONY: play
play: environment  ## train the two networks of the page "Play" and write them down (four minutes; goes on where it stopped)
	@$(BIN)/python -m tools.play_networks

.PHONY: measure-faces
measure-faces: environment  ## ask networks trained on photographs what they see in 2,500 of the rendered faces
	@$(BIN)/python -m tools.measure.judge --limit 2500 \
		"$$($(BIN)/python -c 'from facelab import embedded; print(embedded.data_dir())')"

# ---- Real photographs ---------------------------------------------------------------------------------------------------------

# A folder in the benchmark's layout, and who labelled it: make measure-real REAL=/path/to/adience LABELS="by …" names another one.
# FOLDS=all tests the course's networks on each of the five folds.
REAL := ../shared/real-faces
LABELS := $(if $(filter ../shared/real-faces,$(REAL)),estimated by a network (DEX) and checked by one annotator,not stated)
FOLDS := 4

.PHONY: measure-real
measure-real: environment  ## train on real photographs, with and without pretraining, and test on fold 4 (an hour; FOLDS=all: three)
	@test -d "$(REAL)" || { echo "There is no folder $(REAL). Name one in the benchmark's layout:" \
		"make measure-real REAL=/path/to/adience" >&2; exit 1; }
	@$(BIN)/python -m tools.measure.real "$(REAL)" --labels "$(LABELS)" --folds $(FOLDS)
	@$(BIN)/python -m tools.measure.pretraining "$(REAL)" --labels "$(LABELS)"

# ---- This list --------------------------------------------------------------------------------------------------------------

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
