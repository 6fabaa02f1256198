/* SPDX-License-Identifier: Apache-2.0 */
/* The STM32F4 port over a fake chip. `driver CR CFGR CSR DHCSR READY OPTCR` starts the port on a
 * chip whose clock registers hold these values (hexadecimal), and whose crystal (1) and PLL (2)
 * start or do not start by READY. Prints what the port left in the registers, and what it
 * concluded. */
#include <stdio.h>
#include <stdlib.h>

#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"

#define RCC_CR 0x40023800u
#define RCC_CFGR 0x40023808u
#define CAPACITY 64u

static struct {
  uint32_t address;
  uint32_t value;
} chip[CAPACITY];
static uint32_t used, ready, tick_hz, interrupt;

volatile uint32_t *fake_register(uint32_t address)
{
  uint32_t i = 0;
  while (i < used && chip[i].address != address) i++;
  if (i == used) {
    if (used == CAPACITY) abort();
    chip[used++].address = address;
  }
  uint32_t *const value = &chip[i].value;
  if (address == RCC_CR) {
    *value &= ~(1u << 17 | 1u << 25);
    if (*value & 1u << 16 && ready & 1u) *value |= 1u << 17;
    if (*value & 1u << 24 && ready & 2u) *value |= 1u << 25;
  }
  if (address == RCC_CFGR) *value = (*value & ~(3u << 2)) | (*value & 3u) << 2;
  return value;
}

void rbnn_tick_start(uint32_t hz)
{
  tick_hz = hz;
}

void rbnn_interrupt_enable(uint32_t number)
{
  interrupt = number;
}

void rbnn_receive_byte(uint8_t byte)
{
  (void)byte;
}

void rbnn_receive_overrun(void)
{
}

static uint32_t number(const char *text)
{
  return (uint32_t)strtoul(text, NULL, 16);
}

int main(int count, char **arguments)
{
  if (count != 7) return 2;
  *fake_register(RCC_CR) = number(arguments[1]);
  *fake_register(RCC_CFGR) = number(arguments[2]);
  *fake_register(0x40023874u) = number(arguments[3]);
  *fake_register(0xE000EDF0u) = number(arguments[4]);
  ready = number(arguments[5]);
  *fake_register(0x40023C14u) = number(arguments[6]);
  rbnn_port_init();
  if (rbnn_family_vectors[interrupt] == NULL) return 3;
  printf("tick_hz %u\ninterrupt %u\nwarm %d\n", tick_hz, interrupt, rbnn_family_warm_reset());
  printf("protection %s\n", rbnn_port_protection());
  for (uint32_t i = 0; i < used; i++) printf("%08x %u\n", chip[i].address, chip[i].value);
  return 0;
}
