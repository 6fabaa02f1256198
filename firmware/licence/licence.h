/* SPDX-License-Identifier: Apache-2.0 */
/* A licence as bytes: checks of its form, and its part in the Noise handshake. Nothing here is
 * secret and nothing here opens anything. */
#ifndef RBNN_LICENCE_LICENCE_H
#define RBNN_LICENCE_LICENCE_H

#include "core/model.h"

/* Decode the clear part and check its form: magic (RBNN_LICENCE_MAGIC, or RBNN_REVOCATION_MAGIC of
 * a notice), version, known flags, and a task number below `task_count`. RBNN_LICENCE_FORMAT. */
rbnn_status rbnn_licence_parse(const uint8_t licence[RBNN_LICENCE_BYTES], const char *magic,
                               uint32_t task_count, rbnn_licence_prologue *prologue);

/* Whether the licence names this very model, byte for byte. RBNN_LICENCE_MODEL. `digest` is the
 * device's own. This gives a clear answer early; what protects the secret is that the digest is
 * hashed into the handshake (rbnn_licence_bind). */
rbnn_status rbnn_licence_check_model(const rbnn_licence_prologue *prologue, const rbnn_model *model,
                                     const uint8_t digest[32]);

/* The Noise prologue: the clear part with the device's own digest in it. */
void rbnn_licence_bind(uint8_t bytes[RBNN_LICENCE_PROLOGUE_BYTES],
                       const uint8_t licence[RBNN_LICENCE_BYTES], const uint8_t digest[32]);

#endif
