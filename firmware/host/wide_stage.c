/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

#define CHANNELS 32u /* of a word of output bits */

static inline int32_t saturate(int32_t value)
{
  value = value < INT16_MAX ? value : INT16_MAX;
  return value > INT16_MIN ? value : INT16_MIN;
}

/* One word's channels of a residual stage; arrays begin at its first channel. `shortcut` and
 * `points` are NULL where there is none; they may not overlap `result`. */
static void finish(const int16_t *restrict sums, uint32_t shift, const int16_t *restrict scales,
                   const int16_t *restrict biases, const int16_t *restrict shortcut,
                   const int16_t *restrict points, const int16_t *restrict slopes,
                   const int16_t *restrict offsets, int16_t *restrict result)
{
  int32_t value[CHANNELS];
  for (uint32_t c = 0; c < CHANNELS; c++) {
    value[c] = saturate(biases[c] + (scales[c] * sums[c] >> shift));
  }
  if (shortcut != NULL) {
    for (uint32_t c = 0; c < CHANNELS; c++) {
      value[c] = saturate(value[c] + shortcut[c]);
    }
  }
  if (points != NULL) {
    for (uint32_t c = 0; c < CHANNELS; c++) {
      const int32_t distance = saturate(value[c] - points[c]);
      const int32_t sloped = slopes[c] * distance >> RBNN_SLOPE_FRACTION_BITS;
      value[c] = saturate(offsets[c] + (distance < 0 ? sloped : distance));
    }
  }
  for (uint32_t c = 0; c < CHANNELS; c++) {
    result[c] = (int16_t)value[c];
  }
}

static void residual(const rbnn_run *run, uint32_t first, uint32_t count, const int16_t *sums)
{
  static const int16_t zeros[CHANNELS] = {0};
  const rbnn_layer *layer = run->layer;
  const uint32_t channels = layer->out_channels;
  const uint32_t pitch = rbnn_wide_row_filters(channels);
  const uint32_t shift = *(const uint16_t *)run->params;
  const int16_t *scales = (const int16_t *)run->params + 2;
  const int16_t *biases = scales + channels;
  const int16_t *points = layer->activation == RBNN_ACTIVATION_RPRELU ? biases + channels : NULL;
  const int16_t *slopes = points == NULL ? NULL : points + channels;
  const int16_t *offsets = points == NULL ? NULL : slopes + channels;
  const int16_t *thresholds = points == NULL ? biases + channels : offsets + channels;

  for (uint32_t c = 0; c < channels; c += CHANNELS) {
    const int16_t *limits = layer->sign == RBNN_SIGN_THRESHOLDS ? thresholds + c : zeros;
    for (uint32_t p = 0; p < count; p++) {
      const uint32_t at = (first + p) * channels + c;
      int16_t result[CHANNELS];
      const int16_t *shortcut = NULL;
      if (run->shortcut != NULL) {
        shortcut =
            run->shortcut + (first + p) * layer->shortcut_channels + c % layer->shortcut_channels;
      }
      if (points == NULL) {
        finish(sums + p * pitch + c, shift, scales + c, biases + c, shortcut, NULL, NULL, NULL,
               result);
      } else {
        finish(sums + p * pitch + c, shift, scales + c, biases + c, shortcut, points + c,
               slopes + c, offsets + c, result);
      }
      if (run->bits != NULL) {
        run->bits[at / 32u] = rbnn_wide_reached(result, limits);
      }
      if (run->stream != NULL) {
        memcpy(run->stream + at, result, sizeof result);
      }
    }
  }
}

void rbnn_wide_stage(const rbnn_run *run, uint32_t first, uint32_t count, const int16_t *sums)
{
  if (run->layer->stage == RBNN_STAGE_RESIDUAL) {
    residual(run, first, count, sums);
    return;
  }
  const uint32_t channels = run->layer->out_channels;
  const uint32_t pitch = rbnn_wide_row_filters(channels);
  const int16_t *thresholds = run->params;
  uint32_t *bits = run->bits + first * channels / 32u;
  for (uint32_t p = 0; p < count; p++, sums += pitch) {
    for (uint32_t c = 0; c < channels; c += CHANNELS) {
      *bits++ = rbnn_wide_reached(sums + c, thresholds + c);
    }
  }
}
