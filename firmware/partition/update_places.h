/* SPDX-License-Identifier: Apache-2.0 */
/* Where models lie in the partition, for update.c and update_start.c only. */
#ifndef RBNN_PARTITION_UPDATE_PLACES_H
#define RBNN_PARTITION_UPDATE_PLACES_H

#include "partition/update.h"

/* Whether bytes of the partition can be read. */
bool rbnn_update_can_read(const rbnn_update *update, uint32_t offset, uint32_t bytes);

/* The header of the model at an offset, and its container. */
const rbnn_signed_model_header *rbnn_update_header_at(const rbnn_update *update, uint32_t offset);
const uint8_t *rbnn_update_container_at(const rbnn_update *update, uint32_t offset);

/* Bytes of the sectors that a model takes. */
uint32_t rbnn_update_room_of(const rbnn_update *update, const rbnn_signed_model_header *header);

/* Remember the model at an offset as the newest sound one. */
void rbnn_update_hold(rbnn_update *update, uint32_t offset);

/* Whether a model runs in the memory that this firmware has for one. */
bool rbnn_update_runs(const rbnn_update *update, const rbnn_signed_model_header *header);

/* The store's record of the newest version; false where the device keeps none (yet), or its store
 * is closed. */
bool rbnn_update_find_floor(const rbnn_update *update, rbnn_store_record *record);

/* Leave the model that runs: its bytes are about to go, or it must not run. */
void rbnn_update_leave_model(rbnn_update *update);

#endif
