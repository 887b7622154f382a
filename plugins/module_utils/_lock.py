# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""One run at a time for each place, on one machine: a file in the temporary directory that the kernel locks.

The kernel gives a dead owner's lock back, so a file that is left over is simply taken, and nobody's age is guessed. The
file can be written by every user of the machine, or runs of different users would not exclude each other. So nothing
that stands in it is trusted: it is read to a bound, and shown only after it was checked.

A file is a header of fixed size that says who has it, and then lines that its owners leave for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import pwd
import re
import stat
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.redrive.tasks.plugins.module_utils._errors import BusyError

_PREFIX, _SUFFIX = "redrive.tasks-", ".lock"
_NAME = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{32}" + re.escape(_SUFFIX))
_MODULE = re.compile(r"[a-z][a-z0-9_.]{0,99}")
_HEADER = 256
# Lines of the last minute matter. These hold those of the fastest service many times over, bytes.
_MOST_READ = 8 << 20
# Between two looks at a lock that another run holds, seconds.
_INTERVAL = 0.1
# How often a file may be removed or replaced at the very moment when it was opened.
_MOST_OPENINGS = 100
# A file that nobody touched for so long is of no use any more, seconds. So many names of the directory are looked at.
_OLD = 86_400
_MOST_NAMES = 1000


class NoLockError(Exception):
    """There is no lock to be had here; the text says why."""


class Holder(NamedTuple):
    """Who has the lock.

    :ivar since: epoch seconds
    """

    pid: int
    uid: int
    module: str
    since: float

    @property
    def user(self) -> str:
        """The name, or the number of a user without one."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def described(self, now: float) -> str:
        """In words, for a person who looks for it."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.since))
        seconds = max(0, round(now - self.since))
        return f"{self.module}, process {self.pid} of user {self.user}, for {seconds} s (since {since})"


def lock_path(key: Iterable[str], folder: Path) -> Path:
    """The file for this key. Its name tells nothing of the key."""
    digest = hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()
    return folder / f"{_PREFIX}{digest[:32]}{_SUFFIX}"


