/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/signed_model.h"

#include <stddef.h>
#include <string.h>

#include "monocypher.h"

_Static_assert(offsetof(rbnn_signed_model_header, signature) == RBNN_MODEL_SIGNED_BYTES,
               "the signature covers all before it");
_Static_assert(RBNN_SIGNED_MODEL_HEADER_BYTES % RBNN_MODEL_UNIT_BYTES == 0u &&
                   RBNN_SIGNED_MODEL_HEADER_BYTES % RBNN_ALIGNMENT == 0u,
               "the container begins a unit, and is aligned");

rbnn_status rbnn_signed_model_check_header(const rbnn_signed_model_header *header,
                                           uint32_t capacity, const uint8_t key[RBNN_KEY_BYTES])
{
  if (memcmp(header->magic, RBNN_MODEL_MAGIC, sizeof header->magic) != 0) {
    return RBNN_NO_CONTAINER;
  }
  if (header->version != RBNN_MODEL_HEADER_VERSION ||
      header->header_bytes != RBNN_SIGNED_MODEL_HEADER_BYTES) {
    return RBNN_CONTAINER_FORMAT;
  }
  uint32_t filled = header->reserved;
  for (uint32_t i = 0; i < sizeof header->padding; i++) filled |= header->padding[i];
  if (filled != 0u || crypto_eddsa_check(header->signature, key, (const uint8_t *)header,
                                         RBNN_MODEL_SIGNED_BYTES) != 0) {
    return RBNN_MODEL_SIGNATURE;
  }
  return header->container_bytes <= capacity ? RBNN_OK : RBNN_CONTAINER_DAMAGED;
}

rbnn_status rbnn_signed_model_check_container(const rbnn_signed_model_header *header,
                                              const uint8_t *container)
{
  uint8_t digest[32];
  crypto_blake2b(digest, sizeof digest, container, header->container_bytes);
  return crypto_verify32(digest, header->model_digest) == 0 ? RBNN_OK : RBNN_CONTAINER_DAMAGED;
}

rbnn_status rbnn_signed_model_open(const uint8_t *model, uint32_t bytes,
                                   const uint8_t key[RBNN_KEY_BYTES], const uint8_t **container,
                                   uint32_t *container_bytes)
{
  const rbnn_signed_model_header *const header = (const void *)model;
  *container = NULL;
  *container_bytes = 0;
  if (model == NULL || bytes < RBNN_SIGNED_MODEL_HEADER_BYTES) return RBNN_NO_CONTAINER;
  rbnn_status status =
      rbnn_signed_model_check_header(header, bytes - RBNN_SIGNED_MODEL_HEADER_BYTES, key);
  if (status == RBNN_OK) {
    status = rbnn_signed_model_check_container(header, model + RBNN_SIGNED_MODEL_HEADER_BYTES);
  }
  if (status == RBNN_OK) {
    *container = model + RBNN_SIGNED_MODEL_HEADER_BYTES;
    *container_bytes = header->container_bytes;
  }
  return status;
}
