/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out and runs one layer per request with the wide kernels, every buffer an allocation of its
 * own, so that a sanitizer sees a byte too many. Request: sizes of the sections, then the sections.
 * Answer: bits, stream, logits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/layer.h"
#include "host/wide.h"

enum { ARGUMENTS, INPUT, WEIGHTS, PARAMS, SHORTCUT, BITS, STREAM, LOGITS, SECTIONS };

typedef struct {
  rbnn_layer layer;
  uint32_t in_place; /* the stream section holds the shortcut */
  uint32_t channels;
  uint32_t step;
  int16_t offsets[4];
} arguments;

static void *exactly(size_t bytes)
{
  void *memory = malloc(bytes);
  if (memory == NULL) {
    abort();
  }
  /* What a kernel does not set itself must not matter. */
  memset(memory, 0xa5, bytes);
  return memory;
}

static void serve(const uint32_t *sizes, void *const *section)
{
  arguments a;
  memcpy(&a, section[ARGUMENTS], sizeof a);
  const rbnn_stem_input image = {section[INPUT], a.channels, a.step, a.offsets};
  const bool first = rbnn_layer_is_first(&a.layer);
  uint32_t *wide = exactly(rbnn_wide_layer_bytes(&a.layer));
  uint32_t *work = exactly(rbnn_wide_work_bytes(&a.layer));
  const rbnn_run run = {
      .layer = &a.layer,
      .image = first ? &image : NULL,
      .input = first ? NULL : section[INPUT],
      .shortcut = a.in_place        ? section[STREAM]
                  : sizes[SHORTCUT] ? section[SHORTCUT]
                                    : NULL,
      .bits = sizes[BITS] ? section[BITS] : NULL,
      .stream = sizes[STREAM] ? section[STREAM] : NULL,
      .logits = sizes[LOGITS] ? section[LOGITS] : NULL,
      .params = section[PARAMS],
      .classes = a.layer.out_channels,
      .work = work,
      .work_bytes = (uint32_t)rbnn_wide_work_bytes(&a.layer),
  };
  if (sizes[WEIGHTS]) {
    rbnn_wide_lay(&a.layer, section[WEIGHTS], wide);
  }
  rbnn_wide_layer(&run, wide);
  free(wide);
  free(work);
}

int main(void)
{
  uint32_t sizes[SECTIONS];
  fprintf(stdout, "%-8s", rbnn_wide_name());
  fflush(stdout);
  while (fread(sizes, sizeof sizes, 1, stdin) == 1) {
    void *section[SECTIONS];
    for (int i = 0; i < SECTIONS; i++) {
      section[i] = exactly(sizes[i]);
      if (sizes[i] && fread(section[i], sizes[i], 1, stdin) != 1) {
        return 1;
      }
    }
    serve(sizes, section);
    for (int i = BITS; i < SECTIONS; i++) {
      fwrite(section[i], 1, sizes[i], stdout);
    }
    fflush(stdout);
    for (int i = 0; i < SECTIONS; i++) {
      free(section[i]);
    }
  }
  return 0;
}
