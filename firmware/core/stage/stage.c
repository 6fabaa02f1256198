/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stage/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/kernel_features.h"
#include "spec/target.h"

#define SLOPE_ONE (1 << RBNN_SLOPE_FRACTION_BITS)
#define TILE_BYTES (RBNN_FILTERS_PER_TILE * (uint32_t)sizeof(int16_t))

/* Constants where the firmware has only one of them. */
static inline bool is_threshold(const rbnn_layer *layer)
{
  return RBNN_WITH_THRESHOLD && (!RBNN_WITH_RESIDUAL || layer->stage == RBNN_STAGE_THRESHOLD);
}

static inline bool has_rprelu(const rbnn_layer *layer)
{
  return RBNN_WITH_RPRELU && layer->activation == RBNN_ACTIVATION_RPRELU;
}

static inline bool has_sign_thresholds(const rbnn_layer *layer)
{
  return RBNN_WITH_SIGN_THRESHOLDS && layer->sign == RBNN_SIGN_THRESHOLDS;
}

#if RBNN_TARGET_V7EM

/* stage_v7em.S */
void rbnn_stage_threshold_loop(const rbnn_half *sums, rbnn_half_bits *bits, uint32_t skip,
                               uint32_t count, const rbnn_stage_tile *tile);
typedef void residual_loop(const rbnn_half *sums, const rbnn_stage_tile *tile,
                           const int16_t *shortcut, int16_t *stream, uint32_t shortcut_skip,
                           uint32_t stream_skip, const int16_t *end, uint32_t bits_skip,
                           rbnn_half_bits *bits);
residual_loop rbnn_stage_residual_loop;
residual_loop rbnn_stage_rsign_loop;
residual_loop rbnn_stage_rprelu_loop;

_Static_assert(sizeof(((rbnn_stage_tile *)0)->halves[0]) == 144, "as stage_v7em.S reads it");

/* As smlaw wants it: the product's 16 lowest bits fall. */
static int32_t scale_of(int32_t scale, uint32_t shift)
{
  return (int32_t)((uint32_t)scale << (16u - shift));
}

/* In place of what the layer does not have: a shortcut of zeros, a stream that nobody reads. */
void rbnn_stage_positions(const rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first,
                          uint32_t position, uint32_t count, const rbnn_half *sums)
{
  static const int16_t no_shortcut[RBNN_FILTERS_PER_TILE] = {0};
  int16_t no_stream[RBNN_FILTERS_PER_TILE] __attribute__((aligned(4)));
  uint16_t no_bits;
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->out_channels;
  const uint32_t element = position * channels + first;
  rbnn_half_bits *bits = &no_bits;
  uint32_t bits_skip = 0;
  if (run->bits != NULL) {
    bits = (rbnn_half_bits *)run->bits + element / RBNN_FILTERS_PER_TILE;
    bits_skip = channels / RBNN_FILTERS_PER_TILE * (uint32_t)sizeof *bits;
  }
  if (is_threshold(layer)) {
    rbnn_stage_threshold_loop(sums, bits, bits_skip, count, tile);
    return;
  }
  const int16_t *shortcut = no_shortcut;
  uint32_t shortcut_skip = 0u - TILE_BYTES;
  if (run->shortcut != NULL) {
    const uint32_t width = layer->shortcut_channels;
    shortcut = run->shortcut + position * width + first % width;
    shortcut_skip += width * (uint32_t)sizeof *shortcut;
  }
  int16_t *stream = no_stream;
  uint32_t stream_skip = 0u - TILE_BYTES;
  if (run->stream != NULL) {
    stream = run->stream + element;
    stream_skip += channels * (uint32_t)sizeof *stream;
  }
  residual_loop *loop = rbnn_stage_residual_loop;
  if (has_rprelu(layer)) {
    loop = rbnn_stage_rprelu_loop;
  } else if (has_sign_thresholds(layer)) {
    loop = rbnn_stage_rsign_loop;
  }
  loop(sums, tile, shortcut, stream, shortcut_skip, stream_skip,
       sums + count * RBNN_FILTERS_PER_TILE, bits_skip, bits);
}

#else

static int32_t scale_of(int32_t scale, uint32_t shift)
{
  (void)shift;
  return scale;
}

/* Without a branch. */
static int32_t saturate(int32_t value)
{
#if RBNN_TARGET_V7M
  __asm__("ssat %0, #16, %0" : "+r"(value) : : "cc");
  return value;
#else
  const int32_t above = value - INT16_MAX;
  value = INT16_MAX + (above & (above >> 31));
  const int32_t below = value - INT16_MIN;
  return INT16_MIN + (below & ~(below >> 31));
#endif
}

/* 1 where a < b, for values of 17 bits. */
static uint32_t is_less(int32_t a, int32_t b)
{
  return (uint32_t)(a - b) >> 31;
}

/* Which of one position's values are below their thresholds. */
static uint16_t compare(const rbnn_stage_tile *tile, const rbnn_half *sums)
{
  uint32_t less = 0;
  for (uint32_t h = 2; h-- > 0;) {
#pragma GCC unroll 8
    for (uint32_t f = 8; f-- > 0;) {
      less = less << 1 | is_less(sums[8u * h + f], tile->halves[h].thresholds[f]);
    }
  }
  return (uint16_t)less;
}

/* The stream, and which of it is below its threshold; the flags are constants where it is called.
 */
