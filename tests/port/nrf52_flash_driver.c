/* SPDX-License-Identifier: Apache-2.0 */
/* The nRF52 port's flash over a fake controller that follows the Product Specification, NVMC: erase
 * by page in the mode for it, words in the mode for writing, not ready for a while after each.
 * Whatever else ends the program with a message. Prints the operations. */
#define READY 0x4001E400u
#define CONFIG 0x4001E504u
#define ERASEPAGE 0x4001E508u
#define PAGE_WORDS 0x400u
#define MODEL_BYTES 892928

#include "flash_driver.h"

static uint32_t ready, config, erasepage, busy, pending, *pending_place;

static void settle(void)
{
  if (erasepage != 0u) {
    const uint32_t page = (erasepage - 0xFA000u) / 0x1000u;
    if (config != 2u || busy != 0u) stop("erasing out of order");
#if RBNN_PARTITION
    if (erasepage >= 0x20000u && erasepage < 0x20000u + MODEL_BYTES) {
      memset((uint8_t *)rbnn_model_start + (erasepage - 0x20000u), 0xFF, 4u * PAGE_WORDS);
    } else
#endif
    {
      if (page > 1u) stop("another page");
      memset(rbnn_store_start + page * PAGE_WORDS, 0xFF, 4u * PAGE_WORDS);
    }
    printf("erase %u\n", page);
    erasepage = 0;
    busy = 5;
  }
  if (pending_place != NULL) {
    if (config != 1u || busy != 0u) stop("programming out of order");
    if (*pending_place != UINT32_MAX) stop("programmed twice");
    *pending_place = pending;
    if (pending_place >= rbnn_store_start && pending_place < rbnn_store_start + 2u * PAGE_WORDS) {
      printf("program %u %08x\n", (unsigned)(pending_place - rbnn_store_start), pending);
    }
    pending_place = NULL;
    busy = 3;
  }
}

volatile uint32_t *fake_register(uint32_t address)
{
  settle();
  switch (address) {
    case READY:
      ready = busy == 0u;
      busy -= busy != 0u;
      return &ready;
    case CONFIG:
      if (busy != 0u) stop("mode changed while busy");
      return &config;
    case ERASEPAGE: return &erasepage;
    default: stop("another register");
  }
  return NULL;
}

volatile uint32_t *fake_flash_word(const uint32_t *place)
{
  settle();
  pending_place = (uint32_t *)(uintptr_t)place;
  pending = UINT32_MAX;
  return &pending;
}

int main(void)
{
#if RBNN_PARTITION
  return drive_model();
#endif
  const rbnn_flash *const flash = rbnn_port_store();
  static const uint32_t data[] = {0x12345678u, 0xFFFFFFFFu, 0u};
  drive_store(flash, data, 3);
  printf("mode %u\n", config);
  return 0;
}
