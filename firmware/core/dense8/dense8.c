/* SPDX-License-Identifier: Apache-2.0 */
/* Logits from bits with 8-bit weights of the task's own: sat32(scale * product + bias). Bits are
 * turned into values, block by block, and serve all classes. */
#include <string.h>

#include "core/kernels.h"
#include "core/logit.h"
#include "core/own_weights.h"

#define BLOCK_WORDS 8u  /* of input bits */
#define VALUE_WORDS 16u /* of the values of 32 bits */

static uint32_t input_words(const rbnn_layer *layer)
{
  return (uint32_t)layer->in_height * layer->in_width * layer->in_channels / 32u;
}

uint32_t rbnn_dense8_work_bytes(const rbnn_layer *layer)
{
  const uint32_t words = input_words(layer);
  return 4u * (layer->out_channels + (words < BLOCK_WORDS ? words : BLOCK_WORDS) * VALUE_WORDS);
}

/* +1 or -1 for each bit. */
static void spread(const uint32_t *bits, uint32_t words, uint32_t *values)
{
  for (; words; words--) {
    uint32_t word = *bits++;
#pragma GCC unroll 8
    for (const uint32_t *end = values + VALUE_WORDS; values != end; word >>= 2) {
      /* Lanes of 0 or 2, less 1: with 2^15 added and taken away again, so that none borrows. */
      const uint32_t pair = (word & 1u) << 1 | (word & 2u) << 16;
      *values++ = (pair + 0x7fff7fffu) ^ 0x80008000u;
    }
  }
}

void rbnn_dense8(const rbnn_run *run)
{
  const rbnn_layer *layer = run->layer;
  const int32_t *scales = run->params;
  const int32_t *biases = scales + layer->out_channels;
  const int8_t *weights = (const int8_t *)(biases + layer->out_channels);
  const uint32_t *bits = run->input;
  const uint32_t words = input_words(layer);
  int32_t *products = (int32_t *)run->work;
  uint32_t *values = run->work + layer->out_channels;
  memset(products, 0, 4u * layer->out_channels);
  for (uint32_t first = 0; first < words; first += BLOCK_WORDS) {
    const uint32_t block = words - first < BLOCK_WORDS ? words - first : BLOCK_WORDS;
    spread(bits + first, block, values);
    for (uint32_t k = 0; k < run->classes; k++) {
      products[k] += rbnn_own_product((const rbnn_half *)values,
                                      weights + (k * words + first) * 32u, 32u * block);
    }
  }
  for (uint32_t k = 0; k < layer->out_channels; k++) {
    run->logits[k] = rbnn_limit32((int64_t)scales[k] * products[k] + biases[k]);
  }
}
