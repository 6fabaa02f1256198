/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of 8 bits that belong to a task (rbnn/spec/own_weights.py): filter by filter, each padded
 * with zeros to a multiple of four weights; of four, the second and the third have changed places,
 * so that a word unpacks to two pairs of neighbours. */
#ifndef RBNN_CORE_OWN_WEIGHTS_H
#define RBNN_CORE_OWN_WEIGHTS_H

#include "core/half.h"
#include "spec/rbnn_spec.h"

/* Weights of a filter with their padding. */
static inline uint32_t rbnn_own_padded(uint32_t count)
{
  return (count + 3u) & ~3u;
}

/* Bits by which the sums of a stem of `count` weights a filter are shifted right, so that 16 bits
 * hold them. */
static inline uint32_t rbnn_own_stem_shift(uint32_t count)
{
  uint32_t shift = 0;
  while (count * RBNN_LARGEST_PIXEL * RBNN_LARGEST_OWN_WEIGHT >> shift >= INT16_MAX) {
    shift++;
  }
  return shift;
}

/* Inner product of `count` values, a multiple of 32, with a filter; both are 4-byte aligned. The
 * sum must fit 32 bits: of a stream, that of RBNN_OWN_BLOCK values does. */
#define RBNN_OWN_BLOCK 256u
int32_t rbnn_own_product(const rbnn_half *values, const int8_t *weights, uint32_t count);

#endif
