# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests for controllers share: where the installed collection is, and awx.awx beside it."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def installed() -> Path:
    """The folder of the installed collection."""
    found = importlib.util.find_spec("ansible_collections.redrive.tasks")
    assert found is not None
    assert found.submodule_search_locations
    return Path(next(iter(found.submodule_search_locations)))


def collections() -> Path:
    """The folder that holds ansible_collections with this one."""
    return installed().parents[2]


def awx_collections() -> Path:
    """The folder that holds ansible_collections with awx.awx, which `make tools` unpacks."""
    folder = collections().parent / "awx" / "collections"
    assert (folder / "ansible_collections" / "awx" / "awx").is_dir(), f"awx.awx is not in {folder}: run `make tools`"
    return folder
