/* SPDX-License-Identifier: Apache-2.0 */
/* Larq Compute Engine: its portable kernel, with what it needs of TensorFlow Lite from
 * larq_needs.h. It has no other binary layers. Packing weights and filling the indirection buffer,
 * once per model, is not counted. */
#include "larq_compute_engine/core/indirect_bgemm/kernel_4x2_portable.h"

#include <new>

#include "standard.h"

namespace lce = compute_engine::core;

using BitKernel = lce::indirect_bgemm::Kernel4x2Portable<lce::TBitpacked>;

static uint32_t input[MOST_INPUT / 32], weights[MOST_WEIGHTS / 32], output[MOST_OUTPUT / 32];
static int32_t thresholds[MOST_FILTERS];
static BitKernel *kernel;

static void run(const standard_layer *)
{
  kernel->Dispatch(output);
}

static int found(const standard_layer *layer, int y, int x, int k)
{
  return bit_of(output, (y * layer->side + x) * layer->outputs + k, false);
}

/* Zeros pad the input, which are minus ones here, and a bit is set if more than half of the
 * products are minus one. */
static int expected(const standard_layer *layer, int y, int x, int k)
{
  const arithmetic how = {input_at, true, true, -1};
  return sum_at(layer, &how, y, x, k) < 0;
}

static void measure_layer(const standard_layer *layer)
{
  const int pad = layer->window / 2;
  const lce::bconv2d::BConv2DParams params = {layer->window,
                                              layer->window,
                                              layer->inputs,
                                              layer->outputs,
                                              1,
                                              1,
                                              1,
                                              1,
                                              1,
                                              kTfLitePaddingSame,
                                              {pad, pad, 0, 0},
                                              1};
  const RuntimeShape in = {1, layer->side, layer->side, layer->inputs / 32};
  const RuntimeShape out = {1, layer->side, layer->side, layer->outputs / 32};
  const lce::bconv2d::OutputTransform<lce::TBitpacked> transform = {thresholds};
  for (int k = 0; k < layer->outputs; k++) {
    thresholds[k] = layer->window * layer->window * layer->inputs / 2;
  }
  pack_input(layer, input, false);
  pack_weights(layer, weights, false);
  kernel = new BitKernel(&params, in, out, transform);
  kernel->PackWeights(reinterpret_cast<const lce::TBitpacked *>(weights));
  kernel->FillIndirectionBuffer(&params, in, out, reinterpret_cast<const lce::TBitpacked *>(input));
  measure(layer, "Kernel4x2Portable", run, found, expected);
  delete kernel;
}

void measure_engine(void)
{
  measure_layer(&standard[CONV_A]);
  measure_layer(&standard[CONV_B]);
}
