/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a workstation: many images in one call, every layer's output kept. Built into the
 * shared library that `rbnn export` and the tests load; no part of a device's firmware. */
#ifndef RBNN_HOST_BATCH_H
#define RBNN_HOST_BATCH_H

#include "core/engine.h"
#include "reconf/reconf.h"

/* One container and one active task; caller-owned. */
typedef struct {
  rbnn_model model;
  rbnn_reconf reconf;
  rbnn_engine engine;
  uint8_t *outputs; /* where the observer writes on, or NULL */
} rbnn_batch;

/* sizeof(rbnn_batch), for callers that do not see the struct. */
uint32_t rbnn_batch_bytes(void);

/* rbnn_model_open for `batch`; `container` stays in use. */
rbnn_status rbnn_batch_open(rbnn_batch *batch, const uint8_t *container, uint32_t bytes,
                            uint32_t *bad_layer);

/* Make `task` active with its secret, the trunk's key and opened parameters; the buffers stay in
 * use, sizes and alignment as in rbnn_engine. Ends as rbnn_engine_check does. */
rbnn_status rbnn_batch_activate(rbnn_batch *batch, uint32_t task,
                                const uint8_t secret[RBNN_KEY_BYTES],
                                const uint8_t trunk_key[RBNN_KEY_BYTES], const uint8_t *params,
                                uint32_t params_bytes, uint32_t *arena, uint32_t arena_bytes,
                                uint32_t *work, uint32_t work_bytes);

/* Bytes of one image of the active task. */
uint32_t rbnn_batch_image_bytes(const rbnn_batch *batch);

/* Run `count` images of rbnn_batch_image_bytes() each.
 *   logits   count * RBNN_MAX_CLASSES entries, the task's classes first in each
 *   outputs  of each image, layer by layer: bits, then stream, then logits, without gaps (sizes:
 *            layer.h); or NULL */
rbnn_status rbnn_batch_infer(rbnn_batch *batch, const uint8_t *images, uint32_t count,
                             int32_t *logits, uint8_t *outputs);

/* Overwrite the keys. */
void rbnn_batch_wipe(rbnn_batch *batch);

#endif
