# SPDX-License-Identifier: Apache-2.0
"""SCons script: compile the rooms of firmware/, link with the board's script, upload."""

import os

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
name = env.subst("$BOARD")
firmware = env.subst("$PROJECT_DIR")
folder = os.environ["RBNN_BOARD_DIR"]
port = board.get("rbnn.port")
ports = folder if os.path.isdir(os.path.join(folder, port)) else os.path.join(firmware, "port")
model = os.environ.get("RBNN_MODEL_DIR") or os.path.join(firmware, "model")
monocypher = os.environ.get("RBNN_MONOCYPHER_DIR") or os.path.join(
    firmware, "third_party", "monocypher"
)

# src_dir of the project is app/; PlatformIO compiles that one itself.
ROOMS = [
    "crypto",
    "store",
    "core",
    "puf",
    "reconf",
    "licence",
    "device",
    "link",
    "port/armv7m",
]
# What is called rarely shall be small; of crypto, what runs in every layer is assembly. What parses
# and prints waits for the serial line anyway; fingerprint and licences are read once.
SMALL = ["-fno-inline-small-functions"]
# What follows -Os gives smaller code here, and none that anything waits for is slower.
SMALL_CODE = ["-Os", "-fira-region=all", "-fno-schedule-insns2"]
SMALLEST = [*SMALL_CODE, "-fno-move-loop-invariants", "-fno-caller-saves"]
SMALLEST_ROOM = [*SMALLEST, "-fno-thread-jumps", "-fno-tree-reassoc"]
SMALLEST_MONOCYPHER = [*SMALL_CODE, "-fno-tree-coalesce-vars"]
# They ask for nothing that is defined for a build: their objects serve builds of every kind.
ALIKE = ("crypto", "store", "core", "puf", "reconf")
RARELY = {  # files that no layer waits for
    "core": ("engine.c", "model.c", "layer.c", "operators.c", "scores.c", "divide.c", "crc32.c"),
    "crypto": ("aead.c", "kdf.c", "wipe.c"),
    "port/armv7m": ("counter.c", "receive.c", "startup.c", "system.c", "tick.c"),
}
FLAGS = {
    "core": [],
    "reconf": [],
    "puf": SMALLEST_ROOM,
    "store": SMALLEST_ROOM,
    "licence": SMALLEST_ROOM,
    "device": SMALLEST_ROOM,
    "partition": SMALLEST_ROOM,
    "audio": [],
    "link": SMALLEST_ROOM,
}
MACHINE = [f"-mcpu={board.get('build.cpu')}", "-mthumb", "-mfloat-abi=soft"]

