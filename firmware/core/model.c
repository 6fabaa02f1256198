/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <stdbool.h>
#include <string.h>

#include "crc32.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Containers are read in place: this needs a little-endian target."
#endif

/* Whether `bytes` bytes at `offset` end at `limit` or before it. */
static bool fits(uint32_t offset, uint64_t bytes, uint32_t limit)
{
  return offset <= limit && bytes <= limit - offset;
}

static bool all_zero(const uint8_t *bytes, uint32_t size)
{
  uint8_t any = 0;
  for (uint32_t i = 0; i < size; i++) {
    any |= bytes[i];
  }
  return any == 0;
}

/* One to RBNN_NAME_BYTES - 1 bytes of text, then zero bytes to the end. */
static bool is_name(const uint8_t name[RBNN_NAME_BYTES])
{
  uint32_t length = 0;
  while (length < RBNN_NAME_BYTES && name[length] != 0) {
    length++;
  }
  return length > 0 && length < RBNN_NAME_BYTES &&
         all_zero(name + length, RBNN_NAME_BYTES - length);
}

static bool header_is_ours(const rbnn_container_header *header)
{
  return header->version == RBNN_CONTAINER_VERSION &&
         header->header_bytes == RBNN_CONTAINER_HEADER_BYTES &&
         header->cipher == RBNN_CIPHER_CHACHA20 && header->scheme == RBNN_SCHEME_XOR &&
         header->reserved == 0;
}

/* Sections stand in this order and do not overlap: header, layers, tasks, P, sealed blocks. */
static bool sections_fit(const rbnn_container_header *header)
{
  const uint32_t total = header->total_bytes;
  if (header->input_height == 0 || header->input_width == 0 || header->input_channels == 0 ||
      header->input_channels > RBNN_MAX_INPUT_CHANNELS || header->layer_count < 2 ||
      header->layer_count > RBNN_MAX_LAYERS || header->task_count == 0 ||
      header->task_count > RBNN_MAX_TASKS || header->max_classes == 0 ||
      header->max_classes > RBNN_MAX_CLASSES || !is_name(header->architecture)) {
    return false;
  }
  if (header->arena_bytes % 4u || header->tile_bytes % 4u ||
      header->params_bytes < RBNN_PARAMS_HEADER_BYTES) {
    return false;
  }
  const uint32_t layers_bytes = header->layer_count * RBNN_LAYER_BYTES;
  const uint32_t tasks_bytes = header->task_count * RBNN_TASK_BYTES;
  return header->layers_offset % 4u == 0 && header->tasks_offset % 4u == 0 &&
         header->weights_offset % RBNN_ALIGNMENT == 0 &&
         header->layers_offset >= RBNN_CONTAINER_HEADER_BYTES &&
         fits(header->layers_offset, layers_bytes, header->tasks_offset) &&
         fits(header->tasks_offset, tasks_bytes, header->weights_offset) &&
         fits(header->weights_offset, header->weights_bytes, total);
}

/* The same as rbnn_layer_output_bytes, for layers that are not checked yet. */
static uint64_t output_bytes(const rbnn_layer *layer)
{
  if (layer->op == RBNN_OPERATOR_DENSE) {
    return sizeof(int32_t) * (uint64_t)layer->out_channels;
  }
  return (uint64_t)layer->out_height * layer->out_width * (layer->out_channels / 8u);
}

/* Bits of one filter of a layer that has filters. */
static uint64_t row_bits(const rbnn_layer *layer)
{
  if (layer->op == RBNN_OPERATOR_DENSE) {
    return (uint64_t)layer->in_height * layer->in_width * layer->in_channels;
  }
  return (uint64_t)layer->kernel * layer->kernel * layer->in_channels;
}

/* Whether the output size follows from input size, window, stride and padding. */
static bool window_fits(const rbnn_layer *layer)
{
  if (layer->kernel == 0 || layer->kernel > RBNN_MAX_KERNEL || layer->stride == 0 ||
      layer->pad >= layer->kernel) {
    return false;
  }
  uint32_t height = layer->in_height + 2u * layer->pad;
  uint32_t width = layer->in_width + 2u * layer->pad;
  return height >= layer->kernel && width >= layer->kernel &&
         (height - layer->kernel) / layer->stride + 1u == layer->out_height &&
         (width - layer->kernel) / layer->stride + 1u == layer->out_width;
}

