/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine.h"

#include <stdbool.h>
#include <string.h>

#include "core/kernel_features.h"
#include "core/layer.h"
#include "core/operators.h"

static const rbnn_params_header *params_header(const rbnn_engine *engine)
{
  return (const void *)engine->params;
}

/* Whether `bytes` bytes at `offset` lie within the opened parameters. */
static bool in_params(const rbnn_engine *engine, uint32_t offset, uint32_t bytes)
{
  return offset <= engine->params_bytes && bytes <= engine->params_bytes - offset;
}

/* As many zero-ended names as classes, and nothing else. */
static bool labels_fit(const rbnn_engine *engine)
{
  const rbnn_params_header *header = params_header(engine);
  if (!in_params(engine, header->labels_offset, header->labels_bytes) ||
      header->labels_offset < RBNN_PARAMS_HEADER_BYTES || header->labels_bytes == 0) {
    return false;
  }
  const uint8_t *labels = engine->params + header->labels_offset;
  uint32_t names = 0;
  for (uint32_t i = 0; i < header->labels_bytes; i++) {
    names += labels[i] == 0;
  }
  return names == header->classes && labels[header->labels_bytes - 1u] == 0;
}

#if RBNN_WITH_SERIES
const rbnn_series *rbnn_engine_series(const rbnn_engine *engine)
{
  const rbnn_params_header *header = params_header(engine);
  const uint32_t end = header->labels_offset + header->labels_bytes;
  const uint32_t offset =
      (end + RBNN_SERIES_ALIGNMENT - 1u) / RBNN_SERIES_ALIGNMENT * RBNN_SERIES_ALIGNMENT;
  if (!in_params(engine, offset, RBNN_SERIES_BYTES)) {
    return NULL;
  }
  const rbnn_series *series = (const void *)(engine->params + offset);
  const uint32_t values = 2u * series->channels * (uint32_t)sizeof(float);
  return series->channels > 0 && series->channels <= RBNN_MAX_SERIES_CHANNELS &&
                 series->window > 0 && series->hop > 0 && series->zero == 0 &&
                 in_params(engine, offset + RBNN_SERIES_BYTES, values)
             ? series
             : NULL;
}
#endif

/* A task of a sensor series says how windows become inputs. */
static bool series_fits(const rbnn_engine *engine, uint32_t task)
{
  const bool is_series = engine->model->tasks[task].front_end == RBNN_FRONTEND_SERIES;
#if RBNN_WITH_SERIES
  return !is_series || rbnn_engine_series(engine) != NULL;
#else
  return !is_series;
#endif
}

/* The task's input becomes the network's input, and its values fit what the stem gathers. */
static bool adapter_fits(const rbnn_engine *engine)
{
  const rbnn_params_header *header = params_header(engine);
  const uint32_t channels = engine->model->header->input_channels;
  for (uint32_t c = 0; c < RBNN_MAX_INPUT_CHANNELS; c++) {
    if (header->offsets[c] < 0 || header->offsets[c] > (c < channels ? 255 : 0)) {
      return false;
    }
  }
  switch (header->adapter) {
    case RBNN_ADAPTER_IDENTITY: return header->input_channels == channels;
    case RBNN_ADAPTER_REPLICATE: return header->input_channels == 1;
    default: return false;
  }
}

/* The layer's group lies within the parameters, and its shift is one that the stage serves. */
static bool group_fits(const rbnn_engine *engine, const rbnn_layer *layer)
{
  const uint32_t classes = params_header(engine)->classes;
  if (!in_params(engine, layer->params_offset, rbnn_layer_task_params_bytes(layer, classes))) {
    return false;
  }
  const uint16_t *group = (const void *)(engine->params + layer->params_offset);
  return layer->stage != RBNN_STAGE_RESIDUAL || (group[0] <= RBNN_MAX_SHIFT && group[1] == 0);
}

rbnn_status rbnn_engine_check(const rbnn_engine *engine, uint32_t task)
{
  const rbnn_container_header *model = engine->model->header;
  if (task >= model->task_count || engine->source == NULL || engine->arena == NULL ||
      engine->work == NULL || engine->params == NULL || engine->arena_bytes < model->arena_bytes ||
      engine->work_bytes < model->work_bytes) {
    return RBNN_ARGUMENT;
  }
  if (engine->params_bytes < RBNN_PARAMS_HEADER_BYTES ||
      params_header(engine)->classes != engine->model->tasks[task].classes ||
      !adapter_fits(engine) || !labels_fit(engine) || !series_fits(engine, task)) {
    return RBNN_SEALED_BLOCK;
  }
  for (uint32_t i = 0; i < model->layer_count; i++) {
    if (!group_fits(engine, &engine->model->layers[i])) {
      return RBNN_SEALED_BLOCK;
    }
  }
  return RBNN_OK;
}

uint32_t rbnn_engine_input_bytes(const rbnn_engine *engine)
{
  const rbnn_container_header *model = engine->model->header;
  return (uint32_t)model->input_height * model->input_width * params_header(engine)->input_channels;
}

rbnn_stem_input rbnn_engine_image(const rbnn_engine *engine, const uint8_t *input)
{
  const rbnn_params_header *header = params_header(engine);
  return (rbnn_stem_input){
      .pixels = input,
      .channels = header->input_channels,
      .step = header->adapter == RBNN_ADAPTER_REPLICATE ? 0u : 1u,
      .offsets = header->offsets,
  };
}

rbnn_run rbnn_engine_prepare(const rbnn_engine *engine, uint32_t number,
                             const rbnn_stem_input *image)
{
  const rbnn_layer *layer = &engine->model->layers[number];
  const bool first = rbnn_operator_find(layer->op)->reads == RBNN_READS_IMAGE;
  uint32_t *const arena = engine->arena;
  return (rbnn_run){
      .layer = layer,
      .number = number,
      .image = first ? image : NULL,
      .input = first ? NULL : arena + layer->in_offset / 4u,
      .shortcut =
          layer->shortcut_channels ? (const void *)(arena + layer->shortcut_offset / 4u) : NULL,
      .bits = rbnn_layer_bits_bytes(layer) ? arena + layer->out_offset / 4u : NULL,
      .stream = rbnn_layer_stream_bytes(layer) ? (void *)(arena + layer->stream_offset / 4u) : NULL,
      .logits = rbnn_layer_logits_bytes(layer) ? (void *)(arena + layer->out_offset / 4u) : NULL,
      .params = rbnn_layer_params_bytes(layer) ? engine->params + layer->params_offset : NULL,
      .classes = params_header(engine)->classes,
      .work = engine->work,
      .work_bytes = engine->work_bytes,
      .source = engine->source,
      .source_context = engine->source_context,
  };
}

rbnn_status rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input, uint32_t input_bytes,
                              int32_t *logits)
{
  const rbnn_params_header *header = params_header(engine);
  if (input_bytes != rbnn_engine_input_bytes(engine)) {
    return RBNN_ARGUMENT;
  }
  const rbnn_stem_input image = rbnn_engine_image(engine, input);
  for (uint32_t i = 0; i < engine->model->header->layer_count; i++) {
    const rbnn_run run = rbnn_engine_prepare(engine, i, &image);
    rbnn_kernels[run.layer->op].run(&run);
    if (engine->observer != NULL) {
      engine->observer(engine->observer_context, &run);
    }
  }
  /* The last layer is a dense one: rbnn_model_open saw to it. */
  const rbnn_layer *last = &engine->model->layers[engine->model->header->layer_count - 1u];
  memcpy(logits, engine->arena + last->out_offset / 4u, header->classes * sizeof *logits);
  return RBNN_OK;
}
