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
  const rbnn_stem_input *image; /* stem */
  const void *input;            /* bits (uint32_t words) or stream (int16_t) */
  const int16_t *shortcut;      /* shortcut_channels a position */
  uint32_t *bits;               /* out_channels / 32 words a position, or NULL */
  int16_t *stream;              /* out_channels a position, or NULL */
  int32_t *logits;              /* dense layers: out_channels, Q12.20 */
  const void *params;           /* the layer's group, 4-byte aligned */
  uint32_t *work;               /* working memory; more of it means fewer passes */
  uint32_t work_bytes;          /* at least the kernel's own *_work_bytes */
  rbnn_source source;
  void *source_context;
} rbnn_run;

/* 8-bit convolution, fused pool, stage. Serves windows of 1..7 pixels a side and of 128 values at
 * most (their sums fit int16), any stride, less padding than the window's side, 1..4 channels, no
 * pool or one of 2x2, no shortcut. */
void rbnn_conv_stem(const rbnn_run *run);
uint32_t rbnn_conv_stem_work_bytes(const rbnn_layer *layer);

/* Binary convolution, stage. */
void rbnn_conv_binary(const rbnn_run *run);
uint32_t rbnn_conv_binary_work_bytes(const rbnn_layer *layer);

/* Maximum of bits over windows of any size, no padding. */
void rbnn_max_pool(const rbnn_run *run);

/* Mean of the stream over windows of a power of two pixels, no padding:
 * floor((sum + pixels / 2) / pixels). `stream` may be `input` itself: it never catches up with what
 * is still to be read. */
void rbnn_average_pool(const rbnn_run *run);

/* Logits from bits: scale * product + bias, modulo 2^32 (the exporter refuses scales that could
 * overflow). */
void rbnn_dense(const rbnn_run *run);
uint32_t rbnn_dense_work_bytes(const rbnn_layer *layer);

/* Logits from the stream: sat32(floor((scale * product + bias * 2^8) / 2^8)) in 64 bits; a product
 * of that length takes a Cortex-M3, no other core, a time that depends on the numbers. */
void rbnn_dense_stream(const rbnn_run *run);
uint32_t rbnn_dense_stream_work_bytes(const rbnn_layer *layer);

/* An operator as this firmware has it. */
typedef struct {
  void (*run)(const rbnn_run *run);                /* NULL where it was built without */
  uint32_t (*work_bytes)(const rbnn_layer *layer); /* NULL where it needs none */
} rbnn_kernel;

/* By operator. `rbnn export` writes a table of the operators that its model uses, and the linker
 * leaves the others' kernels out; without such a table (kernel_table.c) all are there. */
#define RBNN_KERNELS 7u
extern const rbnn_kernel rbnn_kernels[RBNN_KERNELS];

#endif
