# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every runbook is what happens: its commands run as they are written, one after the other, and show what it shows.

How a runbook is written, so that this can read it:

- A `yaml` block whose first line names a file in a comment is that file.
- In a `console` block, what follows `$` is a command, run without a shell. `export` names a variable and is not run.
- A `text` block after a command is what the command shows, with `...` for lines left out, or for the rest of a line.
  Times are compared as times only, because they are others each time.
- "It ends with exit code 2" after a command says so; else it is 0.
- What others do meanwhile is a sentence of the runbook, and stands under `events` in its file in runbooks/. It happens
  before the command that follows.

The interval of waiting alone is set from outside.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

import running
from documentation.vendors import ENVIRON, furnish
from local_cloud.gates import Gate, Moment
from local_cloud.tasks import Outcome, Status, Task, TaskList
from local_cloud.testing import LocalCloud

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "docsite" / "rst").glob("runbook_*.rst"))
WORLDS = Path(__file__).with_name("runbooks")
LONG = 60  # seconds until something surely has happened on a busy machine

_BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\S*\n\n((?:\1 +.*\n|\n)+)", re.MULTILINE)
_FILE = re.compile(r"# ([a-z_]+\.yml)\b")
_LEFT_OUT = "..."
# What is another one each time.
_VOLATILE = [
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\(in [\d hmind]+\)"), "(in A WHILE)"),
    (re.compile(r"\bprocess \d+ of user \S+, for \d+ s\b"), "process N of user NAME, for N s"),
]


@dataclass(frozen=True)
class Command:
    """A command of a runbook.

    :ivar events: what others do before it
    :ivar shown: the lines that the runbook shows; empty when it shows none
    :ivar code: with which it ends
    """

    line: str
    events: list[str]
    shown: list[str]
    code: int


class Runbook:
    """A page, read.

    :ivar files: texts by name
    :ivar exports: the names of variables that are to be set
    """

    def __init__(self, page: str, events: Sequence[str] = ()) -> None:
        """`events`: the sentences that tell of one."""
        self.files: dict[str, str] = {}
        self.exports: list[str] = []
        self.commands: list[Command] = []
        self._events = events
        self._coming: list[str] = []
        readers = {"prose": self._prose, "yaml": self._yaml, "console": self._console, "text": self._text}
        for kind, text in _parts(page):
            readers[kind](text)
        assert not self._coming, "nothing follows that could show it"

    def _prose(self, text: str) -> None:
        words = " ".join(text.split())
        self._coming += sorted((one for one in self._events if one in words), key=words.index)
        code = re.search(r"It ends with exit code (\d+)", words)
        if code:
            self.commands[-1] = replace(self.commands[-1], code=int(code[1]))

    def _yaml(self, text: str) -> None:
        name = _FILE.match(text)
        assert name, "it is no file"
        assert name[1] not in self.files
        self.files[name[1]] = text

    def _console(self, text: str) -> None:
        for line in text.splitlines():
            assert line.startswith("$ "), line
            command = line.removeprefix("$ ")
            if command.startswith("export "):
                self.exports.append(command.split()[1].partition("=")[0])
            else:
                self.commands.append(Command(command, self._coming, [], 0))
                self._coming = []

    def _text(self, text: str) -> None:
        assert not self.commands[-1].shown, self.commands[-1].line
        self.commands[-1] = replace(self.commands[-1], shown=text.splitlines())


def _parts(page: str) -> Iterator[tuple[str, str]]:
    """What stands on a page, in its order: blocks by their language, and `prose`."""
    at = 0
    for block in _BLOCK.finditer(page):
        yield "prose", page[at : block.start()]
        yield block[2], textwrap.dedent(block[3]).strip("\n") + "\n"
        at = block.end()
    yield "prose", page[at:]


def is_shown(shown: Sequence[str], output: Sequence[str]) -> str:
    """Empty when the output is as shown; else the first line that is not.

    Lines follow each other directly unless some are left out between them.
    """
    at, anywhere = 0, False
    for line in map(_steady, shown):
        if line == _LEFT_OUT:
            anywhere = True
            continue
        found = next((n for n in range(at, len(output)) if _fits(line, _steady(output[n]))), None)
        if found is None or (found > at and not anywhere):
            return line or "an empty line"
        at, anywhere = found + 1, False
    return "" if anywhere or at == len(output) else "the end"


def _fits(shown: str, line: str) -> bool:
    if shown.endswith(_LEFT_OUT):
        return line.startswith(shown.removesuffix(_LEFT_OUT).rstrip())
    return shown == line


def _steady(line: str) -> str:
    for pattern, name in _VOLATILE:
        line = pattern.sub(name, line)
    return line.rstrip()


@pytest.mark.parametrize(
    ("shown", "output", "missing"),
    [
        (["a", "b"], ["a", "b"], ""),
        (["a"], ["a", "b"], "the end"),
        (["...", "b"], ["a", "b"], ""),
        (["a", "c"], ["a", "b", "c"], "c"),
        (["a", "...", "c", "..."], ["a", "b", "c", "d"], ""),
        (["...", "c", "a", "..."], ["a", "b", "c"], "a"),
        (["To do: this ..."], ["To do: this and that"], ""),
        (["until 2026-11-23T15:14:41Z (in 52 min)"], ["until 2027-01-01T00:00:00Z (in 2 d 1 h)"], ""),
    ],
)
def test_what_is_shown_is_compared_line_by_line(shown: list[str], output: list[str], missing: str) -> None:
    assert is_shown(shown, output) == missing


