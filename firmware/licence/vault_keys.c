/* SPDX-License-Identifier: Apache-2.0 */
/* From a licence to a task's keys: unlocking and switching. And what the device signs. */
#include <string.h>

#include "crypto/chacha.h"
#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "licence/licence.h"
#include "licence/noise.h"
#include "licence/sealed.h"
#include "licence/vault.h"
#include "licence/vault_counts.h"
#include "licence/vault_slots.h"
#include "monocypher.h"
#include "reconf/reconf.h"
#include "spec/target.h"

/* The Noise message of a licence: ephemeral public key, sealed task secret, tag. */
#define EPHEMERAL_OFFSET RBNN_LICENCE_PROLOGUE_BYTES
#define SECRET_OFFSET (EPHEMERAL_OFFSET + 32u)

_Static_assert(SECRET_OFFSET + RBNN_KEY_BYTES + RBNN_NOISE_TAG_BYTES == RBNN_LICENCE_BYTES,
               "the payload of a licence is one task secret");

rbnn_status rbnn_vault_check_keys(const rbnn_vault *vault)
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
  if (task >= rbnn_vault_count_tasks(vault)) {
    return RBNN_UNKNOWN_TASK;
  }
  const uint32_t slot = rbnn_vault_find_slot(vault, task);
  if (slot == RBNN_NO_SLOT) {
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
  rbnn_chacha_start(&cipher, unlocked->payload_key, nonce, 20);
  rbnn_chacha_xor(&cipher, 0, in, out, 2 * RBNN_KEY_BYTES);
  rbnn_wipe(&cipher, sizeof cipher);
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
  const rbnn_status status = rbnn_sealed_check(model, task, keys + RBNN_KEY_BYTES);
  if (status == RBNN_OK) {
    memcpy(unlocked->payload_key, payload_key, sizeof unlocked->payload_key);
    mask_keys(unlocked, keys, unlocked->masked_keys);
    unlocked->open = true;
  }
  rbnn_wipe(keys, sizeof keys);
  return status;
}

/* The Noise message of a licence or a notice; `clear` is its clear part as the provider had it. */
static rbnn_status open_message(const rbnn_vault *vault,
                                const uint8_t clear[RBNN_LICENCE_PROLOGUE_BYTES],
                                const uint8_t psk[RBNN_KEY_BYTES],
                                const uint8_t bytes[RBNN_LICENCE_BYTES],
                                rbnn_noise_payload *payload, uint8_t secret[RBNN_KEY_BYTES])
{
  rbnn_noise_read_kpsk0(payload, clear, RBNN_LICENCE_PROLOGUE_BYTES,
                        vault->model->header->provider_public, vault->private_key,
                        vault->public_key, psk, bytes + EPHEMERAL_OFFSET);
  return rbnn_noise_open_payload(payload, bytes + SECRET_OFFSET, RBNN_KEY_BYTES, secret);
}

rbnn_status rbnn_vault_unlock(rbnn_vault *vault, uint32_t task, const uint8_t psk[RBNN_KEY_BYTES])
{
  rbnn_licence_prologue prologue;
  rbnn_noise_payload payload;
  uint8_t bound[RBNN_LICENCE_PROLOGUE_BYTES];
  uint8_t secret[RBNN_KEY_BYTES];
  uint8_t digest[32];
  const uint8_t *licence = NULL;

  rbnn_status status = rbnn_vault_check_keys(vault);
  if (status == RBNN_OK) {
    status = find_licence(vault, task, &licence, &prologue);
  }
#if RBNN_DEVELOPMENT
  if (status == RBNN_OK && (prologue.flags & RBNN_LICENCEFLAG_RELEASE_ONLY) != 0u) {
    status = RBNN_DEVELOPMENT_BUILD;
  }
#endif
  if (status == RBNN_OK) {
    rbnn_vault_model_digest(vault->model, digest);
    status = rbnn_licence_check_model(&prologue, vault->model, digest);
  }
  if (status != RBNN_OK) {
    return status;
  }
  rbnn_licence_bind(bound, licence, digest);
  status = open_message(vault, bound, psk, licence, &payload, secret);
  if (status == RBNN_OK) {
    status = rbnn_vault_admit(vault, &prologue);
  }
  if (status == RBNN_OK) {
    status = keep_keys(vault, task, payload.key, secret);
  }
  rbnn_wipe(secret, sizeof secret);
  rbnn_wipe(&payload, sizeof payload);
  return status;
}

