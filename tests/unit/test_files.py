# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports and plans as files: whole or not at all, for their owner and group."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils import _files
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import approved, digest
from ansible_collections.redrive.tasks.plugins.plugin_utils._files import (
    FileError,
    check_place,
    check_places,
    preview_of,
    read,
    write,
)
from unit import documents


@pytest.mark.parametrize(
    ("path", "preview"),
    [
        ("report.json", "report.preview.json"),
        ("/var/lib/a.b/report.md", "/var/lib/a.b/report.preview.md"),
        ("report", "report.preview"),
        ("2026-11-23.report.html", "2026-11-23.report.preview.html"),
        ("~/report.json", "~/report.preview.json"),
    ],
)
def test_a_preview_stands_beside_what_the_last_run_wrote(path: str, preview: str) -> None:
    assert preview_of(path) == preview


def test_a_file_is_for_its_owner_and_group_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    file.write_text("old")
    file.chmod(0o666)
    before = os.umask(0)
    try:
        write(str(file), "neu \u00e4 \u5199\n")
    finally:
        os.umask(before)
    assert file.read_bytes() == "neu \u00e4 \u5199\n".encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.md"
    file.write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileError, match=r"report\.md could not be written: No space left on device\."):
        write(str(file), "new")
    assert file.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]


def test_where_a_link_stands_the_file_that_it_names_is_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("of somebody else")
    link = tmp_path / "report.md"
    link.symlink_to(other)
    write(str(link), "report")
    assert other.read_text() == "of somebody else"
    assert (link.read_text(), link.is_symlink()) == ("report", False)


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    check_place("report_json", "~/report.json")
    write("~/report.json", "text")
    assert read("plan_approved", "~/report.json") == "text"
    assert (tmp_path / "report.json").read_text() == "text"


@pytest.mark.parametrize("path", ["nowhere/report.md", "file/report.md", "."])
def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_done(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError) as raised:
        check_place("report_markdown", str(tmp_path / path))
    assert str(raised.value).startswith(f"report_markdown: {tmp_path / path} could not be written,")
    assert "Nothing was retried." in str(raised.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file"]


def test_a_place_that_can_be_written_to_is_left_as_it_is(tmp_path: Path) -> None:
    check_place("report_json", str(tmp_path / "new.json"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileError, match=r"plan_approved: .* cannot be read: No such file or directory\."):
        read("plan_approved", str(tmp_path / "none.json"))
    latin = tmp_path / "latin.json"
    latin.write_bytes(b"\xe4")
    with pytest.raises(FileError, match="cannot be read"):
        read("plan_approved", str(latin))
    monkeypatch.setattr(_files, "_LARGEST", 0)
    with pytest.raises(FileError, match="too large to be a plan"):
        read("plan_approved", str(latin))


def test_a_report_takes_the_place_of_no_pipe_and_no_other_report(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileError, match=r"report_json: .* there is something else than a file"):
        check_places({"report_json": str(pipe)})
    one = str(tmp_path / "one")
    with pytest.raises(FileError, match="report_json and report_html name one file"):
        check_places({"report_json": one, "report_html": f"{tmp_path}/./one"})
    check_places({"report_json": one, "report_html": str(tmp_path / "two")})


def test_a_plan_survives_whatever_a_server_has_put_into_it(tmp_path: Path) -> None:
    """Also half of a pair of surrogates, which JSON can name and UTF-8 cannot write."""
    plan = documents.hostile("\ud800 \u2028 \x00 \"'\\ {{ x }} \U0001f4a9", kind="plan")
    plan = {**plan, "held": ""}
    plan["digest"] = digest(plan)
    file = tmp_path / "plan.json"
    write(str(file), json.dumps(plan, ensure_ascii=False))
    assert approved(read("plan_approved", str(file)), str(file), plan["digest"]) == plan
