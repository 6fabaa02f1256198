/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/measure.h"

#include <stddef.h>
#include <string.h>

#include "link/print.h"
#include "port/counter.h"

#define INSTRUCTIONS_PER_ROUND 2u
#define EXTREME_INPUTS 2u

uint32_t rbnn_bench_measure(rbnn_bench_call call, void *context)
{
  const uint32_t begin = rbnn_port_measure_begin();
  call(context);
  return rbnn_port_measure_end() - begin;
}

static void nothing(void *context)
{
  (void)context;
}

static void loop(void *context)
{
  uint32_t rounds = *(const uint32_t *)context;
  __asm volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(rounds)::"cc");
}

static void print_loop(uint32_t instructions, uint32_t counts)
{
  rbnn_print("m-loop-[");
  rbnn_print_number(instructions);
  rbnn_print(",");
  rbnn_print_number(counts);
  rbnn_print_close();
}

void rbnn_bench_print_loops(void)
{
  static const uint32_t rounds[] = {1000, 1000000};
  print_loop(0, rbnn_bench_measure(nothing, NULL));
  for (uint32_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
    uint32_t count = rounds[i];
    print_loop(INSTRUCTIONS_PER_ROUND * count, rbnn_bench_measure(loop, &count));
  }
}

rbnn_bench_spread rbnn_bench_spread_start(uint32_t inputs)
{
  return (rbnn_bench_spread){inputs, 0, 1, UINT32_MAX, 0};
}

static void fill_randomly(uint8_t *bytes, uint32_t size, uint32_t *state)
{
  for (uint32_t i = 0; i < size; i++) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    bytes[i] = (uint8_t)*state;
  }
}

bool rbnn_bench_spread_input(rbnn_bench_spread *spread, uint8_t *bytes, uint32_t size)
{
  const uint32_t number = spread->given;
  if (number == spread->inputs + EXTREME_INPUTS) return false;
  spread->given++;
  if (number < spread->inputs) {
    fill_randomly(bytes, size, &spread->state);
  } else {
    memset(bytes, number == spread->inputs ? 0 : 0xFF, size);
  }
  return true;
}

void rbnn_bench_spread_add(rbnn_bench_spread *spread, uint32_t counts)
{
  if (counts < spread->least) spread->least = counts;
  if (counts > spread->most) spread->most = counts;
}

void rbnn_bench_print_spread(const char *name, const rbnn_bench_spread *spread)
{
  rbnn_print("m-inputs-[");
  rbnn_print(name);
  rbnn_print(",");
  rbnn_print_number(spread->given);
  rbnn_print(",");
  rbnn_print_number(spread->least);
  rbnn_print(",");
  rbnn_print_number(spread->most);
  rbnn_print_close();
}
