/* SPDX-License-Identifier: Apache-2.0 */
/* Maximum of bits over windows of any size, no padding. */
#include "core/kernels.h"

void rbnn_max_pool(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t words = layer->in_channels / 32u;
  const uint32_t line = layer->in_width * words;
  uint32_t *output = run->bits;

  for (uint32_t y = 0; y < layer->out_height; y++) {
    const uint32_t *corner = (const uint32_t *)run->input + y * layer->stride * line;
    for (uint32_t x = 0; x < layer->out_width; x++, corner += layer->stride * words) {
      if (layer->kernel == 2u) {
        for (uint32_t i = 0; i < words; i++) {
          *output++ = corner[i] | corner[words + i] | corner[line + i] | corner[line + words + i];
        }
        continue;
      }
      for (uint32_t i = 0; i < words; i++) {
        uint32_t any = 0;
        for (uint32_t ky = 0; ky < layer->kernel; ky++) {
          for (uint32_t kx = 0; kx < layer->kernel; kx++) {
            any |= corner[ky * line + kx * words + i];
          }
        }
        *output++ = any;
      }
    }
  }
}
