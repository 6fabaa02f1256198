/* SPDX-License-Identifier: Apache-2.0 */
#include "device/device.h"

#include <stddef.h>

#include "core/scores.h"
#include "crypto/wipe.h"
#include "spec/target.h"

rbnn_status rbnn_device_start(rbnn_device *device, const rbnn_device_memory *memory,
                              const uint8_t *container, uint32_t container_bytes,
                              const uint8_t *partition, uint32_t partition_bytes, uint8_t *pattern,
                              const rbnn_flash *flash)
{
  rbnn_wipe(device, sizeof *device);
  device->memory = memory;
  device->pattern = pattern;
  device->model_status =
      rbnn_model_open(&device->model, container, container_bytes, &device->bad_layer);
  const rbnn_model *const model = device->model_status == RBNN_OK ? &device->model : NULL;
  rbnn_vault_start(&device->vault, model, partition, partition_bytes, pattern, flash);
  device->engine = (rbnn_engine){
      .model = model,
      .params = (const uint8_t *)memory->params,
      .arena = memory->arena,
      .arena_bytes = memory->arena_bytes,
      .work = memory->work,
      .work_bytes = memory->work_bytes,
      .source = rbnn_reconf_source,
      .source_context = &device->reconf,
  };
  rbnn_wipe_stack();
  return device->model_status;
}

rbnn_status rbnn_device_enroll(rbnn_device *device, uint8_t record[RBNN_HELPER_RECORD_BYTES])
{
  const rbnn_status status = rbnn_vault_enroll(&device->vault, device->pattern, record);
  rbnn_wipe_stack();
  return status;
}

void rbnn_device_forget_scores(rbnn_device *device)
{
  rbnn_wipe(device->scores, sizeof device->scores);
  device->score_count = 0;
}

#if RBNN_AUDIO
rbnn_status rbnn_device_check_sound(const rbnn_device *device)
{
  const rbnn_status status = rbnn_device_check_active(device);
  if (status != RBNN_OK) return status;
  const bool fits = rbnn_device_input_bytes(device) == RBNN_AUDIO_PICTURE_BYTES &&
                    device->model.header->input_height == RBNN_AUDIO_BANDS;
  const uint32_t front_end = device->model.tasks[device->vault.active].front_end;
  const bool can = fits && front_end == RBNN_FRONTEND_LOG_MEL && device->memory->listener != NULL;
  return can ? RBNN_OK : RBNN_NO_SOUND;
}

uint64_t rbnn_device_background(const rbnn_device *device)
{
  uint64_t ignored = 0;
  for (uint32_t i = 0; i < rbnn_device_params(device)->classes; i++) {
    if (rbnn_device_label(device, i)[0] == RBNN_AUDIO_BACKGROUND_PREFIX) ignored |= 1ull << i;
  }
  return ignored;
}
#endif

void rbnn_device_forget_sound(rbnn_device *device)
{
#if RBNN_AUDIO
  if (device->memory->listener != NULL) {
    rbnn_wipe(device->memory->listener, device->memory->listener_bytes);
  }
#else
  (void)device;
#endif
}

/* Wipe what the active task has in memory. */
static void leave_task(rbnn_device *device)
{
  const rbnn_device_memory *const memory = device->memory;
  rbnn_reconf_wipe(&device->reconf);
  rbnn_wipe(memory->params, memory->params_bytes);
  rbnn_wipe(memory->work, memory->work_bytes);
  rbnn_wipe(memory->arena, memory->arena_bytes);
  rbnn_device_forget_sound(device);
  rbnn_device_forget_scores(device);
  device->engine.params_bytes = 0;
  rbnn_wipe_stack();
}

rbnn_status rbnn_device_add_licence(rbnn_device *device, const uint8_t licence[RBNN_LICENCE_BYTES],
                                    uint32_t *slot)
{
  if (device->model_status != RBNN_OK) {
    return device->model_status;
  }
  const rbnn_status status = rbnn_vault_add_licence(&device->vault, licence, slot);
  /* The replaced licence may have been the active task's. */
  if (device->vault.active < 0) {
    leave_task(device);
  }
  return status;
}

rbnn_status rbnn_device_revoke(rbnn_device *device, const uint8_t bytes[RBNN_LICENCE_BYTES],
                               rbnn_licence_prologue *notice)
{
  if (device->model_status != RBNN_OK) {
    return device->model_status;
  }
  const rbnn_status status = rbnn_vault_revoke(&device->vault, bytes, notice);
  if (device->vault.active < 0) {
    leave_task(device);
  }
  return status;
}

static rbnn_status sign(const rbnn_device *device, rbnn_statement *statement,
                        uint8_t signature[RBNN_SIGNATURE_BYTES])
{
  const rbnn_status status = rbnn_vault_sign(&device->vault, statement, signature);
  rbnn_wipe_stack();
  return status;
}

rbnn_status rbnn_device_attest(const rbnn_device *device, rbnn_statement *statement,
                               uint8_t signature[RBNN_SIGNATURE_BYTES])
{
  statement->kind = RBNN_SIGNED_ATTESTATION;
  return sign(device, statement, signature);
}

rbnn_status rbnn_device_release(rbnn_device *device, uint32_t task, rbnn_statement *statement,
                                uint8_t signature[RBNN_SIGNATURE_BYTES])
{
  const rbnn_status status = rbnn_vault_release(&device->vault, task, statement);
  if (device->vault.active < 0) {
    leave_task(device);
  }
  return status == RBNN_OK ? sign(device, statement, signature) : status;
}

