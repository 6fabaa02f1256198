/* SPDX-License-Identifier: Apache-2.0 */
/* Reconfiguration: the stored bits of a layer xor the key stream of the active task, or, in the
 * trunk's layers, xor the one that all tasks have in common.
 *
 * Streaming, a kernel's request is answered in the kernel's own room and nothing is kept. Resident
 * layers are reconfigured whole when they are first asked for, and only pointed to from then on. */
#ifndef RBNN_RECONF_RECONF_H
#define RBNN_RECONF_RECONF_H

#include "core/kernels.h"
#include "core/model.h"
#include "crypto/chacha.h"

/* Holds a task's stream key and, in the caller's memory, weights: wipe it when the task is left.
 * Treat as opaque. */
typedef struct {
  const rbnn_model *model;
  uint8_t key[RBNN_KEY_BYTES];       /* of the task's streams */
  uint8_t trunk_key[RBNN_KEY_BYTES]; /* of the trunk's streams */
  rbnn_chacha cipher;                /* layer `layer`'s stream, ready */
  uint32_t layer;                    /* or UINT32_MAX */
  const uint8_t *stored;             /* its bits, as P has them */
  const uint32_t *whole;             /* its bits, reconfigured; NULL when it is not resident */
  uint32_t *resident;                /* memory of the resident layers, in table order */
  uint64_t resident_layers;          /* bit l: layer l is resident */
  uint64_t ready;                    /* bit l: layer l is in `resident`, reconfigured */
} rbnn_reconf;

/* The key of a task's streams: KDF(S_t, "weights", model id). */
void rbnn_reconf_derive_key(uint8_t key[RBNN_KEY_BYTES], const rbnn_model *model,
                            const uint8_t secret[RBNN_KEY_BYTES]);

/* Begin a task with copies of its keys, all layers streaming. `reconf` need not have been
 * initialised; `model` must outlive it.
 *   stream_key  of the task's streams
 *   trunk_key   of the trunk's streams, as the task's parameters hold it (RBNN_KEY_BYTES); a model
 *               without a trunk does not look at it, and NULL serves
 * RBNN_ARGUMENT when a model with a trunk is given none: then nothing may be asked of `reconf`. */
__attribute__((warn_unused_result)) rbnn_status
rbnn_reconf_start(rbnn_reconf *reconf, const rbnn_model *model,
                  const uint8_t stream_key[RBNN_KEY_BYTES], const uint8_t *trunk_key);

/* Bytes that the layers of a set (bit l for layer l) take when they are resident. */
uint32_t rbnn_reconf_resident_bytes(const rbnn_model *model, uint64_t layers);

/* After a start: keep these layers in `memory`, which is the caller's and is wiped with the task.
 * RBNN_ARGUMENT when they do not fit; then all layers stream. */
rbnn_status rbnn_reconf_keep(rbnn_reconf *reconf, uint32_t *memory, uint32_t memory_bytes,
                             uint64_t layers);

/* An rbnn_source; `context` is an rbnn_reconf. The time taken depends on layer, offset, size, on
 * the cipher and on what is resident and ready: on no key and no weight. */
const uint32_t *rbnn_reconf_source(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                                   uint32_t *room);

/* Overwrite the keys and the resident weights. `reconf` has been started, or is all
 * zero. */
void rbnn_reconf_wipe(rbnn_reconf *reconf);

#endif
