/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

/* Bits of a filter of ROWS. */
static uint32_t row_bits(const rbnn_layer *layer)
{
  if (layer->op == RBNN_OPERATOR_STEM) {
    return (uint32_t)layer->kernel * layer->kernel * layer->in_channels;
  }
  return (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
}

/* Words of input that a filter meets: of 32 bits, or of 4 bytes of a stem's kernel row, or one
 * value of a stream. */
static uint32_t steps(const rbnn_layer *layer)
{
  switch (layer->op) {
    case RBNN_OPERATOR_STEM:
      return layer->kernel * ((layer->kernel * layer->in_channels + 3u) / 4u);
    case RBNN_OPERATOR_CONV:
      return (uint32_t)layer->kernel * layer->kernel * (layer->in_channels / 32u);
    case RBNN_OPERATOR_DENSE: return row_bits(layer) / 32u;
    case RBNN_OPERATOR_DENSE_STREAM: return row_bits(layer);
    default: return 0;
  }
}

size_t rbnn_wide_layer_bytes(const rbnn_layer *layer)
{
  const size_t filters = rbnn_wide_row_filters(layer->out_channels);
  return rbnn_wide_round_up(filters * steps(layer) * sizeof(uint32_t));
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
  const uint32_t count = steps(layer);
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
  const uint32_t count = steps(layer);
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
  const uint32_t row_words = (row_bits(layer) + 31u) / 32u;
  for (uint32_t filter = 0; filter < layer->out_channels; filter++, packed += row_words) {
    for (uint32_t step = 0; step < steps(layer); step++) {
      uint32_t word = 0;
      for (uint32_t byte = 0; byte < 4u; byte++) {
        const uint32_t value = step % row_steps * 4u + byte;
        if (value < row_values) {
          const uint32_t bit = step / row_steps * row_values + value;
          word |= (packed[bit / 32u] >> bit % 32u & 1u ? 0x01u : 0xffu) << 8u * byte;
        }
      }
      wide[rbnn_wide_place(steps(layer), filter, step)] = word;
    }
  }
}

/* +1 and -1 as they are added. */
static void lay_stream(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  const uint32_t bits = row_bits(layer);
  for (uint32_t filter = 0; filter < layer->out_channels; filter++, packed += (bits + 31u) / 32u) {
    for (uint32_t bit = 0; bit < bits; bit++) {
      wide[rbnn_wide_place(bits, filter, bit)] =
          packed[bit / 32u] >> bit % 32u & 1u ? 1u : UINT32_MAX;
    }
  }
}

void rbnn_wide_lay(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide)
{
  memset(wide, 0, rbnn_wide_layer_bytes(layer));
  switch (layer->op) {
    case RBNN_OPERATOR_STEM: lay_stem(layer, packed, wide); break;
    case RBNN_OPERATOR_CONV: lay_tiles(layer, packed, wide); break;
    case RBNN_OPERATOR_DENSE: lay_pairs(layer, packed, wide); break;
    case RBNN_OPERATOR_DENSE_STREAM: lay_stream(layer, packed, wide); break;
    default: break;
  }
}
