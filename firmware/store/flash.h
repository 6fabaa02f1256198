/* SPDX-License-Identifier: Apache-2.0 */
/* Flash for the store: two pages that are erased apart from each other and from all else. The port
 * of a board gives it (rbnn_port_store in port/port.h), or a product of its own. */
#ifndef RBNN_STORE_FLASH_H
#define RBNN_STORE_FLASH_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const uint32_t *pages[2]; /* read in place; erased words are all ones */
  uint32_t page_bytes;      /* at least RBNN_STORE_LEAST_PAGE_BYTES */

  /* Erase page 0 or 1. */
  void (*erase)(uint32_t page);

  /* Program `count` erased words from word `word` of a page, in this order. They are always whole
   * slots of RBNN_STORE_SLOT_BYTES, each once, so that flash may be written in units of 4, 8, 16 or
   * 32 bytes. If power fails, the units before one are whole, that one may have any bits or none
   * that can be read, and those after it are erased. */
  void (*program)(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count);

  /* Whether `slots` slots from slot `slot` of a page can be read: after power failed, flash with
   * error correction may refuse them, with a fault. It is asked at start, before a slot is read; of
   * no slots, the answer is yes. NULL where all can always be read. */
  bool (*can_read)(uint32_t page, uint32_t slot, uint32_t slots);
} rbnn_flash;

#endif
