# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times depend on one clock, which tests hand in, and neither on the machine's time zone nor on its language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
FILES = sorted(PLUGINS.rglob("*.py"))
# What is local, or of the language of the machine.
LOCAL = {"localtime", "mktime", "ctime", "asctime", "tzset", "setlocale", "strxfrm", "strcoll", "utcnow", "today"}
# Numbers only: the names of days, months and halves of the day are those of a language.
DIRECTIVES = set("YmdHMS")


# Who may ask the machine itself: the clock, and what must know how long a connection lay idle.
OF_THE_MACHINE = {"time.time", "time.monotonic", "time.sleep", "datetime.now"}
MAY_ASK = {"_clock.py": OF_THE_MACHINE, "_http.py": {"time.monotonic"}}


def offences(source: str, may_ask: Set[str] = frozenset()) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(one.name in ("locale", "calendar") for one in node.names):
            yield "knows the machine's language"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        if name in LOCAL:
            yield f"{called} is local"
        if called in OF_THE_MACHINE - may_ask:
            yield f"{called} is not the clock that tests hand in"
        if name == "fromtimestamp" and len(node.args) + len(node.keywords) < 2:
            yield "fromtimestamp without a zone is local"
        if name in ("strftime", "strptime"):
            yield from _of_language(node)


def _of_language(node: ast.Call) -> Iterator[str]:
    forms = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(forms) != 1:
        yield "a form of time that cannot be checked here"
    for form in forms:
        if not set(re.findall(r"%(.)", form)) <= DIRECTIVES:
            yield f"{form} is in the machine's language"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_no_time_depends_on_the_machine(path: Path) -> None:
    assert not list(offences(path.read_text(), MAY_ASK.get(path.name, frozenset())))


@pytest.mark.parametrize(
    "source",
    [
        "time.strftime('%a, %d %b %Y', time.gmtime(0))",
        "datetime.fromtimestamp(0).isoformat()",
        "time.localtime()",
        "datetime.strptime(text, '%d %B')",
        "time.strftime(form)",
        "time.time()",
        "import locale",
    ],
)
def test_what_does_is_found(source: str) -> None:
    assert list(offences(source))
