# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# `make` lists the targets. Everything generated is under $(BUILD); nothing else needs to be installed than
# git, make, bash and a Python with venv, and for `make test` chromium.
# Settings: PYTHON=python3.12, V=1 (show all output), JOBS=4, BUILD=other-folder.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

BUILD ?= build
JOBS ?= 3
V ?=

# The first Python that really runs (a version manager's shim may not) and is new enough. PYTHON=... chooses another.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c \
  'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))
PYTHON_VERSION := $(if $(PYTHON),$(shell $(PYTHON) -c 'import platform; print(platform.python_version())' 2>/dev/null))

ROOT := $(CURDIR)
B := $(abspath $(BUILD))
VENV := $(B)/venv
FLOOR := $(B)/venv-floor
PY := $(VENV)/bin/python
COLLECTIONS := $(B)/collections
INSTALLED := $(COLLECTIONS)/ansible_collections/redrive/tasks
TREE := $(B)/sanity/ansible_collections/redrive/tasks
LOGS := $(B)/logs

# pip works with the caller's home (its settings, its cache); all other tools get one of their own.
ifndef USER_HOME
export USER_HOME := $(HOME)
endif
export HOME := $(B)/home
export ANSIBLE_HOME := $(HOME)/.ansible
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export ANSIBLE_FORCE_COLOR := 0
export ANSIBLE_NOCOLOR := 1
export PYTHONPATH := $(COLLECTIONS)
export LC_ALL := C.UTF-8
export NO_COLOR := 1
export PATH := $(VENV)/bin:$(PATH)
unexport ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATHS ANSIBLE_LIBRARY ANSIBLE_ROLES_PATH VIRTUAL_ENV PYTHONHOME
unexport XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME

# What the pytest of `make test` runs. pytest fails on a folder that is not there.
PYTEST_DIRS := tests/unit tests/architecture tests/browser tests/contract tests/fuzz tests/model tests/modules \
  tests/canaries tests/playbooks tests/awx tests/documentation
PYTEST := $(PY) -m pytest -n $(JOBS) --dist worksteal

# step NAME COMMAND...: prints the name, runs, prints the time. The output goes to a log, shown on failure or with V=1.
define PRELUDE
mkdir -p '$(LOGS)' '$(HOME)'
step() {
  local name="$$1" start=$$SECONDS status=0 log
  log="$(LOGS)/$${1//[^a-zA-Z0-9.]/-}.log"
  shift
  if [ -n '$(V)' ]; then
    printf '== %s\n' "$$name"
    set +e; (set -e; "$$@") 2>&1 | tee "$$log"; status=$$?; set -e
    printf '== %-40s' "$$name"
  else
    printf '== %-40s' "$$name"
    set +e; (set -e; "$$@") >"$$log" 2>&1; status=$$?; set -e
  fi
  if [ $$status -ne 0 ]; then
    printf ' FAILED after %s s\n' $$((SECONDS - start))
    [ -n '$(V)' ] || cat "$$log"
    exit $$status
  fi
  printf ' ok %4s s\n' $$((SECONDS - start))
}
endef

.PHONY: help
help:  ## Show this list
	@printf 'Targets of redrive.tasks (V=1 shows all output, PYTHON=... chooses the interpreter):\n'
	sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

##### Environments and installation

# The name of the stamp holds the Python: another PYTHON makes a new environment.
VENV_MADE := $(VENV)/.python-$(PYTHON_VERSION)
FLOOR_MADE := $(FLOOR)/.python-$(PYTHON_VERSION)

