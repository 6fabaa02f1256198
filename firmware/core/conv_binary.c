/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include "popcount.h"

/* Copy the window whose corner is at (top, left) in the padded input, in the order of a filter's
 * words. */
static void gather(const rbnn_layer *layer, const uint32_t *input, uint32_t words, uint32_t top,
                   uint32_t left, uint32_t *window)
{
  for (uint32_t ky = 0; ky < layer->kernel; ky++) {
    /* Wraps to a huge number above and left of the input. */
    uint32_t y = top + ky - layer->pad;
    for (uint32_t kx = 0; kx < layer->kernel; kx++) {
      uint32_t x = left + kx - layer->pad;
      if (y >= layer->in_height || x >= layer->in_width) {
        for (uint32_t i = 0; i < words; i++) {
          *window++ = UINT32_MAX;
        }
        continue;
      }
      const uint32_t *pixel = input + (y * layer->in_width + x) * words;
      for (uint32_t i = 0; i < words; i++) {
        *window++ = pixel[i];
      }
    }
  }
}

void rbnn_conv_binary(const rbnn_layer *layer, const uint32_t *input, const uint32_t *tile,
                      const int16_t *thresholds, uint32_t first, uint32_t filters, uint32_t *output)
{
  uint32_t window[RBNN_MAX_WINDOW_WORDS];
  const uint32_t in_words = layer->in_channels / 32u;
  const uint32_t row_words = (uint32_t)layer->kernel * layer->kernel * in_words;
  const uint32_t out_words = layer->out_channels / 32u;
  const int32_t row_bits = (int32_t)(row_words * 32u);
  const uint32_t shift = first % 32u;
  uint32_t *word = output + first / 32u;

  for (uint32_t y = 0; y < layer->out_height; y++) {
    for (uint32_t x = 0; x < layer->out_width; x++) {
      gather(layer, input, in_words, y * layer->stride, x * layer->stride, window);
      const uint32_t *row = tile;
      uint32_t bits = 0;
      for (uint32_t f = 0; f < filters; f++, row += row_words) {
        int32_t mismatches = (int32_t)rbnn_count_mismatches(window, row, row_words);
        bits |= (uint32_t)(row_bits - 2 * mismatches >= thresholds[first + f]) << f;
      }
      *word = shift ? *word | bits << shift : bits;
      word += out_words;
    }
  }
}
