/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and what opens them: tasks, licences, licence, unlock, switch, lock. */
#include <stddef.h>
#include <string.h>

#include "crypto/wipe.h"
#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "port/port.h"

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

static void print_task_line(const rbnn_link *link, const char *prefix, uint32_t task)
{
  rbnn_print(prefix);
  rbnn_print_padded(link->model->tasks[task].name, RBNN_NAME_BYTES);
  rbnn_print("]");
  rbnn_print_end();
}

static void print_licence(const rbnn_link *link, uint32_t slot)
{
  const rbnn_licence_slot *const held = &link->vault->slots[slot];
  rbnn_licence_prologue prologue;
  memcpy(&prologue, held->bytes, sizeof prologue);
  rbnn_print("m-licence-[");
  rbnn_print_number(slot);
  rbnn_print(",");
  rbnn_print_padded(link->model->tasks[prologue.task].name, RBNN_NAME_BYTES);
  rbnn_print(",");
  rbnn_print_hex(prologue.licence_id, sizeof prologue.licence_id);
  rbnn_print(",");
  rbnn_print_number(prologue.sequence);
  rbnn_print(held->in_flash ? ",flash]" : ",ram]");
  rbnn_print_end();
}

rbnn_status rbnn_link_tasks(rbnn_link *link, const char *words)
{
  (void)words;
  if (link->model_status != RBNN_OK) return link->model_status;
  for (uint32_t i = 0; i < link->model->header->task_count; i++) {
    rbnn_print("m-task-[");
    rbnn_print_number(i);
    rbnn_print(",");
    rbnn_print_padded(link->model->tasks[i].name, RBNN_NAME_BYTES);
    rbnn_print(",");
    rbnn_print_number(link->model->tasks[i].classes);
    rbnn_print(",");
    rbnn_print(state_name(rbnn_vault_task_state(link->vault, i, NULL)));
    rbnn_print("]");
    rbnn_print_end();
  }
  return RBNN_OK;
}

rbnn_status rbnn_link_licences(rbnn_link *link, const char *words)
{
  (void)words;
  if (link->model_status != RBNN_OK) return link->model_status;
  for (uint32_t i = 0; i < RBNN_MAX_LICENCES; i++) {
    if (link->vault->slots[i].used) print_licence(link, i);
  }
  return RBNN_OK;
}

rbnn_status rbnn_link_licence(rbnn_link *link, const char *words)
{
  uint32_t slot;
  (void)words;
  if (link->model_status != RBNN_OK) return link->model_status;
  if (link->input_bytes != link->input_expected || link->input_bytes != RBNN_LICENCE_BYTES) {
    return RBNN_BUFFER_INCOMPLETE;
  }
  const rbnn_status status = rbnn_vault_add_licence(link->vault, link->input, &slot);
  if (link->vault->active < 0) rbnn_link_leave_task(link);
  if (status != RBNN_OK) return status;
  print_licence(link, slot);
  return RBNN_OK;
}

rbnn_status rbnn_link_unlock(rbnn_link *link, const char *words)
{
  char name[RBNN_NAME_BYTES];
  uint8_t psk[RBNN_KEY_BYTES];
  if (link->model_status != RBNN_OK) return link->model_status;
  /* The key is the last word; what stands before it is the task's name. */
  const size_t length = strlen(words);
  if (length <= 2u * RBNN_KEY_BYTES) return RBNN_ARGUMENT;
  const char *const space = words + length - 2u * RBNN_KEY_BYTES - 1u;
  if (*space != ' ') return RBNN_ARGUMENT;
  const size_t size = (size_t)(space - words);
  if (size >= sizeof name) return RBNN_UNKNOWN_TASK;
  memcpy(name, words, size);
  name[size] = 0;
  const int32_t task = rbnn_model_find_task(link->model, name);
  if (task < 0) return RBNN_UNKNOWN_TASK;
  rbnn_status status = RBNN_ARGUMENT;
  if (rbnn_words_hex(space + 1, psk, RBNN_KEY_BYTES)) {
    status = rbnn_vault_unlock(link->vault, (uint32_t)task, psk);
  }
  rbnn_wipe(psk, sizeof psk);
  if (status == RBNN_OK) print_task_line(link, "m-unlocked-[", (uint32_t)task);
  return status;
}

void rbnn_link_leave_task(rbnn_link *link)
{
  rbnn_reconf_wipe(link->reconf);
  rbnn_wipe(link->params, link->params_capacity);
  rbnn_wipe(link->engine->work, link->engine->work_bytes);
  rbnn_wipe(link->engine->arena, link->engine->arena_bytes);
  rbnn_wipe(link->scores, sizeof link->scores);
  link->engine->params_bytes = 0;
  link->score_count = 0;
}

rbnn_status rbnn_link_switch(rbnn_link *link, const char *words)
{
  uint8_t stream_key[RBNN_KEY_BYTES];
  if (link->model_status != RBNN_OK) return link->model_status;
  const int32_t task = rbnn_model_find_task(link->model, words);
  if (task < 0) return *words == 0 ? RBNN_ARGUMENT : RBNN_UNKNOWN_TASK;

  const uint64_t start = rbnn_port_ticks();
  rbnn_link_leave_task(link);
  rbnn_status status = rbnn_vault_switch(link->vault, (uint32_t)task, stream_key, link->params,
                                         link->params_capacity, &link->engine->params_bytes);
  if (status == RBNN_OK) {
    const rbnn_params_header *const header = (const void *)link->params;
    status = rbnn_reconf_start(link->reconf, link->model, stream_key, header->trunk_key);
    if (status == RBNN_OK) status = rbnn_engine_check(link->engine, (uint32_t)task);
    if (status == RBNN_OK) {
      status = rbnn_reconf_keep(link->reconf, link->resident, link->resident_bytes,
                                link->resident_layers);
    }
    /* Parameters that are authentic but do not fit: nothing of the task may stay. */
    if (status != RBNN_OK) rbnn_vault_lock(link->vault);
  }
  rbnn_wipe(stream_key, sizeof stream_key);
  const uint64_t end = rbnn_port_ticks();
  if (status != RBNN_OK) {
    rbnn_link_leave_task(link);
    return status;
  }
  rbnn_print_lap(start);
  rbnn_print_lap(end);
  print_task_line(link, "m-active-[", (uint32_t)task);
  return RBNN_OK;
}

rbnn_status rbnn_link_lock(rbnn_link *link, const char *words)
{
  (void)words;
  rbnn_vault_lock(link->vault);
  rbnn_link_leave_task(link);
  rbnn_print("m-locked");
  rbnn_print_end();
  return RBNN_OK;
}