$(VENV_MADE) $(FLOOR_MADE):
	@$(PRELUDE)
	if [ -z '$(PYTHON_VERSION)' ]; then
	  printf 'No Python 3.11 or newer that runs was found as python3, python3.13, python3.12 or python3.11%s.\n' \
	    "$(if $(PYTHON), (PYTHON=$(PYTHON) does not run))" >&2
	  printf 'Install one (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12 ...\n' >&2
	  exit 1
	fi
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	  printf '%s is Python %s; 3.11 or newer is needed.\n' '$(PYTHON)' '$(PYTHON_VERSION)' >&2
	  exit 1
	fi
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
	  printf '%s cannot make virtual environments: its venv and ensurepip are missing.\n' '$(PYTHON)' >&2
	  printf 'Install them (Debian: apt install python3-venv), or choose another: make PYTHON=... \n' >&2
	  exit 1
	fi
	rm -rf '$(@D)'
	PYTHONPATH= step 'environment $(notdir $(@D)), Python $(PYTHON_VERSION)' $(PYTHON) -m venv '$(@D)'
	touch '$@'

define PIP_INSTALL
@$(PRELUDE)
PYTHONPATH= HOME='$(USER_HOME)' step 'packages of $(notdir $<)' '$(@D)/bin/python' -m pip install \
  --quiet --disable-pip-version-check --no-input -r '$<'
touch '$@'
endef

$(VENV)/.demo: requirements/demo.txt $(VENV_MADE)
	$(PIP_INSTALL)

$(VENV)/.test: requirements/test.txt $(VENV)/.demo
	$(PIP_INSTALL)

$(FLOOR)/.floor: requirements/floor.txt $(FLOOR_MADE)
	$(PIP_INSTALL)

# The files that git tracks or would track, as one reproducible archive: the same archive, nothing to do. Otherwise
# lay them out where ansible-test wants them, build the tarball from that, install it aside, and swap. The copy is a
# git repository of its own: ansible-test asks git for the files, and the checkout's git ignores all of $(BUILD).
# ansible-galaxy must not see the collection that is installed already: it sometimes finds that nothing is to be done.
define INSTALL
list() { git ls-files -coz --exclude-standard | while IFS= read -r -d '' f; do [ ! -e "$$f" ] || printf '%s\0' "$$f"; done; }
list | sort -z | tar --create --null --no-recursion --files-from=- --owner=0 --group=0 --mtime=@0 --file='$(B)/new.tar'
if cmp -s '$(B)/new.tar' '$(B)/source.tar' && [ -e '$(INSTALLED)/MANIFEST.json' ]; then
  rm '$(B)/new.tar'
  exit 0
