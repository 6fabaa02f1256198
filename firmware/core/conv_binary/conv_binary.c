/* SPDX-License-Identifier: Apache-2.0 */
/* Binary convolution, stage. Tile by tile: draw the weights, and for each pass over up to three
 * slots build their tables and add them to the sums of all positions; then the stage. Working
 * memory is laid out as conv_binary_run.h says. */
#include "core/kernels.h"

#include <stdbool.h>
#include <stddef.h>

#include "core/conv_binary/conv_binary_run.h"
#include "core/conv_binary/conv_binary_tables.h"
#include "core/kernel_features.h"
#include "core/stage/stage.h"

static rbnn_conv_geometry measure(const rbnn_layer *layer)
{
  rbnn_conv_geometry g;
  const uint32_t in_words = layer->in_channels / 32u;
  g.block_words = in_words % 2u != 0 ? 1u : 2u;
  g.block_groups = g.block_words == 1u ? RBNN_TABLE_GROUPS_32 : RBNN_TABLE_GROUPS_64;
  g.pixel_blocks = in_words / g.block_words;
  g.pixel_words = g.pixel_blocks * g.block_groups;
  g.row_words = (layer->in_width + 2u * layer->pad) * g.pixel_words;
  g.row_slots = layer->kernel * g.pixel_blocks;
  g.fixed_words = g.block_groups * (RBNN_TABLE_GROUP_BYTES / 4u + RBNN_TABLE_SLOTS);
  g.pass_words = RBNN_TABLE_SLOTS * g.block_words * RBNN_UNIT_WORDS;
  g.tile_words = (uint32_t)layer->kernel * layer->kernel * in_words * RBNN_UNIT_WORDS;
  g.sum_words = layer->out_width * RBNN_CONV_SUM_WORDS;
  return g;
}

/* The most input rows that `rows` output rows read. */
static uint32_t rows_read(const rbnn_layer *layer, uint32_t rows)
{
  const uint32_t reach = (rows - 1u) * layer->stride + layer->kernel;
  return reach < layer->in_height ? reach : layer->in_height;
}

/* Words that bands of `rows` rows take in all. */
static uint32_t total_words(const rbnn_layer *layer, const rbnn_conv_geometry *g, uint32_t rows)
{
  return g->fixed_words + (rows == layer->out_height ? g->pass_words : g->tile_words) +
         rows * g->sum_words + rows_read(layer, rows) * g->row_words;
}

/* The most rows that fit, made equal over the number of bands that this needs. */
static uint32_t rows_per_band(const rbnn_layer *layer, const rbnn_conv_geometry *g, uint32_t words)
{
  uint32_t rows = layer->out_height;
  while (rows > 1u && total_words(layer, g, rows) > words) {
    rows--;
  }
  const uint32_t bands = (layer->out_height + rows - 1u) / rows;
  return (layer->out_height + bands - 1u) / bands;
}

uint32_t rbnn_conv_binary_work_bytes(const rbnn_layer *layer)
{
  const rbnn_conv_geometry g = measure(layer);
  const uint32_t whole = total_words(layer, &g, layer->out_height);
  const uint32_t row = total_words(layer, &g, 1);
  return (whole < row ? whole : row) * 4u;
}

/* Constant where the firmware has only one of them. */
static inline bool takes_single_words(const rbnn_conv_geometry *g)
{
  return RBNN_WITH_ODD_WORDS && (!RBNN_WITH_EVEN_WORDS || g->block_words == 1u);
}

static void index_blocks(const rbnn_conv_state *s, uint32_t *indices, const uint32_t *bits,
                         uint32_t blocks)
{
  const uint32_t origin = RBNN_TABLE_ORIGIN(s->tables);
  if (takes_single_words(&s->g)) {
    rbnn_table_index_32(indices, bits, blocks, origin);
  } else {
    rbnn_table_index_64(indices, bits, blocks, origin);
  }
}

/* Padding is +1. */
static void index_padding(const rbnn_conv_state *s, uint32_t *indices, uint32_t blocks)
{
  static const uint32_t ones[2] = {UINT32_MAX, UINT32_MAX};
  for (uint32_t i = 0; i < blocks; i++, indices += s->g.block_groups) {
    index_blocks(s, indices, ones, 1);
  }
}

/* The padding columns of all rows that any band keeps; the bands do not write them. */
static void index_padding_columns(const rbnn_conv_state *s, uint32_t rows)
{
  const uint32_t blocks = s->layer->pad * s->g.pixel_blocks;
  uint32_t *indices = s->indices;
  for (uint32_t y = rows_read(s->layer, rows); y > 0; y--, indices += s->g.row_words) {
    index_padding(s, indices, blocks);
    index_padding(s, indices + s->g.row_words - blocks * s->g.block_groups, blocks);
  }
}

