/* SPDX-License-Identifier: Apache-2.0 */
/* A container that the provider has signed: a header, then the container (SPEC.md, Model
 * partition). The header has the container's digest, so that its signature alone says whose model
 * this is, before the container is there. */
#ifndef RBNN_PARTITION_SIGNED_MODEL_H
#define RBNN_PARTITION_SIGNED_MODEL_H

#include "spec/rbnn_spec.h"

/* Check a header that may be followed by at most `capacity` bytes of container. RBNN_NO_CONTAINER
 * (no magic), RBNN_CONTAINER_FORMAT, RBNN_MODEL_SIGNATURE, RBNN_CONTAINER_DAMAGED (the container
 * would not fit). `key` is the provider's, as `rbnn flash --partition` gives it. */
rbnn_status rbnn_signed_model_check_header(const rbnn_signed_model_header *header,
                                           uint32_t capacity, const uint8_t key[RBNN_KEY_BYTES]);

/* Whether a container, of header->container_bytes, is the one that was signed.
 * RBNN_CONTAINER_DAMAGED
 */
rbnn_status rbnn_signed_model_check_container(const rbnn_signed_model_header *header,
                                              const uint8_t *container);

/* Check a signed model of at most `bytes` bytes, 16-byte aligned: header and container.
 * `*container` is where the container begins, NULL if anything is wrong. */
rbnn_status rbnn_signed_model_open(const uint8_t *model, uint32_t bytes,
                                   const uint8_t key[RBNN_KEY_BYTES], const uint8_t **container,
                                   uint32_t *container_bytes);

#endif