fi
rm -rf '$(B)/source.tar' '$(TREE)' '$(B)/dist' '$(B)/collections.new'
mkdir -p '$(TREE)' '$(B)/dist'
tar --extract --touch --file='$(B)/new.tar' --directory='$(TREE)'
git init --quiet '$(TREE)'
'$(VENV)/bin/ansible-galaxy' collection build --force --output-path '$(B)/dist' '$(TREE)'
ANSIBLE_COLLECTIONS_PATH='$(B)/collections.new' '$(VENV)/bin/ansible-galaxy' collection install --offline --force \
  --collections-path '$(B)/collections.new' '$(B)'/dist/*.tar.gz
test -e '$(B)/collections.new/ansible_collections/redrive/tasks/MANIFEST.json'
rm -rf '$(B)/collections.old'
[ ! -d '$(COLLECTIONS)' ] || mv '$(COLLECTIONS)' '$(B)/collections.old'
mv '$(B)/collections.new' '$(COLLECTIONS)'
rm -rf '$(B)/collections.old'
mv '$(B)/new.tar' '$(B)/source.tar'
endef

.PHONY: install
install: $(VENV)/.demo  ## Build the tarball and install it in build/collections
	@$(PRELUDE)
	install_collection() {
	$(INSTALL)
	}
	if command -v flock >/dev/null; then exec 9>'$(B)/.lock'; flock 9; fi
	step 'collection built and installed' install_collection

# For tests/awx: awx.awx alone, out of the package that holds many collections. The name of the stamp holds the version.
AWX_PACKAGE := $(shell sed -n 's/^ansible==//p' requirements/awx.txt)
AWX_MADE := $(B)/awx/.unpacked-$(AWX_PACKAGE)

define UNPACK_AWX
rm -rf '$(@D)'
mkdir -p '$(@D)/download'
PYTHONPATH= HOME='$(USER_HOME)' '$(VENV)/bin/python' -m pip download --quiet --disable-pip-version-check --no-input --no-deps \
  --ignore-requires-python --only-binary :all: --dest '$(@D)/download' -r '$<'
'$(PY)' -c 'import sys, zipfile; package = zipfile.ZipFile(sys.argv[1]); parts = ("plugins/", "meta/", "MANIFEST.json"); \
  wanted = tuple("ansible_collections/awx/awx/" + part for part in parts); \
  package.extractall(sys.argv[2], [name for name in package.namelist() if name.startswith(wanted)])' \
  '$(@D)'/download/*.whl '$(@D)/collections'
rm -r '$(@D)/download'
endef

$(AWX_MADE): requirements/awx.txt $(VENV)/.demo
	@$(PRELUDE)
	unpack() {
	$(UNPACK_AWX)
	}
	step 'awx.awx of ansible $(AWX_PACKAGE)' unpack
	touch '$@'

.PHONY: tools
tools: $(VENV)/.test $(AWX_MADE) install

##### Running it

.PHONY: demo
demo: $(VENV)/.demo install  ## See it work: the playbooks against a local cloud
	@exec $(PY) tests/demo/run.py

.PHONY: benchmark
benchmark: $(VENV)/.test install  ## Compare with SDKs and uri (half an hour; less with LONG_LOOP=no, QUICK=1)
	@exec $(PY) benchmarks/run.py $(if $(filter no,$(LONG_LOOP)),--no-long-loop) \
	  $(if $(QUICK),--quick --output '$(B)/benchmark')

##### Checks, quick ones first; pytest closes

.PHONY: test
test: tools $(FLOOR)/.floor  ## Everything
	@mkdir -p '$(LOGS)'
	# Most of these leave a core idle: two rows of them at once, and what the second one printed follows the first one.
	'$(MAKE)' --no-print-directory sanity molecule >'$(LOGS)/second-row.log' 2>&1 &
	second=$$! status=0
	trap 'kill "$$second" 2>/dev/null || true' EXIT
	'$(MAKE)' --no-print-directory lint typing docs || status=$$?
	wait "$$second" || status=$$?
	trap - EXIT
	cat '$(LOGS)/second-row.log'
	[ "$$status" = 0 ]
	'$(MAKE)' --no-print-directory floor
	printf '== pytest %s\n' '$(PYTEST_DIRS)'
	exec $(PYTEST) $(PYTEST_DIRS)

# Anything but REUSE's own list must carry the header: REUSE itself is satisfied by less.
define SPDX
without=$$(git ls-files -co --exclude-standard -- '*.py' '*.yml' '*.yaml' ':!changelogs/changelog.yaml' |
  while IFS= read -r f; do [ ! -s "$$f" ] || grep -q 'SPDX-License-[I]dentifier: GPL-3.0-or-later' "$$f" || printf '%s\n' "$$f"; done)
[ -z "$$without" ] || { printf 'No SPDX header in:\n%s\n' "$$without"; exit 1; }
'$(VENV)/bin/reuse' lint --lines
endef

# In a place of its own: what Python leaves in a collection that was used (__pycache__) is not in the manifest.
define VERIFY
rm -rf '$(B)/verify'
export ANSIBLE_COLLECTIONS_PATH='$(B)/verify'
'$(VENV)/bin/ansible-galaxy' collection install --offline --force --collections-path '$(B)/verify' '$(B)'/dist/*.tar.gz
'$(VENV)/bin/ansible-galaxy' collection verify --offline redrive.tasks
rm -rf '$(B)/verify'
endef

# The importer of Galaxy only warns about what it dislikes, and exits with 0.
define IMPORTER
cd '$(B)'
GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true GALAXY_IMPORTER_RUN_FLAKE8=false \
  '$(PY)' -m galaxy_importer.main dist/*.tar.gz 2>&1 | tee '$(LOGS)/importer.txt'
! grep -E '^(WARNING|ERROR|CRITICAL)' '$(LOGS)/importer.txt'
endef

.PHONY: lint
lint: tools  ## ruff, yamllint, REUSE, changelog, documentation, ansible-lint, Galaxy's importer
	@$(PRELUDE)
	licences() {
	$(SPDX)
	}
	verify() {
	$(VERIFY)
	}
	importer() {
	$(IMPORTER)
	}
	step 'ruff check' '$(VENV)/bin/ruff' check .
	step 'ruff format' '$(VENV)/bin/ruff' format --check --diff .
	step 'yamllint' '$(VENV)/bin/yamllint' --strict .
	step 'REUSE' licences
	step 'RETURN in step' $(PY) tests/update_return_docs.py --lint
	step 'antsibull-changelog' '$(VENV)/bin/antsibull-changelog' lint
	step 'antsibull-docs' '$(VENV)/bin/antsibull-docs' lint-collection-docs \
	  --plugin-docs --skip-rstcheck --validate-collection-refs self --disallow-unknown-collection-refs .
	step 'ansible-lint' '$(VENV)/bin/ansible-lint'
	step 'ansible-galaxy verify' verify
	step 'galaxy-importer' importer

# In the laid-out copy, where the module's names are what they are when installed; the paths are shown as in the checkout.
define MYPY
cd '$(B)/sanity'
MYPYPATH='$(B)/sanity:$(TREE)/tests:$(TREE)/benchmarks' PYTHONPATH= '$(VENV)/bin/mypy' --config-file '$(ROOT)/pyproject.toml' \
  --cache-dir '$(B)/mypy_cache' '$(TREE)/plugins' '$(TREE)/tests' '$(TREE)/benchmarks' | sed 's#^ansible_collections/redrive/tasks/##'
endef

.PHONY: typing
typing: tools  ## mypy, strict, on plugins and tests
	@$(PRELUDE)
	typing() {
	$(MYPY)
	}
	step 'mypy' typing

# ansible-test keeps nothing of the environment but HOME and PATH. PATH: only Pythons that run and can make virtual
# environments (a version manager's shims do neither). HOME: pip's settings, and the stand-in for its bootstrap script.
define SANITY
rm -rf '$(B)/pythons'
mkdir -p '$(B)/pythons' '$(HOME)/.ansible/test/cache' '$(HOME)/.config/pip' '$(HOME)/.pip'
for version in 3.9 3.10 3.11 3.12 3.13 3.14; do
  for python in $$(type -ap "python$$version") '$(USER_HOME)'/.pyenv/versions/"$$version".*/bin/"python$$version"; do
    real=$$(PYTHONPATH= "$$python" -c 'import ensurepip, os, ssl, sys, venv; print(os.path.realpath(sys.executable))' 2>/dev/null) || continue
    ln -s "$$real" "$(B)/pythons/python$$version"
    break
  done
