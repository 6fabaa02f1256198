/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/provisioning.h"

#include <string.h>

#include "core/crc32.h"

#define FIXED_BYTES (RBNN_PROVISIONING_HEADER_BYTES + RBNN_HELPER_RECORD_PADDED_BYTES)

static int is_filled(const uint8_t *bytes, uint32_t size, uint8_t value)
{
  for (uint32_t i = 0; i < size; i++) {
    if (bytes[i] != value) {
      return 0;
    }
  }
  return 1;
}

/* CRC-32 of the partition with its own member as zero. */
static uint32_t checksum(const uint8_t *partition, uint32_t bytes)
{
  static const uint8_t zero[sizeof(uint32_t)] = {0};
  const uint32_t after = RBNN_PROVISIONING_HEADER_CRC32_OFFSET + (uint32_t)sizeof zero;
  uint32_t crc = rbnn_crc32_update(0, partition, RBNN_PROVISIONING_HEADER_CRC32_OFFSET);
  crc = rbnn_crc32_update(crc, zero, sizeof zero);
  return rbnn_crc32_update(crc, partition + after, bytes - after);
}

rbnn_status rbnn_provisioning_open(rbnn_provisioning *view, const uint8_t *partition,
                                   uint32_t capacity)
{
  rbnn_provisioning_header header;

  memset(view, 0, sizeof *view);
  if (partition == NULL || capacity < sizeof header || is_filled(partition, sizeof header, 0xffu) ||
      is_filled(partition, sizeof header, 0)) {
    return RBNN_NO_PROVISIONING;
  }
  memcpy(&header, partition, sizeof header);
  if (memcmp(header.magic, RBNN_PROVISIONING_MAGIC, sizeof header.magic) != 0 ||
      header.version != RBNN_PROVISIONING_VERSION || header.licence_count > RBNN_MAX_LICENCES ||
      header.total_bytes != FIXED_BYTES + header.licence_count * RBNN_LICENCE_BYTES ||
      header.total_bytes > capacity || header.crc32 != checksum(partition, header.total_bytes)) {
    return RBNN_PROVISIONING_DAMAGED;
  }
  view->helper_record = partition + RBNN_PROVISIONING_HEADER_BYTES;
  view->licences = partition + FIXED_BYTES;
  view->licence_count = header.licence_count;
  return RBNN_OK;
}
