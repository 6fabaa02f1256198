/* SPDX-License-Identifier: Apache-2.0 */
/* What the bench measures; each prints its lines. Bytes of buffers are those of model_config.h. */
#ifndef RBNN_BENCH_BENCH_H
#define RBNN_BENCH_BENCH_H

#include "model_config.h"
#include "spec/rbnn_spec.h"

#define RBNN_BENCH_WORDS(bytes) (((bytes) + 3u) / 4u)

/* Layers by themselves and the network never run at once. */
typedef union {
  struct {
    uint32_t input[RBNN_BENCH_WORDS(RBNN_BENCH_INPUT_BYTES)];
    uint32_t output[RBNN_BENCH_WORDS(RBNN_BENCH_OUTPUT_BYTES)];
    uint32_t params[RBNN_BENCH_WORDS(RBNN_BENCH_PARAMS_BYTES)];
    uint32_t resident[RBNN_BENCH_WORDS(RBNN_BENCH_RESIDENT_BYTES)];
  } layers;
  struct {
    uint32_t arena[RBNN_BENCH_WORDS(RBNN_MODEL_ARENA_BYTES)];
    uint32_t params[RBNN_BENCH_WORDS(RBNN_MODEL_PARAMS_BYTES)];
    uint32_t image[RBNN_BENCH_WORDS(RBNN_BENCH_IMAGE_BYTES)];
  } network;
} rbnn_bench_buffers;

extern rbnn_bench_buffers rbnn_bench_memory;

/* Working memory of whatever runs: RBNN_MODEL_WORK_BYTES. */
extern uint32_t rbnn_bench_work[RBNN_BENCH_WORDS(RBNN_MODEL_WORK_BYTES)];

/* m-layer-[<name>,stream|plain|resident,<counts>,<CRC-32 of the output>] for each layer by itself.
 */
rbnn_status rbnn_bench_run_layers(void);

/* m-key-[<counts>] for the key's derivation, m-cipher-[<rounds>,<bytes>,<counts>] for each. */
void rbnn_bench_run_cipher(void);

/* m-network-[<layer>,stream|plain,<counts>,<CRC-32 of the output>] for each layer, and
 * m-inference-[stream|plain,<counts>] for all of them without an observer. */
rbnn_status rbnn_bench_run_network(void);

/* Over `inputs` random inputs and two extreme ones, streaming: the first layer by itself, the
 * network; see rbnn_bench_print_spread. */
rbnn_status rbnn_bench_run_layer_inputs(uint32_t inputs);
rbnn_status rbnn_bench_run_network_inputs(uint32_t inputs);

#endif
