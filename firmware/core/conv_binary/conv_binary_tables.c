/* SPDX-License-Identifier: Apache-2.0 */
/* Portable form of the inner loops; conv_binary_*_v7m.S replace it where they can. */
#include "core/conv_binary/conv_binary_tables.h"

#include "spec/target.h"

#if !RBNN_TARGET_V7M

#define CHANNELS_PER_WORD 4u
#define OCTETS 2u
#define PAIRS (RBNN_FILTERS_PER_TILE / 2u)
#define ONES 0x11111111u /* the lowest bit of each lane */
#define ODD_LANES 0x0f0f0f0fu
#define EVEN_BYTES 0x00ff00ffu
#define SIGNS 0x80008000u

/* Channels first .. first + 4 of a block, as many as there are; bit 0 is `first`. */
static uint32_t group_bits(const uint32_t *bits, uint32_t words, uint32_t first)
{
  uint32_t value = bits[first / 32u] >> (first % 32u);
  if (first % 32u > 27u && first / 32u + 1u < words) {
    value |= bits[first / 32u + 1u] << (32u - first % 32u);
  }
  return value & 31u;
}

static inline void index_blocks(uint32_t *indices, const uint32_t *bits, uint32_t blocks,
                                uint32_t words, uint32_t groups, uint32_t origin)
{
  for (; blocks > 0; blocks--, bits += words) {
    for (uint32_t group = 0; group < groups; group++) {
      *indices++ = origin + group * RBNN_TABLE_GROUP_BYTES +
                   group_bits(bits, words, group * RBNN_TABLE_CHANNELS) * RBNN_TABLE_ENTRY_BYTES;
    }
  }
}

void rbnn_table_index_32(uint32_t *indices, const uint32_t *bits, uint32_t blocks, uint32_t origin)
{
  index_blocks(indices, bits, blocks, 1, RBNN_TABLE_GROUPS_32, origin);
}

void rbnn_table_index_64(uint32_t *indices, const uint32_t *bits, uint32_t blocks, uint32_t origin)
{
  index_blocks(indices, bits, blocks, 2, RBNN_TABLE_GROUPS_64, origin);
}

static void build(uint32_t *tables, uint32_t slot, const uint32_t *weights, uint32_t channels)
{
  uint32_t *table = tables + slot * RBNN_TABLE_BYTES / sizeof *table;
  for (uint32_t first = 0; first < channels; first += RBNN_TABLE_CHANNELS) {
    const uint32_t left = channels - first;
    const uint32_t size = left < RBNN_TABLE_CHANNELS ? left : RBNN_TABLE_CHANNELS;
    for (uint32_t entry = 0; entry < 1u << size; entry++) {
      for (uint32_t octet = 0; octet < OCTETS; octet++) {
        uint32_t matches = 0;
        for (uint32_t i = 0; i < size; i++) {
          const uint32_t channel = first + i;
          const uint32_t word = weights[channel / CHANNELS_PER_WORD * OCTETS + octet];
          const uint32_t ones = word >> (channel % CHANNELS_PER_WORD) & ONES;
          matches += (entry >> i & 1u) != 0 ? ones : ONES - ones;
        }
        table[entry * OCTETS + octet] = matches;
      }
    }
    table += RBNN_TABLE_GROUP_BYTES / sizeof *table;
  }
}

void rbnn_table_build_32(uint32_t *tables, uint32_t slot, const uint32_t *weights)
{
  build(tables, slot, weights, 32);
}

void rbnn_table_build_64(uint32_t *tables, uint32_t slot, const uint32_t *weights)
{
  build(tables, slot, weights, 64);
}

/* Lanes modulo 2^16, none carrying into the other. */
static uint32_t add_lanes(uint32_t a, uint32_t b)
{
  return ((a & ~SIGNS) + (b & ~SIGNS)) ^ ((a ^ b) & SIGNS);
}

