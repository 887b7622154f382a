# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Reports and plans as files on the controller."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

# A plan of a hundred thousand tasks is smaller.
_LARGEST = 256 * 1024 * 1024


class FileError(Exception):
    """What is wrong with a file, and what to do."""


def preview_of(path: str) -> str:
    """The file beside it that holds a preview, so that what the last real run wrote stays."""
    file = Path(path)
    return str(file.with_name(f"{file.stem}.preview{file.suffix}"))


def check_places(wanted: Mapping[str, str]) -> None:
    """Return if all these files could be written, by the options that name them.

    :raises FileError: one could not, or two are one
    """
    for option, path in wanted.items():
        check_place(option, path)
    paths = [_file(path) for path in wanted.values()]
    if len(set(paths)) < len(paths):
        raise FileError(f"{' and '.join(wanted)} name one file. Nothing was retried. Give each a file of its own.")


def _file(path: str) -> Path:
    """What is written. Where a link stands, the file takes its place: who has set it must not choose another one."""
    return Path(path).expanduser().absolute()


def check_place(option: str, path: str) -> None:
    """Return if the file could be written.

    :raises FileError: it could not
    """
    file = _file(path)
    folder = file.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)) or (file.exists() and not file.is_file()):
        raise FileError(
            f"{option}: {path} could not be written, because its folder does not exist or may not be written to, or"
            " because there is something else than a file. Nothing was retried. Create the folder, or choose another"
            " file."
        )


def write(path: str, text: str) -> None:
    """Write it whole or not at all.

    :raises FileError: it could not be written
    """
    file = _file(path)
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            # A lone surrogate, which is no text in UTF-8, becomes what JSON writes for it.
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
            Path(name).chmod(0o640)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink()
            raise
    except OSError as exc:
        raise FileError(f"{path} could not be written: {exc.strerror or exc}.") from exc


def read(option: str, path: str) -> str:
    """The text of a file.

    :raises FileError: it cannot be read
    """
    file = Path(path).expanduser()
    try:
        if file.stat().st_size > _LARGEST:
            raise FileError(f"{option}: {path} is too large to be a plan.")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise FileError(f"{option}: {path} cannot be read: {getattr(exc, 'strerror', None) or exc}.") from exc
