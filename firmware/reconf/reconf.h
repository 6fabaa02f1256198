/* SPDX-License-Identifier: Apache-2.0 */
/* Reconfiguration: the stored bits of a layer xor the key stream of the active task. */
#ifndef RBNN_RECONF_RECONF_H
#define RBNN_RECONF_RECONF_H

#include "model.h"

/* Holds a task secret: wipe it when the task is left. */
typedef struct {
  const rbnn_model *model;
  uint8_t secret[RBNN_KEY_BYTES];    /* S_t */
  uint8_t layer_key[RBNN_KEY_BYTES]; /* of layer `layer` */
  uint32_t layer;                    /* layer whose key is cached, or UINT32_MAX */
} rbnn_reconf;

/* Take a copy of the task secret. `model` must outlive `reconf`. */
void rbnn_reconf_start(rbnn_reconf *reconf, const rbnn_model *model,
                       const uint8_t secret[RBNN_KEY_BYTES]);

/* An rbnn_tile_source; `context` is an rbnn_reconf. Constant time for fixed sizes. */
void rbnn_reconf_tile(void *context, uint32_t layer, uint32_t offset, uint32_t bytes,
                      uint32_t *tile);

/* Overwrite every secret byte. */
void rbnn_reconf_wipe(rbnn_reconf *reconf);

#endif
