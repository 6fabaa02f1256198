/* SPDX-License-Identifier: Apache-2.0 */
/* Wide kernels: what the device's kernels compute, bit for bit, on a workstation's vectors. They
 * are for evaluating whole test sets and are part of no firmware; the device's own kernels, which
 * batch.h runs as they are, are for proving the engine.
 *
 * A kernel takes an rbnn_run as in kernels.h but for the weights: these are laid out once for many
 * images (rbnn_wide_lay), so `source` is not used. Timing is not constant. Weights and work need
 * the alignment of uint32_t; 64 bytes are faster. */
#ifndef RBNN_HOST_WIDE_H
#define RBNN_HOST_WIDE_H

#include <stddef.h>

#include "core/kernels.h"

/* Which vectors this build uses. */
const char *rbnn_wide_name(void);

/* Bytes of a checked layer's laid out weights, a multiple of 64; 0 without weights. */
size_t rbnn_wide_layer_bytes(const rbnn_layer *layer);

/* Lay out a layer's weights.
 *   packed  layer->weights_bytes of reconfigured bits, packed as layer->packing says
 *   wide    rbnn_wide_layer_bytes(layer) */
void rbnn_wide_lay(const rbnn_layer *layer, const uint32_t *packed, uint32_t *wide);

/* Bytes of `work` that a checked layer needs, a multiple of 64. */
size_t rbnn_wide_work_bytes(const rbnn_layer *layer);

/* Run a layer, whatever its operator; one without a wide kernel runs the device's own. */
void rbnn_wide_layer(const rbnn_run *run, const uint32_t *wide);

/* The kernels of rbnn_wide_layer. */
void rbnn_wide_stem(const rbnn_run *run, const uint32_t *wide);
size_t rbnn_wide_stem_work_bytes(const rbnn_layer *layer);
void rbnn_wide_stem8(const rbnn_run *run, const uint32_t *wide);
size_t rbnn_wide_stem8_work_bytes(const rbnn_layer *layer);
void rbnn_wide_conv(const rbnn_run *run, const uint32_t *wide);
size_t rbnn_wide_conv_work_bytes(const rbnn_layer *layer);
void rbnn_wide_dense(const rbnn_run *run, const uint32_t *wide);
void rbnn_wide_dense_stream(const rbnn_run *run, const uint32_t *wide);

/* Finish positions first .. first + count - 1 of a stem or a convolution.
 *   sums  of each position's filters, out_channels rounded up to whole groups (wide_block.h) */
void rbnn_wide_stage(const rbnn_run *run, uint32_t first, uint32_t count, const int16_t *sums);

#endif
