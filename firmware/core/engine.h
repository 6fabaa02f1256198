/* SPDX-License-Identifier: Apache-2.0 */
/* One inference: runs the layer table over an activation arena. */
#ifndef RBNN_CORE_ENGINE_H
#define RBNN_CORE_ENGINE_H

#include "core/kernels.h"
#include "core/model.h"

/* Called after each layer with the run that has just ended: its bits, stream and logits as they lie
 * in the arena, NULL where it has none (sizes: layer.h). */
typedef void (*rbnn_layer_observer)(void *context, const rbnn_run *run);

/* Memory and parameters of one task's network; the caller owns all of it. */
typedef struct {
  const rbnn_model *model;
  const uint8_t *params; /* plaintext of the task's sealed block, 4-byte aligned */
  uint32_t params_bytes;
  uint32_t *arena; /* at least model->header->arena_bytes */
  uint32_t arena_bytes;
  uint32_t *work; /* at least model->header->work_bytes; holds what was reconfigured last */
  uint32_t work_bytes;
  rbnn_source source;
  void *source_context;
  rbnn_layer_observer observer; /* or NULL */
  void *observer_context;
} rbnn_engine;

/* Check that the opened parameters fit the model (sizes, classes, adapter, shifts) and that
 * arena and work are large enough. Call it once after params change. RBNN_SEALED_BLOCK or
 * RBNN_ARGUMENT. */
rbnn_status rbnn_engine_check(const rbnn_engine *engine, uint32_t task);

/* Bytes of one input of the task whose parameters are opened: height * width * its channels. */
uint32_t rbnn_engine_input_bytes(const rbnn_engine *engine);

/* Of an opened task of a sensor series: how windows become inputs; means and factors of all
 * channels (floats) follow. NULL if the opened parameters hold no such thing. */
const rbnn_series *rbnn_engine_series(const rbnn_engine *engine);

/* Run one inference.
 *   input   8-bit pixels, rows, columns, channels; exactly rbnn_engine_input_bytes() of them
 *   logits  receives the task's class count of Q12.20 values; room for RBNN_MAX_CLASSES
 * The time taken depends only on shapes, not on input, weights or keys. */
rbnn_status rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input, uint32_t input_bytes,
                              int32_t *logits);

/* The steps of an inference, for callers that run layers themselves: one input as a stem reads it,
 * and all that layer `number` reads and writes. Views; nothing is copied or computed. */
rbnn_stem_input rbnn_engine_image(const rbnn_engine *engine, const uint8_t *input);
rbnn_run rbnn_engine_prepare(const rbnn_engine *engine, uint32_t number,
                             const rbnn_stem_input *image);

#endif
