/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

static size_t padded_bytes(const rbnn_layer *layer)
{
  if (layer->pad == 0) {
    return 0;
  }
  return rbnn_wide_round_up((size_t)(layer->in_height + 2u * layer->pad) *
                            (layer->in_width + 2u * layer->pad) * layer->in_channels / 8u);
}

static size_t sums_bytes(const rbnn_layer *layer)
{
  const size_t filters = rbnn_wide_row_filters(layer->out_channels);
  return rbnn_wide_round_up(RBNN_WIDE_POSITIONS * filters * 2u);
}

size_t rbnn_wide_conv_work_bytes(const rbnn_layer *layer)
{
  return padded_bytes(layer) + sums_bytes(layer);
}

/* Copy the input into a frame of ones. */
static void pad_ones(const rbnn_layer *layer, const uint32_t *input, uint32_t *padded)
{
  const size_t row_bytes = (size_t)layer->in_width * layer->in_channels / 8u;
  const size_t side_bytes = (size_t)layer->pad * layer->in_channels / 8u;
  const size_t edge_bytes = layer->pad * (row_bytes + 2u * side_bytes);
  const uint8_t *from = (const uint8_t *)input;
  uint8_t *to = (uint8_t *)padded;
  memset(to, 0xff, edge_bytes);
  to += edge_bytes;
  for (uint32_t y = 0; y < layer->in_height; y++, from += row_bytes) {
    memset(to, 0xff, side_bytes);
    memcpy(to + side_bytes, from, row_bytes);
    memset(to + side_bytes + row_bytes, 0xff, side_bytes);
    to += row_bytes + 2u * side_bytes;
  }
  memset(to, 0xff, edge_bytes);
}

/* The sums of a block of windows, all filters. `positions` is a constant of the caller. */
RBNN_WIDE_INLINE void sum_windows(const rbnn_layer *layer, const uint32_t *const *windows,
                                  uint32_t positions, uint32_t pitch, const uint32_t *wide,
                                  int16_t *sums)
{
  const uint32_t row_words = layer->kernel * layer->in_channels / 32u;
  const uint32_t half = layer->kernel * row_words * 16u;
  const uint32_t groups = rbnn_wide_groups(layer->out_channels);
  const uint32_t group_words = layer->kernel * row_words * RBNN_WIDE_FILTERS;
  for (uint32_t group = 0; group < groups; group++) {
    rbnn_wide counts[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS];
    rbnn_wide_count(windows, positions, layer->kernel, row_words, pitch, wide + group * group_words,
                    counts);
    for (uint32_t p = 0; p < positions; p++) {
      for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
        /* matches - n/2 = n - differences - n/2 */
        rbnn_wide_store_sums(sums + (p * groups + group) * RBNN_WIDE_FILTERS + v * RBNN_WIDE_LANES,
                             half - counts[p][v]);
      }
    }
  }
}

void rbnn_wide_conv(const rbnn_run *run, const uint32_t *wide)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t words = layer->in_channels / 32u;
  const uint32_t pitch = (layer->in_width + 2u * layer->pad) * words;
  int16_t *sums = (int16_t *)run->work;
  const uint32_t *input = run->input;
  if (layer->pad != 0) {
    uint32_t *padded = run->work + sums_bytes(layer) / 4u;
    pad_ones(layer, input, padded);
    input = padded;
  }
  const uint32_t *windows[RBNN_WIDE_POSITIONS];
  uint32_t waiting = 0;
  uint32_t done = 0;
  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      windows[waiting++] = input + y * layer->stride * pitch + x * layer->stride * words;
      if (waiting == RBNN_WIDE_POSITIONS) {
        sum_windows(layer, windows, RBNN_WIDE_POSITIONS, pitch, wide, sums);
        rbnn_wide_stage(run, done, RBNN_WIDE_POSITIONS, sums);
        done += RBNN_WIDE_POSITIONS;
        waiting = 0;
      }
    }
  }
  for (uint32_t p = 0; p < waiting; p++) {
    sum_windows(layer, windows + p, 1u, pitch, wide, sums);
    rbnn_wide_stage(run, done + p, 1u, sums);
  }
}