int32_t rbnn_device_find_task(const rbnn_device *device, const char *name)
{
  if (device->model_status != RBNN_OK) {
    return device->model_status;
  }
  return rbnn_model_find_task(&device->model, name);
}

rbnn_task_state rbnn_device_task_state(const rbnn_device *device, uint32_t task)
{
  return rbnn_vault_task_state(&device->vault, task, NULL);
}

rbnn_status rbnn_device_unlock(rbnn_device *device, uint32_t task,
                               const uint8_t psk[RBNN_KEY_BYTES])
{
  if (device->model_status != RBNN_OK) {
    return device->model_status;
  }
  const rbnn_status status = rbnn_vault_unlock(&device->vault, task, psk);
  rbnn_wipe_stack();
  return status;
}

/* With the task's keys, and its parameters in memory: all that is needed before the first
 * inference. */
static rbnn_status configure(rbnn_device *device, uint32_t task,
                             const uint8_t stream_key[RBNN_KEY_BYTES])
{
  const rbnn_device_memory *const memory = device->memory;
  const rbnn_params_header *const header = (const void *)memory->params;
  rbnn_status status =
      rbnn_reconf_start(&device->reconf, &device->model, stream_key, header->trunk_key);
  if (status == RBNN_OK) {
    status = rbnn_engine_check(&device->engine, task);
  }
  if (status == RBNN_OK) {
    status = rbnn_reconf_keep(&device->reconf, memory->resident, memory->resident_bytes,
                              memory->resident_layers);
  }
  return status;
}

rbnn_status rbnn_device_switch(rbnn_device *device, uint32_t task)
{
  uint8_t stream_key[RBNN_KEY_BYTES];
  if (device->model_status != RBNN_OK) {
    return device->model_status;
  }
  leave_task(device);
  rbnn_status status =
      rbnn_vault_switch(&device->vault, task, stream_key, (uint8_t *)device->memory->params,
                        device->memory->params_bytes, &device->engine.params_bytes);
  if (status == RBNN_OK) {
    status = configure(device, task, stream_key);
    /* Parameters that are authentic but do not fit: nothing of the task may stay. */
    if (status != RBNN_OK) {
      rbnn_vault_lock(&device->vault);
    }
  }
  rbnn_wipe(stream_key, sizeof stream_key);
  if (status != RBNN_OK) {
    leave_task(device);
  }
  rbnn_wipe_stack();
  return status;
}

rbnn_status rbnn_device_check_active(const rbnn_device *device)
{
  if (device->model_status != RBNN_OK) {
    return device->model_status;
  }
  return device->vault.active < 0 ? RBNN_NO_ACTIVE_TASK : RBNN_OK;
}

const rbnn_params_header *rbnn_device_params(const rbnn_device *device)
{
  return device->vault.active < 0 ? NULL : (const void *)device->memory->params;
}

const char *rbnn_device_label(const rbnn_device *device, uint32_t class_number)
{
  const rbnn_params_header *const header = rbnn_device_params(device);
  if (header == NULL || class_number >= header->classes) {
    return NULL;
  }
  /* rbnn_engine_check saw to it that there are as many names, each with its zero byte. */
  const char *label = (const char *)header + header->labels_offset;
  while (class_number > 0u) {
    class_number -= *label++ == 0;
  }
  return label;
}

uint32_t rbnn_device_input_bytes(const rbnn_device *device)
{
  return device->vault.active < 0 ? 0u : rbnn_engine_input_bytes(&device->engine);
}

rbnn_status rbnn_device_infer(rbnn_device *device, const uint8_t *input, uint32_t input_bytes,
                              int32_t *logits)
{
  device->score_count = 0;
  rbnn_status status = rbnn_device_check_active(device);
  if (status == RBNN_OK && input_bytes != rbnn_engine_input_bytes(&device->engine)) {
    status = RBNN_ARGUMENT;
  }
  if (status == RBNN_OK) {
    status = rbnn_vault_count(&device->vault);
  }
  if (status != RBNN_OK) {
    return status;
  }
  /* Again, by other means, in case the way out was skipped: asked whatever was said before, as two
   * questions in a row become one branch. */
  status = rbnn_vault_confirm(&device->vault);
  if (status != RBNN_OK) {
    return status;
  }
  return rbnn_engine_infer(&device->engine, input, input_bytes, logits);
}

rbnn_status rbnn_device_score(rbnn_device *device, const int32_t *logits)
{
  const rbnn_status status = rbnn_device_check_active(device);
  if (status == RBNN_OK) {
    device->score_count = device->model.tasks[device->vault.active].classes;
    rbnn_scores_softmax(logits, device->score_count, device->scores);
  }
  return status;
}

void rbnn_device_observe(rbnn_device *device, rbnn_layer_observer observer, void *context)
{
  device->engine.observer = observer;
  device->engine.observer_context = context;
}

void rbnn_device_lock(rbnn_device *device)
{
  rbnn_vault_lock(&device->vault);
  leave_task(device);
}

void rbnn_device_stop(rbnn_device *device)
{
  leave_task(device);
  if (device->pattern != NULL) {
    rbnn_wipe(device->pattern, RBNN_PUF_PATTERN_BYTES);
  }
  rbnn_wipe(device, sizeof *device);
}
