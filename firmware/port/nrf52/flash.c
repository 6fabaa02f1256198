/* SPDX-License-Identifier: Apache-2.0 */
/* The store's pages: the two of 4 KB from 0xFA000 on, of an nRF52840. Product Specification v1.7,
 * NVMC: words of 32 bits, each written at most twice between erases (here once); no ECC. The core
 * waits while the flash is erased (85 ms) or written. */
#include "port/armv7m/armv7m.h"
#include "port/port.h"

#define NVMC_READY RBNN_REGISTER(0x4001E400u)
#define NVMC_CONFIG RBNN_REGISTER(0x4001E504u)
#define NVMC_ERASEPAGE RBNN_REGISTER(0x4001E508u)

#define READY_READY 1u
#define CONFIG_REN 0u
#define CONFIG_WEN 1u
#define CONFIG_EEN 2u
#define FIRST_PAGE 0x000FA000u
#define PAGE_BYTES 0x1000u
#define PAGE_WORDS (PAGE_BYTES / 4u)

static void wait(void)
{
  while (!(NVMC_READY & READY_READY)) {}
}

static void erase(uint32_t page)
{
  NVMC_CONFIG = CONFIG_EEN;
  wait();
  NVMC_ERASEPAGE = FIRST_PAGE + page * PAGE_BYTES;
  wait();
  NVMC_CONFIG = CONFIG_REN;
  wait();
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  NVMC_CONFIG = CONFIG_WEN;
  wait();
  for (uint32_t i = 0; i < count; i++) {
    RBNN_FLASH_WORD(rbnn_store_start + page * PAGE_WORDS + word + i) = data[i];
    wait();
  }
  NVMC_CONFIG = CONFIG_REN;
  wait();
}

static const rbnn_flash flash = {
    .pages = {rbnn_store_start, rbnn_store_start + PAGE_WORDS},
    .page_bytes = PAGE_BYTES,
    .erase = erase,
    .program = program,
};

const rbnn_flash *rbnn_port_store(void)
{
  return &flash;
}
