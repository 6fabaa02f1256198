/* SPDX-License-Identifier: Apache-2.0 */
/* One inference: runs the layer table tile by tile over an activation arena. */
#ifndef RBNN_CORE_ENGINE_H
#define RBNN_CORE_ENGINE_H

#include "model.h"

/* Writes `bytes` reconfigured bytes of layer `layer`, from byte `offset` of that layer's bits,
 * to `tile` (4-byte aligned). `offset` is a multiple of 64; calls for a layer come in order. */
typedef void (*rbnn_tile_source)(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                                 uint32_t *tile);

/* Called after each layer with its output as it lies in the arena: packed bits for a stem,
 * convolution or pool, int32 logits (Q12.20) for the dense layer. */
typedef void (*rbnn_layer_observer)(void *context, uint32_t layer, const void *output,
                                    uint32_t bytes);

/* Memory and parameters of one task's network; the caller owns all of it. */
typedef struct {
  const rbnn_model *model;
  const uint8_t *params; /* plaintext of the task's sealed block, 4-byte aligned */
  uint32_t params_bytes;
  uint32_t *arena; /* at least model->header->arena_bytes */
  uint32_t arena_bytes;
  uint32_t *tile; /* at least model->header->tile_bytes */
  uint32_t tile_bytes;
  rbnn_tile_source source;
  void *source_context;
  rbnn_layer_observer observer; /* or NULL */
  void *observer_context;
} rbnn_engine;

/* Check that the opened parameters fit the model (sizes, classes, adapter) and that arena and
 * tile are large enough. Call it once after params change. RBNN_SEALED_BLOCK,
 * RBNN_CONTAINER_LAYER or RBNN_ARGUMENT. */
rbnn_status rbnn_engine_check(const rbnn_engine *engine, uint32_t task);

/* Bytes of one input of the task whose parameters are opened: height * width * its channels. */
uint32_t rbnn_engine_input_bytes(const rbnn_engine *engine);

/* Run one inference.
 *   input   8-bit pixels, rows, columns, channels; exactly rbnn_engine_input_bytes() of them
 *   logits  receives the task's class count of Q12.20 values; room for RBNN_MAX_CLASSES
 * The time taken depends on shapes alone, not on input, weights or keys. */
rbnn_status rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input, uint32_t input_bytes,
                              int32_t *logits);

/* Scores in parts per million that sum to RBNN_SCORE_PPM (rbnn/spec/scores.py).
 * `classes` is 1 .. RBNN_MAX_CLASSES. Timing is not constant. */
void rbnn_scores_softmax(const int32_t *logits, uint32_t classes, uint32_t *ppm);

#endif
