/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

/* Values that a filter of a layer without a window meets. */
static uint32_t inputs(const rbnn_layer *layer)
{
  return (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
}

/* Steps are words of input that a filter meets: of 4 bytes of a stem's kernel row, of 32 bits, or
 * one value of a stream. */
static uint32_t stem_steps(const rbnn_layer *layer)
{
  return layer->kernel * ((layer->kernel * layer->in_channels + 3u) / 4u);
}

static uint32_t conv_steps(const rbnn_layer *layer)
{
  return (uint32_t)layer->kernel * layer->kernel * (layer->in_channels / 32u);
}

static uint32_t dense_steps(const rbnn_layer *layer)
{
  return inputs(layer) / 32u;
}

/* The word of filter `f` of 16 in a unit of TILES: its 4 bits of each of the 8 groups. */
static uint32_t unit_word(const uint32_t *unit, uint32_t f)
{
  const uint32_t octet = f / 8u;
  const uint32_t lane = (f & 1u) << 2 | (f & 2u) | (f >> 2 & 1u);
  uint32_t word = 0;
  for (uint32_t group = 0; group < 8u; group++) {
    word |= (unit[2u * group + octet] >> 4u * lane & 15u) << 4u * group;
  }
  return word;
}

static void lay_tiles(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  const uint32_t count = conv_steps(layer);
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    for (uint32_t step = 0; step < count; step++, packed += 16) {
      for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++) {
        wide[rbnn_wide_place(count, first + f, step)] = unit_word(packed, f);
      }
    }
  }
}

/* The word of filter `f` of 16 in a unit of PAIRS: its 2 bits of each of the 16 words. */
static uint32_t pairs_word(const uint32_t *unit, uint32_t f)
{
  const uint32_t lane = (f & 1u) << 3 | (f & 2u) << 1 | (f >> 1 & 2u) | f >> 3;
  uint32_t word = 0;
  for (uint32_t i = 0; i < 16u; i++) {
    word |= (unit[i] >> 2u * lane & 3u) << 2u * i;
  }
  return word;
}

static void lay_pairs(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  const uint32_t count = dense_steps(layer);
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    uint32_t before = 0; /* exclusive or of the tile's words so far, as they were before mixing */
    for (uint32_t step = 0; step < count; step++) {
      uint32_t unit[16];
      for (uint32_t i = 0; i < 16u; i += 2u, packed += 2) {
        unit[i] = packed[1] ^ before;
        unit[i + 1u] = packed[0] ^ unit[i];
        before ^= packed[0];
      }
      for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE && first + f < layer->out_channels; f++) {
        wide[rbnn_wide_place(count, first + f, step)] = pairs_word(unit, f);
      }
    }
  }
}

/* A stem's +-1 in bytes, four a word, each kernel row padded with zeros to whole words. */
static void lay_stem(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  const uint32_t row_values = layer->kernel * (uint32_t)layer->in_channels;
  const uint32_t row_steps = (row_values + 3u) / 4u;
  const uint32_t row_words = (layer->kernel * row_values + 31u) / 32u;
  const uint32_t count = stem_steps(layer);
  for (uint32_t filter = 0; filter < layer->out_channels; filter++, packed += row_words) {
    for (uint32_t step = 0; step < count; step++) {
      uint32_t word = 0;
      for (uint32_t byte = 0; byte < 4u; byte++) {
        const uint32_t value = step % row_steps * 4u + byte;
        if (value < row_values) {
          const uint32_t bit = step / row_steps * row_values + value;
          word |= (packed[bit / 32u] >> bit % 32u & 1u ? 0x01u : 0xffu) << 8u * byte;
        }
      }
      wide[rbnn_wide_place(count, filter, step)] = word;
    }
  }
}

/* +1 and -1 as they are added. */
static void lay_stream(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  const uint32_t bits = inputs(layer);
  for (uint32_t filter = 0; filter < layer->out_channels; filter++, packed += (bits + 31u) / 32u) {
    for (uint32_t bit = 0; bit < bits; bit++) {
      wide[rbnn_wide_place(bits, filter, bit)] =
          packed[bit / 32u] >> bit % 32u & 1u ? 1u : UINT32_MAX;
    }
  }
}

/* An operator without a wide kernel, all NULL, keeps its weights as they are packed. */
static const struct {
  uint32_t (*steps)(const rbnn_layer *layer);
  void (*lay)(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide);
} layouts[RBNN_KERNELS] = {
    [RBNN_OPERATOR_STEM] = {stem_steps, lay_stem},
    [RBNN_OPERATOR_CONV] = {conv_steps, lay_tiles},
    [RBNN_OPERATOR_DENSE] = {dense_steps, lay_pairs},
    [RBNN_OPERATOR_DENSE_STREAM] = {inputs, lay_stream},
};

size_t rbnn_wide_layer_bytes(const rbnn_layer *layer)
{
  if (layouts[layer->op].steps == NULL) {
    return rbnn_wide_round_up(layer->weights_bytes);
  }
  const size_t filters = rbnn_wide_row_filters(layer->out_channels);
  return rbnn_wide_round_up(filters * layouts[layer->op].steps(layer) * sizeof(uint32_t));
}

void rbnn_wide_lay(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  memset(wide, 0, rbnn_wide_layer_bytes(layer));
  if (layouts[layer->op].lay != NULL) {
    layouts[layer->op].lay(layer, packed, wide);
  } else {
    memcpy(wide, packed, layer->weights_bytes);
  }
}
