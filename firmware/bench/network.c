/* SPDX-License-Identifier: Apache-2.0 */
/* A whole network, layer by layer. */
#include <stddef.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/measure.h"
#include "bench/sources.h"
#include "core/engine.h"
#include "core/model_image.h"
#include "core/trace.h"
#include "link/print.h"
#include "port/counter.h"

static rbnn_bench_weights weights;
static rbnn_model model;

typedef struct {
  rbnn_engine engine;
  int32_t logits[RBNN_MAX_CLASSES];
  rbnn_status status;
  uint32_t start;
  uint32_t counts[RBNN_MAX_LAYERS];
  uint32_t crc[RBNN_MAX_LAYERS];
} network_run;

static rbnn_status prepare(network_run *it)
{
  const rbnn_bench_network *const given = &rbnn_bench_network_case;
  uint32_t bad_layer;
  rbnn_status status =
      rbnn_model_open(&model, rbnn_model_image, rbnn_model_image_bytes, &bad_layer);
  if (status != RBNN_OK) return status;
  memcpy(rbnn_bench_memory.network.params, given->params, given->params_bytes);
  memcpy(rbnn_bench_memory.network.image, given->image, given->image_bytes);
  const rbnn_params_header *const header = (const void *)given->params;
  status = rbnn_bench_weights_start(&weights, &model, header->trunk_key, given->weights);
  if (status != RBNN_OK) return status;
  it->engine = (rbnn_engine){
      .model = &model,
      .params = (const uint8_t *)rbnn_bench_memory.network.params,
      .params_bytes = given->params_bytes,
      .arena = rbnn_bench_memory.network.arena,
      .arena_bytes = sizeof rbnn_bench_memory.network.arena,
      .work = rbnn_bench_work,
      .work_bytes = sizeof rbnn_bench_work,
      .source = rbnn_bench_source(RBNN_BENCH_STREAM),
      .source_context = rbnn_bench_source_context(&weights, RBNN_BENCH_STREAM),
  };
  return rbnn_engine_check(&it->engine, 0);
}

static void infer(void *context)
{
  network_run *const it = context;
  it->status = rbnn_engine_infer(&it->engine, (const uint8_t *)rbnn_bench_memory.network.image,
                                 rbnn_bench_network_case.image_bytes, it->logits);
}

static void observe(void *context, const rbnn_run *run)
{
  network_run *const it = context;
  it->counts[run->number] = rbnn_port_measure_end() - it->start;
  it->crc[run->number] = rbnn_layer_output_crc32(run);
  it->start = rbnn_port_measure_begin();
}

static void print_layers(const network_run *it, rbnn_bench_mode mode)
{
  for (uint32_t i = 0; i < model.header->layer_count; i++) {
    rbnn_print("m-network-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print(rbnn_bench_mode_name(mode));
    rbnn_print(",");
    rbnn_print_number(it->counts[i]);
    rbnn_print(",");
    rbnn_print_hex32(it->crc[i]);
    rbnn_print_close();
  }
}

rbnn_status rbnn_bench_run_network(void)
{
  network_run it = {0};
  const rbnn_status status = prepare(&it);
  if (status != RBNN_OK) return status;
  for (uint32_t mode = 0; mode <= RBNN_BENCH_PLAIN; mode++) {
    it.engine.source = rbnn_bench_source((rbnn_bench_mode)mode);
    it.engine.source_context = rbnn_bench_source_context(&weights, (rbnn_bench_mode)mode);
    it.engine.observer = observe;
    it.engine.observer_context = &it;
    it.start = rbnn_port_measure_begin();
    infer(&it);
    (void)rbnn_port_measure_end();
    if (it.status != RBNN_OK) return it.status;
    print_layers(&it, (rbnn_bench_mode)mode);
    it.engine.observer = NULL;
    const uint32_t counts = rbnn_bench_measure(infer, &it);
    rbnn_print("m-inference-[");
    rbnn_print(rbnn_bench_mode_name((rbnn_bench_mode)mode));
    rbnn_print(",");
    rbnn_print_number(counts);
    rbnn_print_close();
  }
  return RBNN_OK;
}

rbnn_status rbnn_bench_run_network_inputs(uint32_t inputs)
{
  network_run it = {0};
  rbnn_bench_spread spread = rbnn_bench_spread_start(inputs);
  const rbnn_status status = prepare(&it);
  if (status != RBNN_OK) return status;
  while (rbnn_bench_spread_input(&spread, (uint8_t *)rbnn_bench_memory.network.image,
                                 rbnn_bench_network_case.image_bytes)) {
    rbnn_bench_spread_add(&spread, rbnn_bench_measure(infer, &it));
  }
  rbnn_bench_print_spread("network", &spread);
  return RBNN_OK;
}
