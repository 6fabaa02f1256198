/* SPDX-License-Identifier: Apache-2.0 */
/* The store's pages: the two of 4 KB from 0xFA000 on, of an nRF52840; and the partition of the
 * model, from 0x20000 on. Product Specification v1.7, NVMC: words of 32 bits, each written at most
 * twice between erases (here once); no ECC. The core waits while the flash is erased (85 ms) or
 * written. */
#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"
#include "spec/target.h"

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

static void erase_at(uint32_t address)
{
  NVMC_CONFIG = CONFIG_EEN;
  wait();
  NVMC_ERASEPAGE = address;
  wait();
  NVMC_CONFIG = CONFIG_REN;
  wait();
}

static void program_words(uint32_t *to, const uint32_t *data, uint32_t count)
{
  NVMC_CONFIG = CONFIG_WEN;
  wait();
  for (uint32_t i = 0; i < count; i++) {
    RBNN_FLASH_WORD(to + i) = data[i];
    wait();
  }
  NVMC_CONFIG = CONFIG_REN;
  wait();
}

static void erase(uint32_t page)
{
  erase_at(FIRST_PAGE + page * PAGE_BYTES);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  program_words(rbnn_store_start + page * PAGE_WORDS + word, data, count);
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

#if RBNN_PARTITION
#define FIRST_MODEL_PAGE 0x00020000u

static void erase_model(uint32_t offset)
{
  erase_at(FIRST_MODEL_PAGE + offset);
}

static void program_model(uint32_t offset, const uint32_t *data)
{
  program_words(rbnn_model_start + offset / 4u, data, RBNN_MODEL_UNIT_BYTES / 4u);
}

const rbnn_model_flash *rbnn_port_model(void)
{
  static rbnn_model_flash model = {
      .sector_bytes = PAGE_BYTES, .erase = erase_model, .program = program_model};
  model.start = (const uint8_t *)rbnn_model_start;
  model.bytes = (uint32_t)(rbnn_model_end - rbnn_model_start) * 4u;
  return &model;
}
#endif
