/* SPDX-License-Identifier: Apache-2.0 */
/* Zeros that no compiler leaves out, at a fraction of an instruction a byte.
 *
 * The rule: all of this firmware wipes with rbnn_wipe, and Monocypher wipes its own contexts
 * itself. Whoever owns the memory wipes it as soon as it is no longer needed, on every way out of a
 * function: keys and what they are derived from, key streams, the fingerprint and its codewords, a
 * licence's secret, a typed command; when a task is left, its parameters, activations, scores and
 * reconfigured weights. What compilers leave on the stack besides, spilled registers and copies,
 * goes with rbnn_wipe_stack. */
#ifndef RBNN_CRYPTO_WIPE_H
#define RBNN_CRYPTO_WIPE_H

#include <stdint.h>

/* Write zeros over `bytes` bytes; word-aligned memory is fast. */
void rbnn_wipe(void *memory, uint32_t bytes);

/* More than any function of this firmware takes below its caller, with an interrupt's frame: on a
 * Cortex-M at -O2 or -Os, the deepest one takes less than 2,300 bytes. A build that takes more (no
 * optimisation, another compiler) sets it higher. */
#ifndef RBNN_DEAD_STACK_BYTES
#define RBNN_DEAD_STACK_BYTES 3072u
#endif

/* Write zeros over the stack below the caller, where the functions that it called have left what
 * they computed with. An interrupt meanwhile does no harm. */
void rbnn_wipe_stack(void);

#endif
