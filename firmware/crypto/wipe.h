/* SPDX-License-Identifier: Apache-2.0 */
/* Zeros that no compiler leaves out, at a fraction of an instruction a byte.
 *
 * The rule: all of this firmware wipes with rbnn_wipe, and Monocypher wipes its own contexts
 * itself. Whoever owns the memory wipes it as soon as it is no longer needed, on every way out of a
 * function: keys and what they are derived from, key streams, the fingerprint and its codewords, a
 * licence's secret, a typed command; when a task is left, its parameters, activations, scores and
 * reconfigured weights. */
#ifndef RBNN_CRYPTO_WIPE_H
#define RBNN_CRYPTO_WIPE_H

#include <stdint.h>

/* Write zeros over `bytes` bytes; word-aligned memory is fast. */
void rbnn_wipe(void *memory, uint32_t bytes);

#endif
