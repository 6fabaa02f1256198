/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of its own for the model: sectors that are erased apart from each other and from all else.
 * The port of a board gives it (rbnn_port_model in port/port.h), or a product of its own. */
#ifndef RBNN_PARTITION_MODEL_FLASH_H
#define RBNN_PARTITION_MODEL_FLASH_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const uint8_t *start; /* read in place, 16-byte aligned; erased bytes are 0xFF */
  uint32_t bytes;       /* of all sectors */
  uint32_t sector_bytes;

  /* Erase the sector that begins at an offset. NULL where the firmware cannot write the partition:
   * a debug probe or a bootloader does. */
  void (*erase)(uint32_t offset);

  /* Program RBNN_MODEL_UNIT_BYTES erased bytes at an offset that is a multiple of them, once: flash
   * may be written in units of 4, 8, 16 or 32 bytes. If power fails, they may have any bits, or
   * none that can be read. */
  void (*program)(uint32_t offset, const uint32_t *data);

  /* Whether bytes can be read: after power failed, flash with error correction may refuse them,
   * with a fault. NULL where all can always be read. */
  bool (*can_read)(uint32_t offset, uint32_t bytes);
} rbnn_model_flash;

#endif
