/* SPDX-License-Identifier: Apache-2.0 */
/* What this is compiled for: the kind of build, and what the machine can do. No other file asks the
 * compiler's own macros; C and assembly ask these, each of which is 0 or 1.
 *
 *                                          V7M  V7EM
 *   Cortex-M0, M0+, M23                     0    0    C only
 *   Cortex-M3; Cortex-M33 without DSP       1    0    files *_v7m.S
 *   Cortex-M4, M7; Cortex-M33, M55, M85     1    1    files *_v7m.S and *_v7em.S
 *   workstations                            0    0    C only
 *
 * Armv8-M mainline has all instructions of Armv7-M, so that a Cortex-M33 runs the same kernels,
 * ChaCha and wiping as a Cortex-M4. */
#ifndef RBNN_SPEC_TARGET_H
#define RBNN_SPEC_TARGET_H

/* A build with commands that show what happens inside (link/infer.c: trace). */
#ifndef RBNN_DEVELOPMENT
#define RBNN_DEVELOPMENT 0
#endif

/* An assembly file needs no executable stack, also where this machine leaves all of it out. */
#if defined(__ASSEMBLER__) && defined(__linux__)
/* clang-format off */
.section .note.GNU-stack, "", %progbits
/* clang-format on */
#endif

/* A build that listens (firmware/audio): its model has a task with an audio front end. */
#ifndef RBNN_AUDIO
#define RBNN_AUDIO 0
#endif

/* A build whose model is in a partition of its own (firmware/partition), not in the image. */
#ifndef RBNN_PARTITION
#define RBNN_PARTITION 0
#endif

/* Thumb-2 of an M-profile core, saturation and 64-bit loads included. */
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 2
#define RBNN_TARGET_V7M 1
#else
#define RBNN_TARGET_V7M 0
#endif

/* Also the DSP extension: two 16-bit lanes an instruction. */
#if RBNN_TARGET_V7M && defined(__ARM_FEATURE_DSP)
#define RBNN_TARGET_V7EM 1
#else
#define RBNN_TARGET_V7EM 0
#endif

/* Vectors of a workstation, for firmware/host. */
#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512BW__)
#define RBNN_TARGET_AVX512 1
#else
#define RBNN_TARGET_AVX512 0
#endif

#if defined(__AVX512VNNI__)
#define RBNN_TARGET_AVX512_VNNI 1
#else
#define RBNN_TARGET_AVX512_VNNI 0
#endif

#if defined(__AVX2__)
#define RBNN_TARGET_AVX2 1
#else
#define RBNN_TARGET_AVX2 0
#endif

#if defined(__ARM_NEON) && defined(__aarch64__)
#define RBNN_TARGET_NEON 1
#else
#define RBNN_TARGET_NEON 0
#endif

#endif
