/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/update_places.h"

#include <stddef.h>
#include <string.h>

bool rbnn_update_can_read(const rbnn_update *update, uint32_t offset, uint32_t bytes)
{
  const rbnn_model_flash *const flash = update->flash;
  return flash->can_read == NULL || flash->can_read(offset, bytes);
}

const rbnn_signed_model_header *rbnn_update_header_at(const rbnn_update *update, uint32_t offset)
{
  return (const void *)(update->flash->start + offset);
}

const uint8_t *rbnn_update_container_at(const rbnn_update *update, uint32_t offset)
{
  return update->flash->start + offset + RBNN_SIGNED_MODEL_HEADER_BYTES;
}

uint32_t rbnn_update_room_of(const rbnn_update *update, const rbnn_signed_model_header *header)
{
  const uint32_t sector = update->flash->sector_bytes;
  return (RBNN_SIGNED_MODEL_HEADER_BYTES + header->container_bytes + sector - 1u) / sector * sector;
}

void rbnn_update_hold(rbnn_update *update, uint32_t offset)
{
  update->version = rbnn_update_header_at(update, offset)->model_version;
  update->offset = offset;
  update->bytes = rbnn_update_room_of(update, rbnn_update_header_at(update, offset));
}

bool rbnn_update_runs(const rbnn_update *update, const rbnn_signed_model_header *header)
{
  const rbnn_device_memory *const memory = update->memory;
  return header->arena_bytes <= memory->arena_bytes && header->work_bytes <= memory->work_bytes &&
         header->params_bytes <= memory->params_bytes && header->task_count <= RBNN_WITH_TASKS;
}

bool rbnn_update_find_floor(const rbnn_update *update, rbnn_store_record *record)
{
  static const uint8_t no_model_id[16];
  const rbnn_store *const store = &update->device->vault.store;
  if (store->status != RBNN_OK) return false;
  rbnn_store_find(store, no_model_id, RBNN_MODEL_FLOOR_TASK, record);
  return true;
}

void rbnn_update_leave_model(rbnn_update *update)
{
  rbnn_device *const device = update->device;
  rbnn_device_lock(device);
  device->model_status = RBNN_NO_CONTAINER;
  device->engine.model = NULL;
  device->vault.model = NULL;
  memset(&device->model, 0, sizeof device->model);
}
