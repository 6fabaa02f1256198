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

#include "core/kernel_features.h"
#include "core/model.h"
#include "store/store.h"

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

/* An EdDSA key pair, as Monocypher has it. */
typedef struct {
  uint8_t seed[RBNN_KEY_BYTES];
  uint8_t public_key[RBNN_KEY_BYTES];
} rbnn_sign_key;

/* Caller-owned; only firmware/licence writes it. vault.c says what in it is secret. */
typedef struct {
  const rbnn_model *model; /* NULL without a container */
  rbnn_puf_state puf;
  rbnn_status provisioning; /* RBNN_OK, RBNN_NO_PROVISIONING or RBNN_PROVISIONING_DAMAGED */
  uint8_t private_key[RBNN_KEY_BYTES];
  uint8_t public_key[RBNN_KEY_BYTES];
  rbnn_sign_key sign;
  rbnn_licence_slot slots[RBNN_WITH_TASKS];
  rbnn_unlocked_task unlocked[RBNN_WITH_TASKS];
  rbnn_store store;
  int32_t active; /* task number or -1 */

  uint32_t limit; /* of the active task's licence; 0 for none */
  uint32_t used;  /* what the store should have of it */
  uint32_t
      activation; /* the same of its activations, where they are limited; 0: none was counted */
  /* Of every task: inferences that the store has as used but that were not run yet; and inverted,
   * one written by rbnn_vault_count, the other by rbnn_vault_confirm. */
  uint16_t left[RBNN_WITH_TASKS], left_check[RBNN_WITH_TASKS];
} rbnn_vault;

/* Read the provisioning partition, and where it holds helper data and `pattern` is fresh, derive
 * the device's keys. `pattern` is NULL after a warm reset. Otherwise it is wiped before returning,
 * unless the device is not enrolled: then rbnn_vault_enroll wipes it.
 * A malformed licence in flash is passed over; of two for one task the later one is kept.
 * `flash` is where the device keeps floors and counts (store/store.h), or NULL: then it opens no
 * licence with a limit, takes no notice of revocation, and opens older licences, too.
 * Always leaves a usable vault; `puf`, `provisioning` and `store.status` say what is wrong. */
void rbnn_vault_start(rbnn_vault *vault, const rbnn_model *model, const uint8_t *partition,
                      uint32_t partition_bytes, uint8_t *pattern, const rbnn_flash *flash);

/* Make helper data. RBNN_ENROLLED, RBNN_POWER_CYCLE, RBNN_PROVISIONING_DAMAGED (flash it again, or
 * erase it to enrol again), RBNN_PUF_PATTERN, or RBNN_STORE_DAMAGED if the flash of the store
 * cannot be written; `record` is zero then. On success the device's keys are live and its store is
 * empty. The pattern is wiped where it was read; `pattern` may be NULL when none is at hand. */
rbnn_status rbnn_vault_enroll(rbnn_vault *vault, uint8_t *pattern,
                              uint8_t record[RBNN_HELPER_RECORD_BYTES]);

/* Keep a licence until power-off; it replaces an earlier one for that task, flash ones included.
 * A task that was unlocked by the replaced licence is locked (and left, when active).
 * RBNN_NO_CONTAINER, RBNN_LICENCE_FORMAT, RBNN_LICENCE_MODEL, RBNN_LICENCE_OLD; then nothing has
 * changed. `*slot` tells where it went. */
rbnn_status rbnn_vault_add_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                                   uint32_t *slot);

/* State of task `task`; `*slot` is the slot of its licence where it has one (may be NULL). */
rbnn_task_state rbnn_vault_task_state(const rbnn_vault *vault, uint32_t task, uint32_t *slot);

/* Why there are no device keys: RBNN_NOT_ENROLLED, RBNN_POWER_CYCLE, RBNN_PUF_HELPER or
 * RBNN_PROVISIONING_DAMAGED; or RBNN_OK. */
rbnn_status rbnn_vault_check_keys(const rbnn_vault *vault);

