/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what a call costs, and printing it. */
#ifndef RBNN_BENCH_MEASURE_H
#define RBNN_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*rbnn_bench_call)(void *context);

/* Counts that `call(context)` takes, interrupts masked; the cost of an empty call is in it. */
uint32_t rbnn_bench_measure(rbnn_bench_call call, void *context);

/* Lines m-loop-[<instructions>,<counts>]: an empty call and two loops of known length. */
void rbnn_bench_print_loops(void);

/* Counts over many inputs: `inputs` random ones, then all bits zero, then all bits one. */
typedef struct {
  uint32_t inputs;
  uint32_t given;
  uint32_t state; /* of xorshift32 */
  uint32_t least;
  uint32_t most;
} rbnn_bench_spread;

rbnn_bench_spread rbnn_bench_spread_start(uint32_t inputs);

/* Write the next input; false when all were given. */
bool rbnn_bench_spread_input(rbnn_bench_spread *spread, uint8_t *bytes, uint32_t size);

/* Take the counts of the input given last. */
void rbnn_bench_spread_add(rbnn_bench_spread *spread, uint32_t counts);

/* m-inputs-[<name>,<inputs given>,<least counts>,<most counts>] */
void rbnn_bench_print_spread(const char *name, const rbnn_bench_spread *spread);

#endif
