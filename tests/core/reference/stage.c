/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <stddef.h>

static int64_t saturate(int64_t value)
{
  return value < -32768 ? -32768 : value > 32767 ? 32767 : value;
}

static int64_t floor_shift(int64_t value, uint32_t shift)
{
  const int64_t divisor = (int64_t)1 << shift;
  return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

void rbnn_stage_reference(const rbnn_run *run, uint32_t position, uint32_t filter, int32_t sum)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->out_channels;
  const int16_t *params = run->params;
  int64_t value = sum;
  int64_t threshold = 0;
  if (layer->stage == RBNN_STAGE_THRESHOLD) {
    threshold = params[filter];
  } else {
    const uint32_t shift = (uint16_t)params[0];
    const int16_t *scales = params + 2;
    const int16_t *biases = scales + channels;
    const int16_t *rest = biases + channels;
    value = saturate(biases[filter] + floor_shift((int64_t)scales[filter] * sum, shift));
    if (run->shortcut != NULL) {
      value = saturate(
          value +
          run->shortcut[position * layer->shortcut_channels + filter % layer->shortcut_channels]);
    }
    if (layer->activation == RBNN_ACTIVATION_RPRELU) {
      const int64_t point = rest[filter];
      const int64_t slope = rest[channels + filter];
      const int64_t offset = rest[2u * channels + filter];
      const int64_t d = saturate(value - point);
      value = saturate(offset + (d >= 0 ? d : floor_shift(slope * d, RBNN_SLOPE_FRACTION_BITS)));
      rest += 3u * channels;
    }
    if (layer->sign == RBNN_SIGN_THRESHOLDS) {
      threshold = rest[filter];
    }
    if (run->stream != NULL) {
      run->stream[position * channels + filter] = (int16_t)value;
    }
  }
  if (run->bits != NULL) {
    uint32_t *word = run->bits + (position * channels + filter) / 32u;
    const uint32_t bit = 1u << (filter % 32u);
    *word = value >= threshold ? *word | bit : *word & ~bit;
  }
}
