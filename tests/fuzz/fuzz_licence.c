/* SPDX-License-Identifier: Apache-2.0 */
/* Provisioning partitions and licences. That only what was issued unlocks is checked in fuzz.c. */
#include <string.h>

#include "core/crc32.h"
#include "fuzz.h"
#include "licence/provisioning.h"

#define CORRECT_CRC 1u
#define FRESH 14u /* all of these bits: with the fingerprint, and try to unlock */

static void correct_crc(uint8_t *bytes, uint32_t size)
{
  rbnn_provisioning_header header;
  static const uint8_t zero[4];
  const uint32_t at = RBNN_PROVISIONING_HEADER_CRC32_OFFSET;
  if (size < sizeof header) return;
  memcpy(&header, bytes, sizeof header);
  if (header.total_bytes > size || header.total_bytes < sizeof header) return;
  uint32_t crc = rbnn_crc32_update(0, bytes, at);
  crc = rbnn_crc32_update(crc, zero, sizeof zero);
  crc = rbnn_crc32_update(crc, bytes + at + 4u, header.total_bytes - at - 4u);
  memcpy(bytes + at, &crc, sizeof crc);
}

static void unlock_all(rbnn_vault *vault)
{
  for (uint32_t task = 0; task < world.model.header->task_count; task++) {
    (void)rbnn_vault_unlock(vault, task, world.psks.bytes + task * RBNN_KEY_BYTES);
  }
}

/* One byte of options, then the partition. */
void fuzz_provisioning(const uint8_t *data, size_t size)
{
  static rbnn_vault vault;
  if (size < 1u) return;
  const uint32_t bytes = (uint32_t)size - 1u;
  uint8_t *const partition = fuzz_copy(data + 1, bytes);
  uint8_t *const pattern = fuzz_copy(world.pattern.bytes, world.pattern.size);
  const int fresh = (data[0] & FRESH) == FRESH;
  if ((data[0] & CORRECT_CRC) != 0u) correct_crc(partition, bytes);
  rbnn_vault_start(&vault, &world.model, partition, bytes, fresh ? pattern : NULL, NULL);
  fuzz_check(vault.provisioning == RBNN_OK || vault.provisioning == RBNN_NO_PROVISIONING ||
                 vault.provisioning == RBNN_PROVISIONING_DAMAGED,
             "a partition is refused by name");
  if (fresh) unlock_all(&vault);
  free(pattern);
  free(partition);
}

/* A licence that is longer or shorter than RBNN_LICENCE_BYTES is cut or filled up. */
void fuzz_licence(const uint8_t *data, size_t size)
{
  static rbnn_vault vault, fresh;
  uint8_t *const licence = calloc(RBNN_LICENCE_BYTES, 1);
  uint32_t slot = UINT32_MAX;
  if (licence == NULL) exit(2);
  if (fresh.model == NULL) {
    uint8_t *const pattern = fuzz_copy(world.pattern.bytes, world.pattern.size);
    rbnn_vault_start(&fresh, &world.model, world.partition.bytes, world.partition.size, pattern,
                     NULL);
    fuzz_check(fresh.puf == RBNN_PUF_ENROLLED, "the device knows itself");
    free(pattern);
  }
  vault = fresh;
  memcpy(licence, data, size < RBNN_LICENCE_BYTES ? size : RBNN_LICENCE_BYTES);
  const rbnn_status status = rbnn_vault_add_licence(&vault, licence, &slot);
  if (status == RBNN_OK) {
    rbnn_licence_prologue prologue;
    memcpy(&prologue, licence, sizeof prologue);
    fuzz_check(slot < RBNN_MAX_LICENCES, "a licence has a slot");
    (void)rbnn_vault_unlock(&vault, prologue.task,
                            world.psks.bytes + prologue.task * RBNN_KEY_BYTES);
  } else {
    fuzz_check(status == RBNN_LICENCE_FORMAT || status == RBNN_LICENCE_MODEL,
               "a licence is refused by name");
  }
  free(licence);
}
