/* SPDX-License-Identifier: Apache-2.0 */
/* A task's sealed block in the container: its parameters under its params key (SPEC.md). */
#ifndef RBNN_LICENCE_SEALED_H
#define RBNN_LICENCE_SEALED_H

#include "core/model.h"

/* Whether the block is whole, and is what was sealed for this task under `key`: RBNN_SEALED_BLOCK
 * where not. Constant time in the key for a given container. */
rbnn_status rbnn_sealed_check(const rbnn_model *model, uint32_t task,
                              const uint8_t key[RBNN_KEY_BYTES]);

/* Bytes of its text; 0 where there is no whole block. */
uint32_t rbnn_sealed_text_bytes(const rbnn_model *model, uint32_t task);

/* Decrypt a block that rbnn_sealed_check has found right. `text` has rbnn_sealed_text_bytes() and
 * is fast when word-aligned. */
void rbnn_sealed_decrypt(const rbnn_model *model, uint32_t task, const uint8_t key[RBNN_KEY_BYTES],
                         uint8_t *text);

#endif
