/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model.h"

#include <stdbool.h>
#include <string.h>

#include "core/crc32.h"
#include "core/kernel_features.h"
#include "core/layer.h"

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
         header->cipher <= RBNN_CIPHER_CHACHA8 && header->scheme == RBNN_SCHEME_XOR &&
         header->trunk_layers < header->layer_count;
}

/* Sections are in this order and do not overlap: header, layers, tasks, P, sealed blocks. */
static bool sections_fit(const rbnn_container_header *header)
{
  const uint32_t total = header->total_bytes;
  if (header->input_height == 0 || header->input_width == 0 || header->input_channels == 0 ||
      header->input_channels > RBNN_MAX_INPUT_CHANNELS || header->layer_count < 2 ||
      header->layer_count > RBNN_MAX_LAYERS || header->task_count == 0 ||
      header->task_count > RBNN_WITH_TASKS || header->max_classes == 0 ||
      header->max_classes > RBNN_MAX_CLASSES || !is_name(header->architecture)) {
    return false;
  }
  if (header->arena_bytes % 4u || header->arena_bytes > RBNN_MAX_ARENA_BYTES ||
      header->work_bytes % 4u || header->params_bytes < RBNN_PARAMS_HEADER_BYTES) {
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

/* A region of the arena; of no bytes where a layer lacks it. */
typedef struct {
  uint32_t begin;
  uint32_t end; /* UINT32_MAX where it would be beyond: no arena goes that far */
} region;

static region region_of(uint32_t offset, uint64_t bytes)
{
  return (region){offset, bytes < UINT32_MAX - offset ? offset + (uint32_t)bytes : UINT32_MAX};
}

static region bits_of(const rbnn_layer *layer)
{
  return region_of(layer->out_offset,
                   rbnn_layer_bits_bytes(layer) + rbnn_layer_logits_bytes(layer));
}

static region stream_of(const rbnn_layer *layer)
{
  return region_of(layer->stream_offset, rbnn_layer_stream_bytes(layer));
}

static bool overlap(const region *a, const region *b)
{
  return a->begin < b->end && b->begin < a->end && a->begin != a->end && b->begin != b->end;
}

static bool in_arena(const region *r, const rbnn_container_header *header)
{
  return r->begin == r->end ? r->begin == 0 : r->begin % 4u == 0 && r->end <= header->arena_bytes;
}

/* Whether what layer `number` reads at `wanted` is what the last layer to write there before it
 * left: a stream or bits, of this shape. */
static bool is_left_there(const rbnn_layer *layers, uint32_t number, const region *wanted,
                          bool stream, uint32_t height, uint32_t width, uint32_t channels)
{
  for (uint32_t i = number; i-- > 0;) {
    const rbnn_layer *writer = &layers[i];
    const region written[2] = {bits_of(writer), stream_of(writer)};
    if (overlap(wanted, &written[0]) || overlap(wanted, &written[1])) {
      return written[stream].begin == wanted->begin && written[stream].end == wanted->end &&
             writer->out_height == height && writer->out_width == width &&
             writer->out_channels == channels;
    }
  }
  return false;
}

/* Whether the layer reads what is there, and writes over nothing that it reads. */
static bool regions_fit(const rbnn_layer *layers, uint32_t number,
                        const rbnn_container_header *header)
{
  enum { INPUT, SHORTCUT, BITS, STREAM, REGIONS };
  const rbnn_layer *layer = &layers[number];
  const region r[REGIONS] = {
      region_of(layer->in_offset, rbnn_layer_input_bytes(layer)),
      region_of(layer->shortcut_offset, rbnn_layer_shortcut_bytes(layer)),
      bits_of(layer),
      stream_of(layer),
  };
  for (uint32_t i = 0; i < REGIONS; i++) {
    if (!in_arena(&r[i], header)) {
      return false;
    }
  }
  if (number > 0 && !is_left_there(layers, number, &r[INPUT], rbnn_layer_reads_stream(layer),
                                   layer->in_height, layer->in_width, layer->in_channels)) {
    return false;
  }
  if (layer->shortcut_channels > 0 &&
      !is_left_there(layers, number, &r[SHORTCUT], true, layer->out_height, layer->out_width,
                     layer->shortcut_channels)) {
    return false;
  }
  const bool adds_in_place =
      r[STREAM].begin == r[SHORTCUT].begin && layer->shortcut_channels == layer->out_channels;
  const bool runs_in_place = rbnn_layer_runs_in_place(layer) && r[STREAM].begin == r[INPUT].begin;
  return !overlap(&r[INPUT], &r[BITS]) && !overlap(&r[SHORTCUT], &r[BITS]) &&
         !overlap(&r[BITS], &r[STREAM]) && (runs_in_place || !overlap(&r[INPUT], &r[STREAM])) &&
         (adds_in_place || !overlap(&r[SHORTCUT], &r[STREAM]));
}

/* Whether bits and parameters of the layer lie where the header says there is room. */
static bool storage_fits(const rbnn_layer *layer, const rbnn_container_header *header)
{
  /* The largest task may have fewer classes than the last layer has outputs. */
  const uint32_t params_bytes = rbnn_layer_task_params_bytes(layer, 1u);
  if (layer->packing == RBNN_PACKING_NONE
          ? layer->weights_offset != 0
          : layer->weights_offset % RBNN_ALIGNMENT != 0 ||
                !fits(layer->weights_offset, layer->weights_bytes, header->weights_bytes)) {
    return false;
  }
  return layer->weights_bytes == rbnn_layer_weights_bytes(layer) &&
         (params_bytes == 0 ? layer->params_offset == 0
                            : layer->params_offset % 4u == 0 &&
                                  layer->params_offset >= RBNN_PARAMS_HEADER_BYTES &&
                                  fits(layer->params_offset, params_bytes, header->params_bytes));
}

/* Whether the layer is at its place in the table and in the network. */
static bool place_fits(const rbnn_layer *layer, uint32_t number,
                       const rbnn_container_header *header)
{
  const bool last = number + 1u == header->layer_count;
  if ((number == 0) != rbnn_layer_is_first(layer) || last != rbnn_layer_is_last(layer) ||
      (last && layer->out_channels != header->max_classes)) {
    return false;
  }
  return number > 0 ||
         (layer->in_height == header->input_height && layer->in_width == header->input_width &&
          layer->in_channels == header->input_channels &&
          (uint64_t)layer->in_height * layer->in_width * layer->in_channels <=
              RBNN_MOST_INPUT_BYTES);
}

static bool layer_fits(const rbnn_layer *layers, uint32_t number,
                       const rbnn_container_header *header)
{
  const rbnn_layer *layer = &layers[number];
  return place_fits(layer, number, header) && rbnn_layer_is_served(layer) &&
         regions_fit(layers, number, header) && storage_fits(layer, header) &&
         rbnn_layer_work_bytes(layer) <= header->work_bytes;
}

/* Whether the task table is sound; sealed blocks follow P in task order. */
static bool tasks_fit(const rbnn_task *tasks, const rbnn_container_header *header)
{
  uint32_t end = header->weights_offset + header->weights_bytes;
  for (uint32_t t = 0; t < header->task_count; t++) {
    const rbnn_task *task = &tasks[t];
    const uint32_t overhead = RBNN_SEALED_NONCE_BYTES + RBNN_SEALED_TAG_BYTES;
    if (!is_name(task->name) || task->classes == 0 || task->classes > header->max_classes ||
        task->sealed_offset % RBNN_ALIGNMENT || task->sealed_offset < end ||
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
  const uint32_t after = RBNN_CONTAINER_HEADER_CRC32_OFFSET + sizeof zero;
  uint32_t crc = rbnn_crc32_update(0, container, RBNN_CONTAINER_HEADER_CRC32_OFFSET);
  crc = rbnn_crc32_update(crc, zero, sizeof zero);
  return rbnn_crc32_update(crc, container + after, size - after);
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
    if (!layer_fits(layers, i, header)) {
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

int32_t rbnn_model_find_task(const rbnn_model *model, const char *name)
{
  for (uint32_t t = 0; t < model->header->task_count; t++) {
    if (strncmp((const char *)model->tasks[t].name, name, RBNN_NAME_BYTES) == 0) {
      return (int32_t)t;
    }
  }
  return RBNN_UNKNOWN_TASK;
}
