/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

/* Value of one tap of the window of conv position (y, x); zero in the padding. */
static int32_t value_of(const rbnn_run *run, uint32_t y, uint32_t x, uint32_t channel)
{
  const rbnn_layer *layer = run->layer;
  const rbnn_stem_input *image = run->image;
  if (y < layer->pad || x < layer->pad || y - layer->pad >= layer->in_height ||
      x - layer->pad >= layer->in_width) {
    return 0;
  }
  const uint32_t pixel = (y - layer->pad) * layer->in_width + x - layer->pad;
  return image->pixels[pixel * image->channels + channel * image->step] - image->offsets[channel];
}

static int32_t sum_of(const rbnn_run *run, const uint32_t *row, uint32_t y, uint32_t x)
{
  const rbnn_layer *layer = run->layer;
  int32_t sum = 0;
  uint32_t bit = 0;
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    for (uint32_t kx = 0; kx < layer->kernel; kx++) {
      for (uint32_t c = 0; c < layer->in_channels; c++, bit++) {
        const int32_t value = value_of(run, y * layer->stride + ky, x * layer->stride + kx, c);
        sum += row[bit / 32u] >> (bit % 32u) & 1u ? value : -value;
      }
    }
  }
  return sum;
}

void rbnn_conv_stem_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t row_words =
      ((uint32_t)layer->kernel * layer->kernel * layer->in_channels + 31u) / 32u;
  const uint32_t *rows = run->source(run->source_context, run->number, 0,
                                     layer->out_channels * row_words * 4u, run->work);
  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      for (uint32_t f = 0; f < layer->out_channels; f++) {
        int32_t largest = INT32_MIN;
        for (uint32_t i = 0; i < (uint32_t)layer->pool * layer->pool; i++) {
          const int32_t sum = sum_of(run, rows + f * row_words, y * layer->pool + i / layer->pool,
                                     x * layer->pool + i % layer->pool);
          largest = sum > largest ? sum : largest;
        }
        rbnn_stage_reference(run, y * layer->out_width + x, f, largest);
      }
    }
  }
}