/* Whether shapes suit the operator. */
static bool shape_fits(const rbnn_layer *layer, const rbnn_container_header *header)
{
  switch (layer->op) {
    case RBNN_OPERATOR_STEM: return window_fits(layer) && layer->out_channels % 32u == 0;
    case RBNN_OPERATOR_CONV:
      return window_fits(layer) && layer->out_channels % 32u == 0 &&
             row_bits(layer) <= RBNN_MAX_WINDOW_WORDS * 32u;
    case RBNN_OPERATOR_MAX_POOL:
      return window_fits(layer) && layer->pad == 0 && layer->out_channels == layer->in_channels;
    case RBNN_OPERATOR_DENSE:
      return layer->kernel == 0 && layer->stride == 1 && layer->pad == 0 &&
             layer->out_height == 1 && layer->out_width == 1 &&
             layer->out_channels == header->max_classes;
    default: return false;
  }
}

/* Whether bits, tile and parameters of the layer lie where the header says there is room. */
static bool storage_fits(const rbnn_layer *layer, const rbnn_container_header *header)
{
  if (layer->op == RBNN_OPERATOR_MAX_POOL) {
    return layer->packing == RBNN_PACKING_NONE && layer->weights_offset == 0 &&
           layer->weights_bytes == 0 && layer->params_offset == 0;
  }
  const uint64_t row_bytes = (row_bits(layer) + 31u) / 32u * 4u;
  const uint32_t filters = layer->out_channels;
  const uint32_t tile = filters < RBNN_FILTERS_PER_TILE ? filters : RBNN_FILTERS_PER_TILE;
  const uint32_t entry = layer->op == RBNN_OPERATOR_DENSE ? 2u * sizeof(int32_t) : sizeof(int16_t);
  return layer->packing == RBNN_PACKING_ROWS && layer->weights_bytes == row_bytes * filters &&
         layer->weights_offset % RBNN_ALIGNMENT == 0 &&
         fits(layer->weights_offset, layer->weights_bytes, header->weights_bytes) &&
         row_bytes * tile <= header->tile_bytes && layer->params_offset % 4u == 0 &&
         layer->params_offset >= RBNN_PARAMS_HEADER_BYTES &&
         fits(layer->params_offset, filters * entry, header->params_bytes);
}

/* Layer `number`: `before` is the layer whose output it reads, NULL for the first. */
static bool layer_fits(const rbnn_layer *layer, const rbnn_layer *before, uint32_t number,
                       const rbnn_container_header *header)
{
  const bool first = number == 0;
  const bool last = number + 1u == header->layer_count;
  if (layer->reserved[0] || layer->reserved[1] || layer->reserved[2] || layer->reserved2 ||
      layer->out_height == 0 || layer->out_width == 0 || layer->out_channels == 0 ||
      first != (layer->op == RBNN_OPERATOR_STEM) || last != (layer->op == RBNN_OPERATOR_DENSE)) {
    return false;
  }
  if (before == NULL) {
    if (layer->in_height != header->input_height || layer->in_width != header->input_width ||
        layer->in_channels != header->input_channels || layer->in_offset != 0 ||
        (uint64_t)layer->in_height * layer->in_width * layer->in_channels >
            RBNN_INPUT_BUFFER_BYTES) {
      return false;
    }
  } else if (layer->in_height != before->out_height || layer->in_width != before->out_width ||
             layer->in_channels != before->out_channels || layer->in_offset != before->out_offset) {
    return false;
  }
  if (!shape_fits(layer, header) || !storage_fits(layer, header)) {
    return false;
  }
  const uint64_t out_bytes = output_bytes(layer);
  if (layer->out_offset % 4u || !fits(layer->out_offset, out_bytes, header->arena_bytes)) {
    return false;
  }
  return before == NULL || layer->out_offset + out_bytes <= layer->in_offset ||
         layer->in_offset + output_bytes(before) <= layer->out_offset;
}

