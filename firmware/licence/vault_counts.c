/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/vault_counts.h"

#include <stddef.h>
#include <string.h>

#include "licence/vault_slots.h"

#define NONE_LEFT UINT16_MAX /* of left_check, which is inverted */

/* What the store has of a task. */
static void find(const rbnn_vault *vault, uint32_t task, rbnn_store_record *record)
{
  rbnn_store_find(&vault->store, vault->model->header->model_id, task, record);
}

rbnn_status rbnn_vault_check_age(const rbnn_vault *vault, const rbnn_licence_prologue *prologue)
{
  rbnn_store_record record;
  if (vault->store.status != RBNN_OK) {
    return RBNN_OK;
  }
  find(vault, prologue->task, &record);
  return prologue->sequence < record.floor ? RBNN_LICENCE_OLD : RBNN_OK;
}

rbnn_status rbnn_vault_raise_floor(rbnn_vault *vault, const rbnn_licence_prologue *prologue)
{
  rbnn_store_record record;
  const uint32_t task = prologue->task;
  if (vault->store.status != RBNN_OK) {
    return vault->store.status;
  }
  find(vault, task, &record);
  if (prologue->sequence <= record.floor) {
    return prologue->sequence < record.floor ? RBNN_LICENCE_OLD : RBNN_OK;
  }
  record.floor = prologue->sequence;
  record.used = 0;
  record.activations = 0;
  vault->left[task] = 0;
  vault->left_check[task] = NONE_LEFT;
  return rbnn_store_put(&vault->store, &record);
}

rbnn_status rbnn_vault_admit(rbnn_vault *vault, const rbnn_licence_prologue *prologue)
{
  const rbnn_status status = rbnn_vault_raise_floor(vault, prologue);
  const bool has_limit = (prologue->inference_limit | prologue->activation_limit) != 0u;
  return status == RBNN_NO_STORE && !has_limit ? RBNN_OK : status;
}

rbnn_status rbnn_vault_count_activation(rbnn_vault *vault, const rbnn_licence_prologue *prologue)
{
  rbnn_store_record record, again;
  vault->limit = prologue->inference_limit;
  if (vault->store.status == RBNN_NO_STORE) {
    return RBNN_OK;
  }
  find(vault, prologue->task, &record);
  vault->used = record.used;
  if (prologue->activation_limit == 0u) {
    return RBNN_OK;
  }
  /* Asked twice: one skipped instruction would find another task's record, or none. */
  find(vault, prologue->task, &again);
  if (record.activations >= prologue->activation_limit || again.activations != record.activations) {
    return RBNN_LIMIT;
  }
  const uint32_t before = record.activations;
  record.activations++;
  const rbnn_status status = rbnn_store_put(&vault->store, &record);
  if (status != RBNN_OK) {
    return status;
  }
  /* What counts is what the store has now, in case the sum was skipped. */
  find(vault, prologue->task, &record);
  if (record.activations == before) {
    return RBNN_LIMIT;
  }
  vault->activation = record.activations;
  return RBNN_OK;
}

/* Enter the next inferences into the store as used, before any of them is run: what power cuts off
 * is lost to the user, never won. */
static rbnn_status reserve(rbnn_vault *vault, uint32_t task)
{
  rbnn_store_record record;
  find(vault, task, &record);
  if (record.used >= vault->limit || record.used != vault->used) {
    return RBNN_LIMIT;
  }
  uint32_t block = vault->limit / RBNN_STORE_SHARE + 1u;
  block = block > RBNN_STORE_BLOCK ? RBNN_STORE_BLOCK : block;
  const uint32_t rest = vault->limit - record.used;
  block = block > rest ? rest : block;
  record.used += block;
  const rbnn_status status = rbnn_store_put(&vault->store, &record);
  if (status != RBNN_OK) {
    return status;
  }
  /* As many as the store has now, in case the sum was skipped. */
  find(vault, task, &record);
  if (record.used - vault->used != block) {
    return RBNN_LIMIT;
  }
  vault->used = record.used;
  vault->left[task] = (uint16_t)block;
  vault->left_check[task] = (uint16_t)~block;
  return RBNN_OK;
}

rbnn_status rbnn_vault_count(rbnn_vault *vault)
{
  rbnn_status status = RBNN_OK;
  if (vault->active < 0) {
    return RBNN_NO_ACTIVE_TASK;
  }
  if (vault->limit == 0u) {
    return RBNN_OK;
  }
  const uint32_t task = (uint32_t)vault->active;
  if (vault->left[task] == 0u) {
    status = reserve(vault, task);
  }
  if (status == RBNN_OK) {
    vault->left[task]--;
  }
  return status;
}

rbnn_status rbnn_vault_confirm(rbnn_vault *vault)
{
  rbnn_licence_prologue licence;
  rbnn_store_record record;
  const uint32_t task = (uint32_t)vault->active;
  const uint32_t slot = rbnn_vault_find_slot(vault, task);
  if (slot == RBNN_NO_SLOT) {
    return RBNN_NO_ACTIVE_TASK;
  }
  memcpy(&licence, vault->slots[slot].bytes, sizeof licence);
  const uint32_t activations = licence.activation_limit;
  if (licence.inference_limit == 0u && activations == 0u) {
    return vault->limit == 0u ? RBNN_OK : RBNN_LIMIT;
  }
  if (vault->store.status != RBNN_OK) {
    return vault->store.status;
  }
  find(vault, task, &record);
  /* An activation was counted, it is the store's last one, and it is one of the limit's. */
  const bool activated = record.floor == licence.sequence &&
                         (activations == 0u || (record.activations == vault->activation &&
                                                vault->activation - 1u < activations));
  if (!activated) {
    return RBNN_LIMIT;
  }
  if (licence.inference_limit == 0u) {
    return vault->limit == 0u ? RBNN_OK : RBNN_LIMIT;
  }
  if (vault->left_check[task] == NONE_LEFT) {
    return RBNN_LIMIT;
  }
  vault->left_check[task]++;
  return (vault->left[task] ^ vault->left_check[task]) == UINT16_MAX &&
                 record.used == vault->used && record.used <= licence.inference_limit
             ? RBNN_OK
             : RBNN_LIMIT;
}
