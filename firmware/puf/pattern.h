/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a power-up pattern can be a fingerprint (rbnn/keys/pattern.py, docs/security.md). */
#ifndef RBNN_PUF_PATTERN_H
#define RBNN_PUF_PATTERN_H

#include "spec/rbnn_spec.h"

/* Number of ones; the time does not depend on them. */
static inline uint32_t rbnn_puf_count(uint32_t word)
{
  word -= (word >> 1) & 0x55555555u;
  word = (word & 0x33333333u) + ((word >> 2) & 0x33333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0fu;
  return (word * 0x01010101u) >> 24;
}

/* Where the first cells of byte `pair` of the pairs are; the second ones follow
 * RBNN_PUF_PAIR_DISTANCE bytes after them. */
static inline uint32_t rbnn_puf_first(uint32_t pair)
{
  return 2u * RBNN_PUF_PAIR_DISTANCE * (pair / RBNN_PUF_PAIR_DISTANCE) +
         pair % RBNN_PUF_PAIR_DISTANCE;
}

/* RBNN_OK, or RBNN_PUF_PATTERN (constant, or repeats at a distance of 1 to 512 bits, or of any
 * number of bytes), RBNN_PUF_BIAS (a class of cells, or too few pairs that differ) or
 * RBNN_PUF_ENTROPY (groups are predictable). Takes about 25 million instructions. Branches only on
 * whether it refuses, and why. */
rbnn_status rbnn_pattern_check(const uint8_t pattern[RBNN_PUF_PATTERN_BYTES]);

#endif
