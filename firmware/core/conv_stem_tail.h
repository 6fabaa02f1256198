/* SPDX-License-Identifier: Apache-2.0 */
/* From a stem's sums, position by position in the lanes, to its output: pool and stage. */
#ifndef RBNN_CORE_CONV_STEM_TAIL_H
#define RBNN_CORE_CONV_STEM_TAIL_H

#include "conv_stem_lanes.h"
#include "stage.h"

/* Parameters of one tile. Treat as opaque. */
typedef union {
  rbnn_stage_tile stage;
  uint32_t thresholds[RBNN_FILTERS_PER_TILE]; /* in both lanes */
} rbnn_stem_tail;

void rbnn_stem_tail_prepare(rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first);

/* Finish `count` positions from number `position` on, for the filters of this tile.
 *   sums  as of rbnn_stem_sums; overwritten */
void rbnn_stem_tail_run(const rbnn_stem_tail *tail, const rbnn_run *run, uint32_t first,
                        uint32_t position, uint32_t count, uint32_t *sums);

#endif
