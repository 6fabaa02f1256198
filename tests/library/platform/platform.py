# SPDX-License-Identifier: Apache-2.0
"""PlatformIO development platform: this machine's gcc. Its own one would be downloaded."""

from platformio.public import PlatformBase


class ThismachinePlatform(PlatformBase):
    """PlatformIO finds this class by the platform's name."""
