/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/update.h"

#include <string.h>

#include "partition/update_places.h"

#define HEADER_BYTES RBNN_SIGNED_MODEL_HEADER_BYTES
#define UNIT RBNN_MODEL_UNIT_BYTES

/* Whether a header says of a container what that says of itself. */
static bool says_the_same(const rbnn_signed_model_header *header, const rbnn_model *model)
{
  const rbnn_container_header *const own = model->header;
  return own->total_bytes == header->container_bytes && own->arena_bytes == header->arena_bytes &&
         own->work_bytes == header->work_bytes && own->params_bytes == header->params_bytes &&
         own->task_count == header->task_count &&
         memcmp(own->model_id, header->model_id, sizeof own->model_id) == 0;
}

static rbnn_status raise_floor(const rbnn_update *update, uint32_t version)
{
  rbnn_store_record record;
  if (!rbnn_update_find_floor(update, &record) || version <= record.floor) return RBNN_OK;
  record.floor = version;
  return rbnn_store_put(&update->device->vault.store, &record);
}

/* Whether the device may take a model at all now: its store must be there to say what it had. */
static rbnn_status check_device(const rbnn_update *update)
{
  const rbnn_vault *const vault = &update->device->vault;
  const rbnn_status status = rbnn_vault_check_keys(vault);
  if (status != RBNN_OK) return status == RBNN_NOT_ENROLLED ? RBNN_OK : status;
  return vault->store.status == RBNN_STORE_DAMAGED ? RBNN_STORE_DAMAGED : RBNN_OK;
}

static rbnn_status check_version(const rbnn_update *update, uint32_t version)
{
  rbnn_store_record record;
  if (version <= update->version) return RBNN_MODEL_OLD;
  return rbnn_update_find_floor(update, &record) && version < record.floor ? RBNN_MODEL_OLD
                                                                           : RBNN_OK;
}

/* Where a model of `bytes` bytes lies beside the one that is there. False: nowhere. */
static bool place_beside(const rbnn_update *update, uint32_t bytes, uint32_t *to)
{
  const uint32_t end = update->offset + update->bytes;
  *to = 0;
  if (update->version == 0u || bytes <= update->offset) return true;
  *to = update->flash->bytes - bytes;
  return end <= *to;
}

/* Whether the model that runs lies in `bytes` bytes from `to` on. */
static bool is_run_from(const rbnn_update *update, uint32_t to, uint32_t bytes)
{
  const uint8_t *const running = update->device->model.bytes;
  const uint8_t *const start = update->flash->start + to;
  return running != NULL && running < start + bytes && running + update->device->model.size > start;
}

/* Erase what is left of models that are older than the one that is there: without that one, the
 * next start would find them. */
static void erase_older(rbnn_update *update)
{
  const uint32_t step = update->flash->sector_bytes;
  for (uint32_t at = 0; at < update->flash->bytes; at += step) {
    const bool is_held =
        update->version != 0u && at >= update->offset && at - update->offset < update->bytes;
    if (!is_held && rbnn_update_can_read(update, at, HEADER_BYTES) &&
        memcmp(rbnn_update_header_at(update, at)->magic, RBNN_MODEL_MAGIC, 4) == 0) {
      if (is_run_from(update, at, step)) rbnn_update_leave_model(update);
      update->flash->erase(at);
    }
  }
}

rbnn_status rbnn_update_begin(rbnn_update *update, const uint8_t header[HEADER_BYTES],
                              bool replaces)
{
  rbnn_signed_model_header *const new = &update->header;
  uint32_t to;
  update->loading = false;
  if (update->flash == NULL || update->flash->erase == NULL) return RBNN_MODEL_READ_ONLY;
  memcpy(new, header, sizeof *new);
  rbnn_status status = rbnn_signed_model_check_header(new, UINT32_MAX, update->key);
  if (status == RBNN_OK) status = check_device(update);
  if (status == RBNN_OK) status = check_version(update, new->model_version);
  if (status == RBNN_OK &&
      (new->container_bytes > update->flash->bytes - HEADER_BYTES ||
       new->container_bytes < RBNN_CONTAINER_HEADER_BYTES || !rbnn_update_runs(update, new))) {
    status = RBNN_MODEL_MEMORY;
  }
  if (status != RBNN_OK) return status;
  const uint32_t bytes = rbnn_update_room_of(update, new);
  const bool keeps = place_beside(update, bytes, &to);
  if (!keeps && !replaces) return RBNN_MODEL_ROOM;
  /* Where it will be gone, that the device had it must not be. */
  status = raise_floor(update, update->version);
  if (status != RBNN_OK) return status;
  erase_older(update);
  if (!keeps) {
    to = 0;
    update->version = 0;
  }
  if (is_run_from(update, to, bytes)) rbnn_update_leave_model(update);
  /* The first sector has the header, so that nothing there is a model from now on. */
  for (uint32_t at = to; at < to + bytes; at += update->flash->sector_bytes) {
    update->flash->erase(at);
  }
  update->keeps = keeps;
  update->to = to;
  update->written = 0;
  update->loading = true;
  return RBNN_OK;
}

