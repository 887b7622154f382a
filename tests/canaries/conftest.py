# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud, and a bare module run that keeps all that a module can leave behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import running
from canaries.forms import Form
from canaries.values import files, leaks
from local_cloud.testing import LocalCloud


@dataclass(frozen=True)
class Left:
    """What one run left.

    :ivar secrets: by name, all that must not be shown
    """

    result: dict[str, Any]
    texts: dict[str, str]
    secrets: Mapping[str, str]

    @property
    def leaks(self) -> dict[str, dict[str, str]]:
        """Where a secret is shown: by the name of the text and of the secret, what stands around it."""
        found = {name: leaks(self.secrets, text) for name, text in self.texts.items()}
        return {name: names for name, names in found.items() if names}


@dataclass
class Bare:
    """Runs one module for a form of credentials.

    :ivar seen: secrets that came up on the way, such as signatures; see `Echo`
    """

    cloud: LocalCloud
    folder: Path
    stand: subprocess.Popen[str]
    seen: dict[str, str] = field(default_factory=dict)
    _given: dict[str, list[Path]] = field(default_factory=dict)

    def prepare(self, form: Form) -> None:
        """Make the caller known to the cloud, and write the files that hold the credentials; once."""
        if str(form) not in self._given:
            self._given[str(form)] = form.prepare(self.cloud, self.folder / "home")

    def __call__(
        self,
        form: Form,
        module: str,
        *,
        internal: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Left:
        """An option of None is left out. `internal`: what Ansible tells modules, without its prefix."""
        job, home, work = (self.folder / name for name in ("job", "home", "work"))
        for folder in (job, home, work):
            folder.mkdir(exist_ok=True)
        self.prepare(form)
        given = [path for paths in self._given.values() for path in paths]
        told = {"verbosity": 4, "diff": True, "remote_tmp": str(work), "tmpdir": None, **(internal or {})}
        content = {
            name: value for name, value in {**form.arguments(self.cloud), **options}.items() if value is not None
        }
        content.update({f"_ansible_{name}": value for name, value in told.items()})
        (job / "stdin").write_text(json.dumps({"ANSIBLE_MODULE_ARGS": content}))
        log = self.folder / "syslog"
        env = running.environ(home, {"TMPDIR": str(work), "STAND_SYSLOG": str(log), **form.environ, **(environ or {})})
        assert self.stand.stdin
        assert self.stand.stdout
        self.stand.stdin.write(json.dumps({"module": module, "env": env, "folder": str(job)}) + "\n")
        self.stand.stdin.flush()
        assert self.stand.stdout.readline() == "done\n"
        texts = {name: (job / name).read_text() for name in ("stdout", "stderr")}
        texts["syslog"] = log.read_text() if log.exists() else ""
        texts.update({str(path): text for path, text in files(home, work, given=given)})
        assert texts["stdout"].strip(), texts["stderr"]
        tokens = {f"issued token {number}": one for number, one in enumerate(self.cloud.world.drs.tokens)}
        everything = {**form.secrets, **tokens, **self.seen, **(secrets or {})}
        return Left(json.loads(texts["stdout"].strip().splitlines()[-1]), texts, everything)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as started:
        yield started


@pytest.fixture(scope="session")
def stand() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(Path(__file__).with_name("stand.py"))]
    path = str(Path(__file__).parent.parent)
    env = running.environ(Path.home(), {"PYTHONPATH": f"{path}:{running.environ(Path.home()).get('PYTHONPATH', '')}"})
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def bare(cloud: LocalCloud, tmp_path: Path, stand: subprocess.Popen[str]) -> Bare:
    return Bare(cloud, tmp_path, stand)
