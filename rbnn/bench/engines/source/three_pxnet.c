/* SPDX-License-Identifier: Apache-2.0 */
/* 3PXNet: its dense XNOR kernels, and the one with binary weights for the first layer. The sparse
 * ones are for pruned networks. */
#include <stdlib.h>

#include "bwn_dense_cn.h"
#include "standard.h"
#include "xnor_cn.h"
#include "xnor_fc.h"

static uint32_t input[MOST_INPUT / 32], weights[MOST_WEIGHTS / 32], output[MOST_OUTPUT / 32];
static uint8_t pixels[MOST_INPUT];
static int8_t signs[MOST_WEIGHTS];
static float thresholds[MOST_FILTERS], sums[MOST_FILTERS];
static uint32_t directions[MOST_FILTERS / 32];

static const arithmetic BINARY = {input_at, true, true, 0};

static void convolve(const standard_layer *layer)
{
  const uint8_t refused =
      CnXnorWrap((int32_t *)input, (int32_t *)weights, layer->inputs, layer->side, layer->side,
                 layer->inputs, layer->window, layer->window, layer->outputs, (int32_t *)output,
                 layer->window / 2, 1, thresholds, (int32_t *)directions);
  if (refused) exit(1);
}

static void dense(const standard_layer *layer)
{
  const uint8_t refused =
      FcXnorWrap((int32_t *)input, (int32_t *)weights, layer->inputs, layer->outputs,
                 (int32_t *)output, thresholds, (int32_t *)directions);
  if (refused) exit(1);
}

static void scores(const standard_layer *layer)
{
  const uint8_t refused = FcXnorNoBinWrap((int32_t *)input, (int32_t *)weights, layer->inputs,
                                          layer->outputs, sums, NULL, NULL, NULL, NULL);
  if (refused) exit(1);
}

static void stem(const standard_layer *layer)
{
  CnBnBwn(pixels, signs, layer->inputs, layer->side, layer->side, layer->inputs, layer->window,
          layer->window, layer->outputs, layer->window / 2, 1, (int32_t *)output, thresholds,
          (int32_t *)directions);
}

static int found(const standard_layer *layer, int y, int x, int k)
{
  return bit_of(output, (y * layer->side + x) * layer->outputs + k, true);
}

static int expected(const standard_layer *layer, int y, int x, int k)
{
  return sum_at(layer, &BINARY, y, x, k) >= 0;
}

static int found_score(const standard_layer *layer, int y, int x, int k)
{
  (void)layer, (void)y, (void)x;
  return (int)sums[k];
}

static int expected_score(const standard_layer *layer, int y, int x, int k)
{
  return sum_at(layer, &BINARY, y, x, k);
}

static int expected_stem(const standard_layer *layer, int y, int x, int k)
{
  const arithmetic how = {pixel_at, false, true, 0};
  return sum_at(layer, &how, y, x, k) >= 0;
}

static void prepare_stem(const standard_layer *layer)
{
  int number = 0;
  for (int y = 0; y < layer->side; y++) {
    for (int x = 0; x < layer->side; x++) {
      for (int c = 0; c < layer->inputs; c++) pixels[number++] = (uint8_t)pixel_at(layer, y, x, c);
    }
  }
  number = 0;
  for (int k = 0; k < layer->outputs; k++) {
    for (int ky = 0; ky < layer->window; ky++) {
      for (int kx = 0; kx < layer->window; kx++) {
        for (int c = 0; c < layer->inputs; c++) {
          signs[number++] = weight_at(layer, k, ky, kx, c) < 0 ? -1 : 1;
        }
      }
    }
  }
}

void measure_engine(void)
{
  for (int i = 0; i < MOST_FILTERS / 32; i++) directions[i] = UINT32_MAX;
  for (int i = 0; i < LAYERS; i++) {
    const standard_layer *layer = &standard[i];
    if (i == STEM) {
      prepare_stem(layer);
      measure(layer, "CnBnBwn", stem, found, expected_stem);
      continue;
    }
    pack_input(layer, input, true);
    pack_weights(layer, weights, true);
    if (i == DENSE) {
      measure(layer, "FcXnorWrap", dense, found, expected);
      measure(layer, "FcXnorNoBinWrap", scores, found_score, expected_score);
    } else {
      measure(layer, "CnXnorWrap", convolve, found, expected);
    }
  }
}
