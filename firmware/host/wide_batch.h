/* SPDX-License-Identifier: Apache-2.0 */
/* Whole test sets through the wide kernels: the active task of an rbnn_batch is reconfigured and
 * laid out once, then any number of threads run images, each in a scratch of its own. Results are
 * those of rbnn_batch_infer, bit for bit. */
#ifndef RBNN_HOST_WIDE_BATCH_H
#define RBNN_HOST_WIDE_BATCH_H

#include <stddef.h>

#include "host/batch.h"

/* Bytes that rbnn_wide_batch_prepare writes for an opened container. */
size_t rbnn_wide_batch_weights_bytes(const rbnn_batch *batch);

/* Bytes that one thread needs. */
size_t rbnn_wide_batch_scratch_bytes(const rbnn_batch *batch);

/* Draw all bits of the active task from its source and lay them out. `weights` holds
 * rbnn_wide_batch_weights_bytes(), best at a multiple of 64; it then is as secret as the task: wipe
 * it. */
void rbnn_wide_batch_prepare(const rbnn_batch *batch, uint32_t *weights);

/* As rbnn_batch_infer, with prepared weights. `scratch` holds rbnn_wide_batch_scratch_bytes(), best
 * at a multiple of 64, and belongs to this call; all else may be shared between threads. */
void rbnn_wide_batch_infer(const rbnn_batch *batch, const uint32_t *weights, uint32_t *scratch,
                           const uint8_t *images, uint32_t count, int32_t *logits,
                           uint8_t *outputs);

#endif
