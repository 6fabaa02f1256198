/* SPDX-License-Identifier: Apache-2.0 */
/* Where a vault keeps its licences: one slot a task at most. Between the vault's own files. */
#ifndef RBNN_LICENCE_VAULT_SLOTS_H
#define RBNN_LICENCE_VAULT_SLOTS_H

#include "licence/vault.h"

#define RBNN_NO_SLOT UINT32_MAX

/* Tasks of the model; as many as any model may have where there is none. */
uint32_t rbnn_vault_count_tasks(const rbnn_vault *vault);

/* Slot of the licence for `task`, or RBNN_NO_SLOT. */
uint32_t rbnn_vault_find_slot(const rbnn_vault *vault, uint32_t task);

/* Store a well-formed licence for `task`, in place of an earlier one; returns its slot. There is
 * always one: a task has one licence at most. */
uint32_t rbnn_vault_store_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                                  uint32_t task, bool in_flash);

/* Close `task`, and leave it when it is active. */
void rbnn_vault_lock_task(rbnn_vault *vault, uint32_t task);

#endif
