/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/vault.h"

#include <string.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "licence/licence.h"
#include "licence/noise.h"
#include "licence/provisioning.h"
#include "monocypher.h"
#include "puf/sketch.h"
#include "reconf/reconf.h"

/* The Noise message of a licence: ephemeral public key, sealed task secret, tag. */
#define EPHEMERAL_OFFSET RBNN_LICENCE_PROLOGUE_BYTES
#define SECRET_OFFSET (EPHEMERAL_OFFSET + 32u)
#define NO_SLOT UINT32_MAX

_Static_assert(SECRET_OFFSET + RBNN_KEY_BYTES + RBNN_NOISE_TAG_BYTES == RBNN_LICENCE_BYTES,
               "the payload of a licence is one task secret");
_Static_assert(RBNN_MAX_TASKS <= RBNN_MAX_LICENCES, "each task has room for its licence");

static uint32_t count_tasks(const rbnn_vault *vault)
{
  return vault->model == NULL ? RBNN_MAX_TASKS : vault->model->header->task_count;
}

/* Slot of the licence for `task`, or NO_SLOT. */
static uint32_t find_slot(const rbnn_vault *vault, uint32_t task)
{
  rbnn_licence_prologue prologue;
  for (uint32_t i = 0; i < RBNN_MAX_LICENCES; i++) {
    if (vault->slots[i].used &&
        rbnn_licence_parse(vault->slots[i].bytes, RBNN_MAX_TASKS, &prologue) == RBNN_OK &&
        prologue.task == task) {
      return i;
    }
  }
  return NO_SLOT;
}

/* Close `task`, and leave it when it is active. */
static void lock_task(rbnn_vault *vault, uint32_t task)
{
  rbnn_wipe(&vault->unlocked[task], sizeof vault->unlocked[task]);
  if (vault->active == (int32_t)task) {
    vault->active = -1;
    vault->inferences_left = 0;
  }
}

/* Store a well-formed licence for `task`, in place of an earlier one. There is always a slot:
 * one licence is held for each task at most. */
static uint32_t store_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                              uint32_t task, bool in_flash)
{
  uint32_t slot = find_slot(vault, task);
  for (uint32_t i = 0; slot == NO_SLOT; i++) {
    if (!vault->slots[i].used) {
      slot = i;
    }
  }
  memcpy(vault->slots[slot].bytes, licence, RBNN_LICENCE_BYTES);
  vault->slots[slot].used = true;
  vault->slots[slot].in_flash = in_flash;
  return slot;
}

/* Device keys from the root key, which is wiped. */
static void derive_device_keys(rbnn_vault *vault, uint8_t root[RBNN_KEY_BYTES])
{
  uint8_t seed[RBNN_KEY_BYTES];
  uint8_t sign_key[64];
  rbnn_kdf_derive(vault->private_key, root, RBNN_LABEL_DEVICE_X25519, NULL, 0);
  crypto_x25519_public_key(vault->public_key, vault->private_key);
  rbnn_kdf_derive(seed, root, RBNN_LABEL_DEVICE_SIGN, NULL, 0);
  crypto_eddsa_key_pair(sign_key, vault->sign_public_key, seed);
  rbnn_wipe(sign_key, sizeof sign_key);
  rbnn_wipe(seed, sizeof seed);
  rbnn_wipe(root, RBNN_KEY_BYTES);
  vault->puf = RBNN_PUF_ENROLLED;
}

