/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/licence.h"

#include <stddef.h>
#include <string.h>

_Static_assert(RBNN_LICENCE_BYTES == RBNN_LICENCE_PROLOGUE_BYTES + RBNN_LICENCE_MESSAGE_BYTES,
               "a licence is its clear part and one Noise message");

rbnn_status rbnn_licence_parse(const uint8_t licence[RBNN_LICENCE_BYTES], const char *magic,
                               uint32_t task_count, rbnn_licence_prologue *prologue)
{
  memcpy(prologue, licence, sizeof *prologue);
  if (memcmp(prologue->magic, magic, sizeof prologue->magic) != 0 ||
      prologue->version != RBNN_LICENCE_VERSION ||
      prologue->flags > RBNN_LICENCEFLAG_RELEASE_ONLY || prologue->task >= task_count) {
    return RBNN_LICENCE_FORMAT;
  }
  return RBNN_OK;
}

rbnn_status rbnn_licence_check_model(const rbnn_licence_prologue *prologue, const rbnn_model *model,
                                     const uint8_t digest[32])
{
  if (memcmp(prologue->model_id, model->header->model_id, sizeof prologue->model_id) != 0 ||
      memcmp(prologue->model_digest, digest, sizeof prologue->model_digest) != 0) {
    return RBNN_LICENCE_MODEL;
  }
  return RBNN_OK;
}

void rbnn_licence_bind(uint8_t bytes[RBNN_LICENCE_PROLOGUE_BYTES],
                       const uint8_t licence[RBNN_LICENCE_BYTES], const uint8_t digest[32])
{
  memcpy(bytes, licence, RBNN_LICENCE_PROLOGUE_BYTES);
  memcpy(bytes + offsetof(rbnn_licence_prologue, model_digest), digest, 32);
}
