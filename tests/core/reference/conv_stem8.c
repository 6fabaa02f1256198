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

static int32_t sum_of(const rbnn_run *run, const int8_t *filter, uint32_t y, uint32_t x)
{
  const rbnn_layer *layer = run->layer;
  int32_t sum = 0;
  uint32_t i = 0;
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    for (uint32_t kx = 0; kx < layer->kernel; kx++) {
      for (uint32_t c = 0; c < layer->in_channels; c++, i++) {
        sum += own_weight(filter, i) *
               value_of(run, y * layer->stride + ky, x * layer->stride + kx, c);
      }
    }
  }
  return sum;
}

static int32_t halved(int32_t sum)
{
  return sum >= 0 ? sum / 2 : -((1 - sum) / 2);
}

/* Halves up, one bit after the other: only the last one that falls away counts. */
static int32_t shifted(int32_t sum, uint32_t count)
{
  int64_t largest = (int64_t)count * 255 * 127;
  while (largest >= 32767) {
    largest /= 2;
    sum = largest >= 32767 ? halved(sum) : halved(sum + 1);
  }
  return sum;
}

void rbnn_conv_stem8_reference(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t count = (uint32_t)layer->kernel * layer->kernel * layer->in_channels;
  const uint32_t padded = (count + 3u) / 4u * 4u;
  const int16_t *values = run->params;
  const uint32_t groups = layer->stage == RBNN_STAGE_THRESHOLD
                              ? 1u
                              : 2u + 3u * (layer->activation == RBNN_ACTIVATION_RPRELU) +
                                    (layer->sign == RBNN_SIGN_THRESHOLDS);
  const uint32_t head = layer->stage == RBNN_STAGE_THRESHOLD ? 0u : 2u;
  const int8_t *weights = (const int8_t *)(values + head + groups * layer->out_channels);
  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      for (uint32_t f = 0; f < layer->out_channels; f++) {
        int32_t largest = INT32_MIN;
        for (uint32_t i = 0; i < (uint32_t)layer->pool * layer->pool; i++) {
          const int32_t sum = sum_of(run, weights + f * padded, y * layer->pool + i / layer->pool,
                                     x * layer->pool + i % layer->pool);
          largest = sum > largest ? sum : largest;
        }
        rbnn_stage_reference(run, y * layer->out_width + x, f, shifted(largest, count));
      }
    }
  }
}
