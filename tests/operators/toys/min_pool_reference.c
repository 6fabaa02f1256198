/* SPDX-License-Identifier: Apache-2.0 */
/* The same bit by bit. */
#include "core/kernels.h"

void rbnn_min_pool_reference(const rbnn_run *run);

static uint32_t bit_at(const void *bits, uint32_t number)
{
  return ((const uint32_t *)bits)[number / 32u] >> number % 32u & 1u;
}

void rbnn_min_pool_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->in_channels;
  const uint32_t taps = (uint32_t)layer->kernel * layer->kernel;
  for (uint32_t i = 0; i < (uint32_t)layer->out_height * layer->out_width * channels; i++) {
    const uint32_t y = i / channels / layer->out_width;
    const uint32_t x = i / channels % layer->out_width;
    uint32_t all = 1;
    for (uint32_t tap = 0; tap < taps; tap++) {
      const uint32_t row = y * layer->stride + tap / layer->kernel;
      const uint32_t column = x * layer->stride + tap % layer->kernel;
      all &= bit_at(run->input, (row * layer->in_width + column) * channels + i % channels);
    }
    run->bits[i / 32u] &= ~(1u << i % 32u);
    run->bits[i / 32u] |= all << i % 32u;
  }
}
