/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#define CHANNELS 8u

void rbnn_average_pool(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->in_channels;
  const uint32_t line = layer->in_width * channels;
  int16_t *output = run->stream;
  uint32_t shift = 0;
  while (1u << shift < (uint32_t)layer->kernel * layer->kernel) {
    shift++;
  }
  const int32_t half = (int32_t)((1u << shift) >> 1);

  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      const int16_t *corner =
          (const int16_t *)run->input + y * layer->stride * line + x * layer->stride * channels;
      for (uint32_t c = 0; c < channels; c += CHANNELS, corner += CHANNELS, output += CHANNELS) {
        int32_t s0 = half, s1 = half, s2 = half, s3 = half;
        int32_t s4 = half, s5 = half, s6 = half, s7 = half;
        for (uint32_t ky = 0; ky < layer->kernel; ky++) {
          const int16_t *value = corner + ky * line;
          for (const int16_t *end = value + layer->kernel * channels; value != end;
               value += channels) {
            s0 += value[0];
            s1 += value[1];
            s2 += value[2];
            s3 += value[3];
            s4 += value[4];
            s5 += value[5];
            s6 += value[6];
            s7 += value[7];
          }
        }
        output[0] = (int16_t)(s0 >> shift);
        output[1] = (int16_t)(s1 >> shift);
        output[2] = (int16_t)(s2 >> shift);
        output[3] = (int16_t)(s3 >> shift);
        output[4] = (int16_t)(s4 >> shift);
        output[5] = (int16_t)(s5 >> shift);
        output[6] = (int16_t)(s6 >> shift);
        output[7] = (int16_t)(s7 >> shift);
      }
    }
  }
}
