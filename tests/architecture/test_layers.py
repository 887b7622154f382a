# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports point one way. The table says for each file what it may import; a new file needs a line in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UTILS = ROOT / "plugins" / "module_utils"
PREFIX = "ansible_collections.redrive.tasks.plugins.module_utils."
FOLDERS = {f"ansible_collections.redrive.tasks.plugins.{one}" for one in ("module_utils", "plugin_utils")}

# From the bottom to the top. A file may import what its line names, and nothing that is not named. A line with the
# whole name of a file comes before one with a pattern.
MAY_IMPORT: dict[str, set[str]] = {
    "_clock": set(),
    "_errors": set(),
    "_brake": {"_clock", "_errors"},
    "_limits": set(),
    "_progress": set(),
    "_redact": set(),
    "_task": set(),
    "_wire": set(),
    "_lock": {"_clock", "_errors"},
    "_journal": {"_clock", "_task"},
    "_endpoint": {"_errors"},
    "_lookup": {"_errors"},
    "_window": {"_errors", "_task"},
    "_classify": {"_errors", "_task"},
    "_plan": {"_classify", "_errors", "_task"},
    "_result": {"_classify", "_plan", "_task"},
    "_http": {"_clock", "_errors", "_wire"},
    "_skew": {"_clock", "_errors", "_wire"},
    "_attempts": {"_brake", "_clock", "_errors", "_http", "_limits", "_redact", "_skew", "_wire"},
    "_replies": {"_errors", "_wire"},
    "_discovery": {"_errors", "_task"},
    "_service": {"_classify", "_limits", "_task"},
    "_engine": {"_brake", "_clock", "_errors", "_plan", "_progress", "_service", "_task"},
    "_argspec": {"_result", "_task"},
    "_rules.*": {"_classify", "_task"},
    "_signing.*": {"_wire"},
    "_credentials.*": {"_errors", "_lookup", "_signing.="},
    "_services.*": {
        "_attempts",
        "_clock",
        "_discovery",
        "_endpoint",
        "_errors",
        "_limits",
        "_replies",
        "_rules.=",
        "_service",
        "_task",
        "_wire",
    },
    "_module.common": {
        "_argspec",
        "_attempts",
        "_brake",
        "_classify",
        "_clock",
        "_endpoint",
        "_errors",
        "_http",
        "_limits",
        "_plan",
        "_redact",
        "_service",
        "_skew",
        "_task",
        "_window",
    },
    "_module.info": {"_argspec", "_errors", "_module.common", "_result", "_task"},
    "_module.claim": {"_journal", "_lock", "_module.common", "_service", "_task"},
    "_module.retry": {
        "_argspec",
        "_engine",
        "_errors",
        "_module.claim",
        "_module.common",
        "_plan",
        "_progress",
        "_result",
        "_service",
        "_task",
    },
    "_fronts.*": {
        "_argspec",
        "_credentials.=",
        "_errors",
        "_attempts",
        "_module.common",
        "_services.=",
        "_signing.=",
    },
    # A service that is too large for one file. Its tokens come from another one, which complains as it does itself.
    "_drs.complaints": {"_errors", "_replies", "_wire"},
    # The replies of one service hold passwords of others, and answer for each job of a batch.
    "_drs.hiding": {"_redact"},
    "_drs.jobs": {"_drs.complaints", "_replies", "_task", "_wire"},
    "_drs.verdicts": {"_drs.complaints", "_errors", "_drs.jobs", "_replies", "_rules.drs", "_task", "_wire"},
    "_services.drs": {
        "_attempts",
        "_drs.complaints",
        "_discovery",
        "_endpoint",
        "_errors",
        "_drs.hiding",
        "_drs.jobs",
        "_replies",
        "_rules.drs",
        "_service",
        "_task",
        "_drs.verdicts",
        "_wire",
    },
    "_drs.login": {
        "_attempts",
        "_clock",
        "_drs.complaints",
        "_credentials.drs",
        "_endpoint",
        "_errors",
        "_signing.drs",
        "_wire",
    },
    "_fronts.drs": {
        "_argspec",
        "_attempts",
        "_drs.complaints",
        "_credentials.drs",
        "_endpoint",
        "_errors",
        "_drs.login",
        "_module.common",
        "_services.drs",
        "_signing.drs",
    },
}
MODULE_MAY_IMPORT = {"_fronts.*", "_module.info", "_module.retry"}

