/* SPDX-License-Identifier: Apache-2.0 */
/* Zeros that no compiler leaves out, at a fraction of an instruction a byte. */
#ifndef RBNN_CRYPTO_WIPE_H
#define RBNN_CRYPTO_WIPE_H

#include <stdint.h>

/* Write zeros over `bytes` bytes; word-aligned memory is fast. */
void rbnn_wipe(void *memory, uint32_t bytes);

#endif
