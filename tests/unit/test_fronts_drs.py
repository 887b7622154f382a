# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front of DRS, as far as no run of a module shows it."""

from __future__ import annotations

import pytest
from ansible.module_utils.common import yaml as ansible_yaml

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._fronts.drs import _load_yaml


def test_yaml_is_read_as_ansible_reads_it() -> None:
    assert _load_yaml("clouds: {otc: {region_name: eu-de}}") == {"clouds": {"otc": {"region_name": "eu-de"}}}


def test_yaml_makes_no_objects() -> None:
    with pytest.raises(Exception, match="could not determine a constructor"):
        _load_yaml("!!python/object/apply:os.getcwd []")


def test_without_a_yaml_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ansible_yaml, "HAS_YAML", False)
    with pytest.raises(InputError, match="PyYAML"):
        _load_yaml("clouds: {}")
