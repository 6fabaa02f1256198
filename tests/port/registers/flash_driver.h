/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of fake flash controllers have in common: how the port is driven. Include it
 * once, before the controller; define PAGE_WORDS (a page of the store) and, where the board has a
 * model partition, MODEL_BYTES first. */
#ifndef RBNN_TESTS_FLASH_DRIVER_H
#define RBNN_TESTS_FLASH_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/target.h"

uint32_t rbnn_store_start[2u * PAGE_WORDS];

/* What the last access did, once the next one shows that it is over: the controller. */
static void settle(void);

static void stop(const char *text)
{
  printf("%s\n", text);
  exit(1);
}

/* Erase both pages of the store, and program some words of each. */
static void drive_store(const rbnn_flash *flash, const uint32_t *data, uint32_t count)
{
  printf("page %u\n", flash->page_bytes);
  for (uint32_t page = 0; page < 2u; page++) {
    if (flash->pages[page] != rbnn_store_start + page * PAGE_WORDS) stop("another page");
    flash->erase(page);
    settle();
    flash->program(page, 8, data, count);
    settle();
    if (memcmp(flash->pages[page] + 8, data, 4u * count) != 0) stop("not programmed");
  }
}

#if RBNN_PARTITION
#define TEXT_OF(text) #text
#define TEXT(text) TEXT_OF(text)
uint32_t rbnn_model_start[MODEL_BYTES / 4];
__asm__(".globl rbnn_model_end\n.set rbnn_model_end, rbnn_model_start + " TEXT(MODEL_BYTES));

/* Erase the first and the last sector, and program the last one's first units. */
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

#endif
