/* SPDX-License-Identifier: Apache-2.0 */
/* What the wide kernels share: filters lie in groups of vectors, positions are taken in blocks, so
 * that a load of weights serves several positions and a load of input several filters, and every
 * filter keeps its lane: no sum across a vector is needed.
 *
 * Laid out weights: group by group, step by step (a step is a word of input), one word a filter of
 * the group. Missing filters of the last group are zero. */
#ifndef RBNN_HOST_WIDE_BLOCK_H
#define RBNN_HOST_WIDE_BLOCK_H

#include <stddef.h>

#include "host/wide_vector.h"

/* Positions of a block: as many as there are registers for. */
#define RBNN_WIDE_POSITIONS (RBNN_WIDE_LANES == 16u ? 8u : 4u)
#define RBNN_WIDE_VECTORS 2u
/* Filters of a group. */
#define RBNN_WIDE_FILTERS (RBNN_WIDE_VECTORS * RBNN_WIDE_LANES)

#define RBNN_WIDE_INLINE static inline __attribute__((always_inline))

static inline uint32_t rbnn_wide_groups(uint32_t filters)
{
  return (filters + RBNN_WIDE_FILTERS - 1u) / RBNN_WIDE_FILTERS;
}

/* Filters and the missing ones of the last group. */
static inline uint32_t rbnn_wide_row_filters(uint32_t filters)
{
  return rbnn_wide_groups(filters) * RBNN_WIDE_FILTERS;
}

/* Place of the word of `step` of `filter` among a layer's laid out weights. */
static inline size_t rbnn_wide_place(uint32_t steps, uint32_t filter, uint32_t step)
{
  return ((size_t)(filter / RBNN_WIDE_FILTERS) * steps + step) * RBNN_WIDE_FILTERS +
         filter % RBNN_WIDE_FILTERS;
}

static inline size_t rbnn_wide_round_up(size_t bytes)
{
  return (bytes + 63u) / 64u * 64u;
}

/* Count the bits that differ between windows and one group's weights.
 *   windows    corners of `positions` windows of `rows` rows of `row_words` words
 *   row_pitch  words from a window's row to the next
 *   counts     receives vector v of position p as counts[p][v]
 * `positions` is a constant of the caller, at most RBNN_WIDE_POSITIONS. */
RBNN_WIDE_INLINE void rbnn_wide_count(const uint32_t *const *windows, uint32_t positions,
                                      uint32_t rows, uint32_t row_words, uint32_t row_pitch,
                                      const uint32_t *weights,
                                      rbnn_wide counts[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS])
{
  rbnn_wide tally[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS];
  uint32_t free_steps = RBNN_WIDE_TALLY_STEPS;
  for (uint32_t p = 0; p < positions; p++) {
    for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
      counts[p][v] = tally[p][v] = rbnn_wide_splat(0);
    }
  }
  for (uint32_t row = 0; row < rows; row++) {
    const uint32_t end = row * row_pitch + row_words;
    for (uint32_t at = end - row_words; at != end;) {
      uint32_t stop = end - at > free_steps ? at + free_steps : end;
      free_steps -= stop - at;
      for (; at != stop; at++, weights += RBNN_WIDE_FILTERS) {
        rbnn_wide w[RBNN_WIDE_VECTORS];
        for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
          w[v] = rbnn_wide_load(weights + v * RBNN_WIDE_LANES);
        }
        for (uint32_t p = 0; p < positions; p++) {
          const rbnn_wide word = rbnn_wide_splat(windows[p][at]);
          for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
            tally[p][v] = rbnn_wide_tally(tally[p][v], word ^ w[v]);
          }
        }
      }
      if (free_steps == 0) {
        free_steps = RBNN_WIDE_TALLY_STEPS;
        for (uint32_t p = 0; p < positions; p++) {
          for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
            counts[p][v] += rbnn_wide_total(tally[p][v]);
            tally[p][v] = rbnn_wide_splat(0);
          }
        }
      }
    }
  }
  for (uint32_t p = 0; p < positions; p++) {
    for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
      counts[p][v] += rbnn_wide_total(tally[p][v]);
    }
  }
}

#endif
