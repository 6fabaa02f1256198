/* SPDX-License-Identifier: Apache-2.0 */
/* All secrets of a running device, and the only way from a licence to a task secret.
 *
 * States of a task: unlicensed, locked (a licence is held), unlocked (the licence was opened with
 * its pre-shared key; the task's two keys are kept under its payload's key), active (they are in
 * RAM, and so are its parameters). The task secret itself is there only while a licence is opened.
 * The gate is key derivation: without the right keys there are no bytes to act on. */
#ifndef RBNN_LICENCE_VAULT_H
#define RBNN_LICENCE_VAULT_H

#include <stdbool.h>

#include "core/model.h"

typedef enum {
  RBNN_PUF_FRESH,       /* power-up pattern at hand, nothing enrolled */
  RBNN_PUF_ENROLLED,    /* root key derived */
  RBNN_PUF_POWER_CYCLE, /* warm reset: no pattern */
  RBNN_PUF_DAMAGED      /* helper data and pattern do not match */
} rbnn_puf_state;

typedef enum {
  RBNN_TASK_UNLICENSED,
  RBNN_TASK_LOCKED,
  RBNN_TASK_UNLOCKED,
  RBNN_TASK_ACTIVE
} rbnn_task_state;

typedef struct {
  uint8_t bytes[RBNN_LICENCE_BYTES];
  bool used;
  bool in_flash;
} rbnn_licence_slot;

typedef struct {
  uint8_t payload_key[RBNN_KEY_BYTES];     /* key of the licence's Noise payload */
  uint8_t masked_keys[2 * RBNN_KEY_BYTES]; /* under it: the task's stream key, its params key */
  bool open;
} rbnn_unlocked_task;

/* Caller-owned; only firmware/licence writes it. vault.c says what in it is secret. */
typedef struct {
  const rbnn_model *model; /* NULL without a container */
  rbnn_puf_state puf;
  rbnn_status provisioning; /* RBNN_OK, RBNN_NO_PROVISIONING or RBNN_PROVISIONING_DAMAGED */
  uint8_t private_key[RBNN_KEY_BYTES];
  uint8_t public_key[RBNN_KEY_BYTES];
  uint8_t sign_public_key[RBNN_KEY_BYTES];
  rbnn_licence_slot slots[RBNN_MAX_LICENCES];
  rbnn_unlocked_task unlocked[RBNN_MAX_TASKS];
  int32_t active;           /* task number or -1 */
  uint32_t inferences_left; /* UINT32_MAX without a limit */
} rbnn_vault;

/* Read the provisioning partition, and where it holds helper data and `pattern` is fresh, derive
 * the device's keys. `pattern` is NULL after a warm reset. Otherwise it is wiped before returning,
 * unless the device is not enrolled: then rbnn_vault_enroll wipes it.
 * A malformed licence in flash is passed over; of two for one task the later one is kept.
 * Always leaves a usable vault; `puf` and `provisioning` say what is wrong. */
void rbnn_vault_start(rbnn_vault *vault, const rbnn_model *model, const uint8_t *partition,
                      uint32_t partition_bytes, uint8_t *pattern);

/* Make helper data. RBNN_ENROLLED, RBNN_POWER_CYCLE, RBNN_PROVISIONING_DAMAGED (flash it again, or
 * erase it to enrol again) or RBNN_PUF_PATTERN; `record` is zero then. On success the device's keys
 * are live. The pattern is wiped where it was read; `pattern` may be NULL when none is at hand. */
rbnn_status rbnn_vault_enroll(rbnn_vault *vault, uint8_t *pattern,
                              uint8_t record[RBNN_HELPER_RECORD_BYTES]);

/* Keep a licence until power-off; it replaces an earlier one for that task, flash ones included.
 * A task that was unlocked by the replaced licence is locked (and left, when active).
 * RBNN_NO_CONTAINER, RBNN_LICENCE_FORMAT, RBNN_LICENCE_MODEL; then nothing has changed. `*slot`
 * tells where it went. */
rbnn_status rbnn_vault_add_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                                   uint32_t *slot);

/* State of task `task`; `*slot` is the slot of its licence where it has one (may be NULL). */
rbnn_task_state rbnn_vault_task_state(const rbnn_vault *vault, uint32_t task, uint32_t *slot);

/* Open the task's licence with its pre-shared key. The model digest is taken here, of the container
 * as it lies in flash now, and is part of the licence's key; the task's sealed block is
 * authenticated.
 * RBNN_NOT_ENROLLED, RBNN_POWER_CYCLE, RBNN_PUF_HELPER, RBNN_PROVISIONING_DAMAGED,
 * RBNN_NO_CONTAINER, RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE, RBNN_DEVELOPMENT_BUILD,
 * RBNN_LICENCE_MODEL, RBNN_SEALED_BLOCK, or RBNN_LICENCE_REFUSED for a wrong key and a wrong
 * device alike. A failure changes no state. */
rbnn_status rbnn_vault_unlock(rbnn_vault *vault, uint32_t task, const uint8_t psk[RBNN_KEY_BYTES]);

/* Make an unlocked task active: decrypt its sealed block into `params` (4-byte aligned, at least
 * header->params_bytes) and give the key of its streams (rbnn_reconf_start) to the caller,
 * who wipes it. On failure no task is active and `stream_key` and `params` are zero. Neither digest
 * nor tag is taken again: docs/decisions/0007. RBNN_NO_CONTAINER, RBNN_UNKNOWN_TASK,
 * RBNN_NO_LICENCE, RBNN_LOCKED, RBNN_SEALED_BLOCK (too large for `params`). */
rbnn_status rbnn_vault_switch(rbnn_vault *vault, uint32_t task, uint8_t stream_key[RBNN_KEY_BYTES],
                              uint8_t *params, uint32_t params_capacity, uint32_t *params_bytes);

/* Count one inference. RBNN_NO_ACTIVE_TASK or RBNN_LIMIT. */
rbnn_status rbnn_vault_count(rbnn_vault *vault);

/* Forget every unlocked key; no task is active. Device keys stay. */
void rbnn_vault_lock(rbnn_vault *vault);

/* BLAKE2b-256 over the whole container. */
void rbnn_vault_model_digest(const rbnn_model *model, uint8_t digest[32]);

#endif
