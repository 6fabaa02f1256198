/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <stdbool.h>
#include <string.h>

#include "kernels.h"

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

/* Size of a layer's thresholds, or of its scales and biases. */
static uint32_t layer_params_bytes(const rbnn_layer *layer)
{
  switch (layer->op) {
    case RBNN_OPERATOR_MAX_POOL: return 0;
    case RBNN_OPERATOR_DENSE: return 2u * layer->out_channels * (uint32_t)sizeof(int32_t);
    default: return layer->out_channels * (uint32_t)sizeof(int16_t);
  }
}

rbnn_status rbnn_engine_check(const rbnn_engine *engine, uint32_t task)
{
  const rbnn_container_header *model = engine->model->header;
  if (task >= model->task_count || engine->source == NULL || engine->arena == NULL ||
      engine->tile == NULL || engine->params == NULL || engine->arena_bytes < model->arena_bytes ||
      engine->tile_bytes < model->tile_bytes) {
    return RBNN_ARGUMENT;
  }
  if (engine->params_bytes < RBNN_PARAMS_HEADER_BYTES ||
      params_header(engine)->classes != engine->model->tasks[task].classes ||
      !adapter_fits(engine) || !labels_fit(engine)) {
    return RBNN_SEALED_BLOCK;
  }
  for (uint32_t i = 0; i < model->layer_count; i++) {
    const rbnn_layer *layer = &engine->model->layers[i];
    if (!in_params(engine, layer->params_offset, layer_params_bytes(layer))) {
      return RBNN_CONTAINER_LAYER;
    }
  }
  return RBNN_OK;
}

uint32_t rbnn_engine_input_bytes(const rbnn_engine *engine)
{
  const rbnn_container_header *model = engine->model->header;
  return (uint32_t)model->input_height * model->input_width * params_header(engine)->input_channels;
}

/* Run a layer with filters: reconfigure a tile, use it at all positions, go on to the next. */
static void run_tiles(const rbnn_engine *engine, uint32_t number, const rbnn_stem_input *image)
{
  const rbnn_layer *layer = &engine->model->layers[number];
  const uint32_t *input = engine->arena + layer->in_offset / 4u;
  uint32_t *output = engine->arena + layer->out_offset / 4u;
  const void *params = engine->params + layer->params_offset;
  const uint32_t row_bytes = layer->weights_bytes / layer->out_channels;

  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    uint32_t filters = layer->out_channels - first;
    if (filters > RBNN_FILTERS_PER_TILE) {
      filters = RBNN_FILTERS_PER_TILE;
    }
    engine->source(engine->source_context, number, first * row_bytes, filters * row_bytes,
                   engine->tile);
    switch (layer->op) {
      case RBNN_OPERATOR_STEM:
        rbnn_conv_stem(layer, image, engine->tile, params, first, filters, output);
        break;
      case RBNN_OPERATOR_CONV:
        rbnn_conv_binary(layer, input, engine->tile, params, first, filters, output);
        break;
      default: {
        const int32_t *scales = params;
        rbnn_dense(layer, input, engine->tile, scales, scales + layer->out_channels, first, filters,
                   (int32_t *)output);
        break;
      }
    }
  }
}

rbnn_status rbnn_engine_infer(const rbnn_engine *engine, const uint8_t *input, uint32_t input_bytes,
                              int32_t *logits)
{
  const rbnn_params_header *header = params_header(engine);
  const rbnn_layer *layer = engine->model->layers;
  if (input_bytes != rbnn_engine_input_bytes(engine)) {
    return RBNN_ARGUMENT;
  }
  const rbnn_stem_input image = {
      .pixels = input,
      .channels = header->input_channels,
      .step = header->adapter == RBNN_ADAPTER_REPLICATE ? 0u : 1u,
      .offsets = header->offsets,
  };
  for (uint32_t i = 0; i < engine->model->header->layer_count; i++) {
    layer = &engine->model->layers[i];
    uint32_t *output = engine->arena + layer->out_offset / 4u;
    if (layer->op == RBNN_OPERATOR_MAX_POOL) {
      rbnn_max_pool(layer, engine->arena + layer->in_offset / 4u, output);
    } else {
      run_tiles(engine, i, &image);
    }
    if (engine->observer != NULL) {
      engine->observer(engine->observer_context, i, output, rbnn_layer_output_bytes(layer));
    }
  }
  /* The last layer is the dense one: rbnn_model_open saw to it. */
  memcpy(logits, engine->arena + layer->out_offset / 4u, header->classes * sizeof *logits);
  return RBNN_OK;
}
