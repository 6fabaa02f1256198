/* SPDX-License-Identifier: Apache-2.0 */
/* 8-bit convolution, fused pool, stage. Serves windows of 1..7 pixels a side and of 128 values at
 * most (their sums fit int16), any stride, less padding than the window's side, 1..4 channels, no
 * pool or one of 2x2, no shortcut.
 *
 * The layer's weights are expanded once, to addresses of table entries, and serve all positions.
 * The rows of the image that one row of output needs stand as int16 planes, one for each channel
 * and column modulo `phases`, so that the pixels of neighbouring positions are neighbours. */
#include <stddef.h>
#include <string.h>

#include "core/conv_stem/conv_stem_lanes.h"
#include "core/conv_stem/conv_stem_tail.h"
#include "core/kernels.h"
#include "core/stage/stage.h"

typedef struct {
  uint32_t values; /* of a window, padded to whole groups */
  uint32_t groups; /* of which the first `wide` hold five values, the others four */
  uint32_t wide;
  uint32_t step;             /* positions, after the pool, that are computed at once */
  uint32_t phases;           /* columns from one position to the next */
  uint32_t rows;             /* of the padded image, kept as planes */
  uint32_t length;           /* elements of a plane, even */
  uint32_t row_plane_words;  /* all planes of a row */
  uint32_t row_turned_words; /* a row of sums of one tile */
  uint32_t row_words;        /* of a filter's bits */
  /* Places in `work`, in words. */
  uint32_t planes; /* rows, channels, phases; then one of zeros */
  uint32_t zeros;
  uint32_t sources;
  uint32_t tables;
  uint32_t codes;
  uint32_t stages;
  uint32_t sums;
  uint32_t turned; /* a row of sums for the stage, tile by tile */
  uint32_t end;
} plan;

static plan plan_of(const rbnn_layer *layer)
{
  plan p;
  const uint32_t count = (uint32_t)layer->kernel * layer->kernel * layer->in_channels;
  const uint32_t tiles = layer->out_channels / RBNN_FILTERS_PER_TILE;
  p.groups = (count + RBNN_STEM_WIDE - 1u) / RBNN_STEM_WIDE;
  p.groups = (p.groups + RBNN_STEM_STRIDE - 1u) / RBNN_STEM_STRIDE * RBNN_STEM_STRIDE;
  p.values = count < RBNN_STEM_NARROW * p.groups ? RBNN_STEM_NARROW * p.groups : count;
  p.wide = p.values - RBNN_STEM_NARROW * p.groups;
  p.step = layer->pool == 1u ? RBNN_STEM_LANES : RBNN_STEM_LANES / 4u;
  p.phases = (uint32_t)layer->stride * layer->pool;
  p.rows = (layer->pool - 1u) * layer->stride + layer->kernel;
  const uint32_t width = (layer->out_width + p.step - 1u) / p.step * p.step;
  p.length = width + (p.rows - 1u) / p.phases;
  p.length += p.length % 2u;
  p.row_plane_words = layer->in_channels * p.phases * p.length / 2u;
  p.row_turned_words = width * RBNN_FILTERS_PER_TILE / 2u;
  p.row_words = (count + 31u) / 32u;

  p.planes = 0;
  p.zeros = p.planes + p.rows * p.row_plane_words;
  p.sources = p.zeros + (p.length + RBNN_STEM_LANES) / 2u;
  p.tables = p.sources + p.values * RBNN_STEM_WORDS;
  p.codes = p.tables + ((p.groups + p.wide) << RBNN_STEM_NARROW) * RBNN_STEM_WORDS;
  p.stages = p.codes + layer->out_channels * p.groups;
  p.sums = p.stages + tiles * (uint32_t)sizeof(rbnn_stem_tail) / 4u;
  p.turned = p.sums + RBNN_FILTERS_PER_TILE * RBNN_STEM_WORDS;
  p.end = p.turned + tiles * p.row_turned_words;
  return p;
}

