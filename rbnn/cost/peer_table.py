"""What other engines need for the standard layers; ``make bench-engines`` writes it."""

from __future__ import annotations

from rbnn.cost.peer import Peer, Rate

COMPILER = "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205"
EMULATOR = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)"
PEERS = (
    Peer(
        name="3PXNet",
        repository="github.com/nanocad-lab/3pxnet",
        commit="5f86fe56f1a7d99466ccd912ed66ba0c95c50b82",
        measured="2026-11-30",
        conv_a=Rate(
            0.6971,
            "CnXnorWrap",
            "-O3 -DPCNTSW -DPCK32 -DARCH32 -DGCC",
        ),
        conv_b=Rate(
            0.5912,
            "CnXnorWrap",
            "-O3 -DPCNTSW -DPCK32 -DARCH32 -DGCC",
        ),
        dense=Rate(
            0.5451,
            "FcXnorNoBinWrap",
            "-Os -DPCNTSW -DPCK32 -DARCH32 -DGCC",
        ),
        stem=Rate(
            22.6516,
            "CnBnBwn",
            "-O2 -DPCNTSW -DPCK32 -DARCH32 -DGCC",
        ),
    ),
    Peer(
        name="Larq Compute Engine, portable kernel",
        repository="github.com/larq/compute-engine",
        commit="e6860fcfda03a21eef157a181cc2351cef7a22bc",
        measured="2026-11-30",
        conv_a=Rate(
            0.6796,
            "Kernel4x2Portable",
            "-O2 -std=gnu++17 -fno-exceptions -fno-rtti",
        ),
        conv_b=Rate(
            0.6482,
            "Kernel4x2Portable",
            "-O2 -std=gnu++17 -fno-exceptions -fno-rtti",
        ),
        dense=None,
        stem=None,
    ),
    Peer(
        name="CBin-NN, optimized, index errors fixed",
        repository="github.com/Edge-Learning-Machine/CBin-NN",
        commit="c82948eec4ecc1b35161407e21b05a33aafa2146",
        measured="2026-11-30",
        conv_a=Rate(
            0.7452,
            "BBConv2D_Optimized",
            "-Ofast",
        ),
        conv_b=Rate(
            0.6252,
            "BBConv2D_Optimized",
            "-Ofast",
        ),
        dense=Rate(
            0.798,
            "BBQFC_Optimized",
            "-O2",
        ),
        stem=Rate(
            5.6635,
            "QQConv2D_Optimized",
            "-Os",
        ),
    ),
    Peer(
        name="CMSIS-NN, int8",
        repository="github.com/ARM-software/CMSIS-NN",
        commit="99f736a63036613032f9b70de36b493bcd7802d4",
        measured="2026-11-30",
        conv_a=Rate(
            1.7471,
            "arm_convolve_wrapper_s8",
            "-O3 -DOPTIONAL_RESTRICT_KEYWORD=__restrict -DCMSIS_NN_USE_SINGLE_ROUNDING",
        ),
        conv_b=Rate(
            1.6829,
            "arm_convolve_wrapper_s8",
            "-O3 -DOPTIONAL_RESTRICT_KEYWORD=__restrict -DCMSIS_NN_USE_SINGLE_ROUNDING",
        ),
        dense=Rate(
            1.922,
            "arm_fully_connected_s8",
            "-O2 -DCMSIS_NN_USE_SINGLE_ROUNDING",
        ),
        stem=Rate(
            3.4619,
            "arm_convolve_wrapper_s8",
            "-O3 -DOPTIONAL_RESTRICT_KEYWORD=__restrict -DCMSIS_NN_USE_SINGLE_ROUNDING",
        ),
    ),
)
