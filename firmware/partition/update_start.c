/* SPDX-License-Identifier: Apache-2.0 */
/* Which model of the partition the device starts with. */
#include <string.h>

#include "partition/update_places.h"

/* Whether the model at an offset is sound: its header, and all of its container. */
static rbnn_status check_at(const rbnn_update *update, uint32_t offset)
{
  const rbnn_signed_model_header *const header = rbnn_update_header_at(update, offset);
  const uint32_t capacity = update->flash->bytes - offset - RBNN_SIGNED_MODEL_HEADER_BYTES;
  rbnn_status status = rbnn_signed_model_check_header(header, capacity, update->key);
  if (status == RBNN_OK) {
    status =
        rbnn_update_can_read(update, offset,
                             RBNN_SIGNED_MODEL_HEADER_BYTES + header->container_bytes)
            ? rbnn_signed_model_check_container(header, rbnn_update_container_at(update, offset))
            : RBNN_CONTAINER_DAMAGED;
  }
  return status;
}

/* Find the newest sound model. Without one, what is wrong with the last that there is. */
static rbnn_status find(rbnn_update *update)
{
  rbnn_status status = RBNN_NO_CONTAINER;
  if (update->flash == NULL) return status;
  const uint32_t step = update->flash->sector_bytes;
  for (uint32_t at = 0; at < update->flash->bytes; at += step) {
    if (!rbnn_update_can_read(update, at, RBNN_SIGNED_MODEL_HEADER_BYTES)) continue;
    /* A version of 0 is none; an older one need not be looked at. */
    const rbnn_signed_model_header *const header = rbnn_update_header_at(update, at);
    if (memcmp(header->magic, RBNN_MODEL_MAGIC, sizeof header->magic) != 0 ||
        header->model_version <= update->version) {
      continue;
    }
    const rbnn_status found = check_at(update, at);
    if (found == RBNN_OK) rbnn_update_hold(update, at);
    status = update->version != 0u ? RBNN_OK : found;
  }
  return status;
}

/* Layers whose weights fit into `bytes` together, from the largest down. */
static uint64_t choose_resident(const rbnn_model *model, uint32_t bytes)
{
  uint64_t chosen = 0, seen = 0;
  for (uint32_t n = 0; n < model->header->layer_count; n++) {
    uint32_t largest = 0, size = 0;
    for (uint32_t i = 0; i < model->header->layer_count; i++) {
      if ((seen >> i & 1u) == 0u && (size == 0u || model->layers[i].weights_bytes > size)) {
        largest = i;
        size = model->layers[i].weights_bytes;
      }
    }
    const uint64_t bit = (uint64_t)1 << largest;
    seen |= bit;
    if (size != 0u && rbnn_reconf_resident_bytes(model, chosen | bit) <= bytes) chosen |= bit;
  }
  return chosen;
}

rbnn_status rbnn_update_start(rbnn_update *update, rbnn_device_memory *memory,
                              const uint8_t *partition, uint32_t partition_bytes, uint8_t *pattern,
                              const rbnn_flash *store)
{
  rbnn_device *const device = update->device;
  const uint8_t *container = NULL;
  uint32_t bytes = 0;
  update->version = 0;
  update->loading = false;
  rbnn_status status = find(update);
  if (status == RBNN_OK &&
      !rbnn_update_runs(update, rbnn_update_header_at(update, update->offset))) {
    status = RBNN_MODEL_MEMORY;
  }
  if (status == RBNN_OK) {
    container = rbnn_update_container_at(update, update->offset);
    bytes = rbnn_update_header_at(update, update->offset)->container_bytes;
  }
  rbnn_store_record newest;
  memory->resident_layers = 0;
  const rbnn_status opened = rbnn_device_start(device, memory, container, bytes, partition,
                                               partition_bytes, pattern, store);
  if (status != RBNN_OK) {
    device->model_status = status; /* more than that there is none */
  } else if (rbnn_update_find_floor(update, &newest) && update->version < newest.floor) {
    rbnn_update_leave_model(update); /* an older one that a probe or a bootloader has put there */
    device->model_status = RBNN_MODEL_OLD;
  } else if (opened == RBNN_OK && memory->resident != NULL) {
    memory->resident_layers = choose_resident(&device->model, memory->resident_bytes);
  }
  return device->model_status;
}
