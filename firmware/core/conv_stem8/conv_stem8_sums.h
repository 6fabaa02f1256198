/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of the 8-bit stem: the windows of four positions, the filters of a tile. */
#ifndef RBNN_CORE_CONV_STEM8_SUMS_H
#define RBNN_CORE_CONV_STEM8_SUMS_H

#include "core/half.h"

#define RBNN_STEM8_POSITIONS 4u
#define RBNN_STEM8_FILTERS 2u /* that are computed at once */

/* Windows of four positions: for each two values of a window four words, one a position, the first
 * value in the lower half. The number of values is a multiple of four, at least four. Sums are
 * (products + half) >> shift and fit 16 bits. */
typedef struct {
  const uint32_t *columns;
  const uint32_t *end;
  int32_t half;
  uint32_t shift;
} rbnn_stem8_windows;

/* For each filter of a tile the largest of the four sums: 16 sums.
 *   weights  of two filters after two others: for each two values two words, one a filter
 *   sums     4-byte aligned */
void rbnn_stem8_largest(const rbnn_stem8_windows *windows, const uint32_t *weights,
                        rbnn_half *sums);

/* All sums: 16 of the first position, then of the second, third and fourth. */
void rbnn_stem8_each(const rbnn_stem8_windows *windows, const uint32_t *weights, rbnn_half *sums);

#endif
