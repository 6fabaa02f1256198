/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/vault.h"

#include <string.h>

#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "licence/licence.h"
#include "licence/provisioning.h"
#include "licence/vault_counts.h"
#include "licence/vault_slots.h"
#include "monocypher.h"
#include "puf/sketch.h"

void rbnn_vault_lock_task(rbnn_vault *vault, uint32_t task)
{
  rbnn_wipe(&vault->unlocked[task], sizeof vault->unlocked[task]);
  if (vault->active == (int32_t)task) {
    vault->active = -1;
  }
}

/* Device keys from the root key. */
static void derive_device_keys(rbnn_vault *vault, uint8_t root[RBNN_KEY_BYTES])
{
  uint8_t seed[RBNN_KEY_BYTES];
  rbnn_kdf_derive(vault->private_key, root, RBNN_LABEL_DEVICE_X25519, NULL, 0);
  crypto_x25519_public_key(vault->public_key, vault->private_key);
  rbnn_kdf_derive(seed, root, RBNN_LABEL_DEVICE_SIGN, NULL, 0);
  crypto_eddsa_key_pair((uint8_t *)&vault->sign, vault->sign.public_key, seed); /* wipes seed */
  vault->puf = RBNN_PUF_ENROLLED;
}

void rbnn_vault_start(rbnn_vault *vault, const rbnn_model *model, const uint8_t *partition,
                      uint32_t partition_bytes, uint8_t *pattern, const rbnn_flash *flash)
{
  rbnn_provisioning provisioning;
  rbnn_licence_prologue prologue;
  uint8_t root[RBNN_KEY_BYTES];

  rbnn_wipe(vault, sizeof *vault);
  vault->model = model;
  vault->active = -1;
  vault->store.flash = flash;
  vault->store.status = RBNN_NOT_ENROLLED;
  memset(vault->left_check, 0xFF, sizeof vault->left_check);
  vault->provisioning = rbnn_provisioning_open(&provisioning, partition, partition_bytes);

  /* A malformed licence is passed over, so that its task shows as unlicensed. */
  for (uint32_t i = 0; i < provisioning.licence_count; i++) {
    const uint8_t *licence = provisioning.licences + i * RBNN_LICENCE_BYTES;
    if (rbnn_licence_parse(licence, RBNN_LICENCE_MAGIC, rbnn_vault_count_tasks(vault), &prologue) ==
        RBNN_OK) {
      rbnn_vault_store_licence(vault, licence, prologue.task, true);
    }
  }
  if (pattern == NULL) {
    vault->puf = RBNN_PUF_POWER_CYCLE;
    return;
  }
  if (vault->provisioning == RBNN_NO_PROVISIONING) {
    vault->puf = RBNN_PUF_FRESH;
    return;
  }
  vault->puf = RBNN_PUF_DAMAGED;
  if (vault->provisioning == RBNN_OK &&
      rbnn_sketch_reproduce(pattern, provisioning.helper_record, root) == RBNN_OK) {
    derive_device_keys(vault, root);
    rbnn_store_open(&vault->store, root);
    rbnn_wipe(root, sizeof root);
  }
  rbnn_wipe(pattern, RBNN_PUF_PATTERN_BYTES);
}

rbnn_status rbnn_vault_enroll(rbnn_vault *vault, uint8_t *pattern,
                              uint8_t record[RBNN_HELPER_RECORD_BYTES])
{
  uint8_t root[RBNN_KEY_BYTES];

  rbnn_wipe(record, RBNN_HELPER_RECORD_BYTES);
  if (vault->puf == RBNN_PUF_POWER_CYCLE || (pattern == NULL && vault->puf == RBNN_PUF_FRESH)) {
    return RBNN_POWER_CYCLE;
  }
  if (vault->puf != RBNN_PUF_FRESH) {
    return vault->provisioning == RBNN_PROVISIONING_DAMAGED ? RBNN_PROVISIONING_DAMAGED
                                                            : RBNN_ENROLLED;
  }
  rbnn_status status = rbnn_sketch_enroll(pattern, record, root);
  rbnn_wipe(pattern, RBNN_PUF_PATTERN_BYTES);
  vault->puf = RBNN_PUF_POWER_CYCLE; /* the pattern is gone */
  if (status == RBNN_OK) {
    rbnn_store_format(&vault->store, root);
    status = vault->store.status == RBNN_STORE_DAMAGED ? RBNN_STORE_DAMAGED : RBNN_OK;
  }
  if (status == RBNN_OK) {
    derive_device_keys(vault, root);
  } else {
    rbnn_wipe(record, RBNN_HELPER_RECORD_BYTES);
  }
  rbnn_wipe(root, sizeof root);
  return status;
}

rbnn_status rbnn_vault_add_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                                   uint32_t *slot)
{
  rbnn_licence_prologue prologue;
  uint8_t digest[32];

  if (vault->model == NULL) {
    return RBNN_NO_CONTAINER;
  }
  rbnn_status status =
      rbnn_licence_parse(licence, RBNN_LICENCE_MAGIC, rbnn_vault_count_tasks(vault), &prologue);
  if (status != RBNN_OK) {
    return status;
  }
  rbnn_vault_model_digest(vault->model, digest);
  status = rbnn_licence_check_model(&prologue, vault->model, digest);
  if (status == RBNN_OK) {
    status = rbnn_vault_check_age(vault, &prologue);
  }
  if (status != RBNN_OK) {
    return status;
  }
  rbnn_vault_lock_task(vault, prologue.task);
  *slot = rbnn_vault_store_licence(vault, licence, prologue.task, false);
  return RBNN_OK;
}

rbnn_task_state rbnn_vault_task_state(const rbnn_vault *vault, uint32_t task, uint32_t *slot)
{
  const uint32_t found = rbnn_vault_find_slot(vault, task);
  if (task >= rbnn_vault_count_tasks(vault) || found == RBNN_NO_SLOT) {
    return RBNN_TASK_UNLICENSED;
  }
  if (slot != NULL) {
    *slot = found;
  }
  if (vault->active == (int32_t)task) {
    return RBNN_TASK_ACTIVE;
  }
  return vault->unlocked[task].open ? RBNN_TASK_UNLOCKED : RBNN_TASK_LOCKED;
}

void rbnn_vault_lock(rbnn_vault *vault)
{
  rbnn_wipe(vault->unlocked, sizeof vault->unlocked);
  vault->active = -1;
}

void rbnn_vault_model_digest(const rbnn_model *model, uint8_t digest[32])
{
  crypto_blake2b(digest, 32, model->bytes, model->size);
}
