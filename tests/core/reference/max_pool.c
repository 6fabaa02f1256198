/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

void rbnn_max_pool_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t *input = run->input;
  const uint32_t words = layer->in_channels / 32u;
  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      for (uint32_t i = 0; i < words; i++) {
        uint32_t any = 0;
        for (uint32_t tap = 0; tap < (uint32_t)layer->kernel * layer->kernel; tap++) {
          const uint32_t row = y * layer->stride + tap / layer->kernel;
          const uint32_t column = x * layer->stride + tap % layer->kernel;
          any |= input[(row * layer->in_width + column) * words + i];
        }
        run->bits[(y * layer->out_width + x) * words + i] = any;
      }
    }
  }
}
