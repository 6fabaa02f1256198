/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a stem's or a convolution's sums: thresholds, or the residual stream. */
#ifndef RBNN_CORE_STAGE_H
#define RBNN_CORE_STAGE_H

#include "core/kernels.h"

/* Parameters of two neighbouring filters, in the order in which they are used. */
typedef struct {
  int32_t scales[2]; /* with DSP instructions times 2^(16 - shift) */
  int32_t biases[2];
} rbnn_stage_affine;

typedef struct {
  int16_t points[2];
  int16_t slopes[2];  /* Q2.14 */
  int32_t offsets[2]; /* times 2^14 */
} rbnn_stage_rprelu;

/* Parameters of one tile's filters, laid out for the loop over positions: two halves of four
 * pairs. Treat as opaque. */
typedef struct {
  struct {
    rbnn_stage_affine affine[4];
    rbnn_stage_rprelu rprelu[4];
    int16_t thresholds[8];
  } halves[2];
  uint32_t shift;
} rbnn_stage_tile;

_Static_assert(RBNN_FILTERS_PER_TILE == 16, "two halves of four pairs");

/* Lay out the parameters of filters first .. first + 15; `first` is a multiple of 16. */
void rbnn_stage_prepare(rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first);

/* Finish `count` (at least one) positions of the output from number `position` = y * out_width + x
 * on, for these filters. Writes 16 bits and 16 elements of the stream a position, nothing else.
 *   sums  count * 16 sums, position by position, 4-byte aligned */
void rbnn_stage_positions(const rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first,
                          uint32_t position, uint32_t count, const rbnn_half *sums);

/* The same for all positions of row `y`. */
void rbnn_stage_row(const rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first, uint32_t y,
                    const rbnn_half *sums);

#endif
