/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/vault_slots.h"

#include <string.h>

#include "licence/licence.h"

_Static_assert(RBNN_WITH_TASKS <= RBNN_MAX_TASKS, "a model has no more tasks than that");

uint32_t rbnn_vault_count_tasks(const rbnn_vault *vault)
{
  return vault->model == NULL ? RBNN_WITH_TASKS : vault->model->header->task_count;
}

uint32_t rbnn_vault_find_slot(const rbnn_vault *vault, uint32_t task)
{
  rbnn_licence_prologue prologue;
  for (uint32_t i = 0; i < RBNN_WITH_TASKS; i++) {
    if (vault->slots[i].used &&
        rbnn_licence_parse(vault->slots[i].bytes, RBNN_LICENCE_MAGIC, RBNN_WITH_TASKS, &prologue) ==
            RBNN_OK &&
        prologue.task == task) {
      return i;
    }
  }
  return RBNN_NO_SLOT;
}

uint32_t rbnn_vault_store_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                                  uint32_t task, bool in_flash)
{
  uint32_t slot = rbnn_vault_find_slot(vault, task);
  for (uint32_t i = 0; slot == RBNN_NO_SLOT; i++) {
    if (!vault->slots[i].used) {
      slot = i;
    }
  }
  memcpy(vault->slots[slot].bytes, licence, RBNN_LICENCE_BYTES);
  vault->slots[slot].used = true;
  vault->slots[slot].in_flash = in_flash;
  return slot;
}