/* Whether the task table is sound; sealed blocks stand in task order behind P. */
static bool tasks_fit(const rbnn_task *tasks, const rbnn_container_header *header)
{
  uint32_t end = header->weights_offset + header->weights_bytes;
  for (uint32_t t = 0; t < header->task_count; t++) {
    const rbnn_task *task = &tasks[t];
    const uint32_t overhead = RBNN_SEALED_NONCE_BYTES + RBNN_SEALED_TAG_BYTES;
    if (!is_name(task->name) || task->classes == 0 || task->classes > header->max_classes ||
        task->reserved != 0 || task->sealed_offset % RBNN_ALIGNMENT || task->sealed_offset < end ||
        !fits(task->sealed_offset, task->sealed_bytes, header->total_bytes) ||
        task->sealed_bytes < overhead + RBNN_PARAMS_HEADER_BYTES ||
        task->sealed_bytes - overhead > header->params_bytes) {
      return false;
    }
    end = task->sealed_offset + task->sealed_bytes;
    for (uint32_t other = 0; other < t; other++) {
      if (memcmp(task->name, tasks[other].name, RBNN_NAME_BYTES) == 0) {
        return false;
      }
    }
  }
  return true;
}

/* CRC-32 of the container with its own member read as zero. */
static uint32_t container_crc32(const uint8_t *container, uint32_t size)
{
  static const uint8_t zero[4] = {0};
  const uint32_t behind = RBNN_CONTAINER_HEADER_CRC32_OFFSET + sizeof zero;
  uint32_t crc = rbnn_crc32_update(0, container, RBNN_CONTAINER_HEADER_CRC32_OFFSET);
  crc = rbnn_crc32_update(crc, zero, sizeof zero);
  return rbnn_crc32_update(crc, container + behind, size - behind);
}

rbnn_status rbnn_model_open(rbnn_model *model, const uint8_t *container, uint32_t capacity,
                            uint32_t *bad_layer)
{
  const rbnn_container_header *header = (const void *)container;
  memset(model, 0, sizeof *model);
  *bad_layer = 0;
  if (container == NULL || capacity < sizeof header->magic ||
      memcmp(header->magic, RBNN_CONTAINER_MAGIC, sizeof header->magic) != 0) {
    return RBNN_NO_CONTAINER;
  }
  if (capacity < RBNN_CONTAINER_HEADER_BYTES) {
    return RBNN_CONTAINER_DAMAGED;
  }
  if (!header_is_ours(header)) {
    return RBNN_CONTAINER_FORMAT;
  }
  if (header->total_bytes < RBNN_CONTAINER_HEADER_BYTES || header->total_bytes > capacity ||
      container_crc32(container, header->total_bytes) != header->crc32) {
    return RBNN_CONTAINER_DAMAGED;
  }
  if (!sections_fit(header)) {
    return RBNN_CONTAINER_FORMAT;
  }
  const rbnn_layer *layers = (const void *)(container + header->layers_offset);
  for (uint32_t i = 0; i < header->layer_count; i++) {
    if (!layer_fits(&layers[i], i ? &layers[i - 1u] : NULL, i, header)) {
      *bad_layer = i;
      return RBNN_CONTAINER_LAYER;
    }
  }
  const rbnn_task *tasks = (const void *)(container + header->tasks_offset);
  if (!tasks_fit(tasks, header)) {
    return RBNN_CONTAINER_FORMAT;
  }
  model->bytes = container;
  model->size = header->total_bytes;
  model->header = header;
  model->layers = layers;
  model->tasks = tasks;
  model->weights = container + header->weights_offset;
  return RBNN_OK;
}

uint32_t rbnn_layer_output_bytes(const rbnn_layer *layer)
{
  return (uint32_t)output_bytes(layer);
}

int32_t rbnn_model_find_task(const rbnn_model *model, const char *name)
{
  for (uint32_t t = 0; t < model->header->task_count; t++) {
    if (strcmp((const char *)model->tasks[t].name, name) == 0) {
      return (int32_t)t;
    }
  }
  return RBNN_UNKNOWN_TASK;
}
