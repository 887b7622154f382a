# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation runs as it is written, against the local cloud in the vendors' place.

The vendors' host names lead to the local cloud, which shows a certificate for each of them; nothing in an example is
changed. The interval of waiting alone is set from outside, as module_defaults and as an extra variable. What the
examples name is in world.yml.

A page may give files, each with its name in a comment in the first line, and commands that use them. They run in the
order of the page, in one folder. Tasks and plays run beside them, each for itself, with the files of their page.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import running
from documentation.vendors import furnish
from local_cloud.testing import LocalCloud
from modules.services import SERVICES

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Example:
    """What runs in one folder.

    :ivar files: texts by name
    :ivar commands: all end well
    """

    source: str
    files: dict[str, str]
    commands: list[list[str]]

    def __str__(self) -> str:
        return self.source


# Asks no service for anything.
SILENT = ("remediation_gate", "remediation_report")
_INTERVAL = 0.1
# The first line of a file of a page.
_FILE = re.compile(r"# ([a-z_]+\.yml)\b")
# What needs something else than the services is left to other tests.
_PLAYBOOK = re.compile(r"redrive\.tasks\.(plan|apply|remediate\w*|nightly)$")


def play_of(source: str, content: list[dict[str, Any]], given: dict[str, str]) -> Example:
    """Tasks or plays, with the files of their page."""
    modules = ["target_retry", *(service.act for service in SERVICES)]
    defaults = {f"redrive.tasks.{module}": {"wait_interval": _INTERVAL} for module in modules}
    plays = content
    if not any({"hosts", "ansible.builtin.import_playbook"} & set(entry) for entry in content):
        plays = [{"hosts": "localhost", "gather_facts": False, "tasks": content}]
    plays = [
        {**play, "module_defaults": {**play.get("module_defaults", {}), **defaults}} if "hosts" in play else play
        for play in plays
    ]
    files = {**given, "play.yml": yaml.safe_dump(plays, sort_keys=False)}
    options = [part for name, text in given.items() for part in option_for(name, text)]
    return Example(source, files, [["ansible-playbook", "play.yml", *options]])


def option_for(name: str, text: str) -> list[str]:
    """How a file is handed over: an inventory has groups with hosts."""
    groups = (value for value in yaml.safe_load(text).values() if isinstance(value, dict))
    return ["-i", name] if any({"hosts", "children"} & set(group) for group in groups) else ["-e", f"@{name}"]


def module_examples() -> Iterator[Example]:
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        texts = [
            node.value.value
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "EXAMPLES"
            and isinstance(node.value, ast.Constant)
        ]
        yield play_of(path.stem, yaml.safe_load(str(texts[0])), {})


def blocks(path: Path, languages: str) -> Iterator[str]:
    """The blocks of a page in these languages."""
    text = path.read_text()
    if path.suffix == ".md":
        yield from re.findall(rf"^```(?:{languages})\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        return
    pattern = rf"^( *)\.\. code-block:: (?:{languages})\n\n((?:\1 +.*\n|\n)+)"
    for match in re.finditer(pattern, text, re.MULTILINE):
        yield textwrap.dedent(match.group(2))


def yaml_blocks(path: Path) -> list[str]:
    return list(blocks(path, r"ya?ml(?:\+jinja)?"))


def files_of(path: Path) -> list[tuple[str, str]]:
    """The files of a page, by name."""
    return [(match[1], block) for block in yaml_blocks(path) if (match := _FILE.match(block))]


def commands_of(path: Path) -> list[str]:
    """The commands of a page, each on a line."""
    lines = (line.removeprefix("$ ") for block in blocks(path, "console") for line in block.splitlines())
    return [line for line in lines if line.startswith("ansible-playbook ")]


def examples_of(path: Path) -> Iterator[Example]:
    """Of a page: what it does with files, then each of its other blocks."""
    source = str(path.relative_to(ROOT))
    files = dict(files_of(path))
    commands = [shlex.split(line) for line in commands_of(path)]
    commands = [words for words in commands if _PLAYBOOK.match(words[1]) or words[1] in files]
    if commands:
        interval = ["-e", json.dumps({"remediate_wait_interval": _INTERVAL})]
        yield Example(source, files, [[*command, *interval] for command in commands])
    data = {name: text for name, text in files.items() if isinstance(yaml.safe_load(text), dict)}
    for number, block in enumerate(yaml_blocks(path), 1):
        content = yaml.safe_load(block)
        if isinstance(content, list) and block not in files.values():
            yield play_of(f"{source}[{number}]", content, data)


PAGES = [ROOT / "README.md", *sorted(ROOT.glob("roles/*/README.md")), *sorted(ROOT.glob("docs/docsite/rst/*_*.rst"))]
# They have worlds of their own, see test_runbooks.py.
PAGES = [path for path in PAGES if not path.stem.startswith("runbook_")]
EXAMPLES = [*module_examples(), *(example for path in PAGES for example in examples_of(path))]


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    """The cloud that the examples speak of."""
    with LocalCloud(Path(__file__).with_name("world.yml"), tls=True) as running:
        yield running


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_runs_as_it_is_written(example: Example, cloud: LocalCloud, tmp_path: Path) -> None:
    extra = {**furnish(tmp_path, cloud), "ANSIBLE_PIPELINING": "true"}  # which is quicker
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    for command in example.commands:
        done = running.run(command, tmp_path, extra, cwd=tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert cloud.requests or example.source in SILENT, "it asked the service for nothing"
    assert not cloud.violations
    assert set(cloud.retried().values()) <= {1}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_a_page_is_used_by_one_of_its_commands(path: Path) -> None:
    names = [name for name, _ignored in files_of(path)]
    assert len(set(names)) == len(names)
    used = {word.lstrip("@") for line in commands_of(path) for word in line.split()}
    assert set(names) <= used


def test_the_documents_hold_the_examples_that_are_run() -> None:
    """So that a changed mark-up does not silently leave examples out."""
    sources = {re.sub(r"\[\d+\]$", "", one.source) for one in EXAMPLES}
    expected = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    expected |= {"README.md", *(f"roles/{role}/README.md" for role in ("plan", "remediate", "report"))}
    guides = ["failure_classes", "plan_apply", "targets", *(service.name for service in SERVICES)]
    expected |= {f"docs/docsite/rst/guide_{guide}.rst" for guide in guides}
    assert expected <= sources
