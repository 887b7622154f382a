# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A strict local copy of the cloud services this collection talks to, for tests and the demo.

It shares no code with the collection: signatures, parameters and error texts are judged from the vendors' pages
and SDKs alone, so a test that passes here does not merely show the plugins agreeing with themselves.
"""
