/* SPDX-License-Identifier: Apache-2.0 */
/* From a stem's sums, position by position in the lanes, to its output: pool and stage. */
#ifndef RBNN_CORE_CONV_STEM_TAIL_H
#define RBNN_CORE_CONV_STEM_TAIL_H

#include <stdbool.h>

#include "core/conv_stem/conv_stem_lanes.h"
#include "core/stage/stage.h"

/* Parameters of one tile. Treat as opaque. */
typedef union {
  rbnn_stage_tile stage;
  uint32_t thresholds[RBNN_FILTERS_PER_TILE]; /* in both lanes */
} rbnn_stem_tail;

void rbnn_stem_tail_prepare(rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first);

/* Whether a layer's bits are taken from the lanes as they are, by rbnn_stem_tail_compare; else the
 * lanes are turned and a row of them goes to the stage. */
bool rbnn_stem_tail_compares(const rbnn_layer *layer);

/* Bits of `count` positions from number `position` on, for the filters of this tile.
 *   sums  as of rbnn_stem_sums */
void rbnn_stem_tail_compare(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
                            uint32_t position, uint32_t count, const uint32_t *sums);

/* Sums after the pool, turned from filters with their positions to positions with their filters.
 *   turned  16 filters of eight positions, with a pool of two; 4-byte aligned */
void rbnn_stem_tail_turn(const rbnn_layer *layer, const uint32_t *sums, rbnn_half *turned);

#endif
