/* SPDX-License-Identifier: Apache-2.0 */
/* Sectors 1 and 2 of an STM32F4, 16 KB each, as the store's pages; from sector 5 on, 128 KB each,
 * the partition of the model. Reference manual RM0390, sections 3.3 (sectors), 3.5 (erase and
 * program) and 3.8 (registers). The flash has one bank: while it is erased or programmed, the core
 * waits for its next instruction. */
#include <stddef.h>

#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"
#include "spec/target.h"

#define RCC_CR RBNN_REGISTER(0x40023800u)
#define FLASH_ACR RBNN_REGISTER(0x40023C00u)
#define FLASH_KEYR RBNN_REGISTER(0x40023C04u)
#define FLASH_SR RBNN_REGISTER(0x40023C0Cu)
#define FLASH_CR RBNN_REGISTER(0x40023C10u)

#define CR_HSION (1u << 0)
#define ACR_DATA_CACHE (1u << 10)
#define ACR_DATA_CACHE_RESET (1u << 12)
#define KEY_1 0x45670123u
#define KEY_2 0xCDEF89ABu
#define SR_ERRORS (0x1F2u) /* from an earlier operation; written as ones, they go */
#define SR_BUSY (1u << 16)
#define CR_PROGRAM (1u << 0)
#define CR_SECTOR_ERASE (1u << 1)
#define CR_SECTOR(number) ((number) << 3)
#define CR_32_BITS (2u << 8) /* at once, from 2.7 V on */
#define CR_START (1u << 16)
#define CR_LOCK (1u << 31)
#define FIRST_SECTOR 1u
#define PAGE_BYTES 0x4000u
#define PAGE_WORDS (PAGE_BYTES / 4u)

static void wait(void)
{
  while (FLASH_SR & SR_BUSY) {}
}

static void begin(void)
{
  wait();
  FLASH_KEYR = KEY_1;
  FLASH_KEYR = KEY_2;
  FLASH_SR = SR_ERRORS;
}

static void erase_sector(uint32_t sector)
{
  const uint32_t control = CR_32_BITS | CR_SECTOR_ERASE | CR_SECTOR(sector);
  begin();
  FLASH_CR = control;
  FLASH_CR = control | CR_START;
  wait();
  FLASH_CR = CR_LOCK;
  /* The cache may still have what was erased; it can be emptied only while it is off. */
  const uint32_t access = FLASH_ACR;
  FLASH_ACR = access & ~ACR_DATA_CACHE;
  FLASH_ACR = (access & ~ACR_DATA_CACHE) | ACR_DATA_CACHE_RESET;
  FLASH_ACR = access;
}

static void program_words(uint32_t *to, const uint32_t *data, uint32_t count)
{
  begin();
  FLASH_CR = CR_32_BITS | CR_PROGRAM;
  for (uint32_t i = 0; i < count; i++) {
    RBNN_FLASH_WORD(to + i) = data[i];
    wait();
  }
  FLASH_CR = CR_LOCK;
}

static void erase(uint32_t page)
{
  erase_sector(FIRST_SECTOR + page);
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

/* HSION is set after every reset. Where it reads 0 there is no flash controller either: an emulator
 * of the STM32F405, whose flash cannot be written. */
const rbnn_flash *rbnn_port_store(void)
{
  return RCC_CR & CR_HSION ? &flash : NULL;
}

#if RBNN_PARTITION
#define FIRST_MODEL_SECTOR 5u
#define MODEL_SECTOR_BYTES 0x20000u

static void erase_model(uint32_t offset)
{
  erase_sector(FIRST_MODEL_SECTOR + offset / MODEL_SECTOR_BYTES);
}

static void program_model(uint32_t offset, const uint32_t *data)
{
  program_words(rbnn_model_start + offset / 4u, data, RBNN_MODEL_UNIT_BYTES / 4u);
}

const rbnn_model_flash *rbnn_port_model(void)
{
  static rbnn_model_flash model = {.sector_bytes = MODEL_SECTOR_BYTES, .program = program_model};
  model.start = (const uint8_t *)rbnn_model_start;
  model.bytes = (uint32_t)(rbnn_model_end - rbnn_model_start) * 4u;
  model.erase = RCC_CR & CR_HSION ? erase_model : NULL;
  return &model;
}
#endif
