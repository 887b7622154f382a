# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What every search for credentials needs: variables, files, and a memory of where was looked.

No message shows a value that was found.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError


@dataclass
class Looked:
    """The environment, and where was looked, for the message when nothing was found."""

    environ: Mapping[str, str]
    places: list[str] = field(default_factory=list)

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first of these variables that is set and not empty."""
        return next((self.environ[name] for name in names if self.environ.get(name)), None)

    def pair(self, first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, str] | None:
        """What two variables hold, each under the first of its names that is set; None, and noted, if neither is.

        :raises InputError: one is set without the other
        """
        one, other = self.first(first), self.first(second)
        if one and other:
            return one, other
        if one or other:
            given, absent = (first, second)[:: 1 if one else -1]
            raise InputError(f"The variable {'/'.join(given)} is set without {'/'.join(absent)}: set both, or neither.")
        self.places.append(f"variables {'/'.join(first)} and {'/'.join(second)}")
        return None

    def nothing_found(self, service: str) -> InputError:
        """The error that names every place that was looked at."""
        return InputError(
            f"No credentials for {service}. Looked at: {'; '.join(self.places)}. Set one of them, but never write a"
            " secret into a playbook as plain text."
        )


def given_pair(first: tuple[str, str | None], second: tuple[str, str | None]) -> tuple[str, str] | None:
    """The values of two options, each given as name and value; None if neither is given.

    :raises InputError: one is given without the other
    """
    if first[1] and second[1]:
        return first[1], second[1]
    if first[1] or second[1]:
        given, absent = (first[0], second[0])[:: 1 if first[1] else -1]
        raise InputError(f"{given} is given without {absent}: give both, or neither.")
    return None


def check_key_part(name: str, value: str, where: str) -> str:
    """A part of a key, once it is sure that it can travel in a header. The message does not show it.

    :raises InputError: it holds something that no key has
    """
    if value.isascii() and value.isprintable() and " " not in value:
        return value
    raise InputError(f"{name} from {where} holds a space, a line feed or another character that no key has.")


def text_of(content: Mapping[str, Any], name: str) -> str | None:
    """A value of a file; None unless it is a text that is not empty."""
    value = content.get(name)
    return value if isinstance(value, str) and value else None


def home_path(path: str) -> Path:
    """The path with C(~) replaced; as it is where there is no home at all."""
    plain = Path(path)
    with suppress(RuntimeError):
        return plain.expanduser()
    return plain


def read_text(path: Path) -> str | None:
    """What the file holds, without a byte order mark; None when there is no file.

    :raises InputError: it cannot be read, or is not UTF-8
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise InputError(f"The file {path} cannot be read: {exc.strerror}.") from exc
    except ValueError:
        raise InputError(f"The file {path} is not a text in UTF-8.") from None


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in the file; None when there is no file.

    :raises InputError: it cannot be read, or holds something else
    """
    text = read_text(path)
    if text is None:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        # Without its cause, which carries the text of the file.
        raise InputError(f"The file {path} is not JSON.") from None
    if not isinstance(content, dict):
        raise InputError(f"The file {path} is not a JSON object.")
    return content


def read_ini(path: Path) -> dict[str, dict[str, str]] | None:
    """The sections of the INI file, names of values in lower case; None when there is no file.

    Nothing is replaced in values, as a key may hold a percent sign, and no section lends values to another.

    :raises InputError: it cannot be read, or is no INI file
    """
    text = read_text(path)
    if text is None:
        return None
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(text)
    except configparser.Error:
        # Without its cause, which quotes lines of the file.
        raise InputError(f"The file {path} is not an INI file.") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}
