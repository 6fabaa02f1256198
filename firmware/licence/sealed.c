/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/sealed.h"

#include <string.h>

#include "crypto/aead.h"

#define OVERHEAD (RBNN_SEALED_NONCE_BYTES + RBNN_SEALED_TAG_BYTES)

uint32_t rbnn_sealed_text_bytes(const rbnn_model *model, uint32_t task)
{
  const uint32_t bytes = model->tasks[task].sealed_bytes;
  return bytes < OVERHEAD ? 0u : bytes - OVERHEAD;
}

/* The nonce comes first, then the ciphertext with its tag. */
static const uint8_t *nonce_of(const rbnn_model *model, uint32_t task)
{
  return model->bytes + model->tasks[task].sealed_offset;
}

rbnn_status rbnn_sealed_check(const rbnn_model *model, uint32_t task,
                              const uint8_t key[RBNN_KEY_BYTES])
{
  uint8_t associated[RBNN_SEALED_AAD_BYTES];
  const uint8_t *const nonce = nonce_of(model, task);
  if (model->tasks[task].sealed_bytes < OVERHEAD) {
    return RBNN_SEALED_BLOCK;
  }
  memcpy(associated, model->header->model_id, sizeof model->header->model_id);
  associated[16] = (uint8_t)task;
  associated[17] = (uint8_t)(task >> 8);
  return rbnn_aead_is_authentic(key, nonce, associated, sizeof associated,
                                nonce + RBNN_SEALED_NONCE_BYTES,
                                rbnn_sealed_text_bytes(model, task))
             ? RBNN_OK
             : RBNN_SEALED_BLOCK;
}

void rbnn_sealed_decrypt(const rbnn_model *model, uint32_t task, const uint8_t key[RBNN_KEY_BYTES],
                         uint8_t *text)
{
  const uint8_t *const nonce = nonce_of(model, task);
  rbnn_aead_decrypt(text, key, nonce, nonce + RBNN_SEALED_NONCE_BYTES,
                    rbnn_sealed_text_bytes(model, task));
}
