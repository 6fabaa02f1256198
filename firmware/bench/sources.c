/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sources.h"

#include <stddef.h>

#include "crypto/wipe.h"

const char *rbnn_bench_mode_name(rbnn_bench_mode mode)
{
  switch (mode) {
    case RBNN_BENCH_STREAM: return "stream";
    case RBNN_BENCH_PLAIN: return "plain";
    default: return "resident";
  }
}

rbnn_status rbnn_bench_reconf_start(rbnn_reconf *reconf, const rbnn_model *model,
                                    const uint8_t *trunk_key)
{
  uint8_t key[RBNN_KEY_BYTES];
  rbnn_reconf_derive_key(key, model, rbnn_bench_secret);
  const rbnn_status status = rbnn_reconf_start(reconf, model, key, trunk_key);
  rbnn_wipe(key, sizeof key);
  return status;
}

rbnn_status rbnn_bench_weights_start(rbnn_bench_weights *weights, const rbnn_model *model,
                                     const uint8_t *trunk_key, const uint8_t *reconfigured)
{
  weights->model = model;
  weights->weights = reconfigured;
  return rbnn_bench_reconf_start(&weights->reconf, model, trunk_key);
}

rbnn_status rbnn_bench_weights_keep(rbnn_bench_weights *weights, uint32_t layer, uint32_t *memory,
                                    uint32_t memory_bytes)
{
  const rbnn_status status = rbnn_bench_reconf_start(&weights->reconf, weights->model, NULL);
  if (status != RBNN_OK) return status;
  return rbnn_reconf_keep(&weights->reconf, memory, memory_bytes, (uint64_t)1 << layer);
}

static const uint32_t *point(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                             uint32_t *room)
{
  const rbnn_bench_weights *const weights = context;
  (void)bytes;
  (void)room;
  return (const void *)(weights->weights + weights->model->layers[layer].weights_offset + offset);
}

rbnn_source rbnn_bench_source(rbnn_bench_mode mode)
{
  return mode == RBNN_BENCH_PLAIN ? point : rbnn_reconf_source;
}

void *rbnn_bench_source_context(rbnn_bench_weights *weights, rbnn_bench_mode mode)
{
  return mode == RBNN_BENCH_PLAIN ? (void *)weights : (void *)&weights->reconf;
}
