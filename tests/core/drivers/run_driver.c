/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one kernel per request, every buffer an allocation of its own, so that a sanitizer sees a
 * byte too many. Request: sizes of the sections, then the sections. Answer: bits, stream, logits
 * and the instructions it took (bare machine; else zero). On this machine requests come from stdin
 * until its end; a bare one finds them in a file and counts with SysTick. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "core/operators.h"
#include "core/stage/stage.h"
#include "../reference/reference.h"

enum { ARGUMENTS, INPUT, WEIGHTS, PARAMS, SHORTCUT, BITS, STREAM, LOGITS, SECTIONS };

/* The kernel is that of the layer's operator; the stage by itself where it has none. */
typedef struct {
  uint32_t reference; /* the plain one */
  uint32_t in_place;  /* the stream section holds the shortcut, or the average pool's input */
  uint32_t channels;
  uint32_t step;
  uint32_t spare; /* working memory beyond the kernel's least */
  int16_t offsets[4];
  rbnn_layer layer;
} arguments;

#if defined(__arm__)

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
#define FPU_ACCESS (*(volatile uint32_t *)0xE000ED88u)

extern uint32_t stack_top[];
extern void _start(void);
static volatile uint32_t overflows;

static void enter(void)
{
  FPU_ACCESS |= 0xF00000u;
  _start();
}

static void fault(void)
{
  fputs("fault\n", stderr);
  exit(1);
}

static void tick(void)
{
  overflows++;
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = {stack_top,
                                                                           (void *)enter,
                                                                           (void *)fault,
                                                                           (void *)fault,
                                                                           (void *)fault,
                                                                           (void *)fault,
                                                                           (void *)fault,
                                                                           0,
                                                                           0,
                                                                           0,
                                                                           0,
                                                                           (void *)fault,
                                                                           0,
                                                                           0,
                                                                           (void *)fault,
                                                                           (void *)tick};

/* Ticks of 40 ns. The counter's interrupt costs instructions too; a short run has none. */
static uint64_t ticks(void)
{
  uint32_t high, low;
  do {
    high = overflows;
    low = 0xffffffu - SYSTICK_VALUE;
  } while (high != overflows);
  return ((uint64_t)high << 24) + low;
}

static void start_ticks(void)
{
  overflows = 0;
  SYSTICK_RELOAD = 0xffffffu;
  SYSTICK_VALUE = 0;
  SYSTICK_CONTROL = 7u;
}

#else

static uint64_t ticks(void)
{
  return 0;
}

static void start_ticks(void)
{
}

#endif

static void *exactly(uint32_t bytes)
{
  void *memory = malloc(bytes);
  if (memory == NULL) {
    abort();
  }
  /* What a kernel does not set itself must not matter. */
  memset(memory, 0xa5, bytes);
  return memory;
}

typedef struct {
  const uint8_t *weights;
  uint32_t bytes;
} store;

static const uint32_t *draw(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                            uint32_t *room)
{
  const store *kept = context;
  if (layer != 7u || offset % 64u != 0 || offset + bytes > kept->bytes) {
    abort();
  }
  memcpy(room, kept->weights + offset, bytes);
  return room;
}

static void stage(const rbnn_run *run, int plain)
{
  const rbnn_layer *layer = run->layer;
  const int16_t *sums = run->input;
  for (uint32_t first = 0; first < layer->out_channels; first += RBNN_FILTERS_PER_TILE) {
    rbnn_stage_tile tile;
    rbnn_stage_prepare(&tile, run, first);
    for (uint32_t y = 0; y < layer->out_height; y++) {
      if (!plain) {
        rbnn_stage_row(&tile, run, first, y, sums);
        sums += layer->out_width * RBNN_FILTERS_PER_TILE;
        continue;
      }
      for (uint32_t i = 0; i < layer->out_width * RBNN_FILTERS_PER_TILE; i++) {
        rbnn_stage_reference(run, y * layer->out_width + i / RBNN_FILTERS_PER_TILE,
                             first + i % RBNN_FILTERS_PER_TILE, *sums++);
      }
    }
  }
}

static uint32_t work_bytes(const arguments *a)
{
  if (a->reference) {
    return a->layer.weights_bytes;
  }
  uint32_t (*const least)(const rbnn_layer *) = rbnn_kernels[a->layer.op].work_bytes;
  return least != NULL ? least(&a->layer) + a->spare : 0u;
}

#define REFERENCE(name, printed, kernel, work_bytes) [RBNN_OPERATOR_##name] = kernel##_reference,
static void (*const references[RBNN_KERNELS])(const rbnn_run *) = {RBNN_OPERATOR_LIST(REFERENCE)};

static void run_kernel(const arguments *a, const rbnn_run *run)
{
  if (a->layer.op == 0) {
    stage(run, a->reference != 0);
  } else if (a->reference) {
    references[a->layer.op](run);
  } else {
    rbnn_kernels[a->layer.op].run(run);
  }
}

static uint64_t serve(const uint32_t *sizes, void *const *section)
{
  arguments a;
  memcpy(&a, section[ARGUMENTS], sizeof a);
  const rbnn_stem_input image = {section[INPUT], a.channels, a.step, a.offsets};
  store kept = {section[WEIGHTS], sizes[WEIGHTS]};
  const rbnn_operator_traits *traits = rbnn_operator_find(a.layer.op);
  const bool image_in = traits->reads == RBNN_READS_IMAGE;
  const uint32_t bytes = work_bytes(&a);
  uint32_t *work = exactly(bytes);
  rbnn_run run = {
      .layer = &a.layer,
      .number = 7,
      .image = image_in ? &image : NULL,
      .input = image_in                         ? NULL
               : a.in_place && traits->in_place ? section[STREAM]
                                                : section[INPUT],
      .shortcut = a.in_place        ? section[STREAM]
                  : sizes[SHORTCUT] ? section[SHORTCUT]
                                    : NULL,
      .bits = sizes[BITS] ? section[BITS] : NULL,
      .stream = sizes[STREAM] ? section[STREAM] : NULL,
      .logits = sizes[LOGITS] ? section[LOGITS] : NULL,
      .params = section[PARAMS],
      .classes = a.layer.out_channels,
      .work = work,
      .work_bytes = bytes,
      .source = draw,
      .source_context = &kept,
  };
  start_ticks();
  const uint64_t start = ticks();
  run_kernel(&a, &run);
  const uint64_t took = ticks() - start;
  free(work);
  return took;
}

int main(void)
{
#if defined(__arm__)
  FILE *requests = fopen("requests.bin", "rb");
  FILE *answers = fopen("answers.bin", "wb");
#else
  FILE *requests = stdin;
  FILE *answers = stdout;
#endif
  uint32_t sizes[SECTIONS];
  while (fread(sizes, sizeof sizes, 1, requests) == 1) {
    void *section[SECTIONS];
    for (int i = 0; i < SECTIONS; i++) {
      section[i] = exactly(sizes[i]);
      if (sizes[i] && fread(section[i], sizes[i], 1, requests) != 1) {
        return 1;
      }
    }
    const uint64_t took = serve(sizes, section);
    for (int i = BITS; i < SECTIONS; i++) {
      fwrite(section[i], 1, sizes[i], answers);
    }
    fwrite(&took, sizeof took, 1, answers);
    fflush(answers);
    for (int i = 0; i < SECTIONS; i++) {
      free(section[i]);
    }
  }
  return fclose(answers);
}
