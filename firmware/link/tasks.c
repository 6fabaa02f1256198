/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and what opens them: tasks, licences, licence, revoke, unlock, switch, lock. */
#include <stddef.h>
#include <string.h>

#include "crypto/wipe.h"
#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "port/port.h"
#include "spec/target.h"

static const char *state_name(rbnn_task_state state)
{
  switch (state) {
    case RBNN_TASK_UNLICENSED: return "unlicensed";
    case RBNN_TASK_LOCKED: return "locked";
    case RBNN_TASK_UNLOCKED: return "unlocked";
    case RBNN_TASK_ACTIVE: return "active";
  }
  return "unknown";
}

static void print_name(const rbnn_link *link, uint32_t task)
{
  rbnn_print_padded(link->device->model.tasks[task].name, RBNN_NAME_BYTES);
}

static void print_task_line(const rbnn_link *link, const char *prefix, uint32_t task)
{
  rbnn_print(prefix);
  print_name(link, task);
  rbnn_print_close();
}

/* Whether a licence is for the model that the device has; a partition may get another one. */
static bool is_of_model(const rbnn_link *link, const rbnn_licence_prologue *prologue)
{
#if RBNN_PARTITION
  const rbnn_container_header *const header = link->device->model.header;
  return memcmp(prologue->model_id, header->model_id, sizeof header->model_id) == 0;
#else
  (void)link;
  (void)prologue;
  return true;
#endif
}

static void print_licence(const rbnn_link *link, uint32_t slot)
{
  const rbnn_licence_slot *const held = &link->device->vault.slots[slot];
  rbnn_licence_prologue prologue;
  memcpy(&prologue, held->bytes, sizeof prologue);
  const bool is_ours = is_of_model(link, &prologue);
  rbnn_print("m-licence-[");
  rbnn_print_number(slot);
  rbnn_print(",");
  if (is_ours) {
    print_name(link, prologue.task);
  } else {
    rbnn_print("-"); /* another model's tasks have names of their own */
  }
  rbnn_print(",");
  rbnn_print_hex(prologue.licence_id, sizeof prologue.licence_id);
  rbnn_print(",");
  rbnn_print_number(prologue.sequence);
  rbnn_print(!is_ours ? ",other-model]" : held->in_flash ? ",flash]" : ",ram]");
  rbnn_print_end();
}

rbnn_status rbnn_link_tasks(rbnn_link *link, const char *words)
{
  (void)words;
  const rbnn_device *const device = link->device;
  if (device->model_status != RBNN_OK) return device->model_status;
  for (uint32_t i = 0; i < device->model.header->task_count; i++) {
    rbnn_print("m-task-[");
    rbnn_print_number(i);
    rbnn_print(",");
    print_name(link, i);
    rbnn_print(",");
    rbnn_print_number(device->model.tasks[i].classes);
    rbnn_print(",");
    rbnn_print(state_name(rbnn_device_task_state(device, i)));
    rbnn_print_close();
  }
  return RBNN_OK;
}

rbnn_status rbnn_link_licences(rbnn_link *link, const char *words)
{
  (void)words;
  if (link->device->model_status != RBNN_OK) return link->device->model_status;
  for (uint32_t i = 0; i < RBNN_WITH_TASKS; i++) {
    if (link->device->vault.slots[i].used) print_licence(link, i);
  }
  return RBNN_OK;
}

rbnn_status rbnn_link_licence(rbnn_link *link, const char *words)
{
  uint32_t slot;
  (void)words;
  if (link->device->model_status != RBNN_OK) return link->device->model_status;
  rbnn_status status = rbnn_link_check_input(link, RBNN_LICENCE_BYTES);
  if (status != RBNN_OK) return status;
  status = rbnn_device_add_licence(link->device, link->input, &slot);
  if (status != RBNN_OK) return status;
  print_licence(link, slot);
  return RBNN_OK;
}

rbnn_status rbnn_link_revoke(rbnn_link *link, const char *words)
{
  rbnn_licence_prologue notice;
  (void)words;
  rbnn_status status = rbnn_link_check_input(link, RBNN_LICENCE_BYTES);
  if (status != RBNN_OK) return status;
  status = rbnn_device_revoke(link->device, link->input, &notice);
  if (status != RBNN_OK) return status;
  rbnn_print("m-revoked-[");
  print_name(link, notice.task);
  rbnn_print(",");
  rbnn_print_number(notice.sequence);
  rbnn_print_close();
  return RBNN_OK;
}

rbnn_status rbnn_link_take_task(const rbnn_link *link, const char *words, uint32_t *task,
                                uint8_t bytes[RBNN_KEY_BYTES])
{
  char name[RBNN_NAME_BYTES];
  if (link->device->model_status != RBNN_OK) return link->device->model_status;
  /* The digits are the last word; the task's name comes before it. */
  const size_t length = strlen(words);
  if (length <= 2u * RBNN_KEY_BYTES) return RBNN_ARGUMENT;
  const char *const space = words + length - 2u * RBNN_KEY_BYTES - 1u;
  if (*space != ' ') return RBNN_ARGUMENT;
  const size_t size = (size_t)(space - words);
  if (size >= sizeof name) return RBNN_UNKNOWN_TASK;
  memcpy(name, words, size);
  name[size] = 0;
  const int32_t found = rbnn_device_find_task(link->device, name);
  if (found < 0) return RBNN_UNKNOWN_TASK;
  *task = (uint32_t)found;
  return rbnn_words_hex(space + 1, bytes, RBNN_KEY_BYTES) ? RBNN_OK : RBNN_ARGUMENT;
}

rbnn_status rbnn_link_unlock(rbnn_link *link, const char *words)
{
  uint8_t psk[RBNN_KEY_BYTES];
  uint32_t task;
  rbnn_status status = rbnn_link_take_task(link, words, &task, psk);
  if (status == RBNN_OK) status = rbnn_device_unlock(link->device, task, psk);
  rbnn_wipe(psk, sizeof psk);
  if (status == RBNN_OK) print_task_line(link, "m-unlocked-[", task);
  return status;
}

rbnn_status rbnn_link_switch(rbnn_link *link, const char *words)
{
  const int32_t task = rbnn_device_find_task(link->device, words);
  if (task == RBNN_UNKNOWN_TASK && *words == 0) return RBNN_ARGUMENT;
  if (task < 0) return (rbnn_status)task;

  const uint64_t start = rbnn_port_ticks();
  const rbnn_status status = rbnn_device_switch(link->device, (uint32_t)task);
  const uint64_t end = rbnn_port_ticks();
  if (status != RBNN_OK) return status;
  rbnn_print_lap(start);
  rbnn_print_lap(end);
  print_task_line(link, "m-active-[", (uint32_t)task);
  return RBNN_OK;
}

rbnn_status rbnn_link_lock(rbnn_link *link, const char *words)
{
  (void)words;
  rbnn_device_lock(link->device);
#if RBNN_AUDIO
  rbnn_link_forget_input(link); /* it may be somebody's voice */
#endif
  rbnn_print("m-locked");
  rbnn_print_end();
  return RBNN_OK;
}