done
for name in 23_1_2 24_2 25_2 25_3; do
  cp '$(ROOT)/requirements/pip_bootstrap.py' "$(HOME)/.ansible/test/cache/get_pip_$$name.py"
done
[ ! -e '$(USER_HOME)/.config/pip/pip.conf' ] || ln -sf '$(USER_HOME)/.config/pip/pip.conf' '$(HOME)/.config/pip/pip.conf'
(umask 077; printf '[global]\n' >'$(HOME)/.pip/pip.conf'
env | sed -nE '/^PIP_(CONFIG_FILE|CACHE_DIR|NO_INPUT|QUIET|REQUIRE_VIRTUALENV)=/d; s/^PIP_([A-Z_]+)=(.+)/\1 \2/p' |
  while read -r key value; do key=$${key,,}; printf '%s = %s\n' "$${key//_/-}" "$$value"; done >>'$(HOME)/.pip/pip.conf')
cd '$(TREE)'
PATH='$(VENV)/bin:$(B)/pythons:/usr/local/bin:/usr/bin:/bin' '$(VENV)/bin/ansible-test' sanity --local --color no 2>&1 |
  tee '$(LOGS)/sanity.txt'
! grep 'All targets skipped' '$(LOGS)/sanity.txt'
endef

.PHONY: sanity
sanity: tools  ## ansible-test sanity, on every Python found, nothing ignored
	@$(PRELUDE)
	sanity() {
	$(SANITY)
	}
	step 'ansible-test sanity' sanity

