/* SPDX-License-Identifier: Apache-2.0 */
#include "host/wide.h"

#include "host/wide_block.h"

static uint32_t input_values(const rbnn_layer *layer)
{
  return (uint32_t)layer->in_height * layer->in_width * layer->in_channels;
}

void rbnn_wide_dense(const rbnn_run *run, const uint32_t *wide)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t filters = layer->out_channels;
  const uint32_t bits = input_values(layer);
  const uint32_t *scales = run->params;
  const uint32_t *biases = scales + filters;
  const uint32_t *input = run->input;
  for (uint32_t first = 0; first < filters; first += RBNN_WIDE_FILTERS) {
    rbnn_wide counts[RBNN_WIDE_POSITIONS][RBNN_WIDE_VECTORS];
    uint32_t differing[RBNN_WIDE_FILTERS];
    rbnn_wide_count(&input, 1u, 1u, bits / 32u, 0, wide + first * (bits / 32u), counts);
    memcpy(differing, counts[0], sizeof differing);
    for (uint32_t f = 0; f < RBNN_WIDE_FILTERS && first + f < filters; f++) {
      run->logits[first + f] =
          (int32_t)(scales[first + f] * (bits - 2u * differing[f]) + biases[first + f]);
    }
  }
}

static int32_t saturate(int64_t value)
{
  return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

void rbnn_wide_dense_stream(const rbnn_run *run, const uint32_t *wide)
{
  const rbnn_layer *layer = run->layer;
  const uint32_t filters = layer->out_channels;
  const uint32_t values = input_values(layer);
  const int32_t *scales = run->params;
  const int32_t *biases = scales + filters;
  const int16_t *input = run->input;
  for (uint32_t first = 0; first < filters; first += RBNN_WIDE_FILTERS) {
    rbnn_wide sums[RBNN_WIDE_VECTORS];
    uint32_t products[RBNN_WIDE_FILTERS];
    for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
      sums[v] = rbnn_wide_splat(0);
    }
    for (uint32_t i = 0; i < values; i++, wide += RBNN_WIDE_FILTERS) {
      for (uint32_t v = 0; v < RBNN_WIDE_VECTORS; v++) {
        sums[v] += rbnn_wide_load(wide + v * RBNN_WIDE_LANES) * (uint32_t)input[i];
      }
    }
    memcpy(products, sums, sizeof products);
    for (uint32_t f = 0; f < RBNN_WIDE_FILTERS && first + f < filters; f++) {
      const int64_t scaled = (int64_t)scales[first + f] * (int32_t)products[f];
      run->logits[first + f] =
          saturate((scaled + (int64_t)biases[first + f] * (1 << RBNN_STREAM_FRACTION_BITS)) >>
                   RBNN_STREAM_FRACTION_BITS);
    }
  }
}
