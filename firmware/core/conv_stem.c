/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#define WINDOW_VALUES (RBNN_MAX_KERNEL * RBNN_MAX_KERNEL * RBNN_MAX_INPUT_CHANNELS)

/* Copy the window whose corner is at (top, left) in the padded image, minus the offsets, in the
 * order of a filter's bits. Returns the sum of its values. */
static int32_t gather(const rbnn_layer *layer, const rbnn_stem_input *input, uint32_t top,
                      uint32_t left, int16_t *window)
{
  int32_t total = 0;
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    /* Wraps to a huge number above and left of the image. */
    uint32_t y = top + ky - layer->pad;
    for (uint32_t kx = 0; kx < layer->kernel; kx++) {
      uint32_t x = left + kx - layer->pad;
      if (y >= layer->in_height || x >= layer->in_width) {
        for (uint32_t c = 0; c < layer->in_channels; c++) {
          *window++ = 0;
        }
        continue;
      }
      const uint8_t *pixel = input->pixels + (y * layer->in_width + x) * input->channels;
      for (uint32_t c = 0; c < layer->in_channels; c++) {
        int16_t value = (int16_t)(pixel[c * input->step] - input->offsets[c]);
        total += value;
        *window++ = value;
      }
    }
  }
  return total;
}

void rbnn_conv_stem(const rbnn_layer *layer, const rbnn_stem_input *input, const uint32_t *tile,
                    const int16_t *thresholds, uint32_t first, uint32_t filters,
                    uint32_t *output)
{
  int16_t window[WINDOW_VALUES];
  const uint32_t row_bits = (uint32_t)layer->kernel * layer->kernel * layer->in_channels;
  const uint32_t row_words = (row_bits + 31u) / 32u;
  const uint32_t out_words = layer->out_channels / 32u;
  const uint32_t shift = first % 32u;
  uint32_t *word = output + first / 32u;

  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      int32_t total = gather(layer, input, y * layer->stride, x * layer->stride, window);
      const uint32_t *row = tile;
      uint32_t bits = 0;
      for (uint32_t f = 0; f < filters; f++, row += row_words) {
        int32_t positive = 0; /* sum of the values whose weight is +1 */
        for (uint32_t k = 0; k < row_bits; k += 32u) {
          uint32_t weights = row[k / 32u];
          uint32_t end = row_bits - k < 32u ? row_bits : k + 32u;
          for (uint32_t i = k; i < end; i++, weights >>= 1) {
            positive += window[i] & -(int32_t)(weights & 1u);
          }
        }
        bits |= (uint32_t)(2 * positive - total >= thresholds[first + f]) << f;
      }
      *word = shift ? *word | bits << shift : bits;
      word += out_words;
    }
  }
}