/* Program bytes from an offset on, the last unit padded as erased flash is. */
static void program(const rbnn_update *update, uint32_t offset, const uint8_t *data, uint32_t bytes)
{
  for (uint32_t at = 0; at < bytes; at += UNIT) {
    uint32_t unit[UNIT / 4u];
    const uint32_t left = bytes - at;
    memset(unit, 0xFF, sizeof unit);
    memcpy(unit, data + at, left < UNIT ? left : UNIT);
    update->flash->program(offset + at, unit);
  }
}

/* Whether bytes that are to lie at `at` would be taken for a model there, at the next start: a
 * model begins at a sector. Before all of a container is there, nobody knows whose bytes these are.
 */
static bool begins_model(const rbnn_update *update, uint32_t at, const uint8_t *data,
                         uint32_t bytes)
{
  const uint32_t past = at % update->flash->sector_bytes;
  const uint32_t skip = past == 0u ? 0u : update->flash->sector_bytes - past;
  for (uint32_t i = skip; i < bytes; i += update->flash->sector_bytes) {
    if (bytes - i >= 4u && memcmp(data + i, RBNN_MODEL_MAGIC, 4) == 0) return true;
  }
  return false;
}

rbnn_status rbnn_update_write(rbnn_update *update, uint32_t offset, const uint8_t *data,
                              uint32_t bytes)
{
  if (!update->loading || offset != update->written) return RBNN_MODEL_ORDER;
  const uint32_t left = update->header.container_bytes - update->written;
  if (bytes == 0u || bytes > left || (bytes != left && bytes % UNIT != 0u)) {
    return RBNN_MODEL_ORDER;
  }
  const uint32_t at = update->to + HEADER_BYTES + offset;
  if (begins_model(update, at, data, bytes)) {
    update->loading = false;
    return RBNN_CONTAINER_FORMAT;
  }
  program(update, at, data, bytes);
  update->written += bytes;
  return RBNN_OK;
}

/* Whether all of the container has arrived, and this firmware can run it. */
static rbnn_status check_loaded(const rbnn_update *update)
{
  rbnn_model model;
  uint32_t bad_layer;
  const rbnn_signed_model_header *const header = &update->header;
  const uint8_t *const container = rbnn_update_container_at(update, update->to);
  if (!rbnn_update_can_read(update, update->to + HEADER_BYTES, header->container_bytes)) {
    return RBNN_CONTAINER_DAMAGED;
  }
  rbnn_status status = rbnn_signed_model_check_container(header, container);
  if (status == RBNN_OK) {
    status = rbnn_model_open(&model, container, header->container_bytes, &bad_layer);
  }
  if (status == RBNN_CONTAINER_LAYER) update->device->bad_layer = bad_layer;
  return status == RBNN_OK && !says_the_same(header, &model) ? RBNN_CONTAINER_FORMAT : status;
}

rbnn_status rbnn_update_end(rbnn_update *update)
{
  if (!update->loading || update->written != update->header.container_bytes) {
    return RBNN_MODEL_ORDER;
  }
  update->loading = false;
  rbnn_status status = check_loaded(update);
  if (status != RBNN_OK) return status;
  program(update, update->to, (const uint8_t *)&update->header, HEADER_BYTES);
  if (!rbnn_update_can_read(update, update->to, HEADER_BYTES) ||
      memcmp(rbnn_update_header_at(update, update->to), &update->header, HEADER_BYTES) != 0) {
    return RBNN_CONTAINER_DAMAGED;
  }
  rbnn_update_hold(update, update->to);
  return raise_floor(update, update->version);
}

void rbnn_update_stop(rbnn_update *update)
{
  update->loading = false;
}