void rbnn_vault_start(rbnn_vault *vault, const rbnn_model *model, const uint8_t *partition,
                      uint32_t partition_bytes, uint8_t *pattern)
{
  rbnn_provisioning provisioning;
  rbnn_licence_prologue prologue;
  uint8_t root[RBNN_KEY_BYTES];

  rbnn_wipe(vault, sizeof *vault);
  vault->model = model;
  vault->active = -1;
  vault->provisioning = rbnn_provisioning_open(&provisioning, partition, partition_bytes);

  /* A malformed licence is passed over, so that its task shows as unlicensed. */
  for (uint32_t i = 0; i < provisioning.licence_count; i++) {
    const uint8_t *licence = provisioning.licences + i * RBNN_LICENCE_BYTES;
    if (rbnn_licence_parse(licence, count_tasks(vault), &prologue) == RBNN_OK) {
      store_licence(vault, licence, prologue.task, true);
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
  const rbnn_status status = rbnn_sketch_enroll(pattern, record, root);
  rbnn_wipe(pattern, RBNN_PUF_PATTERN_BYTES);
  if (status != RBNN_OK) {
    vault->puf = RBNN_PUF_POWER_CYCLE; /* the pattern is gone */
    return status;
  }
  derive_device_keys(vault, root);
  return RBNN_OK;
}

rbnn_status rbnn_vault_add_licence(rbnn_vault *vault, const uint8_t licence[RBNN_LICENCE_BYTES],
                                   uint32_t *slot)
{
  rbnn_licence_prologue prologue;
  uint8_t digest[32];

  if (vault->model == NULL) {
    return RBNN_NO_CONTAINER;
  }
  rbnn_status status = rbnn_licence_parse(licence, count_tasks(vault), &prologue);
  if (status != RBNN_OK) {
    return status;
  }
  rbnn_vault_model_digest(vault->model, digest);
  status = rbnn_licence_check_model(&prologue, vault->model, digest);
  if (status != RBNN_OK) {
    return status;
  }
  lock_task(vault, prologue.task);
  *slot = store_licence(vault, licence, prologue.task, false);
  return RBNN_OK;
}

rbnn_task_state rbnn_vault_task_state(const rbnn_vault *vault, uint32_t task, uint32_t *slot)
{
  const uint32_t found = find_slot(vault, task);
  if (task >= count_tasks(vault) || found == NO_SLOT) {
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

/* What stands in the way of device keys, or RBNN_OK. */
static rbnn_status check_keys(const rbnn_vault *vault)
{
  switch (vault->puf) {
    case RBNN_PUF_ENROLLED: return RBNN_OK;
    case RBNN_PUF_FRESH: return RBNN_NOT_ENROLLED;
    case RBNN_PUF_POWER_CYCLE: return RBNN_POWER_CYCLE;
    case RBNN_PUF_DAMAGED:
    default: return vault->provisioning == RBNN_OK ? RBNN_PUF_HELPER : RBNN_PROVISIONING_DAMAGED;
  }
}

/* The task's licence. RBNN_NO_CONTAINER, RBNN_UNKNOWN_TASK, RBNN_NO_LICENCE. */
static rbnn_status find_licence(const rbnn_vault *vault, uint32_t task, const uint8_t **licence,
                                rbnn_licence_prologue *prologue)
{
  if (vault->model == NULL) {
    return RBNN_NO_CONTAINER;
  }
  if (task >= count_tasks(vault)) {
    return RBNN_UNKNOWN_TASK;
  }
  const uint32_t slot = find_slot(vault, task);
  if (slot == NO_SLOT) {
    return RBNN_NO_LICENCE;
  }
  *licence = vault->slots[slot].bytes;
  memcpy(prologue, *licence, sizeof *prologue);
  return RBNN_OK;
}

/* Keys of an unlocked task xor a key stream under its payload key: to what is kept, and back.
 * Noise's own nonces begin with a zero word. */
static void mask_keys(const rbnn_unlocked_task *unlocked, const uint8_t in[2 * RBNN_KEY_BYTES],
                      uint8_t out[2 * RBNN_KEY_BYTES])
{
  static const uint32_t nonce[3] = {1, 0, 0};
  rbnn_chacha cipher;
  rbnn_chacha_start(&cipher, unlocked->key, nonce, 20);
  rbnn_chacha_xor(&cipher, 0, in, out, 2 * RBNN_KEY_BYTES);
  rbnn_wipe(&cipher, sizeof cipher);
}

/* A task's sealed block in the container. */
typedef struct {
  const uint8_t *nonce;
  const uint8_t *text; /* ciphertext, then the tag */
  uint32_t bytes;      /* without the tag */
} sealed_block;

/* RBNN_SEALED_BLOCK where there is no whole one. */
static rbnn_status find_sealed_block(const rbnn_model *model, uint32_t task, sealed_block *block)
{
  const uint32_t overhead = RBNN_SEALED_NONCE_BYTES + RBNN_SEALED_TAG_BYTES;
  const rbnn_task *entry = &model->tasks[task];
  if (entry->sealed_bytes < overhead) {
    return RBNN_SEALED_BLOCK;
  }
  block->nonce = model->bytes + entry->sealed_offset;
  block->text = block->nonce + RBNN_SEALED_NONCE_BYTES;
  block->bytes = entry->sealed_bytes - overhead;
  return RBNN_OK;
}

/* Whether the sealed block is what was sealed for this task under `key`. RBNN_SEALED_BLOCK. */
static rbnn_status check_sealed_block(const rbnn_model *model, uint32_t task,
                                      const uint8_t key[RBNN_KEY_BYTES])
{
  uint8_t associated[RBNN_SEALED_AAD_BYTES];
  sealed_block block;
  const rbnn_status status = find_sealed_block(model, task, &block);
  if (status != RBNN_OK) {
    return status;
  }
  memcpy(associated, model->header->model_id, sizeof model->header->model_id);
  associated[16] = (uint8_t)task;
  associated[17] = (uint8_t)(task >> 8);
  return rbnn_aead_is_authentic(key, block.nonce, associated, sizeof associated, block.text,
                                block.bytes)
             ? RBNN_OK
             : RBNN_SEALED_BLOCK;
}

/* Keep all that a task's secret is for, once its licence is opened and its sealed block is found
 * authentic. RBNN_SEALED_BLOCK; then nothing is kept. */
static rbnn_status keep_keys(rbnn_vault *vault, uint32_t task,
                             const uint8_t payload_key[RBNN_KEY_BYTES],
                             const uint8_t secret[RBNN_KEY_BYTES])
{
  rbnn_unlocked_task *unlocked = &vault->unlocked[task];
  const rbnn_model *model = vault->model;
  uint8_t keys[2 * RBNN_KEY_BYTES];
  rbnn_reconf_derive_key(keys, model, secret);
  rbnn_kdf_derive(keys + RBNN_KEY_BYTES, secret, RBNN_LABEL_PARAMS, model->header->model_id,
                  sizeof model->header->model_id);
  const rbnn_status status = check_sealed_block(model, task, keys + RBNN_KEY_BYTES);
  if (status == RBNN_OK) {
    memcpy(unlocked->key, payload_key, sizeof unlocked->key);
    mask_keys(unlocked, keys, unlocked->keys);
    unlocked->open = true;
  }
  rbnn_wipe(keys, sizeof keys);
  return status;
}

rbnn_status rbnn_vault_unlock(rbnn_vault *vault, uint32_t task, const uint8_t psk[RBNN_KEY_BYTES])
{
  rbnn_licence_prologue prologue;
  rbnn_noise_payload payload;
  uint8_t bound[RBNN_LICENCE_PROLOGUE_BYTES];
  uint8_t secret[RBNN_KEY_BYTES];
  uint8_t digest[32];
  const uint8_t *licence = NULL;

  rbnn_status status = check_keys(vault);
  if (status == RBNN_OK) {
    status = find_licence(vault, task, &licence, &prologue);
  }
  if (status == RBNN_OK) {
    rbnn_vault_model_digest(vault->model, digest);
    status = rbnn_licence_check_model(&prologue, vault->model, digest);
  }
  if (status != RBNN_OK) {
    return status;
  }
  rbnn_licence_bind(bound, licence, digest);
  rbnn_noise_read_kpsk0(&payload, bound, sizeof bound, vault->model->header->provider_public,
                        vault->private_key, vault->public_key, psk, licence + EPHEMERAL_OFFSET);
  status = rbnn_noise_open_payload(&payload, licence + SECRET_OFFSET, RBNN_KEY_BYTES, secret);
  if (status == RBNN_OK) {
    status = keep_keys(vault, task, payload.key, secret);
  }
  rbnn_wipe(secret, sizeof secret);
  rbnn_wipe(&payload, sizeof payload);
  return status;
}

rbnn_status rbnn_vault_switch(rbnn_vault *vault, uint32_t task, uint8_t stream_key[RBNN_KEY_BYTES],
                              uint8_t *params, uint32_t params_capacity, uint32_t *params_bytes)
{
  rbnn_licence_prologue prologue;
  uint8_t keys[2 * RBNN_KEY_BYTES];
  const uint8_t *licence = NULL;
  sealed_block block;

  vault->active = -1;
  vault->inferences_left = 0;
  *params_bytes = 0;
  rbnn_wipe(stream_key, RBNN_KEY_BYTES);
  rbnn_wipe(params, params_capacity);

  rbnn_status status = find_licence(vault, task, &licence, &prologue);
  if (status != RBNN_OK) {
    return status;
  }
  if (!vault->unlocked[task].open) {
    return RBNN_LOCKED;
  }
  status = find_sealed_block(vault->model, task, &block);
  if (status == RBNN_OK && block.bytes > params_capacity) {
    status = RBNN_SEALED_BLOCK;
  }
  if (status != RBNN_OK) {
    return status;
  }
  mask_keys(&vault->unlocked[task], vault->unlocked[task].keys, keys);
  rbnn_aead_decrypt(params, keys + RBNN_KEY_BYTES, block.nonce, block.text, block.bytes);
  memcpy(stream_key, keys, RBNN_KEY_BYTES);
  rbnn_wipe(keys, sizeof keys);
  *params_bytes = block.bytes;
  vault->active = (int32_t)task;
  vault->inferences_left = prologue.inference_limit == 0u ? UINT32_MAX : prologue.inference_limit;
  return RBNN_OK;
}

rbnn_status rbnn_vault_count(rbnn_vault *vault)
{
  if (vault->active < 0) {
    return RBNN_NO_ACTIVE_TASK;
  }
  if (vault->inferences_left == 0u) {
    return RBNN_LIMIT;
  }
  if (vault->inferences_left != UINT32_MAX) {
    vault->inferences_left--;
  }
  return RBNN_OK;
}

void rbnn_vault_lock(rbnn_vault *vault)
{
  rbnn_wipe(vault->unlocked, sizeof vault->unlocked);
  vault->active = -1;
  vault->inferences_left = 0;
}

void rbnn_vault_model_digest(const rbnn_model *model, uint8_t digest[32])
{
  crypto_blake2b(digest, 32, model->bytes, model->size);
}
