# SPDX-License-Identifier: Apache-2.0
"""SCons script: a program with this machine's gcc."""

from SCons.Script import Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(AR="gcc-ar", AS="gcc", CC="gcc", LINK="gcc", RANLIB="gcc-ranlib", PROGNAME="program")
Default(env.BuildProgram())