/* Open the task's licence with its pre-shared key. The model digest is taken here, of the container
 * as it lies in flash now, and is part of the licence's key; the task's sealed block is
 * authenticated.
 * RBNN_NOT_ENROLLED, RBNN_POWER_CYCLE, RBNN_PUF_HELPER, RBNN_PROVISIONING_DAMAGED,
 * RBNN_NO_CONTAINER, RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE, RBNN_DEVELOPMENT_BUILD,
 * RBNN_LICENCE_MODEL, RBNN_SEALED_BLOCK, RBNN_LICENCE_OLD, RBNN_STORE_DAMAGED, RBNN_NO_STORE, or
 * RBNN_LICENCE_REFUSED for a wrong key and a wrong device alike. A failure changes no state. From
 * the first success on, no older licence opens this task. */
rbnn_status rbnn_vault_unlock(rbnn_vault *vault, uint32_t task, const uint8_t psk[RBNN_KEY_BYTES]);

/* Make an unlocked task active: decrypt its sealed block into `params` (4-byte aligned, at least
 * header->params_bytes) and give the key of its streams (rbnn_reconf_start) to the caller,
 * who wipes it. On failure no task is active and `stream_key` and `params` are zero. Neither digest
 * nor tag is taken again: docs/decisions/0007. RBNN_NO_CONTAINER, RBNN_UNKNOWN_TASK,
 * RBNN_NO_LICENCE, RBNN_LOCKED, RBNN_SEALED_BLOCK (too large for `params`), RBNN_LIMIT (no
 * activation is left), RBNN_STORE_DAMAGED. */
rbnn_status rbnn_vault_switch(rbnn_vault *vault, uint32_t task, uint8_t stream_key[RBNN_KEY_BYTES],
                              uint8_t *params, uint32_t params_capacity, uint32_t *params_bytes);

/* Count one inference: RBNN_NO_ACTIVE_TASK, RBNN_LIMIT or RBNN_STORE_DAMAGED. Then
 * rbnn_vault_confirm says RBNN_OK once, if that inference and the task's activation are within the
 * limits, by other variables and by the store as it is in flash: where one instruction is skipped,
 * one of the two is meant to refuse. */
rbnn_status rbnn_vault_count(rbnn_vault *vault);
rbnn_status rbnn_vault_confirm(rbnn_vault *vault);

/* Take a notice of revocation (SPEC.md): from now on no licence of its task with a lower sequence
 * than `notice->sequence` opens. The task is locked. RBNN_NO_CONTAINER, RBNN_LICENCE_FORMAT,
 * RBNN_LICENCE_MODEL, what rbnn_vault_unlock says without keys, RBNN_LICENCE_REFUSED,
 * RBNN_STORE_DAMAGED, RBNN_NO_STORE. */
rbnn_status rbnn_vault_revoke(rbnn_vault *vault, const uint8_t bytes[RBNN_LICENCE_BYTES],
                              rbnn_licence_prologue *notice);

/* Give up the licence of task `task`: from now on neither it nor an older one opens. The task is
 * locked. Notes so in the statement, for rbnn_vault_sign. Asked again it writes nothing.
 * RBNN_NO_CONTAINER, RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE, RBNN_LOCKED (only who can open a licence
 * that still opens can give it up), RBNN_NO_STORE, RBNN_STORE_DAMAGED. */
rbnn_status rbnn_vault_release(rbnn_vault *vault, uint32_t task, rbnn_statement *statement);

/* Complete and sign a statement. The caller has set `challenge` and `protection`, and for an
 * attestation `kind`; the rest was zero. What rbnn_vault_unlock says without keys. */
rbnn_status rbnn_vault_sign(const rbnn_vault *vault, rbnn_statement *statement,
                            uint8_t signature[RBNN_SIGNATURE_BYTES]);

/* Forget every unlocked key; no task is active. Device keys stay. */
void rbnn_vault_lock(rbnn_vault *vault);

/* BLAKE2b-256 over the whole container. */
void rbnn_vault_model_digest(const rbnn_model *model, uint8_t digest[32]);

#endif
