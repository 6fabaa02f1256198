/* SPDX-License-Identifier: Apache-2.0 */
/* Where the measured kernels draw their weights from. */
#ifndef RBNN_BENCH_SOURCES_H
#define RBNN_BENCH_SOURCES_H

#include "bench/cases.h"
#include "core/kernels.h"
#include "reconf/reconf.h"

typedef enum {
  RBNN_BENCH_STREAM,   /* P, reconfigured while the kernel runs */
  RBNN_BENCH_PLAIN,    /* the task's weights at hand: a source that only points */
  RBNN_BENCH_RESIDENT, /* reconfigured by an earlier run and kept */
} rbnn_bench_mode;

typedef struct {
  rbnn_reconf reconf;
  const rbnn_model *model;
  const uint8_t *weights; /* reconfigured, laid out as P */
} rbnn_bench_weights;

/* "stream", "plain" or "resident". */
const char *rbnn_bench_mode_name(rbnn_bench_mode mode);

/* Derive the task's key and start. `trunk_key` as for rbnn_reconf_start, whose errors these are. */
rbnn_status rbnn_bench_reconf_start(rbnn_reconf *reconf, const rbnn_model *model,
                                    const uint8_t *trunk_key);

/* The same for weights: streaming and plain are ready then. */
rbnn_status rbnn_bench_weights_start(rbnn_bench_weights *weights, const rbnn_model *model,
                                     const uint8_t *trunk_key, const uint8_t *reconfigured);

/* Start again, for a model without a trunk, and keep layer `layer` in `memory` from its first run
 * on. */
rbnn_status rbnn_bench_weights_keep(rbnn_bench_weights *weights, uint32_t layer, uint32_t *memory,
                                    uint32_t memory_bytes);

/* The source of a mode, and its context. */
rbnn_source rbnn_bench_source(rbnn_bench_mode mode);
void *rbnn_bench_source_context(rbnn_bench_weights *weights, rbnn_bench_mode mode);

#endif
