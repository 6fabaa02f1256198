/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#define WINDOW_VALUES (RBNN_MAX_KERNEL * RBNN_MAX_KERNEL * RBNN_MAX_INPUT_CHANNELS)
#define FILTERS 4u

_Static_assert(RBNN_FILTERS_PER_TILE % FILTERS == 0, "a tile is whole groups of filters");

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

/* Add up the window's values whose weight is +1, for FILTERS filters at once: a value is loaded
 * once for all of them. Weights are shifted out at the top, so a word's values come last first. */
static void sum_positive(const int16_t *window, uint32_t row_bits, const uint32_t *rows,
                         uint32_t row_words, int32_t sums[FILTERS])
{
  int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (uint32_t k = 0; k < row_bits; k += 32u, rows++) {
    const uint32_t count = row_bits - k < 32u ? row_bits - k : 32u;
    uint32_t w0 = rows[0] << (32u - count);
    uint32_t w1 = rows[row_words] << (32u - count);
    uint32_t w2 = rows[2u * row_words] << (32u - count);
    uint32_t w3 = rows[3u * row_words] << (32u - count);
    for (const int16_t *value = window + k + count; value != window + k;) {
      const int32_t v = *--value;
      s0 += v & -(int32_t)(w0 >> 31);
      s1 += v & -(int32_t)(w1 >> 31);
      s2 += v & -(int32_t)(w2 >> 31);
      s3 += v & -(int32_t)(w3 >> 31);
      w0 <<= 1;
      w1 <<= 1;
      w2 <<= 1;
      w3 <<= 1;
    }
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}

void rbnn_conv_stem(const rbnn_layer *layer, const rbnn_stem_input *input, const uint32_t *tile,
                    const int16_t *thresholds, uint32_t first, uint32_t filters, uint32_t *output)
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
      for (uint32_t f = 0; f < filters; f += FILTERS, row += FILTERS * row_words) {
        int32_t positive[FILTERS];
        sum_positive(window, row_bits, row, row_words, positive);
        for (uint32_t i = 0; i < FILTERS; i++) {
          bits |= (uint32_t)(2 * positive[i] - total >= thresholds[first + f + i]) << (f + i);
        }
      }
      *word = shift ? *word | bits << shift : bits;
      word += out_words;
    }
  }
}
