# SPDX-License-Identifier: Apache-2.0
"""PlatformIO development platform: the installed compiler where there is one."""

import shutil

from platformio.public import PlatformBase


class RbnnPlatform(PlatformBase):
    """PlatformIO finds this class by the platform's name."""

    def configure_default_packages(self, options, targets):
        """The registry's toolchain is only fetched where no compiler is on the PATH."""
        if shutil.which("arm-none-eabi-gcc"):
            self.packages["toolchain-gccarmnoneeabi"]["optional"] = True
        return super().configure_default_packages(options, targets)