/* The sum of up to three entries, and its odd lanes. */
typedef struct {
  uint32_t all[OCTETS];
  uint32_t odd[OCTETS];
} accumulator;

static void add_entries(accumulator *total, const uint32_t *const *entries, uint32_t count)
{
  for (uint32_t octet = 0; octet < OCTETS; octet++) {
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < count; i++) {
      lanes += entries[i][octet];
    }
    total->all[octet] += lanes;
    total->odd[octet] += lanes >> 4 & ODD_LANES;
  }
}

static const uint32_t *entry_at(const uint32_t *tables, uint32_t index, uint32_t slot)
{
  const uint32_t offset = index - RBNN_TABLE_ORIGIN(tables) + slot * RBNN_TABLE_BYTES;
  return tables + offset / sizeof *tables;
}

static void add_position(const uint32_t *indices, const uint32_t *tables, uint32_t slots,
                         uint32_t groups, uint32_t *sums)
{
  accumulator total = {{0}, {0}};
  const uint32_t *entries[3];
  for (uint32_t slot = 0; slot < slots; slot++) {
    for (uint32_t group = 0; group + 1u < groups; group += 3u) {
      for (uint32_t i = 0; i < 3u; i++) {
        entries[i] = entry_at(tables, indices[slot * groups + group + i], slot);
      }
      add_entries(&total, entries, 3);
    }
  }
  for (uint32_t slot = 0; slot < slots; slot++) {
    entries[slot] = entry_at(tables, indices[slot * groups + groups - 1u], slot);
  }
  add_entries(&total, entries, slots);
  for (uint32_t octet = 0; octet < OCTETS; octet++) {
    const uint32_t odd = total.odd[octet];
    const uint32_t even = total.all[octet] - (odd << 4);
    sums[0] = add_lanes(sums[0], even & EVEN_BYTES);
    sums[1] = add_lanes(sums[1], even >> 8 & EVEN_BYTES);
    sums[2] = add_lanes(sums[2], odd & EVEN_BYTES);
    sums[3] = add_lanes(sums[3], odd >> 8 & EVEN_BYTES);
    sums += 4;
  }
}

static void add(const rbnn_table_area *area, uint32_t slots, uint32_t groups)
{
  uint32_t *sums = area->sums;
  for (uint32_t row = 0; row < area->rows; row++) {
    const uint32_t *indices = area->indices + row * area->row_step / sizeof *indices;
    for (uint32_t column = 0; column < area->columns; column++) {
      add_position(indices, area->tables, slots, groups, sums);
      indices += area->column_step / sizeof *indices;
      sums += PAIRS;
    }
  }
}

void rbnn_table_add_32(const rbnn_table_area *area, uint32_t slots)
{
  add(area, slots, RBNN_TABLE_GROUPS_32);
}

void rbnn_table_add_64(const rbnn_table_area *area, uint32_t slots)
{
  add(area, slots, RBNN_TABLE_GROUPS_64);
}

void rbnn_table_start(uint32_t *sums, uint32_t positions, const uint32_t *start)
{
  for (uint32_t i = 0; i < positions * PAIRS; i++) {
    sums[i] = start[i % PAIRS];
  }
}

void rbnn_table_add_constant(uint32_t *sums, uint32_t positions, const uint32_t *matches)
{
  for (uint32_t i = 0; i < positions * PAIRS; i++) {
    sums[i] = add_lanes(sums[i], matches[i % PAIRS]);
  }
}

void rbnn_table_take_signs(rbnn_half_bits *bits, uint32_t step, const uint32_t *sums,
                           uint32_t positions)
{
  for (uint32_t i = 0; i < positions; i++, bits += step / sizeof *bits) {
    uint32_t taken = 0;
    for (uint32_t pair = 0; pair < PAIRS; pair++, sums++) {
      const uint32_t ones = ~*sums & SIGNS;
      taken |= (ones >> 15 | ones >> 30) << 2u * pair;
    }
    *bits = (uint16_t)taken;
  }
}

#endif
