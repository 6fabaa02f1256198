/* SPDX-License-Identifier: Apache-2.0 */
/* What a switch costs on an emulated Cortex-M: rbnn_vault_switch, and the parts it is made of. */
#include <stdio.h>
#include <string.h>

#include "computer.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/wipe.h"
#include "licence/vault.h"
#include "monocypher.h"
#include "reconf/reconf.h"

#define LARGEST 3584u
#define OVERHEAD (RBNN_SEALED_NONCE_BYTES + RBNN_SEALED_TAG_BYTES)

static rbnn_container_header header = {.model_id = "TEST-ONLY model", .task_count = 1};
static rbnn_task task;
static uint32_t container[(LARGEST + OVERHEAD) / 4u];
static rbnn_model model = {.bytes = (uint8_t *)container, .header = &header, .tasks = &task};
static rbnn_vault vault;
static uint32_t params[LARGEST / 4u];
static uint32_t begun;

static void begin(void)
{
  begun = computer_count();
}

static void end(const char *what, uint32_t bytes)
{
  char line[96];
  const uint32_t count = computer_count() - begun;
  snprintf(line, sizeof line, "%s %u %u\n", what, (unsigned)bytes, (unsigned)count);
  computer_print(line);
}

/* One licensed, unlocked task with `bytes` bytes of parameters, as unlocking leaves it. */
static void unlock(const uint8_t secret[RBNN_KEY_BYTES], uint32_t bytes)
{
  static const uint8_t mask_nonce[12] = {1};
  const rbnn_licence_prologue prologue = {.magic = "RBLC", .version = RBNN_LICENCE_VERSION};
  uint8_t keys[2 * RBNN_KEY_BYTES];
  uint8_t associated[RBNN_SEALED_AAD_BYTES] = {0};
  uint8_t *const sealed = (uint8_t *)container;
  crypto_aead_ctx cipher;

  crypto_wipe(&vault, sizeof vault);
  vault.model = &model;
  vault.active = -1;
  vault.store.status = RBNN_NO_STORE; /* its look-up depends on how full it is */
  vault.slots[0].used = true;
  memcpy(vault.slots[0].bytes, &prologue, sizeof prologue);
  rbnn_reconf_derive_key(keys, &model, secret);
  rbnn_kdf_derive(keys + RBNN_KEY_BYTES, secret, RBNN_LABEL_PARAMS, header.model_id,
                  sizeof header.model_id);
  vault.unlocked[0].open = true;
  memset(vault.unlocked[0].payload_key, 0x5a, RBNN_KEY_BYTES);
  crypto_chacha20_ietf(vault.unlocked[0].masked_keys, keys, sizeof keys,
                       vault.unlocked[0].payload_key, mask_nonce, 0);

  task.sealed_bytes = bytes + OVERHEAD;
  for (uint32_t i = 0; i < bytes; i++) {
    sealed[RBNN_SEALED_NONCE_BYTES + i] = (uint8_t)(i * 7u);
  }
  memcpy(associated, header.model_id, sizeof header.model_id);
  crypto_aead_init_ietf(&cipher, keys + RBNN_KEY_BYTES, sealed);
  crypto_aead_write(&cipher, sealed + RBNN_SEALED_NONCE_BYTES,
                    sealed + RBNN_SEALED_NONCE_BYTES + bytes, associated, sizeof associated,
                    sealed + RBNN_SEALED_NONCE_BYTES, bytes);
}

static int check_switch(uint32_t bytes)
{
  static const uint8_t secret[RBNN_KEY_BYTES] = "TEST-ONLY secret of a task, 32 b";
  uint8_t expected[RBNN_KEY_BYTES];
  uint8_t key[RBNN_KEY_BYTES];
  uint32_t opened = 0;
  int right = 1;

  unlock(secret, bytes);
  rbnn_reconf_derive_key(expected, &model, secret);
  begin();
  const rbnn_status status =
      rbnn_vault_switch(&vault, 0, key, (uint8_t *)params, sizeof params, &opened);
  end("switch", bytes);
  right &= status == RBNN_OK && opened == bytes && memcmp(key, expected, sizeof key) == 0;
  for (uint32_t i = 0; i < bytes; i++) {
    right &= ((uint8_t *)params)[i] == (uint8_t)(i * 7u);
  }
  return right;
}

/* The parts, each by itself. */
static void measure_parts(uint32_t bytes)
{
  static const uint8_t key[RBNN_KEY_BYTES] = {3};
  static const uint32_t nonce[3] = {1, 0, 0};
  uint8_t out[64];
  uint8_t tag[16];
  rbnn_chacha cipher;
  crypto_poly1305_ctx authenticator;

  rbnn_chacha_start(&cipher, key, nonce, 20);
  begin();
  rbnn_chacha_xor(&cipher, 1, (uint8_t *)container + RBNN_SEALED_NONCE_BYTES, params, bytes);
  end("chacha20", bytes);
  begin();
  crypto_poly1305_init(&authenticator, key);
  crypto_poly1305_update(&authenticator, (uint8_t *)container, bytes);
  crypto_poly1305_final(&authenticator, tag);
  end("poly1305", bytes);
  begin();
  rbnn_wipe(params, sizeof params);
  end("wipe", sizeof params);
  begin();
  rbnn_kdf_derive(out, key, RBNN_LABEL_PARAMS, header.model_id, sizeof header.model_id);
  end("kdf", 32);
  begin();
  crypto_blake2b(out, 32, (uint8_t *)container, bytes);
  end("blake2b", bytes);
}

int main(void)
{
  static const uint32_t sizes[] = {1740, LARGEST};
  int right = 1;
  for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    right &= check_switch(sizes[i]);
    measure_parts(sizes[i]);
  }
  computer_print(right ? "done\n" : "failed\n");
  return right ? 0 : 1;
}
