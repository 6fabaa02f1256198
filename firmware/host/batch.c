/* SPDX-License-Identifier: Apache-2.0 */
#include "host/batch.h"

#include <string.h>

#include "core/layer.h"
#include "crypto/wipe.h"

uint32_t rbnn_batch_bytes(void)
{
  return sizeof(rbnn_batch);
}

rbnn_status rbnn_batch_open(rbnn_batch *batch, const uint8_t *container, uint32_t bytes,
                            uint32_t *bad_layer)
{
  memset(batch, 0, sizeof *batch);
  return rbnn_model_open(&batch->model, container, bytes, bad_layer);
}

static void keep(rbnn_batch *batch, const void *output, uint64_t bytes)
{
  if (output != NULL) {
    memcpy(batch->outputs, output, (size_t)bytes);
    batch->outputs += bytes;
  }
}

static void keep_outputs(void *context, const rbnn_run *run)
{
  keep(context, run->bits, rbnn_layer_bits_bytes(run->layer));
  keep(context, run->stream, rbnn_layer_stream_bytes(run->layer));
  keep(context, run->logits, rbnn_layer_logits_bytes(run->layer));
}

rbnn_status rbnn_batch_activate(rbnn_batch *batch, uint32_t task,
                                const uint8_t secret[RBNN_KEY_BYTES],
                                const uint8_t trunk_key[RBNN_KEY_BYTES], const uint8_t *params,
                                uint32_t params_bytes, uint32_t *arena, uint32_t arena_bytes,
                                uint32_t *work, uint32_t work_bytes)
{
  uint8_t stream_key[RBNN_KEY_BYTES];
  rbnn_reconf_derive_key(stream_key, &batch->model, secret);
  const rbnn_status status =
      rbnn_reconf_start(&batch->reconf, &batch->model, stream_key, trunk_key);
  rbnn_wipe(stream_key, sizeof stream_key);
  if (status != RBNN_OK) {
    return status;
  }
  batch->engine = (rbnn_engine){
      .model = &batch->model,
      .params = params,
      .params_bytes = params_bytes,
      .arena = arena,
      .arena_bytes = arena_bytes,
      .work = work,
      .work_bytes = work_bytes,
      .source = rbnn_reconf_source,
      .source_context = &batch->reconf,
      .observer_context = batch,
  };
  return rbnn_engine_check(&batch->engine, task);
}

uint32_t rbnn_batch_image_bytes(const rbnn_batch *batch)
{
  return rbnn_engine_input_bytes(&batch->engine);
}

rbnn_status rbnn_batch_infer(rbnn_batch *batch, const uint8_t *images, uint32_t count,
                             int32_t *logits, uint8_t *outputs)
{
  const uint32_t image_bytes = rbnn_engine_input_bytes(&batch->engine);
  batch->outputs = outputs;
  batch->engine.observer = outputs == NULL ? NULL : keep_outputs;
  for (uint32_t i = 0; i < count; i++) {
    rbnn_status status = rbnn_engine_infer(&batch->engine, images, image_bytes, logits);
    if (status != RBNN_OK) {
      return status;
    }
    images += image_bytes;
    logits += RBNN_MAX_CLASSES;
  }
  return RBNN_OK;
}

void rbnn_batch_wipe(rbnn_batch *batch)
{
  rbnn_reconf_wipe(&batch->reconf);
}
