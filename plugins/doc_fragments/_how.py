# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # How the service is reached: module_utils/_argspec.py, how_spec. What endpoint and region mean differs by service,
    # so they are documented in the fragment of each service.
    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - Seconds that one request may take.
    type: float
    default: 30
  max_attempts:
    description:
      - How often one request is tried at the most, with growing pauses in between.
      - A retry is sent again only when it surely was not carried out, that is when the service could not be reached
        or refused it for coming too fast. After any other failure the state of the tasks is read instead.
    type: int
    default: 5
  rate_limit:
    description:
      - Requests a second at the most. The default is the limit that the service publishes, if it does.
    type: float
  concurrency:
    description:
      - Retry requests that may be under way at once. The default depends on the service.
      - One is under way at first, and more for each that goes well. After a reply that is lost, or a refusal for coming
        too fast, it is one again.
    type: int
  validate_certs:
    description:
      - Whether the server's certificate is verified. Switch it off on a test bench only.
    type: bool
    default: true
  ca_path:
    description:
      - A file or folder with the certificates of the authorities to trust, instead of the system's.
    type: path
  allow_plaintext:
    description:
      - Allow plain C(http://) to another machine. To a loopback address it is always allowed.
    type: bool
    default: false
"""
