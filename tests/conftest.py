# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many cases Hypothesis makes up: few in every run, many with `--hypothesis-profile=deep`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A test may set the number of its cases; `deep` multiplies what is not set. No deadline: the machine may be busy.
settings.register_profile("usual", max_examples=100, deadline=None, print_blob=True)
settings.register_profile(
    "deep", max_examples=5000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("usual")
