/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

void rbnn_average_pool_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int16_t *input = run->input;
  const uint32_t channels = layer->in_channels;
  const int32_t area = layer->kernel * layer->kernel;
  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      for (uint32_t c = 0; c < channels; c++) {
        int32_t sum = area / 2;
        for (uint32_t tap = 0; tap < (uint32_t)area; tap++) {
          const uint32_t row = y * layer->stride + tap / layer->kernel;
          const uint32_t column = x * layer->stride + tap % layer->kernel;
          sum += input[(row * layer->in_width + column) * channels + c];
        }
        const int32_t mean = sum >= 0 ? sum / area : -((-sum + area - 1) / area);
        run->stream[(y * layer->out_width + x) * channels + c] = (int16_t)mean;
      }
    }
  }
}
