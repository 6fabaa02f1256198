/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer computes.
 *
 * Bits, tiles and words are those of rbnn/spec/packing.py, stages those of rbnn/spec/layout.py;
 * bit 1 stands for +1. A kernel draws the layer's reconfigured bits from `source`, tile by tile,
 * uses each tile for all output positions and needs no more memory than `work`. Arena regions of
 * one run are disjoint, except that `stream` may be the shortcut itself (same channels): element by
 * element in place. Timing depends only on shapes and sizes, never on inputs, weights or keys. */
#ifndef RBNN_CORE_KERNELS_H
#define RBNN_CORE_KERNELS_H

#include "core/half.h"
#include "spec/rbnn_spec.h"

/* Gives `bytes` reconfigured bytes of layer `layer` from byte `offset` (a multiple of 64) of that
 * layer's bits: either written to `room` (4-byte aligned, `bytes` long) or standing elsewhere in
 * memory. The result is valid until the next call, 4-byte aligned. */
typedef const uint32_t *(*rbnn_source)(void *context, uint32_t layer, uint32_t offset,
                                       uint32_t bytes, uint32_t *room);

/* Pixels of one image, rows, columns, channels, as the task delivers them. Channel c of the
 * network's input is `pixels[position * channels + c * step] - offsets[c]`. */
typedef struct {
  const uint8_t *pixels;
  uint32_t channels;      /* of the task's own input */
  uint32_t step;          /* 1, or 0 where the one channel is repeated */
  const int16_t *offsets; /* 0..255, one for each channel of the network's input */
} rbnn_stem_input;

/* One layer about to run. `layer` has passed rbnn_model_open. Members that its operator does not
 * use are NULL. */
typedef struct {
  const rbnn_layer *layer;
  uint32_t number;              /* of the layer, for `source` */
  const rbnn_stem_input *image; /* of an operator that reads the image */
  const void *input;            /* bits (uint32_t words) or stream (int16_t) */
  const int16_t *shortcut;      /* shortcut_channels a position */
  uint32_t *bits;               /* out_channels / 32 words a position, or NULL */
  int16_t *stream;              /* out_channels a position, or NULL */
  int32_t *logits;              /* out_channels, Q12.20, or NULL */
  const void *params;           /* the layer's group, 4-byte aligned */
  uint32_t classes;             /* of the task: 8-bit weights are there for so many logits */
  uint32_t *work;               /* working memory; more of it means fewer passes */
  uint32_t work_bytes;          /* at least the kernel's own *_work_bytes */
  rbnn_source source;
  void *source_context;
} rbnn_run;

/* The kernel of every operator, void kernel(const rbnn_run *run), and the function that gives the
 * least working memory, uint32_t kernel_work_bytes(const rbnn_layer *layer), where it needs any.
 * What they compute says core/<kernel>/<kernel>.c. */
#define RBNN_DECLARE_KERNEL(name, printed, kernel, work_bytes) void kernel(const rbnn_run *run);
#define RBNN_DECLARE_WORK_BYTES(function) uint32_t function(const rbnn_layer *layer);
RBNN_OPERATOR_LIST(RBNN_DECLARE_KERNEL)
RBNN_WORK_BYTES_LIST(RBNN_DECLARE_WORK_BYTES)

/* An operator as this firmware has it. */
typedef struct {
  void (*run)(const rbnn_run *run);                /* NULL where it was built without */
  uint32_t (*work_bytes)(const rbnn_layer *layer); /* NULL where it needs none */
} rbnn_kernel;

/* By operator. `rbnn export` writes a table of the operators that its model uses, and the linker
 * leaves the others' kernels out; without such a table (kernel_table.c) all are there. */
extern const rbnn_kernel rbnn_kernels[RBNN_KERNELS];

#endif
