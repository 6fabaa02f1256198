/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a stem's or a convolution's sums: thresholds, or the residual stream. */
#ifndef RBNN_CORE_STAGE_H
#define RBNN_CORE_STAGE_H

#include "kernels.h"

/* Parameters of one tile's filters, laid out for the loop over positions. Treat as opaque. */
typedef struct {
  int32_t scales[RBNN_FILTERS_PER_TILE]; /* times 2^(16 - shift) */
  int16_t biases[RBNN_FILTERS_PER_TILE];
  int16_t points[RBNN_FILTERS_PER_TILE];
  int16_t slopes[RBNN_FILTERS_PER_TILE];
  int16_t offsets[RBNN_FILTERS_PER_TILE];
  int16_t thresholds[RBNN_FILTERS_PER_TILE];
} rbnn_stage_tile;

/* Lay out the parameters of filters first .. first + 15; `first` is a multiple of 16. */
void rbnn_stage_prepare(rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first);

/* Finish row `y` of the output for these filters.
 *   sums  out_width * 16 sums, position by position, 4-byte aligned */
void rbnn_stage_row(const rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first, uint32_t y,
                    const int16_t *sums);

#endif
