/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of the 8-bit stem: four positions, two filters. */
#ifndef RBNN_CORE_CONV_STEM8_SUMS_H
#define RBNN_CORE_CONV_STEM8_SUMS_H

#include <stdint.h>

#define RBNN_STEM8_POSITIONS 4u
#define RBNN_STEM8_FILTERS 2u

/* Sums of products, filter by filter with its four positions.
 *   columns  windows of four positions: for each two values of a window four words,
 *            one a position, the first value in the lower half
 *   weights  for each two values two words, one a filter; as columns
 *   end      of the weights; the number of values is a multiple of four, at least four */
void rbnn_stem8_sums(const uint32_t *columns, const uint32_t *weights, const uint32_t *end,
                     int32_t *sums);

#endif