/* Move to the band that begins at output row `top`. */
static void begin_band(rbnn_conv_state *s, uint32_t top, uint32_t most_rows)
{
  const rbnn_layer *layer = s->layer;
  const uint32_t left = layer->out_height - top;
  s->top = top;
  s->rows = left < most_rows ? left : most_rows;
  const uint32_t first = top * layer->stride;
  const uint32_t end = (top + s->rows - 1u) * layer->stride + layer->kernel;
  s->in_top = first > layer->pad ? first - layer->pad : 0;
  uint32_t in_end = end > layer->pad ? end - layer->pad : 0;
  in_end = in_end < layer->in_height ? in_end : layer->in_height;
  s->in_rows = in_end > s->in_top ? in_end - s->in_top : 0;
}

static void index_band(const rbnn_conv_state *s)
{
  const rbnn_layer *layer = s->layer;
  const uint32_t in_words = layer->in_width * (layer->in_channels / 32u);
  const uint32_t *bits = (const uint32_t *)s->run->input + s->in_top * in_words;
  uint32_t *indices = s->indices + layer->pad * s->g.pixel_words;
  for (uint32_t y = 0; y < s->in_rows; y++, bits += in_words, indices += s->g.row_words) {
    index_blocks(s, indices, bits, layer->in_width * s->g.pixel_blocks);
  }
}

static void add(const rbnn_conv_state *s, const rbnn_table_area *area, uint32_t slots)
{
  if (takes_single_words(&s->g)) {
    rbnn_table_add_32(area, slots);
  } else {
    rbnn_table_add_64(area, slots);
  }
}

/* Add the matches of a kernel row that lies outside the input to `rows` rows of sums. */
static void add_outside(const rbnn_conv_state *s, uint32_t *sums, uint32_t rows, uint32_t slots)
{
  uint32_t matches[RBNN_CONV_SUM_WORDS] = {0};
  const rbnn_table_area area = {s->padding, matches, s->tables, 1, 1, 0, 0};
  add(s, &area, slots);
  rbnn_table_add_constant(sums, rows * s->layer->out_width, matches);
}

/* The number of rows of the band whose input row for kernel row `ky` lies above `in_row`, which
 * counts from the first padding row. */
static uint32_t rows_above(const rbnn_conv_state *s, uint32_t ky, uint32_t in_row)
{
  const uint32_t stride = s->layer->stride;
  const uint32_t first = s->top * stride + ky;
  const uint32_t rows = first < in_row ? (in_row - first + stride - 1u) / stride : 0;
  return rows < s->rows ? rows : s->rows;
}

/* Add slots first .. first + slots - 1 of kernel row `ky` to the band. */
static void add_pass(const rbnn_conv_state *s, uint32_t ky, uint32_t first, uint32_t slots)
{
  const rbnn_layer *layer = s->layer;
  /* Rows `from` to `to` of the band find their input row. */
  const uint32_t from = rows_above(s, ky, layer->pad);
  const uint32_t to = rows_above(s, ky, (uint32_t)layer->pad + layer->in_height);
  if (from < to) {
    const uint32_t y = (s->top + from) * layer->stride + ky - layer->pad - s->in_top;
    const rbnn_table_area area = {
        .indices = s->indices + y * s->g.row_words + first * s->g.block_groups,
        .sums = s->sums + from * s->g.sum_words,
        .tables = s->tables,
        .rows = to - from,
        .columns = layer->out_width,
        .column_step = layer->stride * s->g.pixel_words * 4u,
        .row_step = layer->stride * s->g.row_words * 4u,
    };
    add(s, &area, slots);
  }
  if (from > 0) {
    add_outside(s, s->sums, from, slots);
  }
  if (to < s->rows) {
    add_outside(s, s->sums + to * s->g.sum_words, s->rows - to, slots);
  }
}

static void build(const rbnn_conv_state *s, const uint32_t *weights, uint32_t slots)
{
  for (uint32_t slot = 0; slot < slots; slot++) {
    if (takes_single_words(&s->g)) {
      rbnn_table_build_32(s->tables, slot, weights);
    } else {
      rbnn_table_build_64(s->tables, slot, weights);
    }
    weights += s->g.block_words * RBNN_UNIT_WORDS;
  }
}

/* All passes of one tile over one band.
 *   kept  the tile's weights, or NULL to draw them pass by pass */
