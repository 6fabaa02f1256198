/* SPDX-License-Identifier: Apache-2.0 */
/* CBin-NN: its optimised kernels without PReLU; first layers with binary and with 8-bit weights. */
#include "CBin-NN.h"
#include "standard.h"

static uint32_t input[MOST_INPUT / 32], weights[MOST_WEIGHTS / 32], output[MOST_OUTPUT / 32];
static uint8_t pixels[MOST_INPUT];
static int8_t bytes[MOST_WEIGHTS];
static float thresholds[MOST_FILTERS], ones[MOST_FILTERS], sums[MOST_FILTERS];

static const arithmetic BINARY = {input_at, true, true, 0};

#define SHAPE(layer) \
  (int *)output, layer->outputs, layer->side, layer->inputs, layer->side, layer->window, 1, \
      layer->window / 2, NULL

static void convolve(const standard_layer *layer)
{
  BBConv2D_Optimized(SHAPE(layer), (int *)weights, thresholds, (int *)input);
}

static void dense(const standard_layer *layer)
{
  BBFC_Optimized((int *)output, layer->outputs, layer->inputs, NULL, (int *)weights, thresholds,
                 (int *)input);
}

static void scores(const standard_layer *layer)
{
  BBQFC_Optimized(sums, layer->outputs, layer->inputs, NULL, (int *)weights, thresholds,
                  (int *)input);
}

static void stem(const standard_layer *layer)
{
  QBConv2D_Optimized(SHAPE(layer), (int *)weights, thresholds, ones, pixels);
}

static void stem8(const standard_layer *layer)
{
  QQConv2D_Optimized(SHAPE(layer), bytes, thresholds, ones, pixels);
}

static int found(const standard_layer *layer, int y, int x, int k)
{
  return bit_of(output, (y * layer->side + x) * layer->outputs + k, false);
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

static int expected_stem8(const standard_layer *layer, int y, int x, int k)
{
  const arithmetic how = {pixel_at, false, false, 0};
  return sum_at(layer, &how, y, x, k) >= 0;
}

static void measure_stems(const standard_layer *layer)
{
  int number = 0;
  for (int y = 0; y < layer->side; y++) {
    for (int x = 0; x < layer->side; x++) {
      for (int c = 0; c < layer->inputs; c++) pixels[number++] = (uint8_t)pixel_at(layer, y, x, c);
    }
  }
  number = 0;
  for (int k = 0; k < layer->outputs; k++) {
    ones[k] = 1;
    for (int ky = 0; ky < layer->window; ky++) {
      for (int kx = 0; kx < layer->window; kx++) {
        for (int c = 0; c < layer->inputs; c++)
          bytes[number++] = (int8_t)weight_at(layer, k, ky, kx, c);
      }
    }
  }
  measure(layer, "QBConv2D_Optimized", stem, found, expected_stem);
  measure(layer, "QQConv2D_Optimized", stem8, found, expected_stem8);
}

void measure_engine(void)
{
  for (int i = 0; i < LAYERS; i++) {
    const standard_layer *layer = &standard[i];
    pack_weights(layer, weights, false);
    if (i == STEM) {
      measure_stems(layer);
      continue;
    }
    pack_input(layer, input, false);
    if (i == DENSE) {
      measure(layer, "BBFC_Optimized", dense, found, expected);
      measure(layer, "BBQFC_Optimized", scores, found_score, expected_score);
    } else {
      measure(layer, "BBConv2D_Optimized", convolve, found, expected);
    }
  }
}