uint32_t rbnn_conv_stem_work_bytes(const rbnn_layer *layer)
{
  return 4u * plan_of(layer).end;
}

/* Where the four words of every value are found for position 0. Called once a layer: a function of
 * its own is smaller. */
__attribute__((noinline)) static void place_sources(const plan *p, const rbnn_layer *layer,
                                                    uint32_t *work)
{
  const uintptr_t origin = RBNN_STEM_ORIGIN(work);
  uint32_t *source = work + p->sources;
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    for (uint32_t kx = 0; kx < layer->kernel; kx++) {
      for (uint32_t c = 0; c < layer->in_channels; c++) {
        for (uint32_t j = 0; j < RBNN_STEM_WORDS; j++) {
          /* With a pool, word j is for the j-th position of two windows. */
          const uint32_t row = layer->pool == 1u ? ky : ky + j / 2u * layer->stride;
          const uint32_t column = layer->pool == 1u ? kx : kx + j % 2u * layer->stride;
          const uint32_t first = layer->pool == 1u ? 2u * j : 0u;
          const uint32_t plane = (row * layer->in_channels + c) * p->phases + column % p->phases;
          const rbnn_half *element = (const rbnn_half *)(work + p->planes) + plane * p->length +
                                     column / p->phases + first;
          *source++ = (uint32_t)((uintptr_t)element - origin);
        }
      }
    }
  }
  while (source < work + p->tables) {
    *source++ = (uint32_t)((uintptr_t)(work + p->zeros) - origin);
  }
}

/* From the bits of one tile to addresses of table entries. */
static void place_codes(const plan *p, const uint32_t *rows, uint32_t *work, uint32_t *codes)
{
  const uint32_t tables = (uint32_t)((uintptr_t)(work + p->tables) - RBNN_STEM_ORIGIN(work));
  for (uint32_t f = 0; f < RBNN_FILTERS_PER_TILE; f++, rows += p->row_words) {
    uint32_t table = tables;
    uint32_t bit = 0;
    for (uint32_t g = 0; g < p->groups; g++) {
      const uint32_t values = g < p->wide ? RBNN_STEM_WIDE : RBNN_STEM_NARROW;
      /* Bits after the row's end belong to values that are zero. */
      const uint32_t word = bit / 32u;
      uint32_t bits = word < p->row_words ? rows[word] >> (bit % 32u) : 0u;
      if (bit % 32u + values > 32u && word + 1u < p->row_words) {
        bits |= rows[word + 1u] << (32u - bit % 32u);
      }
      *codes++ = table + (bits & ((1u << values) - 1u)) * RBNN_STEM_ENTRY_BYTES;
      table += RBNN_STEM_ENTRY_BYTES << values;
      bit += values;
    }
  }
}

/* Twice the values of row `row` of the padded image into its planes. */
static void fill_row(const plan *p, const rbnn_run *run, uint32_t row, rbnn_half *plane)
{
  const rbnn_layer *layer = run->layer;
  const rbnn_stem_input *image = run->image;
  /* Wraps to a huge number above the image. */
  const uint32_t y = row - layer->pad;
  if (y >= layer->in_height) {
    memset(plane, 0, 4u * p->row_plane_words);
    return;
  }
  const uint32_t jump = p->phases * image->channels;
  const uint8_t *line = image->pixels + y * layer->in_width * image->channels;
  for (uint32_t c = 0; c < layer->in_channels; c++, line += image->step) {
    const int32_t offset = 2 * image->offsets[c];
    for (uint32_t phase = 0; phase < p->phases; phase++, plane += p->length) {
      const uint32_t x = (phase + (p->phases - 1u) * layer->pad) % p->phases;
      const uint32_t i = (x + layer->pad) / p->phases;
      uint32_t count = x < layer->in_width ? (layer->in_width - x - 1u) / p->phases + 1u : 0u;
      count = i + count < p->length ? count : p->length - i;
      const uint8_t *pixel = line + x * image->channels;
      rbnn_half *value = plane + i;
#pragma GCC unroll 4
      for (const rbnn_half *end = value + count; value != end; pixel += jump) {
        *value++ = (int16_t)(2 * *pixel - offset);
      }
    }
  }
}

