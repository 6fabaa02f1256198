/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: one byte of options, then the container. What opens must also be checked and run. */
#include <string.h>

#include "core/crc32.h"
#include "fuzz.h"

#define CORRECT_CRC 1u
#define MOST_PRODUCTS 3000000u

static void correct_crc(uint8_t *bytes, uint32_t size)
{
  static const uint8_t zero[4];
  const uint32_t at = RBNN_CONTAINER_HEADER_CRC32_OFFSET;
  if (size < RBNN_CONTAINER_HEADER_BYTES) return;
  uint32_t crc = rbnn_crc32_update(0, bytes, at);
  crc = rbnn_crc32_update(crc, zero, sizeof zero);
  crc = rbnn_crc32_update(crc, bytes + at + 4u, size - at - 4u);
  memcpy(bytes + at, &crc, sizeof crc);
}

/* Whether an inference is short enough. */
static int is_small(const rbnn_model *model)
{
  uint64_t products = 0;
  for (uint32_t i = 0; i < model->header->layer_count; i++) {
    const rbnn_layer *const layer = &model->layers[i];
    products += (uint64_t)layer->out_height * layer->out_width * layer->out_channels *
                layer->kernel * layer->kernel * layer->in_channels;
  }
  return products < MOST_PRODUCTS;
}

static const uint32_t *stored(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                              uint32_t *room)
{
  const rbnn_model *const model = context;
  memcpy(room, model->weights + model->layers[layer].weights_offset + offset, bytes);
  return room;
}

static void run(const rbnn_model *model)
{
  int32_t logits[RBNN_MAX_CLASSES];
  const uint32_t bytes = world.params.size;
  uint32_t *const params = malloc((bytes + 3u) / 4u * 4u);
  rbnn_engine engine = {
      .model = model,
      .params = (const uint8_t *)params,
      .params_bytes = bytes,
      .arena = malloc(model->header->arena_bytes + 1u),
      .arena_bytes = model->header->arena_bytes,
      .work = malloc(model->header->work_bytes + 1u),
      .work_bytes = model->header->work_bytes,
      .source = stored,
      .source_context = (void *)model,
  };
  if (params == NULL || engine.arena == NULL || engine.work == NULL) exit(2);
  memcpy(params, world.params.bytes, bytes);
  for (uint32_t task = 0; task < model->header->task_count; task++) {
    if (rbnn_engine_check(&engine, task) != RBNN_OK || !is_small(model)) continue;
    uint8_t *const input = calloc(rbnn_engine_input_bytes(&engine), 1);
    fuzz_inferences_left = 1;
    fuzz_check(rbnn_engine_infer(&engine, input, rbnn_engine_input_bytes(&engine), logits) ==
                   RBNN_OK,
               "what is checked runs");
    free(input);
  }
  free(engine.arena);
  free(engine.work);
  free(params);
}

void fuzz_container(const uint8_t *data, size_t size)
{
  rbnn_model model;
  uint32_t bad_layer = 0;
  if (size < 1u) return;
  const uint32_t bytes = (uint32_t)size - 1u;
  uint8_t *const container = fuzz_copy(data + 1, bytes);
  if ((data[0] & CORRECT_CRC) != 0u) correct_crc(container, bytes);
  const rbnn_status status = rbnn_model_open(&model, container, bytes, &bad_layer);
  if (status == RBNN_OK) {
    run(&model);
  } else {
    fuzz_check(status == RBNN_NO_CONTAINER || status == RBNN_CONTAINER_FORMAT ||
                   status == RBNN_CONTAINER_DAMAGED || status == RBNN_CONTAINER_LAYER,
               "a container is refused by name");
  }
  free(container);
}