class World:
    """The local cloud of a runbook, and what happens in it."""

    def __init__(self, cloud: LocalCloud, events: Mapping[str, Mapping[str, Any]]) -> None:
        self.cloud = cloud
        self.gate: Gate | None = None  # set while the next command is to be left behind at it
        self.events = events
        self._behind: list[tuple[subprocess.Popen[str], Gate]] = []

    def happen(self, sentence: str) -> None:
        event = dict(self.events[sentence])
        if "repaired" in event:
            for task in self._tasks(event.pop("repaired")):
                task.script = replace(task.script, then=(Outcome.SUCCESS,))
        elif "healed" in event:
            for task in self._tasks(event.pop("healed"))[: event.pop("count")]:
                task.succeed(self.cloud.clock.now())
        elif "failed" in event:
            name = event.pop("failed")
            next(one for one in self._lists() if one.name == name).add_tasks(**event.pop("tasks"))
        elif "held" in event:
            self.gate = self.cloud.hold(Moment.EXECUTED, operation=event.pop("held"), number=event.pop("number"))
        else:
            assert event.pop("killed")
            self.kill()
        assert not event, event

    def leave_behind(self, process: subprocess.Popen[str]) -> None:
        """Return when the process waits at the gate."""
        assert self.gate
        self._behind.append((process, self.gate))
        assert self.gate.reached.wait(LONG)
        self.gate = None

    def kill(self) -> None:
        """End what was left behind, with all that it has started; the youngest last, so that none sees another go."""
        for process, gate in self._behind:
            parent = psutil.Process(process.pid)
            for member in (parent, *parent.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            process.wait(LONG)
            gate.open()  # nobody is there any more to read the answer
        self._behind.clear()

    def _tasks(self, words: str) -> list[Task]:
        """The failed tasks with these words in their message."""
        found = [one for tasks in self._lists() for one in tasks if one.status is Status.FAIL and words in one.message]
        assert found, words
        return found

    def _lists(self) -> Iterator[TaskList]:
        world = self.cloud.world
        yield from world.sls.task_lists()
        yield from world.cls.task_lists()
        yield from world.drs.job_lists()
        with suppress(KeyError):  # a team that is in none but its own runbook
            yield world.geelark.tasks_of("exampleAppId")


@pytest.fixture
def world(page: Path) -> Iterator[World]:
    content = yaml.safe_load(world_of(page).read_text())
    with LocalCloud(content["cloud"], tls=True) as cloud:
        made = World(cloud, content["events"])
        yield made
        made.kill()


def world_of(page: Path) -> Path:
    return WORLDS / f"{page.stem.removeprefix('runbook_')}.yml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_is_what_happens(page: Path, world: World, tmp_path: Path) -> None:
    runbook = Runbook(page.read_text(), list(world.events))
    assert set(runbook.exports) <= set(ENVIRON)
    extra = furnish(tmp_path, world.cloud)
    for name, text in runbook.files.items():
        (tmp_path / name).write_text(text)
    for command in runbook.commands:
        for sentence in command.events:
            world.happen(sentence)
        code, output = run(command.line, tmp_path, extra, world)
        missing = is_shown(command.shown, output.splitlines()) if command.shown else ""
        assert not missing, f"$ {command.line}\n{output}\nis not as the runbook shows it: {missing}"
        assert code == command.code, f"$ {command.line}\n{output}"
    assert not world.cloud.violations
    assert set(world.cloud.executed().values()) == {1}


def run(line: str, folder: Path, extra: Mapping[str, str], world: World) -> tuple[int, str]:
    """Run a command to its end, or until it is held. Returns its exit code, 0 if held, and what it shows."""
    command = shlex.split(line)
    if command[0] == "ansible-playbook":
        command += ["-e", json.dumps({"remediate_wait_interval": 0.1})]
    if world.gate is None:
        done = running.run(command, folder, extra, cwd=folder)
        return done.returncode, done.stdout
    shown = folder / "shown"
    with shown.open("w") as file:
        process = subprocess.Popen(
            command, env=running.environ(folder, extra), cwd=folder, stdout=file, stderr=subprocess.DEVNULL, text=True
        )
    world.leave_behind(process)
    return 0, shown.read_text()


def test_every_event_is_told_in_its_runbook_once() -> None:
    for page in PAGES:
        words = " ".join(page.read_text().split())
        for sentence in yaml.safe_load(world_of(page).read_text())["events"]:
            assert words.count(sentence) == 1, f"{page.name}: {sentence}"


def test_there_is_a_runbook_for_each_service_and_each_is_listed() -> None:
    services = {path.stem for path in (ROOT / "plugins" / "module_utils" / "_services").glob("[!_]*.py")}
    assert {page.stem for page in PAGES} == {f"runbook_{name}" for name in {*services, "keep_failing"}}
    listed = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text())
    assert {page.stem for page in PAGES} <= {name for section in listed["sections"] for name in section["toctree"]}
    assert {world_of(page) for page in PAGES} == set(WORLDS.iterdir())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_of_a_runbook_is_used_and_every_output_is_shown(page: Path) -> None:
    runbook = Runbook(page.read_text())
    used = {word.lstrip("@") for command in runbook.commands for word in command.line.split()}
    assert set(runbook.files) <= used
    assert all(command.shown for command in runbook.commands)