static inline uint16_t finish(const rbnn_stage_tile *tile, const rbnn_half *sums,
                              const int16_t *shortcut, int16_t *stream, bool with_rprelu,
                              bool with_thresholds)
{
  const uint32_t shift = tile->shift;
  uint32_t less = 0;
  for (uint32_t half = 0; half < 2u; half++) {
    const rbnn_stage_affine *affine = tile->halves[half].affine;
    const rbnn_stage_rprelu *rprelu = tile->halves[half].rprelu;
#pragma GCC unroll 8
    for (uint32_t f = 0; f < 8u; f++) {
      const uint32_t pair = f / 2u, lane = f % 2u;
      const int32_t product = affine[pair].scales[lane] * *sums++;
      const int32_t t = saturate(affine[pair].biases[lane] + (product >> shift));
      int32_t r = saturate(*shortcut++ + t);
      if (with_rprelu) {
        const int32_t d = saturate(r - rprelu[pair].points[lane]);
        /* The slope where d is negative, else 1. */
        const int32_t slope = SLOPE_ONE + ((rprelu[pair].slopes[lane] - SLOPE_ONE) & (d >> 31));
        r = saturate((rprelu[pair].offsets[lane] + slope * d) >> RBNN_SLOPE_FRACTION_BITS);
      }
      *stream++ = (int16_t)r;
      const int32_t above = with_thresholds ? r - tile->halves[half].thresholds[f] : r;
      less = less >> 1 | ((uint32_t)above & 0x80000000u);
    }
  }
  return (uint16_t)(less >> 16);
}

void rbnn_stage_positions(const rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first,
                          uint32_t position, uint32_t count, const rbnn_half *sums)
{
  static const int16_t no_shortcut[RBNN_FILTERS_PER_TILE] = {0};
  int16_t no_stream[RBNN_FILTERS_PER_TILE];
  const rbnn_layer *layer = run->layer;
  uint32_t element = position * layer->out_channels + first;
  const int16_t *shortcut = no_shortcut;
  uint32_t shortcut_step = 0;
  if (run->shortcut != NULL) {
    shortcut_step = layer->shortcut_channels;
    shortcut = run->shortcut + position * shortcut_step + first % shortcut_step;
  }
  for (; count; count--, element += layer->out_channels, shortcut += shortcut_step) {
    uint16_t less;
    if (is_threshold(layer)) {
      less = compare(tile, sums);
    } else {
      int16_t *stream = run->stream != NULL ? run->stream + element : no_stream;
      if (has_rprelu(layer)) {
        less = finish(tile, sums, shortcut, stream, true, true);
      } else if (has_sign_thresholds(layer)) {
        less = finish(tile, sums, shortcut, stream, false, true);
      } else {
        less = finish(tile, sums, shortcut, stream, false, false);
      }
    }
    if (run->bits != NULL) {
      ((rbnn_half_bits *)run->bits)[element / RBNN_FILTERS_PER_TILE] = (uint16_t)~less;
    }
    sums += RBNN_FILTERS_PER_TILE;
  }
}

#endif

static void prepare_affine(rbnn_stage_tile *tile, const int16_t *scales, const int16_t *biases,
                           uint32_t shift)
{
  for (uint32_t half = 0; half < 2u; half++) {
    for (rbnn_stage_affine *affine = tile->halves[half].affine;
         affine != tile->halves[half].affine + 4; affine++) {
      affine->scales[0] = scale_of(*scales++, shift);
      affine->scales[1] = scale_of(*scales++, shift);
      affine->biases[0] = *biases++;
      affine->biases[1] = *biases++;
    }
  }
}

/* Groups `channels` apart: points, slopes, offsets. */
static void prepare_rprelu(rbnn_stage_tile *tile, const int16_t *group, uint32_t channels)
{
  for (uint32_t half = 0; half < 2u; half++) {
    for (rbnn_stage_rprelu *rprelu = tile->halves[half].rprelu;
         rprelu != tile->halves[half].rprelu + 4; rprelu++) {
      for (uint32_t lane = 0; lane < 2u; lane++, group++) {
        rprelu->points[lane] = group[0];
        rprelu->slopes[lane] = group[channels];
        rprelu->offsets[lane] = group[2u * channels] * SLOPE_ONE;
      }
    }
  }
}

void rbnn_stage_prepare(rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->out_channels;
  const int16_t *group = (const int16_t *)run->params + first;
  if (!is_threshold(layer)) {
    tile->shift = *(const uint16_t *)run->params;
    group += 2;
    prepare_affine(tile, group, group + channels, tile->shift);
    group += 2u * channels;
    if (has_rprelu(layer)) {
      prepare_rprelu(tile, group, channels);
      group += 3u * channels;
    }
  }
  if (is_threshold(layer) || has_sign_thresholds(layer)) {
    memcpy(tile->halves[0].thresholds, group, sizeof tile->halves[0].thresholds);
    memcpy(tile->halves[1].thresholds, group + 8, sizeof tile->halves[1].thresholds);
  } else {
    memset(tile->halves[0].thresholds, 0, sizeof tile->halves[0].thresholds);
    memset(tile->halves[1].thresholds, 0, sizeof tile->halves[1].thresholds);
  }
}

void rbnn_stage_row(const rbnn_stage_tile *tile, const rbnn_run *run, uint32_t first, uint32_t y,
                    const rbnn_half *sums)
{
  const uint32_t width = run->layer->out_width;
  rbnn_stage_positions(tile, run, first, y * width, width, sums);
}