.PHONY: units
units: tools  ## Unit and architecture tests
	@exec $(PYTEST) tests/unit tests/architecture

.PHONY: browser
browser: tools  ## The HTML report in Debian's headless Chromium
	@exec $(PYTEST) tests/browser

.PHONY: contract
contract: tools  ## The local cloud and the client against the vendor's captures and SDK
	@exec $(PYTEST) tests/contract

.PHONY: modules
modules: tools  ## The modules, run by Ansible against the local cloud
	@exec $(PYTEST) tests/modules

.PHONY: playbooks
playbooks: tools  ## The playbook, the demo and every documented example
	@exec $(PYTEST) tests/playbooks tests/documentation

# Not in `make test`: atheris has wheels for a few versions of Python and for Linux only.
FUZZ_SECONDS ?= 600

.PHONY: fuzz
fuzz: tools  ## Fuzz the readers of replies, guided by coverage, for FUZZ_SECONDS (600)
	@PYTHONPATH= HOME='$(USER_HOME)' '$(PY)' -m pip install --quiet --disable-pip-version-check --no-input --no-deps --target '$(B)/atheris' \
	  atheris==3.0.0
	mkdir -p '$(B)/fuzz'
	cd '$(B)/fuzz'
	PYTHONPATH='$(COLLECTIONS):$(ROOT)/tests:$(B)/atheris' exec '$(PY)' '$(ROOT)/tests/fuzz/guided.py' inputs \
	  -max_total_time=$(FUZZ_SECONDS) -max_len=6000 -timeout=10 -rss_limit_mb=2000

.PHONY: floor
floor: tools $(FLOOR)/.floor  ## The same on the oldest ansible-core that is supported
	@printf '== floor: '
	export PATH='$(FLOOR)/bin':"$$PATH"
	ansible --version | sed -n 1p
	exec '$(FLOOR)/bin/python' -m pytest -n $(JOBS) --dist worksteal -o cache_dir='$(B)/pytest_cache_floor' \
	  tests/unit tests/modules tests/playbooks/test_remediate.py tests/playbooks/test_progress.py

define MOLECULE
rm -rf '$(HOME)'/.ansible/tmp/molecule.*
ls extensions/molecule/*/molecule.yml
'$(VENV)/bin/molecule' test --all
endef

.PHONY: molecule
molecule: tools  ## The roles, scenario by scenario
	@$(PRELUDE)
	scenarios() {
	$(MOLECULE)
	}
	step 'molecule' scenarios

define DOCS
rm -rf '$(B)/docs'
mkdir -p '$(B)/docs'
'$(VENV)/bin/antsibull-docs' sphinx-init --use-current --squash-hierarchy --lenient --dest-dir '$(B)/docs' redrive.tasks
printf '%s\n' 'intersphinx_mapping = {}' "suppress_warnings = ['ref.ref']" >>'$(B)/docs/conf.py'
mkdir -p '$(B)/docs/temp-rst'
'$(VENV)/bin/antsibull-docs' --config-file '$(B)/docs/antsibull-docs.cfg' collection --use-current --squash-hierarchy \
  --dest-dir '$(B)/docs/temp-rst' redrive.tasks
cp -r '$(B)/docs/temp-rst/.' '$(B)/docs/rst/'
cp -r docs/docsite/rst/images '$(B)/docs/rst/docsite/'
'$(VENV)/bin/sphinx-build' -q -W --keep-going -b html -c '$(B)/docs' '$(B)/docs/rst' '$(B)/docs/html'
endef

.PHONY: docs
docs: tools  ## The documentation as a site, in build/docs/html
	@$(PRELUDE)
	site() {
	$(DOCS)
	}
	step 'documentation' site

.PHONY: format
format: $(VENV)/.test  ## Let ruff format and fix the Python files
	@'$(VENV)/bin/ruff' format .
	'$(VENV)/bin/ruff' check --fix .

.PHONY: clean
clean:  ## Remove everything generated
	@rm -rf '$(B)' .ansible collections tests/output .hypothesis .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
