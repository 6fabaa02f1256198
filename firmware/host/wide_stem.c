/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

/* Outputs whose windows' sums are kept together: those of a block, one at least. */
static uint32_t kept_outputs(const rbnn_layer *layer)
{
  const uint32_t windows = (uint32_t)layer->pool * layer->pool;
  return windows < RBNN_WIDE_POSITIONS ? RBNN_WIDE_POSITIONS / windows : 1u;
}

static uint32_t kept_windows(const rbnn_layer *layer)
{
  return kept_outputs(layer) * layer->pool * layer->pool;
}

static uint32_t padded_width(const rbnn_layer *layer)
{
  return layer->in_width + 2u * layer->pad;
}

/* A kernel row is read in whole words of 4 bytes, the last of them 3 bytes too far. */
static size_t padded_bytes(const rbnn_layer *layer)
{
  return rbnn_wide_round_up(
      (size_t)(layer->in_height + 2u * layer->pad) * padded_width(layer) * layer->in_channels + 3u);
}

static size_t sums_bytes(const rbnn_layer *layer)
{
  return rbnn_wide_round_up((size_t)kept_windows(layer) *
                            rbnn_wide_row_filters(layer->out_channels) * 2u);
}

static size_t shares_bytes(const rbnn_layer *layer)
{
  return rbnn_wide_round_up((size_t)rbnn_wide_row_filters(layer->out_channels) * 4u);
}

size_t rbnn_wide_stem_work_bytes(const rbnn_layer *layer)
{
  return sums_bytes(layer) + shares_bytes(layer) + padded_bytes(layer);
}

/* `count` pixels of the offsets' own values: zeros, once these are subtracted. */
static uint8_t *fill(uint8_t *to, const rbnn_run *run, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t c = 0; c < run->layer->in_channels; c++) {
      *to++ = (uint8_t)run->image->offsets[c];
    }
  }
  return to;
}

/* Copy the image, as many channels as the network has, into a frame of offsets. */
static void pad_image(const rbnn_run *run, uint8_t *to)
{
  const rbnn_layer *layer = run->layer;
  const uint8_t *pixel = run->image->pixels;
  to = fill(to, run, layer->pad * padded_width(layer));
  for (uint32_t y = 0; y < layer->in_height; y++) {
    to = fill(to, run, layer->pad);
    if (run->image->step == 1u && run->image->channels == layer->in_channels) {
      const uint32_t row_bytes = (uint32_t)layer->in_width * layer->in_channels;
      memcpy(to, pixel, row_bytes);
      to += row_bytes;
      pixel += row_bytes;
    } else {
      for (uint32_t x = 0; x < layer->in_width; x++, pixel += run->image->channels) {
        for (uint32_t c = 0; c < layer->in_channels; c++) {
          *to++ = pixel[c * run->image->step];
        }
      }
    }
    to = fill(to, run, layer->pad);
  }
  to = fill(to, run, layer->pad * padded_width(layer));
  memset(to, 0, 3);
}

/* The products of windows with one group's weights: sums[p][v]. */
RBNN_WIDE_INLINE void multiply(const rbnn_layer *layer, const uint8_t *const *windows,
                               uint32_t positions, uint32_t pitch, const uint32_t *weights,
                               rbnn_wide sums[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS])
{
  const uint32_t row_bytes = layer->kernel * (uint32_t)layer->in_channels;
  for (uint32_t p = 0; p < positions; p++) {
    for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
      sums[p][v] = rbnn_wide_splat(0);
    }
  }
  for (uint32_t row = 0; row < layer->kernel; row++) {
    for (uint32_t at = 0; at < row_bytes; at += 4u, weights += RBNN_WIDE_FILTERS) {
      rbnn_wide w[RBNN_WIDE_VECTORS];
      for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
        w[v] = rbnn_wide_load(weights + v * RBNN_WIDE_LANES);
      }
      for (uint32_t p = 0; p < positions; p++) {
        uint32_t bytes;
        memcpy(&bytes, windows[p] + row * pitch + at, sizeof bytes);
        for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
          sums[p][v] = rbnn_wide_dot(sums[p][v], bytes, w[v]);
        }
      }
    }
  }
}

