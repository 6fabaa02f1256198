/* SPDX-License-Identifier: Apache-2.0 */
/* The nRF52 port's flash over a fake controller that follows the Product Specification, NVMC: erase
 * by page in the mode for it, words in the mode for writing, not ready for a while after each.
 * Whatever else ends the program with a message. Prints the operations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/target.h"

#define READY 0x4001E400u
#define CONFIG 0x4001E504u
#define ERASEPAGE 0x4001E508u
#define PAGE_WORDS 0x400u
#define MODEL_BYTES 892928

uint32_t rbnn_store_start[2u * PAGE_WORDS];
static uint32_t ready, config, erasepage, busy, pending, *pending_place;

static void stop(const char *text)
{
  printf("%s\n", text);
  exit(1);
}

/* What the last access did, once the next one shows that it is over. */
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

#if RBNN_PARTITION
#define TEXT_OF(text) #text
#define TEXT(text) TEXT_OF(text)
uint32_t rbnn_model_start[MODEL_BYTES / 4];
__asm__(".globl rbnn_model_end\n.set rbnn_model_end, rbnn_model_start + " TEXT(MODEL_BYTES));

/* Erase the last sector, and program its first units. */
static int drive_model(void)
{
  static const uint32_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  const rbnn_model_flash *const model = rbnn_port_model();
  printf("model %u %u\n", model->bytes, model->sector_bytes);
  if (model->erase == NULL) return 0;
  const uint32_t last = model->bytes - model->sector_bytes;
  model->erase(0);
  model->erase(last);
  settle();
  model->program(last + 32u, data);
  settle();
  if (memcmp(model->start + last + 32u, data, sizeof data) != 0) stop("not programmed");
  if (model->start[last] != 0xFFu || model->start[last + 64u] != 0xFFu) stop("too much");
  if (model->start[model->sector_bytes - 1u] != 0xFFu) stop("the first sector is not erased");
  return 0;
}
#endif

int main(void)
{
#if RBNN_PARTITION
  return drive_model();
#endif
  const rbnn_flash *const flash = rbnn_port_store();
  static const uint32_t data[] = {0x12345678u, 0xFFFFFFFFu, 0u};
  printf("page %u\n", flash->page_bytes);
  for (uint32_t page = 0; page < 2u; page++) {
    if (flash->pages[page] != rbnn_store_start + page * PAGE_WORDS) stop("another page");
    flash->erase(page);
    flash->program(page, 8, data, 3);
    settle();
    if (memcmp(flash->pages[page] + 8, data, sizeof data) != 0) stop("not programmed");
  }
  printf("mode %u\n", config);
  return 0;
}
