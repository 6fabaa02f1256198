/* SPDX-License-Identifier: Apache-2.0 */
/* From the planes of a tile's counts to logits. In assembly where the core has it. */
#ifndef RBNN_CORE_DENSE_FINISH_H
#define RBNN_CORE_DENSE_FINISH_H

#include <stdint.h>

#define RBNN_DENSE_QUARTER_PLANES 4u
#define RBNN_DENSE_TOTALS 8u
/* A total holds two filters: one in its lower half, one in its upper half. */
#define RBNN_DENSE_TOTAL_BITS 16u
#define RBNN_DENSE_TOTAL_MASK 0xffffu

/* Sum the two lanes of every filter.
 *   planes    4 a quarter
 *   quarters  2 .. 4
 *   totals    word i holds filter 2 i and, in its upper half, filter 2 i + 1 */
void rbnn_dense_sum_lanes(const uint32_t *planes, uint32_t quarters,
                          uint32_t totals[RBNN_DENSE_TOTALS]);

/* Logits of `pairs` pairs of filters: scale * (2 * matches - inputs) + bias, modulo 2^32. */
void rbnn_dense_scale(const uint32_t *totals, uint32_t pairs, uint32_t inputs,
                      const int32_t *scales, const int32_t *biases, int32_t *logits);

#endif