/* What a window of offsets gives each filter; taken off every sum. */
static void sum_offsets(const rbnn_run *run, const uint32_t *wide, uint32_t steps, uint32_t *shares)
{
  uint8_t window[RBNN_MAX_KERNEL * RBNN_MAX_KERNEL * RBNN_MAX_INPUT_CHANNELS + 3u] = {0};
  const rbnn_layer *layer = run->layer;
  const uint8_t *corner = window;
  fill(window, run, (uint32_t)layer->kernel * layer->kernel);
  for (uint32_t first = 0; first < rbnn_wide_row_filters(layer->out_channels);
       first += RBNN_WIDE_FILTERS) {
    rbnn_wide sums[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS];
    multiply(layer, &corner, 1u, layer->kernel * (uint32_t)layer->in_channels, wide + first * steps,
             sums);
    memcpy(shares + first, sums[0], sizeof sums[0]);
  }
}

RBNN_WIDE_INLINE void sum_windows(const rbnn_layer *layer, const uint8_t *const *windows,
                                  uint32_t positions, const uint32_t *wide, uint32_t steps,
                                  const uint32_t *shares, int16_t *sums)
{
  const uint32_t filters = rbnn_wide_row_filters(layer->out_channels);
  for (uint32_t first = 0; first < filters; first += RBNN_WIDE_FILTERS) {
    rbnn_wide products[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS];
    multiply(layer, windows, positions, padded_width(layer) * layer->in_channels,
             wide + first * steps, products);
    for (uint32_t p = 0; p < positions; p++) {
      for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
        const uint32_t at = first + v * RBNN_WIDE_LANES;
        rbnn_wide_store_sums(sums + p * filters + at, products[p][v] - rbnn_wide_load(shares + at));
      }
    }
  }
}

/* The greatest of each `windows` rows of sums; output i's into row i. */
static void keep_greatest(int16_t *sums, uint32_t filters, uint32_t outputs, uint32_t windows)
{
  for (uint32_t i = 0; i < outputs; i++) {
    const int16_t *from = sums + i * windows * filters;
    for (uint32_t first = 0; first < filters; first += RBNN_WIDE_LANES) {
      rbnn_wide_store_greatest(sums + i * filters + first, from + first, windows, filters);
    }
  }
}

/* A window of the stem: of output (y, x), (inner_y, inner_x) in its pool. */
typedef struct {
  uint32_t y, x, inner_y, inner_x;
} cursor;

/* Move on, inner windows first. */
static void advance(cursor *at, uint32_t pool, uint32_t out_width)
{
  if (++at->inner_x < pool) {
    return;
  }
  at->inner_x = 0;
  if (++at->inner_y < pool) {
    return;
  }
  at->inner_y = 0;
  if (++at->x == out_width) {
    at->x = 0;
    at->y++;
  }
}

void rbnn_wide_stem(const rbnn_run *run, const uint32_t *wide)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t pool = layer->pool;
  const uint32_t out_width = layer->out_width;
  const uint32_t kept = kept_outputs(layer);
  const uint32_t filters = rbnn_wide_row_filters(layer->out_channels);
  const uint32_t steps = layer->kernel * ((layer->kernel * (uint32_t)layer->in_channels + 3u) / 4u);
  const uint32_t total = (uint32_t)layer->out_height * layer->out_width;
  const uint32_t step = (uint32_t)layer->stride * layer->in_channels;
  const uint32_t row_step = padded_width(layer) * step;
  int16_t *sums = (int16_t *)run->work;
  uint32_t *shares = run->work + sums_bytes(layer) / 4u;
  uint8_t *image = (uint8_t *)(shares + shares_bytes(layer) / 4u);
  cursor at = {0, 0, 0, 0};
  pad_image(run, image);
  sum_offsets(run, wide, steps, shares);

  for (uint32_t first = 0; first < total; first += kept) {
    const uint32_t left = total - first;
    const uint32_t outputs = left < kept ? left : kept;
    const uint32_t count = outputs * pool * pool;
    const uint8_t *windows[RBNN_WIDE_POSITIONS];
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < count; i++, advance(&at, pool, out_width)) {
      const uint32_t y = at.y * pool + at.inner_y;
      const uint32_t x = at.x * pool + at.inner_x;
      windows[waiting++] = image + y * row_step + x * step;
      if (waiting == RBNN_WIDE_POSITIONS) {
        sum_windows(layer, windows, RBNN_WIDE_POSITIONS, wide, steps, shares,
                    sums + (i + 1u - waiting) * filters);
        waiting = 0;
      }
    }
    for (uint32_t p = 0; p < waiting; p++) {
      sum_windows(layer, windows + p, 1u, wide, steps, shares,
                  sums + (count + p - waiting) * filters);
    }
    if (pool > 1u) {
      keep_greatest(sums, filters, outputs, pool * pool);
    }
    rbnn_wide_stage(run, first, outputs, sums);
  }
}
