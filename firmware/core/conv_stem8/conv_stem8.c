/* SPDX-License-Identifier: Apache-2.0 */
/* 8-bit convolution with 8-bit weights of the task's own, fused pool, stage. Serves windows of 1..7
 * pixels a side, any stride, less padding than the window's side, 1..4 channels, no pool or one of
 * 2x2, no shortcut.
 *
 * Weights are unpacked once, to pairs of 16 bits. The rows of the image that one row of output
 * needs stand as int16, padded; the windows of four positions (those of a pool, or neighbours) are
 * gathered from them, and serve all filters. */
#include <string.h>

#include "core/conv_stem8/conv_stem8_sums.h"
#include "core/kernels.h"
#include "core/layer.h"
#include "core/own_weights.h"
#include "core/stage/stage.h"

typedef struct {
  uint32_t values;     /* of a window, padded to a multiple of four */
  uint32_t pair_words; /* unpacked weights of two filters */
  uint32_t shift;      /* of the sums */
  uint32_t advance;    /* image rows, and columns, from one output position to the next */
  uint32_t rows;       /* of the padded image that a row of output needs */
  uint32_t line;       /* elements of such a row, even */
  uint32_t row_words;  /* a row of sums of one tile */
  /* Places in `work`, in words. */
  uint32_t columns;
  uint32_t weights;
  uint32_t offsets; /* of a window's values in `image`, in elements */
  uint32_t image;
  uint32_t stages;
  uint32_t sums; /* a row of sums for the stage, tile by tile */
  uint32_t end;
} plan;

static plan plan_of(const rbnn_layer *layer)
{
  plan p;
  const uint32_t count = (uint32_t)layer->kernel * layer->kernel * layer->in_channels;
  const uint32_t tiles = layer->out_channels / RBNN_FILTERS_PER_TILE;
  const uint32_t step = layer->pool == 1u ? RBNN_STEM8_POSITIONS : 1u;
  const uint32_t width = (layer->out_width + step - 1u) / step * step;
  p.values = rbnn_own_padded(count);
  p.pair_words = p.values / 2u * RBNN_STEM8_FILTERS;
  p.shift = rbnn_own_stem_shift(count);
  p.advance = (uint32_t)layer->stride * layer->pool;
  p.rows = (layer->pool - 1u) * layer->stride + layer->kernel;
  p.line = ((width * layer->pool - 1u) * layer->stride + layer->kernel) * layer->in_channels;
  p.line += p.line % 2u;
  p.row_words = width * RBNN_FILTERS_PER_TILE / 2u;

  p.columns = 0;
  p.weights = p.columns + p.values / 2u * RBNN_STEM8_POSITIONS;
  p.offsets = p.weights + layer->out_channels / RBNN_STEM8_FILTERS * p.pair_words;
  p.image = p.offsets + p.values;
  p.stages = p.image + p.rows * p.line / 2u;
  p.sums = p.stages + tiles * (uint32_t)sizeof(rbnn_stage_tile) / 4u;
  p.end = p.sums + tiles * p.row_words;
  return p;
}

uint32_t rbnn_conv_stem8_work_bytes(const rbnn_layer *layer)
{
  return 4u * plan_of(layer).end;
}

/* Two weights of one filter, as 16 bits each, from a word of four. */
static uint32_t pair_of(uint32_t four)
{
  const uint32_t bytes = four & 0x00ff00ffu;
  /* Signs: 2^8 less where bit 7 is set, in either half. */
  return ((bytes ^ 0x00800080u) + 0x7f807f80u) ^ 0x80008000u;
}

static void unpack_weights(const plan *p, const rbnn_layer *layer, const int8_t *own,
                           uint32_t *weights)
{
  const uint32_t *const word = (const void *)own;
  const uint32_t fours = p->values / 4u;
  for (uint32_t f = 0; f < layer->out_channels; f++) {
    const uint32_t *four = word + f * fours;
    uint32_t *pair = weights + f / RBNN_STEM8_FILTERS * p->pair_words + f % RBNN_STEM8_FILTERS;
    for (uint32_t i = 0; i < fours; i++, four++, pair += 2u * RBNN_STEM8_FILTERS) {
      pair[0] = pair_of(*four);
      pair[RBNN_STEM8_FILTERS] = pair_of(*four >> 8);
    }
  }
}

/* Where the values of a window are, from that of its first. Those of the padding have a weight of
 * zero and may be any. */
static void place_offsets(const plan *p, const rbnn_layer *layer, uint32_t *offset)
{
  const uint32_t *const end = offset + p->values;
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    for (uint32_t i = 0; i < (uint32_t)layer->kernel * layer->in_channels; i++) {
      *offset++ = ky * p->line + i;
    }
  }
  while (offset < end) {
    *offset++ = 0;
  }
}

