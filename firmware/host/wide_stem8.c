/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/layer.h"
#include "core/own_weights.h"
#include "host/wide.h"
#include "host/wide_block.h"

#define CHANNELS 32u /* that are summed together */
#define MOST_WINDOWS 4u

static uint32_t window_values(const rbnn_layer *layer)
{
  return (uint32_t)layer->kernel * layer->kernel * layer->in_channels;
}

static uint32_t padded_row(const rbnn_layer *layer)
{
  return (layer->in_width + 2u * layer->pad) * layer->in_channels;
}

static size_t sums_bytes(const rbnn_layer *layer)
{
  return rbnn_wide_round_up(rbnn_wide_row_filters(layer->out_channels) * 2u);
}

/* Of 32 bits, value by value with all filters. */
static size_t weights_bytes(const rbnn_layer *layer)
{
  return rbnn_wide_round_up((size_t)window_values(layer) * layer->out_channels * 4u);
}

static size_t image_bytes(const rbnn_layer *layer)
{
  return rbnn_wide_round_up((size_t)(layer->in_height + 2u * layer->pad) * padded_row(layer) * 4u);
}

size_t rbnn_wide_stem8_work_bytes(const rbnn_layer *layer)
{
  return sums_bytes(layer) + weights_bytes(layer) + image_bytes(layer);
}

static void unpack_weights(const rbnn_run *run, int32_t *weights)
{
  static const uint32_t places[4] = {0, 2, 1, 3};
  const rbnn_layer *layer = run->layer;
  const uint32_t count = window_values(layer);
  const int8_t *own = rbnn_layer_own_weights(layer, run->params);
  for (uint32_t f = 0; f < layer->out_channels; f++, own += rbnn_own_padded(count)) {
    for (uint32_t i = 0; i < count; i++) {
      weights[i * layer->out_channels + f] = own[i / 4u * 4u + places[i % 4u]];
    }
  }
}

static void pad_image(const rbnn_run *run, int32_t *to)
{
  const rbnn_layer *layer = run->layer;
  const rbnn_stem_input *image = run->image;
  const uint8_t *pixel = image->pixels;
  memset(to, 0, image_bytes(layer));
  for (uint32_t y = 0; y < layer->in_height; y++) {
    int32_t *value = to + (y + layer->pad) * padded_row(layer) + layer->pad * layer->in_channels;
    for (uint32_t x = 0; x < layer->in_width; x++, pixel += image->channels) {
      for (uint32_t c = 0; c < layer->in_channels; c++) {
        *value++ = pixel[c * image->step] - image->offsets[c];
      }
    }
  }
}

/* The sums of products of some windows with CHANNELS filters, the greatest of each filter's. */
RBNN_WIDE_INLINE void multiply(const rbnn_layer *layer, const int32_t *const *windows,
                               uint32_t count, const int32_t *weights, int32_t *greatest)
{
  int32_t sums[MOST_WINDOWS][CHANNELS] = {0};
  const uint32_t run = layer->kernel * (uint32_t)layer->in_channels;
  for (uint32_t row = 0; row < layer->kernel; row++) {
    for (uint32_t i = 0; i < run; i++, weights += layer->out_channels) {
      for (uint32_t j = 0; j < count; j++) {
        const int32_t value = windows[j][row * padded_row(layer) + i];
        for (uint32_t f = 0; f < CHANNELS; f++) {
          sums[j][f] += value * weights[f];
        }
      }
    }
  }
  memcpy(greatest, sums[0], sizeof sums[0]);
  for (uint32_t j = 1; j < count; j++) {
    for (uint32_t f = 0; f < CHANNELS; f++) {
      greatest[f] = sums[j][f] > greatest[f] ? sums[j][f] : greatest[f];
    }
  }
}

void rbnn_wide_stem8(const rbnn_run *run, const uint32_t *wide)
{
  (void)wide;
  const rbnn_layer *layer = run->layer;
  const uint32_t shift = rbnn_own_stem_shift(window_values(layer));
  const int32_t half = shift ? 1 << (shift - 1u) : 0;
  const uint32_t step = (uint32_t)layer->stride * layer->in_channels;
  const uint32_t row_step = layer->stride * padded_row(layer);
  int16_t *sums = (int16_t *)run->work;
  int32_t *weights = (int32_t *)(run->work + sums_bytes(layer) / 4u);
  int32_t *image = weights + weights_bytes(layer) / 4u;
  unpack_weights(run, weights);
  pad_image(run, image);
  for (uint32_t at = 0; at < (uint32_t)layer->out_height * layer->out_width; at++) {
    const int32_t *corner = image + at / layer->out_width * layer->pool * row_step +
                            at % layer->out_width * layer->pool * step;
    const uint32_t right = layer->pool == 1u ? 0 : step;
    const uint32_t down = layer->pool == 1u ? 0 : row_step;
    const int32_t *const windows[MOST_WINDOWS] = {corner, corner + right, corner + down,
                                                  corner + down + right};
    for (uint32_t first = 0; first < layer->out_channels; first += CHANNELS) {
      int32_t greatest[CHANNELS];
      if (layer->pool == 1u) {
        multiply(layer, windows, 1u, weights + first, greatest);
      } else {
        multiply(layer, windows, MOST_WINDOWS, weights + first, greatest);
      }
      for (uint32_t f = 0; f < CHANNELS; f++) {
        sums[first + f] = (int16_t)((greatest[f] + half) >> shift);
      }
    }
    rbnn_wide_stage(run, at, 1u, sums);
  }
}
