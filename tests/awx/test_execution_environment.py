# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution environment: what ansible-builder makes of the tarball is all that the playbooks need to run."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

import running
from awx.credentials import CREDENTIALS, injected
from awx.places import collections, installed, once
from local_cloud.testing import LocalCloud
from modules.services import SERVICES

DEFINITION = installed() / "playbooks" / "files" / "execution-environment.yml"


def tarball() -> Path:
    """The archive that the installed collection was installed from."""
    (found,) = (collections().parent / "dist").glob("*.tar.gz")
    return found


def run(*command: str, cwd: Path, home: Path, **more: str) -> str:
    """What a command prints. It must succeed."""
    done = running.run(command, home, {"PYTHONPATH": "", **more}, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _build_context(folder: Path) -> Path:
    shutil.copy(DEFINITION, folder)
    shutil.copy(tarball(), folder)
    run("ansible-builder", "create", "--output-filename", "Containerfile", cwd=folder, home=folder)
    return folder / "context" / "_build"


@pytest.fixture(scope="module")
def context(shared: Path) -> Path:
    """The build context that ansible-builder makes of the definition for users."""
    return once(shared, "context", _build_context)


def _install(folder: Path, context: Path) -> Path:
    containerfile = (context.parent / "Containerfile").read_text()
    assert "ansible-galaxy collection install $ANSIBLE_GALAXY_CLI_COLLECTION_OPTS -r requirements.yml" in containerfile
    command = ("ansible-galaxy", "collection", "install", "-r", "requirements.yml", "--collections-path", str(folder))
    run(*command, cwd=context, home=folder, ANSIBLE_COLLECTIONS_PATH=str(folder))
    return folder


@pytest.fixture(scope="module")
def image(shared: Path, context: Path) -> Path:
    """The collections as the image gets them: by the command of its Containerfile, into an empty folder."""
    return once(shared, "image", lambda folder: _install(folder, context))


def _make_environment(folder: Path, context: Path, image: Path) -> Path:
    needed = folder / "requirements.txt"
    script = str(context / "scripts" / "introspect.py")
    run(sys.executable, script, "introspect", str(image), f"--write-pip={needed}", cwd=folder, home=folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    # pip with the settings and the cache of whoever runs this.
    environ = {**os.environ, "PYTHONPATH": "", "HOME": os.environ.get("USER_HOME", os.environ["HOME"])}
    core = f"ansible-core=={version('ansible-core')}"
    subprocess.run([*pip, "--no-input", "-r", str(needed), core], env=environ, check=True, timeout=300)
    return python


@pytest.fixture(scope="module")
def python(shared: Path, context: Path, image: Path) -> Path:
    """The Python of an environment with ansible-core and what the image's introspection finds, and nothing else."""
    return once(shared, "environment", lambda folder: _make_environment(folder, context, image))


def test_the_introspection_of_the_tarball_finds_what_the_collection_needs(image: Path, tmp_path: Path) -> None:
    shown = run("ansible-builder", "introspect", str(image), cwd=tmp_path, home=tmp_path)
    found = yaml.safe_load(shown)
    # PyYAML is named as well; ansible-builder leaves it to ansible-core, which brings it.
    assert found["python"] == [f"{name}  # from collection redrive.tasks" for name in ("requests", "tzdata")]
    assert found["system"] == []


def test_what_is_named_for_the_environment_is_all_that_plugins_import() -> None:
    named = (installed() / "meta" / "ee-requirements.txt").read_text()
    assert re.findall(r"^[A-Za-z]\w*", named, re.MULTILINE) == ["requests", "PyYAML", "tzdata"]
    imported: set[str] = set()
    for file in (installed() / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {name.partition(".")[0] for name in names}
    with_core, with_requests = {"ansible", "jinja2", "markupsafe"}, {"certifi", "urllib3"}
    foreign = imported - sys.stdlib_module_names - {"ansible_collections"} - with_core - with_requests
    assert foreign == {"requests", "yaml"}


# ---- the playbooks in that environment, with credentials as a controller injects them


@pytest.mark.parametrize("way", CREDENTIALS)
def test_every_service_takes_the_credentials_that_a_controller_injects(
    way: str, cloud: LocalCloud, python: Path, image: Path, tmp_path: Path
) -> None:
    variables = injected(way, cloud.url)
    assert "" in variables.values()
    served = [service for service in SERVICES if way == "usual" or service.name in ("drs", "geelark")]
    targets = [{"service": one.name, "name": one.name, **one.where, "endpoint": cloud.url} for one in served]
    file = tmp_path / "variables.json"
    file.write_text(json.dumps({"redrive_targets": targets, "report_json": str(tmp_path / "plan.json")}))
    command = (str(python), "-m", "ansible", "playbook", "redrive.tasks.plan", "-e", f"@{file}")
    output = run(*command, cwd=tmp_path, home=tmp_path, ANSIBLE_COLLECTIONS_PATH=str(image), **variables)
    document: dict[str, Any] = json.loads((tmp_path / "plan.json").read_text())
    assert [(one["service"], one["error"]) for one in document["targets"]] == [(one.name, "") for one in served], output
    assert document["failures"] == []