class Lock:
    """The lock of one file, exclusive; or shared, and then nothing is created or written."""

    def __init__(self, path: Path, module: str, *, clock: Clock, shared: bool = False) -> None:
        """`module` is what others are told of this run."""
        self._path = path
        self._module = module
        self._clock = clock
        self._shared = shared
        self._file: int | None = None
        self._writing = threading.Lock()

    def take(self, timeout: float, interruption: Callable[[], str]) -> None:
        """Return when nobody else has it; for a shared lock, nobody who changes anything.

        :param timeout: seconds to wait for another run
        :param interruption: why waiting is to end early; empty if it is not
        :raises BusyError: another run still has it
        :raises NoLockError: there is no lock to be had
        """
        deadline = Deadline.after(self._clock, timeout)
        try:
            while not self._try():
                if interruption():
                    raise BusyError(
                        f"{interruption()} while this one waited for another: {self._other()}. Nothing was retried."
                    )
                if deadline.passed:
                    raise BusyError(
                        f"Another run works on the same tasks: {self._other()}. This one waited {timeout:g} s for it,"
                        " as lock_timeout says, and retried nothing. Let the other one end, or end it, then run again."
                    )
                self._clock.sleep(min(_INTERVAL, deadline.remaining))
        except OSError as exc:
            self._close()
            raise NoLockError(f"{self._path}: {exc.strerror or exc}") from exc
        except BusyError:
            self._close()
            raise

    def lines(self) -> list[bytes]:
        """What owners left, in the order in which they wrote it; of too much, the latest."""
        if self._file is None:
            return []
        try:
            start = max(_HEADER, os.fstat(self._file).st_size - _MOST_READ)
            return _read(self._file, start, _MOST_READ).split(b"\n")
        except OSError:
            return []

    def append(self, line: bytes) -> None:
        """Leave a line for later owners. It is there as soon as this returns, should the process be killed.

        :raises OSError: it cannot be written
        """
        if self._file is None or self._shared:
            return
        with self._writing:
            end = max(_HEADER, os.fstat(self._file).st_size)
            # An owner before may not have come to write the whole of its last line, so that has to be ended.
            os.pwrite(self._file, b"\n" + line + b"\n", end)

    def clear(self) -> None:
        """Drop all lines."""
        if self._file is not None and not self._shared:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, _HEADER)

    def release(self, *, remove: bool) -> None:
        """Let others have it; without the file, if its lines are of no use any more."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            if not self._shared:
                _write_header(self._file, {})
            if remove and not self._shared and _is_at(self._file, self._path):
                self._path.unlink()
        self._close()

    def _try(self) -> bool:
        """Whether nobody else has it.

        :raises OSError: the file is not usable
        """
        for _opening in range(_MOST_OPENINGS):
            try:
                self._file = self._open() if self._file is None else self._file
            except FileExistsError:  # made by another run just now
                continue
            if self._file is None:
                return True
            if not _lock(self._file, fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX):
                return False
            # Whoever had it before may have removed the file, and then it is not the one that others find.
            if _is_at(self._file, self._path):
                if not self._shared:
                    self._sign(self._file)
                return True
            self._close()
        raise OSError("it is replaced again and again")

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int | None:
        """The file, opened and looked at; None where a shared lock finds none.

        :raises OSError: it is not usable
        """
        flags = (os.O_RDONLY if self._shared else os.O_RDWR) | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        # Without O_CREAT first: in a directory for all, Linux refuses that for the file of another user.
        try:
            return _checked(os.open(self._path, flags))
        except FileNotFoundError:
            if self._shared:
                return None
        file = os.open(self._path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        with contextlib.suppress(OSError):
            os.fchmod(file, 0o666)  # whatever the mask of the process: other users have to open it too
            _prune(self._path, self._clock.machine_time())
        return file

    def _sign(self, file: int) -> None:
        """Tell others who has it. If that cannot be written, it is locked all the same."""
        me = Holder(os.getpid(), os.getuid(), self._module, self._clock.machine_time())
        with contextlib.suppress(OSError):
            _write_header(file, me._asdict())

    def _other(self) -> str:
        holder = None if self._file is None else read_holder(_read(self._file, 0, _HEADER))
        # One that only looks does not write its name, and a dead one could not take it back.
        if holder is None or not _is_alive(holder.pid):
            return "a run in check mode, or one that could not leave its name"
        return holder.described(self._clock.machine_time())


def read_holder(header: bytes) -> Holder | None:
    """Who the header names, if every word of it is sound."""
    try:
        content = json.loads(header)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or set(content) != {"pid", "uid", "module", "since"}:
        return None
    pid, uid, module, since = (content[name] for name in ("pid", "uid", "module", "since"))
    if isinstance(pid, bool) or isinstance(uid, bool) or isinstance(since, bool):  # which are numbers, too
        return None
    process = isinstance(pid, int) and 1 <= pid < 2**31 and isinstance(uid, int) and 0 <= uid < 2**32 - 1
    time_told = isinstance(since, (int, float)) and 0 <= since < 2**33
    if not (process and time_told and isinstance(module, str) and _MODULE.fullmatch(module)):
        return None
    return Holder(pid, uid, module, float(since))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def _checked(file: int) -> int:
    """The file, if it can be nothing else than a lock.

    :raises OSError: it is something else
    """
    status = os.fstat(file)
    if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
        return file
    os.close(file)
    raise OSError("it is no ordinary file, or has a second name")


def _lock(file: int, how: int) -> bool:
    """Whether nobody else had it."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: int, path: Path) -> bool:
    """Whether that is the file which others find there."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    here = os.fstat(file)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _read(file: int, start: int, most: int) -> bytes:
    content = bytearray()
    while len(content) < most:
        chunk = os.pread(file, most - len(content), start + len(content))
        if not chunk:
            break
        content += chunk
    return bytes(content)


def _write_header(file: int, content: dict[str, Any]) -> None:
    """In one call, so that it is there as a whole or not at all."""
    os.pwrite(file, json.dumps(content).encode().ljust(_HEADER - 1)[: _HEADER - 1] + b"\n", 0)


def _prune(path: Path, now: float) -> None:
    """Remove files of other keys that nobody has and nobody touched for long."""
    with os.scandir(path.parent) as entries:
        for entry in itertools.islice(entries, _MOST_NAMES):
            if _NAME.fullmatch(entry.name) and entry.name != path.name:
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < now - _OLD:
                        _remove_if_free(Path(entry.path))


def _remove_if_free(path: Path) -> None:
    file = _checked(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK))
    try:
        if _lock(file, fcntl.LOCK_EX) and _is_at(file, path):
            path.unlink()
    finally:
        os.close(file)
