/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer computes, one tile of filters at a time over all output positions.
 *
 * Bits, rows and words are those of rbnn/spec/packing.py; bit 1 stands for +1. `layer` has passed
 * rbnn_model_open. A tile holds the reconfigured rows of filters `first .. first + filters - 1`;
 * `first` is a multiple of RBNN_FILTERS_PER_TILE, and the tiles of a layer come in order, as the
 * second tile of a word completes what the first one began. Outputs overlap no input. Timing
 * depends on shapes alone. */
#ifndef RBNN_CORE_KERNELS_H
#define RBNN_CORE_KERNELS_H

#include "rbnn_spec.h"

/* Pixels of one image, rows, columns, channels, as the task delivers them. Channel c of the
 * network's input is `pixels[position * channels + c * step] - offsets[c]`. */
typedef struct {
  const uint8_t *pixels;
  uint32_t channels;      /* of the task's own input */
  uint32_t step;          /* 1, or 0 where the one channel is repeated */
  const int16_t *offsets; /* 0..255, one for each channel of the network's input */
} rbnn_stem_input;

/* Convolution of 8-bit input with binary weights. A padded pixel is 0 after the offset.
 *   tile        `filters` rows; bits behind the row's end are ignored
 *   filters     a multiple of 4, as out_channels is one of 32
 *   thresholds  of the whole layer; output bit = (sum >= threshold)
 *   output      out_channels / 32 words a position; this tile's bits of each are written */
void rbnn_conv_stem(const rbnn_layer *layer, const rbnn_stem_input *input, const uint32_t *tile,
                    const int16_t *thresholds, uint32_t first, uint32_t filters, uint32_t *output);

/* Convolution of bits with binary weights. A padded pixel is +1 in every channel.
 *   input       in_channels / 32 words a position
 *   the rest    as rbnn_conv_stem */
void rbnn_conv_binary(const rbnn_layer *layer, const uint32_t *input, const uint32_t *tile,
                      const int16_t *thresholds, uint32_t first, uint32_t filters,
                      uint32_t *output);

/* Maximum of bits over windows, all channels. `input` and `output` have channels / 32 words a
 * position. */
void rbnn_max_pool(const rbnn_layer *layer, const uint32_t *input, uint32_t *output);

/* Inner products of all input bits with `filters` rows: logit = scale * product + bias, modulo
 * 2^32 (the exporter refuses scales that could overflow).
 *   scales, biases  of the whole layer, Q12.20
 *   logits          of the whole layer; entries first .. first + filters - 1 are written */
void rbnn_dense(const rbnn_layer *layer, const uint32_t *input, const uint32_t *tile,
                const int32_t *scales, const int32_t *biases, uint32_t first, uint32_t filters,
                int32_t *logits);

#endif