/* Let the planes follow from the rows of one output row to those of the next. */
static void slide(const plan *p, const rbnn_run *run, uint32_t y, uint32_t *work)
{
  uint32_t *planes = work + p->planes;
  uint32_t kept = 0;
  if (y > 0 && p->phases < p->rows) {
    kept = p->rows - p->phases;
    uint32_t *to = planes;
    const uint32_t *from = planes + p->phases * p->row_plane_words;
#pragma GCC unroll 4
    for (const uint32_t *end = to + kept * p->row_plane_words; to != end;) {
      *to++ = *from++;
    }
  }
  for (uint32_t i = kept; i < p->rows; i++) {
    fill_row(p, run, y * p->phases + i, (rbnn_half *)(planes + i * p->row_plane_words));
  }
}

/* Positions x .. x + step - 1 of row `y`: bits, or sums for the stage. */
static void run_step(const plan *p, const rbnn_run *run, uint32_t y, uint32_t x)
{
  const rbnn_layer *layer = run->layer;
  uint32_t *work = run->work;
  uint32_t *sums = work + p->sums;
  const uintptr_t origin = RBNN_STEM_ORIGIN(work);
  const uint32_t left = layer->out_width - x;
  const uint32_t count = left < p->step ? left : p->step;
  const rbnn_stem_tail *tail = (const rbnn_stem_tail *)(work + p->stages);
  const uint32_t *codes = work + p->codes;
  uint32_t *row = work + p->turned + x * RBNN_FILTERS_PER_TILE / 2u;
  rbnn_stem_tables(origin, work + p->sources, 2u * x, p->wide, p->groups - p->wide,
                   work + p->tables);
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE, tail++) {
    rbnn_stem_sums(origin, codes, p->groups, sums);
    if (rbnn_stem_tail_compares(layer)) {
      rbnn_stem_tail_compare(tail, run, first, y * layer->out_width + x, count, sums);
    } else {
      rbnn_stem_tail_turn(layer, sums, (rbnn_half *)row);
    }
    codes += RBNN_FILTERS_PER_TILE * p->groups;
    row += p->row_turned_words;
  }
}

void rbnn_conv_stem(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const plan p = plan_of(layer);
  const uint32_t tiles = layer->out_channels / RBNN_FILTERS_PER_TILE;
  const uint32_t tile_bytes = RBNN_FILTERS_PER_TILE * 4u * p.row_words;
  uint32_t *work = run->work;
  rbnn_stem_tail *tails = (rbnn_stem_tail *)(work + p.stages);

  memset(work, 0, 4u * p.sources);
  place_sources(&p, layer, work);
  for (uint32_t tile = 0; tile < tiles; tile++) {
    const uint32_t first = tile * RBNN_FILTERS_PER_TILE;
    /* The tables are not built yet. */
    const uint32_t *rows = run->source(run->source_context, run->number, tile * tile_bytes,
                                       tile_bytes, work + p.tables);
    place_codes(&p, rows, work, work + p.codes + first * p.groups);
    rbnn_stem_tail_prepare(&tails[tile], run, first);
  }
  for (uint32_t y = 0; y < layer->out_height; y++) {
    slide(&p, run, y, work);
    for (uint32_t x = 0; x < layer->out_width; x += p.step) {
      run_step(&p, run, y, x);
    }
    for (uint32_t tile = 0; tile < tiles && !rbnn_stem_tail_compares(layer); tile++) {
      rbnn_stage_row(&tails[tile].stage, run, tile * RBNN_FILTERS_PER_TILE, y,
                     (const rbnn_half *)(work + p.turned + tile * p.row_turned_words));
    }
  }
}
