/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <stddef.h>

#define UNIT_WORDS 16u
#define OCTET 8u

/* The weight of one filter, tap and input channel in a layer's tiles. */
static uint32_t weight_at(const uint32_t *weights, const rbnn_layer *layer, uint32_t filter,
                          uint32_t tap, uint32_t channel)
{
  static const uint8_t lanes[OCTET] = {0, 4, 2, 6, 1, 5, 3, 7};
  const uint32_t taps = (uint32_t)layer->kernel * layer->kernel;
  const uint32_t tile = filter / RBNN_FILTERS_PER_TILE;
  const uint32_t unit = (tile * taps + tap) * (layer->in_channels / 32u) + channel / 32u;
  const uint32_t octet = filter % RBNN_FILTERS_PER_TILE / OCTET;
  const uint32_t word = weights[unit * UNIT_WORDS + channel % 32u / 4u * 2u + octet];
  return word >> (4u * lanes[filter % OCTET] + channel % 4u) & 1u;
}

/* One input bit; padding is 1. */
static uint32_t input_at(const rbnn_run *run, uint32_t y, uint32_t x, uint32_t channel)
{
  const rbnn_layer *layer = run->layer;
  /* Above and left of the input, coordinates have wrapped to huge numbers. */
  if (y >= layer->in_height || x >= layer->in_width) {
    return 1;
  }
  const uint32_t bit = (y * layer->in_width + x) * layer->in_channels + channel;
  return ((const uint32_t *)run->input)[bit / 32u] >> bit % 32u & 1u;
}

void rbnn_conv_binary_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t kernel = layer->kernel;
  const uint32_t *weights =
      run->source(run->source_context, run->number, 0, layer->weights_bytes, run->work);
  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      for (uint32_t filter = 0; filter < layer->out_channels; filter++) {
        int32_t sum = -(int32_t)(kernel * kernel * layer->in_channels / 2u);
        for (uint32_t tap = 0; tap < kernel * kernel; tap++) {
          const uint32_t in_y = y * layer->stride + tap / kernel - layer->pad;
          const uint32_t in_x = x * layer->stride + tap % kernel - layer->pad;
          for (uint32_t channel = 0; channel < layer->in_channels; channel++) {
            sum += input_at(run, in_y, in_x, channel) ==
                   weight_at(weights, layer, filter, tap, channel);
          }
        }
        rbnn_stage_reference(run, y * layer->out_width + x, filter, sum);
      }
    }
  }
}
