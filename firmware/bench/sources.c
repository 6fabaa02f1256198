/* SPDX-License-Identifier: Apache-2.0 */
#include "sources.h"

#include <stddef.h>

#include "crc32.h"
#include "layer.h"

const char *rbnn_bench_mode_name(rbnn_bench_mode mode)
{
  return mode == RBNN_BENCH_STREAM ? "stream" : "plain";
}

void rbnn_bench_weights_start(rbnn_bench_weights *weights, const rbnn_model *model,
                              const uint8_t *reconfigured)
{
  rbnn_reconf_start(&weights->reconf, model, rbnn_bench_secret);
  weights->model = model;
  weights->weights = reconfigured;
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
  return mode == RBNN_BENCH_STREAM ? rbnn_reconf_source : point;
}

void *rbnn_bench_source_context(rbnn_bench_weights *weights, rbnn_bench_mode mode)
{
  return mode == RBNN_BENCH_STREAM ? (void *)&weights->reconf : (void *)weights;
}

uint32_t rbnn_bench_output_crc32(const rbnn_run *run)
{
  const rbnn_layer *const layer = run->layer;
  uint32_t crc = 0;
  if (run->bits != NULL) {
    crc = rbnn_crc32_update(crc, run->bits, (uint32_t)rbnn_layer_bits_bytes(layer));
  }
  if (run->stream != NULL) {
    crc = rbnn_crc32_update(crc, run->stream, (uint32_t)rbnn_layer_stream_bytes(layer));
  }
  if (run->logits != NULL) {
    crc = rbnn_crc32_update(crc, run->logits, (uint32_t)rbnn_layer_logits_bytes(layer));
  }
  return crc;
}
