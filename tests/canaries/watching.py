# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command of Ansible, and looks all the while at its processes and at every file that it writes."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import running
from canaries.values import files, leaks, paths

_INTERVAL = 0.1
# Ansible asks the system for the home of the user rather than HOME.
_PLACES = ("HOME", "TMPDIR", "ANSIBLE_HOME", "ANSIBLE_REMOTE_TMP", "ANSIBLE_ASYNC_DIR", "JUNIT_OUTPUT_DIR")


@dataclass
class Watched:
    """What a command showed, and to whom.

    :ivar commands: every command line that was seen of it and its children
    :ivar passing: files with a secret in them while it ran: the mode of their folder by path
    """

    folder: Path
    secrets: Mapping[str, str]
    given: tuple[Path, ...]
    output: str = ""
    code: int = 0
    commands: set[str] = field(default_factory=set)
    passing: dict[str, str] = field(default_factory=dict)
    _seen: set[tuple[Path, int, int]] = field(default_factory=set)

    @property
    def shown(self) -> dict[str, dict[str, str]]:
        """What is left when it has ended: by where, and by the name of the secret, what stands around it."""
        texts = {"output": self.output, "process list": "\n".join(sorted(self.commands))}
        texts.update({str(path): text for path, text in files(self.folder, given=self.given)})
        found = {name: leaks(self.secrets, text) for name, text in texts.items()}
        return {name: names for name, names in found.items() if names}

    def look(self, pid: int) -> None:
        """At the processes and files of this moment."""
        for one in _family(pid):
            try:
                line = Path(f"/proc/{one}/cmdline").read_bytes()
            except OSError:
                continue
            self.commands.add(line.decode("utf-8", "replace").replace("\0", " "))
        for path in paths(self.folder):
            if path not in self.given:
                self._look_at(path)

    def _look_at(self, path: Path) -> None:
        try:
            told = path.stat()
            version = (path, told.st_mtime_ns, told.st_size)
            if version in self._seen:
                return
            text = path.read_bytes().decode("utf-8", "replace")
            mode = stat.filemode(path.parent.stat().st_mode)
        except OSError:  # it is gone already
            return
        self._seen.add(version)
        if leaks(self.secrets, text):
            self.passing[str(path)] = mode


def watch(
    command: Sequence[str],
    folder: Path,
    secrets: Mapping[str, str],
    *,
    environ: Mapping[str, str],
    given: Iterable[Path] = (),
) -> Watched:
    """Run it with everything that it may write below the folder.

    :param given: files that hold secrets because the test put them there
    """
    watched = Watched(folder, secrets, tuple(given))
    places = {name: folder / name.lower() for name in _PLACES}
    work = folder / "work"
    for place in (*places.values(), work):
        place.mkdir(exist_ok=True)
    env = {name: str(place) for name, place in places.items()}
    env |= {"ANSIBLE_LOG_PATH": str(folder / "ansible.log"), "ANSIBLE_RETRY_FILES_SAVE_PATH": str(folder)}
    out = (folder.parent / f"{folder.name}.out").open("w+")
    with out:
        process = subprocess.Popen(
            command, env=running.environ(folder / "home", {**env, **environ}), cwd=work, stdout=out, stderr=out
        )
        until = time.monotonic() + 180
        while process.poll() is None and time.monotonic() < until:
            watched.look(process.pid)
            time.sleep(_INTERVAL)
        ended = process.poll() is not None
        process.kill()
        process.wait()
        out.seek(0)
        watched.output, watched.code = out.read(), process.returncode
    assert ended, watched.output
    return watched


def _family(pid: int) -> set[int]:
    """The process and all that descend from it."""
    parents: dict[int, int] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                told = (place / "stat").read_text()
            except OSError:
                continue
            parents[int(place.name)] = int(told.rpartition(")")[2].split()[1])
    family, size = {pid}, 0
    while len(family) != size:
        size = len(family)
        family |= {one for one, parent in parents.items() if parent in family}
    return family