/* Row `row` of the padded image. */
static void fill_row(const plan *p, const rbnn_run *run, uint32_t row, rbnn_half *value)
{
  const rbnn_layer *layer = run->layer;
  const rbnn_stem_input *image = run->image;
  const uint32_t channels = layer->in_channels;
  memset(value, 0, 2u * p->line);
  /* Wraps to a huge number above the image. */
  const uint32_t y = row - layer->pad;
  if (y >= layer->in_height) {
    return;
  }
  const uint8_t *line = image->pixels + y * layer->in_width * image->channels;
  const uint32_t most = p->line / channels - layer->pad;
  const uint32_t count = layer->in_width < most ? layer->in_width : most;
  value += layer->pad * channels;
  for (uint32_t c = 0; c < channels; c++, line += image->step) {
    const int32_t offset = image->offsets[c];
    const uint8_t *pixel = line;
    rbnn_half *to = value + c;
#pragma GCC unroll 4
    for (const rbnn_half *end = to + count * channels; to != end; to += channels) {
      *to = (int16_t)(*pixel - offset);
      pixel += image->channels;
    }
  }
}

/* Let the rows of the image follow from those of one output row to those of the next. */
static void slide(const plan *p, const rbnn_run *run, uint32_t y, uint32_t *image)
{
  uint32_t kept = 0;
  if (y > 0 && p->advance < p->rows) {
    kept = p->rows - p->advance;
    uint32_t *to = image;
    const uint32_t *from = image + p->advance * p->line / 2u;
#pragma GCC unroll 4
    for (const uint32_t *end = to + kept * p->line / 2u; to != end;) {
      *to++ = *from++;
    }
  }
  for (uint32_t i = kept; i < p->rows; i++) {
    fill_row(p, run, y * p->advance + i, (rbnn_half *)image + i * p->line);
  }
}

/* The windows of four positions from output column `x` on. */
static void gather(const plan *p, const rbnn_layer *layer, uint32_t x, uint32_t *work)
{
  const uint32_t right = (uint32_t)layer->stride * layer->in_channels;
  const rbnn_half *first = (const rbnn_half *)(work + p->image) + x * layer->pool * right;
  for (uint32_t j = 0; j < RBNN_STEM8_POSITIONS; j++) {
    const rbnn_half *window =
        first + (layer->pool == 1u ? j * right : j / 2u * layer->stride * p->line + j % 2u * right);
    uint32_t *to = work + p->columns + j;
    const uint32_t *offset = work + p->offsets;
#pragma GCC unroll 2
    for (const uint32_t *end = offset + p->values; offset != end; offset += 2) {
      *to = (uint16_t)window[offset[0]] | (uint32_t)(uint16_t)window[offset[1]] << 16;
      to += RBNN_STEM8_POSITIONS;
    }
  }
}

void rbnn_conv_stem8(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const plan p = plan_of(layer);
  const uint32_t tiles = layer->out_channels / RBNN_FILTERS_PER_TILE;
  const uint32_t step = layer->pool == 1u ? RBNN_STEM8_POSITIONS : 1u;
  uint32_t *work = run->work;
  rbnn_stage_tile *stages = (rbnn_stage_tile *)(work + p.stages);
  const uint32_t tile_words = RBNN_FILTERS_PER_TILE / RBNN_STEM8_FILTERS * p.pair_words;
  const rbnn_stem8_windows windows = {work + p.columns, work + p.weights,
                                      p.shift ? 1 << (p.shift - 1u) : 0, p.shift};

  unpack_weights(&p, layer, rbnn_layer_own_weights(layer, run->params), work + p.weights);
  place_offsets(&p, layer, work + p.offsets);
  for (uint32_t tile = 0; tile < tiles; tile++) {
    rbnn_stage_prepare(&stages[tile], run, tile * RBNN_FILTERS_PER_TILE);
  }
  for (uint32_t y = 0; y < layer->out_height; y++) {
    slide(&p, run, y, work + p.image);
    for (uint32_t x = 0; x < layer->out_width; x += step) {
      gather(&p, layer, x, work);
      for (uint32_t tile = 0; tile < tiles; tile++) {
        const uint32_t *weights = work + p.weights + tile * tile_words;
        rbnn_half *row =
            (rbnn_half *)(work + p.sums + tile * p.row_words) + x * RBNN_FILTERS_PER_TILE;
        if (layer->pool == 1u) {
          rbnn_stem8_each(&windows, weights, row);
        } else {
          rbnn_stem8_largest(&windows, weights, row);
        }
      }
    }
    for (uint32_t tile = 0; tile < tiles; tile++) {
      rbnn_stage_row(&stages[tile], run, tile * RBNN_FILTERS_PER_TILE, y,
                     (const rbnn_half *)(work + p.sums + tile * p.row_words));
    }
  }
}
