# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs commands in a clean environment and measures them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import running

LIMIT = 2400.0
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Took:
    """What one command took: seconds, and bytes.

    :ivar peak: memory of its largest process
    :ivar output: how much it printed
    """

    wall: float
    cpu: float
    peak: int
    output: int


class FailedError(RuntimeError):
    """A command did not end well; the text is the end of what it printed."""


class Launcher:
    """The small process that starts what is measured; a context manager. One command at a time."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        self._output = home / "output"
        command = [sys.executable, "-S", "-E", str(HERE / "launch.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, argv: Sequence[str | Path], extra: Mapping[str, str] | None = None) -> Took:
        """Run a command to its end.

        :raises FailedError: its exit status was not 0
        """
        # In a temporary folder of its own no run learns what the ones before it did to tasks of the same names.
        own = Path(tempfile.mkdtemp(dir=self.home))
        settings = {"ANSIBLE_HOME": str(self.home / ".ansible"), "TMPDIR": str(own), **(extra or {})}
        env = running.environ(self.home, settings)
        command = [str(one) for one in argv]
        job = {
            "argv": command,
            "env": env,
            "cwd": str(self.home),
            "output": str(self._output),
            "limit": LIMIT,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        took = json.loads(self._process.stdout.readline())
        if took["status"]:
            raise FailedError(f"{' '.join(command)[:300]} ended with {took['status']}:\n{self._last_words()}")
        return Took(took["wall"], took["cpu"], took["peak"], self._output.stat().st_size)

    def printed(self) -> str:
        """What the last command printed."""
        return self._output.read_text()

    def _last_words(self) -> str:
        errors = Path(f"{self._output}.err").read_text()
        return f"{self.printed()[-2000:]}\n{errors[-2000:]}"


def tool(name: str) -> str:
    """One of Ansible's commands, of the Python that runs this."""
    return os.path.join(os.path.dirname(sys.executable), name)  # noqa: PTH118, PTH120 - a link must not be followed
