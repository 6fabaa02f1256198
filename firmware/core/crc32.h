/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32/ISO-HDLC, the one of zlib and Python's binascii. */
#ifndef RBNN_CORE_CRC32_H
#define RBNN_CORE_CRC32_H

#include <stdint.h>

/* Continue `crc` (0 to begin) over `size` bytes. */
uint32_t rbnn_crc32_update(uint32_t crc, const void *data, uint32_t size);

#endif