# What runs on the controller: action plugins, and what they are made of. "module_utils." are the few files that both
# sides share. An action may import any of these, and no other.
CONTROLLER_MAY_IMPORT: dict[str, set[str]] = {
    "_calendar": set(),
    "_files": set(),
    "_screen": set(),
    "_services": set(),
    "_entries": {"module_utils._plan"},
    "_targets": {"_entries", "_services", "module_utils._result", "module_utils._window"},
    "_canary": {"_entries"},
    "_guards": {"_entries", "_services"},
    "_approved": {"_entries", "_targets"},
    "_document": {"_entries", "_services", "_targets", "module_utils._result"},
    "_run": {"_document"},
    "_words": {"_document", "_services"},
    "_markdown": {"_document", "_words"},
    "_screen_text": {"_document", "_words"},
    "_timeline": {"_document"},
    "_html": {"_document", "_entries", "_services", "_timeline", "_words"},
    "_watching": {"_screen", "module_utils._clock", "module_utils._progress"},
    "_action": {
        "_calendar",
        "_document",
        "_files",
        "_targets",
        "module_utils._clock",
        "module_utils._errors",
    },
}
# All others are pure: what they make depends on their arguments alone.
TOUCHES = {"_action", "_files", "_html", "_screen", "_watching"}
# What knows the services, gives one as an example, or names rules of theirs. All others work for any.
SPEAKS_OF_SERVICES = {"_services", "_targets"}

# Pure: no clock, no chance, no environment, no network, no Ansible.
PURE = (
    "_classify",
    "_drs.complaints",
    "_discovery",
    "_endpoint",
    "_drs.jobs",
    "_limits",
    "_plan",
    "_replies",
    "_result",
    "_rules.*",
    "_signing.*",
    "_task",
    "_drs.verdicts",
    "_window",
    "_wire",
)
IMPURE_MODULES = {
    "ansible",
    "os",
    "pathlib",
    "random",
    "requests",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "urllib3",
}
IMPURE_CALLS = re.compile(r"\b(?:time\.(?:time|monotonic|sleep)|datetime\.(?:now|utcnow|today)|open)\(")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(UTILS).with_suffix("").parts)


FILES = {name_of(path): path for path in sorted(UTILS.rglob("*.py"))}
# Others hold the documentation of an action and no code.
MODULES = [path for path in sorted((ROOT / "plugins" / "modules").glob("*.py")) if "def main(" in path.read_text()]