static void run_band(const rbnn_conv_state *s, uint32_t tile, const uint32_t *kept)
{
  const rbnn_layer *layer = s->layer;
  const rbnn_run *run = s->run;
  rbnn_table_start(s->sums, s->rows * layer->out_width, s->start);

  const uint32_t slot_words = s->g.block_words * RBNN_UNIT_WORDS;
  uint32_t offset = 0;
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    for (uint32_t first = 0; first < s->g.row_slots; first += RBNN_TABLE_SLOTS) {
      const uint32_t left = s->g.row_slots - first;
      const uint32_t slots = left < RBNN_TABLE_SLOTS ? left : RBNN_TABLE_SLOTS;
      const uint32_t words = slots * slot_words;
      const uint32_t *weights = kept != NULL ? kept + offset
                                             : run->source(run->source_context, run->number,
                                                           (tile * s->g.tile_words + offset) * 4u,
                                                           words * 4u, s->weights);
      build(s, weights, slots);
      add_pass(s, ky, first, slots);
      offset += words;
    }
  }
}

/* Bits of a filter. */
static int32_t filter_bits(const rbnn_layer *layer)
{
  return (int32_t)(layer->kernel * layer->kernel * layer->in_channels);
}

/* What the sums of filters first .. first + 15 begin with: minus half the bits of a filter, and
 * minus the threshold where that leaves the signs to take. */
static void prepare_start(rbnn_conv_state *s, uint32_t first)
{
  const int32_t half = filter_bits(s->layer) / 2;
  const int16_t *thresholds = (const int16_t *)s->run->params + first;
  for (uint32_t pair = 0; pair < RBNN_CONV_SUM_WORDS; pair++) {
    uint32_t lanes = 0;
    for (uint32_t lane = 0; lane < 2u; lane++) {
      int32_t start = (int32_t)RBNN_TABLE_BIAS - half;
      if (s->takes_signs) {
        /* Beyond these two no sum goes: thresholds further away are the same. */
        const int32_t threshold = thresholds[2u * pair + lane];
        start -= threshold < -half ? -half : threshold > half ? half + 1 : threshold;
      }
      lanes |= ((uint32_t)start & 0xffffu) << 16u * lane;
    }
    s->start[pair] = lanes;
  }
}

static void finish_band(const rbnn_conv_state *s, const rbnn_stage_tile *stage, uint32_t first)
{
  const uint32_t positions = s->rows * s->layer->out_width;
  if (s->takes_signs) {
    const uint32_t step = s->layer->out_channels / 8u;
    uint8_t *bits = (uint8_t *)s->run->bits + s->top * s->layer->out_width * step + first / 8u;
    rbnn_table_take_signs((rbnn_half_bits *)bits, step, s->sums, positions);
    return;
  }
  if (RBNN_TABLE_BIAS != 0) {
    for (uint32_t i = 0; i < positions * RBNN_CONV_SUM_WORDS; i++) {
      s->sums[i] ^= RBNN_TABLE_BIAS << 16 | RBNN_TABLE_BIAS;
    }
  }
  rbnn_stage_positions(stage, s->run, first, s->top * s->layer->out_width, positions,
                       (const rbnn_half *)s->sums);
}

void rbnn_conv_binary(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  rbnn_conv_state s = {.run = run, .layer = layer, .g = measure(layer)};
  s.takes_signs = layer->stage == RBNN_STAGE_THRESHOLD && filter_bits(layer) < INT16_MAX;
  const uint32_t rows = rows_per_band(layer, &s.g, run->work_bytes / 4u);
  const bool is_whole = rows == layer->out_height;
  s.tables = run->work;
  s.weights = s.tables + s.g.block_groups * (RBNN_TABLE_GROUP_BYTES / 4u);
  s.padding = s.weights + (is_whole ? s.g.pass_words : s.g.tile_words);
  s.sums = s.padding + RBNN_TABLE_SLOTS * s.g.block_groups;
  s.indices = s.sums + rows * s.g.sum_words;
  index_padding(&s, s.padding, RBNN_TABLE_SLOTS);
  index_padding_columns(&s, rows);
  if (is_whole) {
    begin_band(&s, 0, rows);
    index_band(&s);
  }

  const uint32_t tiles = layer->out_channels / RBNN_FILTERS_PER_TILE;
  for (uint32_t tile = 0; tile < tiles; tile++) {
    const uint32_t first = tile * RBNN_FILTERS_PER_TILE;
    rbnn_stage_tile stage;
    rbnn_stage_prepare(&stage, run, first);
    prepare_start(&s, first);
    if (is_whole) {
      run_band(&s, tile, NULL);
      finish_band(&s, &stage, first);
      continue;
    }
    const uint32_t tile_bytes = s.g.tile_words * 4u;
    const uint32_t *weights =
        run->source(run->source_context, run->number, tile * tile_bytes, tile_bytes, s.weights);
    for (uint32_t top = 0; top < layer->out_height; top += rows) {
      begin_band(&s, top, rows);
      index_band(&s);
      run_band(&s, tile, weights);
      finish_band(&s, &stage, first);
    }
  }
}