rbnn_status rbnn_vault_revoke(rbnn_vault *vault, const uint8_t bytes[RBNN_LICENCE_BYTES],
                              rbnn_licence_prologue *notice)
{
  static const uint8_t no_psk[RBNN_KEY_BYTES] = {0};
  rbnn_noise_payload payload;
  uint8_t nothing[RBNN_KEY_BYTES];

  rbnn_status status = rbnn_vault_check_keys(vault);
  if (status == RBNN_OK && vault->model == NULL) {
    status = RBNN_NO_CONTAINER;
  }
  if (status == RBNN_OK) {
    status =
        rbnn_licence_parse(bytes, RBNN_REVOCATION_MAGIC, rbnn_vault_count_tasks(vault), notice);
  }
  if (status != RBNN_OK) {
    return status;
  }
  if (memcmp(notice->model_id, vault->model->header->model_id, sizeof notice->model_id) != 0) {
    return RBNN_LICENCE_MODEL;
  }
  status = open_message(vault, bytes, no_psk, bytes, &payload, nothing);
  if (status == RBNN_OK) {
    status = rbnn_vault_raise_floor(vault, notice);
    rbnn_vault_lock_task(vault, notice->task);
  }
  rbnn_wipe(&payload, sizeof payload);
  /* One that comes late changes nothing. */
  return status == RBNN_LICENCE_OLD ? RBNN_OK : status;
}

rbnn_status rbnn_vault_switch(rbnn_vault *vault, uint32_t task, uint8_t stream_key[RBNN_KEY_BYTES],
                              uint8_t *params, uint32_t params_capacity, uint32_t *params_bytes)
{
  rbnn_licence_prologue prologue;
  uint8_t keys[2 * RBNN_KEY_BYTES];
  const uint8_t *licence = NULL;

  vault->active = -1;
  vault->activation = 0;
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
  const uint32_t bytes = rbnn_sealed_text_bytes(vault->model, task);
  if (bytes == 0u || bytes > params_capacity) {
    return RBNN_SEALED_BLOCK;
  }
  status = rbnn_vault_count_activation(vault, &prologue);
  if (status != RBNN_OK) {
    return status;
  }
  mask_keys(&vault->unlocked[task], vault->unlocked[task].masked_keys, keys);
  rbnn_sealed_decrypt(vault->model, task, keys + RBNN_KEY_BYTES, params);
  memcpy(stream_key, keys, RBNN_KEY_BYTES);
  rbnn_wipe(keys, sizeof keys);
  *params_bytes = bytes;
  vault->active = (int32_t)task;
  return RBNN_OK;
}

rbnn_status rbnn_vault_release(rbnn_vault *vault, uint32_t task, rbnn_statement *statement)
{
  rbnn_licence_prologue prologue;
  rbnn_store_record record;
  const uint8_t *licence = NULL;

  rbnn_status status = find_licence(vault, task, &licence, &prologue);
  if (status != RBNN_OK) {
    return status;
  }
  if (!vault->unlocked[task].open && rbnn_vault_check_age(vault, &prologue) == RBNN_OK) {
    return RBNN_LOCKED;
  }
  prologue.sequence++;
  status = rbnn_vault_raise_floor(vault, &prologue);
  rbnn_vault_lock_task(vault, task);
  if (status != RBNN_OK && status != RBNN_LICENCE_OLD) {
    return status;
  }
  rbnn_store_find(&vault->store, prologue.model_id, task, &record);
  statement->kind = RBNN_SIGNED_RELEASE;
  statement->task = (uint16_t)task;
  statement->floor = record.floor;
  return RBNN_OK;
}

_Static_assert(sizeof RBNN_FIRMWARE_VERSION <= sizeof((rbnn_statement *)0)->firmware,
               "the version fits a statement");

rbnn_status rbnn_vault_sign(const rbnn_vault *vault, rbnn_statement *statement,
                            uint8_t signature[RBNN_SIGNATURE_BYTES])
{
  const rbnn_status status = rbnn_vault_check_keys(vault);
  if (status != RBNN_OK) {
    return status;
  }
  memcpy(statement->label, RBNN_STATEMENT_LABEL, sizeof RBNN_STATEMENT_LABEL);
  memcpy(statement->firmware, RBNN_FIRMWARE_VERSION, sizeof RBNN_FIRMWARE_VERSION);
  statement->development = RBNN_DEVELOPMENT;
  if (vault->model != NULL) {
    memcpy(statement->model_id, vault->model->header->model_id, sizeof statement->model_id);
    rbnn_vault_model_digest(vault->model, statement->model_digest);
  }
  rbnn_store_age(&vault->store, &statement->generation, &statement->slots);
  crypto_eddsa_sign(signature, (const uint8_t *)&vault->sign, (const uint8_t *)statement,
                    sizeof *statement);
  return RBNN_OK;
}
