/* SPDX-License-Identifier: Apache-2.0 */
/* A device whose model is in a partition of its own, and how a new one comes into it.
 *
 * A model begins at any sector. A new one is written beside the one that is there, from the start
 * of the partition or up to its end, and its header comes last: whenever power fails, the device
 * has the old model or the new one. Where there is no room for both, the old one has to be given up
 * first; until the new one is complete, the device then has none (docs/model-update.md).
 *
 * Whose model it is, that it is not older and that it fits is known from its header, before
 * anything is erased. What is loaded counts from the next start on. */
#ifndef RBNN_PARTITION_UPDATE_H
#define RBNN_PARTITION_UPDATE_H

#include "device/device.h"
#include "partition/model_flash.h"
#include "partition/signed_model.h"

/* Caller-owned; read-only for others. */
typedef struct {
  rbnn_device *device;
  const rbnn_device_memory *memory;
  const rbnn_model_flash *flash; /* NULL where there is none */
  const uint8_t *key;            /* the provider's, RBNN_KEY_BYTES */

  /* The newest sound model, which need not be the one that runs. */
  uint32_t version; /* 0 for none */
  uint32_t offset;  /* of its header */
  uint32_t bytes;   /* of its sectors */

  /* The one that is being loaded. */
  rbnn_signed_model_header header;
  bool loading;
  bool keeps; /* beside the one that is there */
  uint32_t to;
  uint32_t written; /* of its container */
} rbnn_update;

/* Find the newest sound model of the partition, and start the device with it: rbnn_device_start
 * with that container. A model that is there but is not this provider's, is damaged or needs more
 * memory is not opened; the device's model_status says which. `memory->resident_layers` is chosen
 * here. The caller has set device, memory (of `memory`), flash and key. */
rbnn_status rbnn_update_start(rbnn_update *update, rbnn_device_memory *memory,
                              const uint8_t *partition, uint32_t partition_bytes, uint8_t *pattern,
                              const rbnn_flash *store);

/* Begin to load a model by its header. With `replaces`, where there is no room beside the one that
 * is there, that one is given up. RBNN_MODEL_READ_ONLY, RBNN_NO_CONTAINER, RBNN_CONTAINER_FORMAT,
 * RBNN_MODEL_SIGNATURE, RBNN_MODEL_OLD, RBNN_MODEL_MEMORY, RBNN_MODEL_ROOM, RBNN_STORE_DAMAGED, and
 * what rbnn_device_unlock says without keys but RBNN_NOT_ENROLLED; then nothing is erased. */
rbnn_status rbnn_update_begin(rbnn_update *update,
                              const uint8_t header[RBNN_SIGNED_MODEL_HEADER_BYTES], bool replaces);

/* The container's bytes from `offset` on: where the last ones ended, a multiple of
 * RBNN_MODEL_UNIT_BYTES unless they are its last. RBNN_MODEL_ORDER; RBNN_CONTAINER_FORMAT where a
 * sector would begin as a model does: that ends the load. */
rbnn_status rbnn_update_write(rbnn_update *update, uint32_t offset, const uint8_t *data,
                              uint32_t bytes);

/* Check what was loaded, and make it the model of the next start. RBNN_MODEL_ORDER (bytes are
 * missing), RBNN_CONTAINER_DAMAGED and what rbnn_device_start says of a model. On failure the load
 * is over. RBNN_STORE_DAMAGED: the model counts, but an older one may come after it. */
rbnn_status rbnn_update_end(rbnn_update *update);

/* Drop what is being loaded. */
void rbnn_update_stop(rbnn_update *update);

#endif
