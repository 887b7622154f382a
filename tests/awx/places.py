# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests for controllers share: where things are, and what is made once for all of them."""

from __future__ import annotations

import fcntl
import importlib.util
import pickle
from pathlib import Path
from typing import Callable, TypeVar

Made = TypeVar("Made")


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


def once(folder: Path, name: str, make: Callable[[Path], Made]) -> Made:
    """What is dear to make, made by the first of all processes that work on the tests; the others wait for it.

    :param folder: the same for all of them
    :param make: gets a folder of its own; what it returns can be pickled
    """
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / f"{name}.pickle"
        if not file.exists():
            own = folder / name
            own.mkdir()
            file.write_bytes(pickle.dumps(make(own)))
        made: Made = pickle.loads(file.read_bytes())  # noqa: S301 - of our own making
        return made
