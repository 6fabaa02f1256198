/* SPDX-License-Identifier: Apache-2.0 */
/* Runs binary convolutions from a file of cases, on this machine or on an emulated Cortex-M with
 * semihosting: conv_binary_driver CASES RESULTS. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "../reference/reference.h"

/* A case: this, the layer's record, then input, weights, shortcut, params, each of whole words. */
typedef struct {
  uint32_t is_reference;
  uint32_t copies_weights; /* the source writes to the kernel's room */
  uint32_t work_bytes;     /* 0: the least that the kernel asks for */
  uint32_t input_bytes;
  uint32_t weights_bytes;
  uint32_t shortcut_bytes;
  uint32_t params_bytes;
  uint32_t bits_bytes;
  uint32_t stream_bytes;
} header;

typedef struct {
  const uint32_t *weights;
  uint32_t bytes;
  uint32_t copies;
} store;

#if defined(__arm__)
extern uint32_t stack_top[];
extern void _start(void);
__attribute__((section(".vectors"), used)) static void *const vectors[] = {stack_top,
                                                                           (void *)_start};

/* Timer 0 of the mps2 boards: 32 bits, counting down every 40 ns. */
#define TIMER ((volatile uint32_t *)0x40000000u)
static void start_timer(void)
{
  TIMER[2] = UINT32_MAX; /* reload */
  TIMER[1] = UINT32_MAX;
  TIMER[0] = 1; /* enable */
}
static uint32_t ticks_left(void)
{
  return TIMER[1];
}
#else
static void start_timer(void)
{
}
static uint32_t ticks_left(void)
{
  return 0;
}
#endif

static const uint32_t *draw(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                            uint32_t *room)
{
  const store *from = context;
  if (layer != 7 || offset % 64 != 0 || offset + bytes > from->bytes) {
    abort();
  }
  if (!from->copies) {
    return from->weights + offset / 4;
  }
  memcpy(room, from->weights + offset / 4, bytes);
  return room;
}

static void *take(FILE *file, uint32_t bytes)
{
  void *memory = bytes ? malloc(bytes) : NULL;
  if (bytes && (!memory || fread(memory, 1, bytes, file) != bytes)) {
    abort();
  }
  return memory;
}

static void *room(uint32_t bytes, int fill)
{
  void *memory = bytes ? malloc(bytes) : NULL;
  if (memory) {
    memset(memory, fill, bytes);
  }
  return memory;
}

static void give(FILE *file, const void *memory, uint32_t bytes)
{
  if (bytes && fwrite(memory, 1, bytes, file) != bytes) {
    abort();
  }
}

int main(int count, char **words)
{
  FILE *cases = count == 3 ? fopen(words[1], "rb") : NULL;
  FILE *results = count == 3 ? fopen(words[2], "wb") : NULL;
  if (!cases || !results) {
    return 2;
  }
  start_timer();
  header h;
  while (fread(&h, 1, sizeof h, cases) == sizeof h) {
    rbnn_layer *layer = take(cases, sizeof *layer);
    void *input = take(cases, h.input_bytes);
    uint32_t *weights = take(cases, h.weights_bytes);
    void *shortcut = take(cases, h.shortcut_bytes);
    void *params = take(cases, h.params_bytes);
    uint32_t work_bytes = h.work_bytes ? h.work_bytes : rbnn_conv_binary_work_bytes(layer);
    if (h.is_reference) {
      work_bytes = h.weights_bytes;
    }
    void *work = room(work_bytes, 0xa5);
    void *bits = room(h.bits_bytes, 0x5a);
    void *stream = room(h.stream_bytes, 0x5a);
    store from = {weights, h.weights_bytes, h.copies_weights};
    const rbnn_run run = {
        .layer = layer,
        .number = 7,
        .input = input,
        .shortcut = shortcut,
        .bits = bits,
        .stream = stream,
        .params = params,
        .work = work,
        .work_bytes = work_bytes,
        .source = draw,
        .source_context = &from,
    };
    const uint32_t before = ticks_left();
    if (h.is_reference) {
      rbnn_conv_binary_reference(&run);
    } else {
      rbnn_conv_binary(&run);
    }
    const uint32_t spent = before - ticks_left();
    give(results, &spent, sizeof spent);
    give(results, &work_bytes, sizeof work_bytes);
    give(results, bits, h.bits_bytes);
    give(results, stream, h.stream_bytes);
    free(layer), free(input), free(weights), free(shortcut), free(params);
    free(work), free(bits), free(stream);
  }
  return fclose(results) != 0;
}