env.Replace(
    AR="arm-none-eabi-gcc-ar",
    AS="arm-none-eabi-gcc",
    CC="arm-none-eabi-gcc",
    LINK="arm-none-eabi-gcc",
    OBJCOPY="arm-none-eabi-objcopy",
    RANLIB="arm-none-eabi-gcc-ranlib",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(
    # Headers are named by their path in firmware/.
    CPPPATH=[firmware, monocypher, folder],
    ASPPFLAGS=MACHINE,
    # What -g adds to the ELF file is not flashed.
    CCFLAGS=[*MACHINE, "-O2", "-g", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra"],
    # Kernels write words in halves.
    CFLAGS=["-std=c11", "-fno-strict-aliasing"],
    LINKFLAGS=[
        *MACHINE,
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        "-Wl,--fatal-warnings",
        f"-Wl,--defsym=rbnn_stack_bytes={board.get('rbnn.stack_bytes')}",
        "-Wl,-Map," + os.path.join("$BUILD_DIR", "firmware.map"),
    ],
    LIBPATH=[folder, os.path.join(firmware, "port", "armv7m")],
)

# What is defined for this build.
defined = {"RBNN_BOARD": env.StringifyMacro(name)}

# Other people's code has its own idea of conversions. Unrolled, BLAKE2b takes 14 KB more of flash.
third_party = env.Clone()
third_party.Append(CPPDEFINES=["BLAKE2_NO_UNROLLING"], CCFLAGS=SMALLEST_MONOCYPHER)
env.Append(CCFLAGS=["-Wconversion", "-Werror"])
if os.path.isfile(os.path.join(model, "model_config.h")):
    # The board's share of memory, where the build has worked it out, goes before the model's own.
    memory = os.environ.get("RBNN_MEMORY_DIR")
    env.Append(CPPPATH=[model, *([memory] if memory else [])])
    # `ship` holds the same files again, for others.
    # A model that has a partition of its own is not in the image.
    partition = bool(os.environ.get("RBNN_PARTITION"))
    chosen = "+<*> -<ship/>" + (" -<model_image.c>" if partition else "")
    env.BuildSources(os.path.join("$BUILD_DIR", "model"), model, chosen)
    env.NoCache(env["PIOBUILDFILES"][-1])
    if partition:
        defined["RBNN_PARTITION"] = 1
        env.Append(LINKFLAGS=["-Wl,--defsym=rbnn_has_partition=1"])
        ROOMS.append("partition")
    # A model without a task that takes sound needs no ear.
    with open(os.path.join(model, "model_config.h")) as config:
        if "#define RBNN_MODEL_TAKES_SOUND" in config.read():
            defined["RBNN_AUDIO"] = 1
            ROOMS.append("audio")
# A model whose keys are published is refused without it.
if os.environ.get("RBNN_ALLOW_TEST_ONLY"):
    defined["RBNN_ALLOW_TEST_ONLY"] = 1
# Commands that show what happens inside: never for a device that a user gets.
if os.environ.get("RBNN_DEVELOPMENT"):
    defined["RBNN_DEVELOPMENT"] = 1

alike = env.Clone()
env.Append(CPPDEFINES=list(defined.items()))


def build_room(room, flags, chosen="+<*>", where="", parent=firmware):
    """The sources of a room that a filter chooses, with flags of their own."""
    own = (alike if room in ALIKE else env).Clone()
    own.Append(CCFLAGS=flags)
    place = os.path.join("$BUILD_DIR", where or room)
    own.BuildSources(place, os.path.join(parent, room), chosen)


for room in ROOMS:
    rarely = RARELY.get(room, ())
    if rarely:
        build_room(room, SMALLEST, " ".join(f"+<{file}>" for file in rarely), f"{room}_rarely")
    rest = " ".join(["+<*>", *(f"-<{file}>" for file in rarely)])
    build_room(room, FLAGS.get(room, SMALL), rest)
# The chip family's, which may be in the board's own folder.
build_room(port, SMALLEST, where=f"port/{port}", parent=ports)
third_party.BuildSources(os.path.join("$BUILD_DIR", "monocypher"), monocypher)

elf = env.BuildProgram()
env.Depends(
    elf,
    [
        os.path.join(folder, board.get("build.ldscript")),
        os.path.join(firmware, "port", "armv7m", "sections.ld"),
    ],
)
binary = env.Command(
    os.path.join("$BUILD_DIR", "firmware.bin"),
    elf,
    env.VerboseAction("$OBJCOPY -O binary $SOURCE $TARGET", "Building $TARGET"),
)

# The cache is for the firmware's objects; what each model changes would only fill it.
env.NoCache(elf, binary)

script = board.get("rbnn", {}).get("openocd_script")
if script:
    # With two boards, OpenOCD takes either unless it is told which one.
    probe = os.environ.get("RBNN_PROBE_SERIAL")
    chosen = ["-c", f"adapter serial {probe}"] if probe else []
    # A second OpenOCD, for another board, would want the same TCP ports.
    chosen += ["-c", "gdb_port disabled; telnet_port disabled; tcl_port disabled"]
    arguments = ["-f", script, *chosen, "-c", "program {$SOURCE} verify reset exit"]
    quoted = " ".join(f'"{argument}"' for argument in arguments)
    upload = env.VerboseAction(f"openocd {quoted}", "Uploading $SOURCE")
    AlwaysBuild(env.Alias("upload", elf, upload))

Default([elf, binary])
