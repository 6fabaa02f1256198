/* SPDX-License-Identifier: Apache-2.0 */
/* CMSIS-NN: 8-bit weights and activations, by the functions that TensorFlow Lite for
 * Microcontrollers calls. */
#include <stdio.h>
#include <stdlib.h>

#include "arm_nnfunctions.h"
#include "standard.h"

#define INPUT_OFFSET 128
#define HALF 0x40000000
#define SHIFT (-9)
#define LARGEST 127
#define SMALLEST (-128)

static int8_t input[MOST_INPUT], weights[MOST_WEIGHTS], output[MOST_OUTPUT];
static int32_t bias[MOST_FILTERS], multipliers[MOST_FILTERS], shifts[MOST_FILTERS];
static int32_t scratch[MOST_INPUT];

static const cmsis_nn_activation activation = {SMALLEST, LARGEST};

static void prepare(const standard_layer *layer)
{
  int number = 0;
  for (int y = 0; y < layer->side; y++) {
    for (int x = 0; x < layer->side; x++) {
      for (int c = 0; c < layer->inputs; c++) input[number++] = (int8_t)input_at(layer, y, x, c);
    }
  }
  number = 0;
  for (int k = 0; k < layer->outputs; k++) {
    bias[k] = 0;
    multipliers[k] = HALF;
    shifts[k] = SHIFT;
    for (int ky = 0; ky < layer->window; ky++) {
      for (int kx = 0; kx < layer->window; kx++) {
        for (int c = 0; c < layer->inputs; c++) {
          weights[number++] = (int8_t)weight_at(layer, k, ky, kx, c);
        }
      }
    }
  }
}

static void convolve(const standard_layer *layer)
{
  const int pad = layer->window / 2;
  const cmsis_nn_context context = {scratch, sizeof scratch};
  const cmsis_nn_conv_params params = {INPUT_OFFSET, 0, {1, 1}, {pad, pad}, {1, 1}, activation};
  const cmsis_nn_per_channel_quant_params quantised = {multipliers, shifts};
  const cmsis_nn_dims in = {1, layer->side, layer->side, layer->inputs};
  const cmsis_nn_dims filter = {layer->outputs, layer->window, layer->window, layer->inputs};
  const cmsis_nn_dims biases = {1, 1, 1, layer->outputs};
  const cmsis_nn_dims out = {1, layer->side, layer->side, layer->outputs};
  const arm_cmsis_nn_status status = arm_convolve_wrapper_s8(
      &context, &params, &quantised, &in, input, &filter, weights, &biases, bias, &out, output);
  if (status != ARM_CMSIS_NN_SUCCESS) exit(1);
}

static void dense(const standard_layer *layer)
{
  const cmsis_nn_context context = {scratch, sizeof scratch};
  const cmsis_nn_fc_params params = {INPUT_OFFSET, 0, 0, activation};
  const cmsis_nn_per_tensor_quant_params quantised = {HALF, SHIFT};
  const cmsis_nn_dims in = {1, 1, 1, layer->inputs};
  const cmsis_nn_dims filter = {layer->inputs, 1, 1, layer->outputs};
  const cmsis_nn_dims biases = {1, 1, 1, layer->outputs};
  const cmsis_nn_dims out = {1, 1, 1, layer->outputs};
  const arm_cmsis_nn_status status = arm_fully_connected_s8(
      &context, &params, &quantised, &in, input, &filter, weights, &biases, bias, &out, output);
  if (status != ARM_CMSIS_NN_SUCCESS) exit(1);
}

static int found(const standard_layer *layer, int y, int x, int k)
{
  return output[(y * layer->side + x) * layer->outputs + k];
}

static int with_offset(const standard_layer *layer, int y, int x, int c)
{
  return input_at(layer, y, x, c) + INPUT_OFFSET;
}

/* A sum times 2^-10. The engine may round it twice, so what it returns counts if it is one off. */
static int expected(const standard_layer *layer, int y, int x, int k)
{
  const arithmetic how = {with_offset, false, false, 0};
  int scaled = (sum_at(layer, &how, y, x, k) + 512) >> 10;
  if (scaled > LARGEST) scaled = LARGEST;
  if (scaled < SMALLEST) scaled = SMALLEST;
  const int value = found(layer, y, x, k);
  return abs(value - scaled) <= 1 ? value : scaled;
}

void measure_engine(void)
{
  for (int i = 0; i < LAYERS; i++) {
    const standard_layer *layer = &standard[i];
    prepare(layer);
    if (i == DENSE) {
      measure(layer, "arm_fully_connected_s8", dense, found, expected);
    } else {
      measure(layer, "arm_convolve_wrapper_s8", convolve, found, expected);
    }
  }
}