def imports(path: Path) -> Iterator[str]:
    """Everything that the file imports, those under TYPE_CHECKING and inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative imports do not travel to the managed host"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names) if module in FOLDERS else (module,)


def own(path: Path) -> set[str]:
    found = {name.removeprefix(PREFIX) for name in imports(path) if name.startswith(PREFIX)}
    return {name if name in FILES else name.rpartition(".")[0] for name in found}


CONTROLLER = {path.stem: path for path in sorted((ROOT / "plugins" / "plugin_utils").glob("*.py"))}
ACTIONS = sorted((ROOT / "plugins" / "action").glob("*.py"))
PLUGINS_PREFIX = PREFIX.removesuffix("module_utils.")


def own_of_controller(path: Path) -> set[str]:
    """What it imports of the collection: files of plugin_utils by their names, all others with their folder."""
    found = (name.removeprefix(PLUGINS_PREFIX) for name in imports(path) if name.startswith(PLUGINS_PREFIX))
    return {name.removeprefix("plugin_utils.") for name in found}


def line_of(name: str) -> str:
    lines = [name] if name in MAY_IMPORT else [pattern for pattern in MAY_IMPORT if fnmatch(name, pattern)]
    assert len(lines) == 1, f"{name} needs exactly one line in MAY_IMPORT, found {lines}"
    return lines[0]


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_only_what_lies_below_it(name: str) -> None:
    service = name.rpartition(".")[2]
    allowed = {one.replace("=", service) for one in MAY_IMPORT[line_of(name)]}
    assert own(FILES[name]) <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_a_front_and_a_kind(path: Path) -> None:
    assert all(any(fnmatch(name, pattern) for pattern in MODULE_MAY_IMPORT) for name in own(path))
    source = path.read_text()
    assert len(source[source.index("def main(") :].splitlines()) <= 10


def test_no_line_of_the_table_is_out_of_use() -> None:
    used = {line_of(name) for name in FILES}
    assert used == set(MAY_IMPORT)
    for pattern, allowed in MAY_IMPORT.items():
        names = [name for name in FILES if line_of(name) == pattern]
        needed = {one for name in names for one in own(FILES[name])}
        services = {name.rpartition(".")[2] for name in names}
        assert {one.replace("=", service) for one in allowed for service in services} == needed, pattern


def test_the_arrows_have_no_circle() -> None:
    graph = {name: own(path) for name, path in FILES.items()}
    done: set[str] = set()
    while len(done) < len(graph):
        free = {name for name, needed in graph.items() if name not in done and needed <= done}
        assert free, f"a circle among {sorted(set(graph) - done)}"
        done |= free


@pytest.mark.parametrize("name", CONTROLLER)
def test_a_file_of_the_controller_imports_only_what_lies_below_it(name: str) -> None:
    assert own_of_controller(CONTROLLER[name]) == CONTROLLER_MAY_IMPORT[name]


def test_the_arrows_of_the_controller_have_no_circle() -> None:
    assert set(CONTROLLER_MAY_IMPORT) == set(CONTROLLER)
    done: set[str] = set()
    while len(done) < len(CONTROLLER):
        below = {
            name for name, needed in CONTROLLER_MAY_IMPORT.items() if {one for one in needed if "." not in one} <= done
        }
        assert below > done, f"a circle among {sorted(set(CONTROLLER) - done)}"
        done = below


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.stem)
def test_an_action_is_made_of_what_lies_below_it(path: Path) -> None:
    assert own_of_controller(path) <= set(CONTROLLER)
    assert not {one.split(".")[0] for one in imports(path)} & {"requests", "socket", "subprocess", "threading"}


def test_nothing_of_the_controller_travels_to_a_managed_host() -> None:
    for path in (*FILES.values(), *MODULES):
        assert not any(".plugin_utils" in name or ".plugins.action" in name for name in imports(path)), path.name


@pytest.mark.parametrize("name", sorted(set(CONTROLLER) - TOUCHES))
def test_pure_files_of_the_controller_touch_nothing(name: str) -> None:
    assert not {one.split(".")[0] for one in imports(CONTROLLER[name])} & IMPURE_MODULES
    assert not IMPURE_CALLS.search(CONTROLLER[name].read_text())


def test_each_retry_module_has_an_action_that_says_how_far_it_has_come() -> None:
    retries = {path.stem for path in MODULES if "_module.retry" in own(path)}
    assert retries == {path.stem for path in ACTIONS if "_watching" in own_of_controller(path)} - {"target_retry"}
    sources = {(ROOT / "plugins" / "action" / f"{name}.py").read_text() for name in retries}
    assert len(sources) == 1, "they differ, though nothing of them depends on the service"


def test_only_one_file_imports_requests() -> None:
    users = {
        name for name, path in FILES.items() if {one.split(".")[0] for one in imports(path)} & {"requests", "urllib3"}
    }
    assert users == {"_http"}


def test_only_the_front_knows_ansible() -> None:
    """AnsibleModule is for one file alone; the front of a service may borrow what ansible-core brings, such as YAML."""
    users = {name for name, path in FILES.items() if any(one.split(".")[0] == "ansible" for one in imports(path))}
    assert "_module.common" in users
    assert all(fnmatch(name, "_fronts.*") for name in users - {"_module.common"})
    for name in users - {"_module.common"}:
        assert not any(one.startswith("ansible.module_utils.basic") for one in imports(FILES[name])), name


@pytest.mark.parametrize("name", [name for name in FILES if any(fnmatch(name, pattern) for pattern in PURE)])
def test_pure_files_touch_nothing(name: str) -> None:
    path = FILES[name]
    assert not {one.split(".")[0] for one in imports(path)} & IMPURE_MODULES
    assert not IMPURE_CALLS.search(path.read_text())


def services() -> set[str]:
    return {path.stem for path in (UTILS / "_services").glob("*.py")}


def test_shared_code_names_no_service() -> None:
    """A further service is an addition: nothing outside its own files may speak of one."""
    words = {"sls", "cls", "drs", "geelark", "shipper", "logstore", "alibaba", "tencent", "huawei"}
    for name, path in FILES.items():
        if "." in name and not name.startswith("_module."):
            continue
        # cls is also the first argument of a class method, and part of a name of urllib3's.
        text = re.sub(r"\bcls\b|ConnectionCls", "", path.read_text()).lower()
        assert {word for word in words if word in text} == set(), name
    for name in set(CONTROLLER) - SPEAKS_OF_SERVICES:
        text = CONTROLLER[name].read_text().lower()
        assert {word for word in words if re.search(rf"\b{word}", text)} == set(), name


def test_nothing_of_the_plugins_asserts() -> None:
    """Assertions vanish under -O."""
    for path in (*FILES.values(), *MODULES, *CONTROLLER.values(), *ACTIONS):
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(path.read_text()))), path.name


def test_the_local_cloud_and_the_plugins_share_no_code() -> None:
    """Otherwise the one would prove only that it agrees with itself."""
    for path in (ROOT / "tests" / "local_cloud").rglob("*.py"):
        assert not any(name.startswith("ansible") for name in imports(path)), path.name
    for path in (*FILES.values(), *MODULES):
        assert not any(name.startswith("local_cloud") for name in imports(path)), path.name
