# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Chromium for all tests of a worker, and reports to open in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._html import html
from browser.chromium import Chromium, Page
from unit import documents

# In every field, and harmless only if it stays text.
EVIL = (
    "<img src=x onerror=\"window.owned = 1\"><script>window.owned = 2</script>'\"><svg onload='window.owned = 3'>"
    "</style></script><iframe srcdoc='<script>parent.owned = 4</script>'></iframe>"
)

Report = Callable[[str], Path]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    """A tab as wide as a desktop's, in light colours."""
    tab = chromium.page()
    tab.look()
    yield tab
    tab.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The file of a report, by the name of its document."""
    folder = tmp_path_factory.mktemp("reports")
    others: dict[str, Callable[[], documents.Document]] = {
        "hostile": lambda: documents.hostile(EVIL),
        "endless": lambda: documents.hostile("endless" * 300),
        "large": documents.large,
    }
    makers = {**documents.ALL, **others}

    @functools.cache
    def made(name: str) -> Path:
        file = folder / f"{name}.html"
        file.write_text(html(makers[name]()), encoding="utf-8")
        return file

    return made
