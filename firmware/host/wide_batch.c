/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide_batch.h"

#include <string.h>

#include "core/layer.h"
#include "host/wide.h"

/* Layers' weights and scratches begin where a vector does. */
static size_t align(size_t bytes)
{
  return (bytes + 63u) / 64u * 64u;
}

/* Where the laid out weights end and the room for one layer's packed bits begins. */
static size_t laid_out_bytes(const rbnn_batch *batch)
{
  size_t total = 0;
  for (uint32_t i = 0; i < batch->model.header->layer_count; i++) {
    total += rbnn_wide_layer_bytes(&batch->model.layers[i]);
  }
  return total;
}

size_t rbnn_wide_batch_weights_bytes(const rbnn_batch *batch)
{
  uint32_t packed = 0;
  for (uint32_t i = 0; i < batch->model.header->layer_count; i++) {
    const uint32_t bytes = batch->model.layers[i].weights_bytes;
    packed = bytes > packed ? bytes : packed;
  }
  return laid_out_bytes(batch) + align(packed);
}

size_t rbnn_wide_batch_scratch_bytes(const rbnn_batch *batch)
{
  size_t work = 0;
  for (uint32_t i = 0; i < batch->model.header->layer_count; i++) {
    const size_t bytes = rbnn_wide_work_bytes(&batch->model.layers[i]);
    work = bytes > work ? bytes : work;
  }
  return align(batch->model.header->arena_bytes) + work;
}

void rbnn_wide_batch_prepare(const rbnn_batch *batch, uint32_t *weights)
{
  const rbnn_engine *engine = &batch->engine;
  uint32_t *room = weights + laid_out_bytes(batch) / 4u;
  for (uint32_t i = 0; i < batch->model.header->layer_count; i++) {
    const rbnn_layer *layer = &batch->model.layers[i];
    if (layer->weights_bytes != 0) {
      rbnn_wide_lay(layer, engine->source(engine->source_context, i, 0, layer->weights_bytes, room),
                    weights);
      weights += rbnn_wide_layer_bytes(layer) / 4u;
    }
  }
}

/* Copy an output, if there is one; returns where the next one goes. */
static uint8_t *keep(uint8_t *to, const void *output, uint64_t bytes)
{
  if (output != NULL) {
    memcpy(to, output, bytes);
    to += bytes;
  }
  return to;
}

void rbnn_wide_batch_infer(const rbnn_batch *batch, const uint32_t *weights, uint32_t *scratch,
                           const uint8_t *images, uint32_t count, int32_t *logits, uint8_t *outputs)
{
  rbnn_engine engine = batch->engine;
  const uint32_t layers = batch->model.header->layer_count;
  const uint32_t image_bytes = rbnn_engine_input_bytes(&engine);
  const uint32_t classes = ((const rbnn_params_header *)(const void *)engine.params)->classes;
  engine.arena = scratch;
  engine.work = scratch + align(batch->model.header->arena_bytes) / 4u;

  for (uint32_t n = 0; n < count; n++, images += image_bytes, logits += RBNN_MAX_CLASSES) {
    const rbnn_stem_input image = rbnn_engine_image(&engine, images);
    const uint32_t *wide = weights;
    for (uint32_t i = 0; i < layers; i++) {
      const rbnn_run run = rbnn_engine_prepare(&engine, i, &image);
      rbnn_wide_layer(&run, wide);
      wide += rbnn_wide_layer_bytes(run.layer) / 4u;
      if (run.logits != NULL) {
        memcpy(logits, run.logits, classes * sizeof *logits);
      }
      if (outputs != NULL) {
        outputs = keep(outputs, run.bits, rbnn_layer_bits_bytes(run.layer));
        outputs = keep(outputs, run.stream, rbnn_layer_stream_bytes(run.layer));
        outputs = keep(outputs, run.logits, rbnn_layer_logits_bytes(run.layer));
      }
    }
  }
}
