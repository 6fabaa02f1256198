/* SPDX-License-Identifier: Apache-2.0 */
/* Layers by themselves. */
#include <stddef.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/measure.h"
#include "bench/sources.h"
#include "core/layer.h"
#include "core/trace.h"
#include "link/print.h"

typedef struct {
  rbnn_run run;
  rbnn_stem_input image;
} case_run;

static rbnn_bench_weights weights;

/* Lay out case `number` in the buffers: bits, then stream, then logits. */
static void prepare(case_run *it, uint32_t number, rbnn_bench_mode mode)
{
  const rbnn_bench_layer *const given = &rbnn_bench_layers[number];
  const rbnn_layer *const layer = &rbnn_bench_layer_model.layers[number];
  uint32_t *const input = rbnn_bench_memory.layers.input;
  uint32_t *const output = rbnn_bench_memory.layers.output;
  uint32_t *const params = rbnn_bench_memory.layers.params;
  const uint64_t bits = rbnn_layer_bits_bytes(layer);
  const uint64_t stream = rbnn_layer_stream_bytes(layer);

  memcpy(input, given->input, given->input_bytes);
  memcpy(params, given->params, given->params_bytes);
  memset(output, 0, sizeof rbnn_bench_memory.layers.output);
  it->image = (rbnn_stem_input){(const uint8_t *)input, layer->in_channels, 1, rbnn_bench_offsets};
  it->run = (rbnn_run){
      .layer = layer,
      .number = number,
      .image = &it->image,
      .input = input,
      .bits = bits ? output : NULL,
      .stream = stream ? (void *)(output + bits / 4u) : NULL,
      .logits = rbnn_layer_logits_bytes(layer) ? (void *)(output + (bits + stream) / 4u) : NULL,
      .params = params,
      .classes = layer->out_channels,
      .work = rbnn_bench_work,
      .work_bytes = sizeof rbnn_bench_work,
      .source = rbnn_bench_source(mode),
      .source_context = rbnn_bench_source_context(&weights, mode),
  };
}

static void run_layer(void *context)
{
  const rbnn_run *const run = &((const case_run *)context)->run;
  rbnn_kernels[run->layer->op].run(run);
}

static void measure(uint32_t number, rbnn_bench_mode mode)
{
  case_run it;
  prepare(&it, number, mode);
  const uint32_t counts = rbnn_bench_measure(run_layer, &it);
  rbnn_print("m-layer-[");
  rbnn_print(rbnn_bench_layers[number].name);
  rbnn_print(",");
  rbnn_print(rbnn_bench_mode_name(mode));
  rbnn_print(",");
  rbnn_print_number(counts);
  rbnn_print(",");
  rbnn_print_hex32(rbnn_layer_output_crc32(&it.run));
  rbnn_print_close();
}

static rbnn_status start_weights(void)
{
  return rbnn_bench_weights_start(&weights, &rbnn_bench_layer_model, NULL,
                                  rbnn_bench_layer_weights);
}

rbnn_status rbnn_bench_run_layers(void)
{
  for (uint32_t i = 0; i < rbnn_bench_layer_model.header->layer_count; i++) {
    case_run first;
    rbnn_status status = start_weights();
    if (status != RBNN_OK) return status;
    measure(i, RBNN_BENCH_STREAM);
    measure(i, RBNN_BENCH_PLAIN);
    status = rbnn_bench_weights_keep(&weights, i, rbnn_bench_memory.layers.resident,
                                     sizeof rbnn_bench_memory.layers.resident);
    if (status != RBNN_OK) return status;
    prepare(&first, i, RBNN_BENCH_RESIDENT);
    run_layer(&first);
    measure(i, RBNN_BENCH_RESIDENT);
  }
  return RBNN_OK;
}

rbnn_status rbnn_bench_run_layer_inputs(uint32_t inputs)
{
  rbnn_bench_spread spread = rbnn_bench_spread_start(inputs);
  case_run it;
  prepare(&it, 0, RBNN_BENCH_STREAM);
  uint8_t *const input = (uint8_t *)rbnn_bench_memory.layers.input;
  const uint32_t bytes = rbnn_bench_layers[0].input_bytes;
  while (rbnn_bench_spread_input(&spread, input, bytes)) {
    /* As in a network, where another layer's key stream has run in between. */
    const rbnn_status status = start_weights();
    if (status != RBNN_OK) return status;
    rbnn_bench_spread_add(&spread, rbnn_bench_measure(run_layer, &it));
  }
  rbnn_bench_print_spread(rbnn_bench_layers[0].name, &spread);
  return RBNN_OK;
}
