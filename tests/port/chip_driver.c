/* SPDX-License-Identifier: Apache-2.0 */
/* A port over a fake chip. The arguments say how the chip behaves, in hexadecimal:
 *
 *   set ADDRESS VALUE          what a register holds at the start
 *   ready ADDRESS ON READY     where the bits ON are set, the bits READY are, too; else they are
 * not status ADDRESS MASK SHIFT  the bits MASK are repeated SHIFT bits further up
 *
 * Starts the port. Prints what the port concluded, each change of a register in its order, and what
 * the registers hold in the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/armv7m/armv7m.h"
#include "port/armv7m/receive.h"
#include "port/port.h"

#define CAPACITY 64u

typedef struct {
  uint32_t address, first, second;
  bool is_ready;
} rule;

static struct {
  uint32_t address, value, before;
} chip[CAPACITY];
static rule rules[CAPACITY];
static uint32_t used, ruled, tick_hz, interrupt;
static bool is_started;
uint32_t rbnn_store_start[1];

static void settle(void)
{
  for (uint32_t i = 0; i < used; i++) {
    for (uint32_t k = 0; k < ruled; k++) {
      const rule *const one = &rules[k];
      if (one->address != chip[i].address) continue;
      if (one->is_ready) {
        const bool on = (chip[i].value & one->first) == one->first;
        chip[i].value = on ? chip[i].value | one->second : chip[i].value & ~one->second;
      } else {
        const uint32_t copy = (chip[i].value & one->first) << one->second;
        chip[i].value = (chip[i].value & ~(one->first << one->second)) | copy;
      }
    }
    if (is_started && chip[i].value != chip[i].before) {
      printf("write %08x %u\n", chip[i].address, chip[i].value);
    }
    chip[i].before = chip[i].value;
  }
}

volatile uint32_t *fake_register(uint32_t address)
{
  settle();
  uint32_t i = 0;
  while (i < used && chip[i].address != address) i++;
  if (i == used) {
    if (used == CAPACITY) abort();
    chip[used++].address = address;
    settle();
  }
  return &chip[i].value;
}

volatile uint32_t *fake_flash_word(const uint32_t *place)
{
  (void)place;
  abort();
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

_Noreturn void rbnn_port_reset(void)
{
  exit(4);
}

static uint32_t number(const char *text)
{
  return (uint32_t)strtoul(text, NULL, 16);
}

int main(int count, char **arguments)
{
  for (int i = 1; i < count; i += strcmp(arguments[i], "set") == 0 ? 3 : 4) {
    const uint32_t address = number(arguments[i + 1]);
    if (strcmp(arguments[i], "set") == 0) {
      *fake_register(address) = number(arguments[i + 2]);
    } else {
      rules[ruled++] = (rule){address, number(arguments[i + 2]), number(arguments[i + 3]),
                              strcmp(arguments[i], "ready") == 0};
    }
  }
  settle();
  is_started = true;
  rbnn_port_init();
  if (rbnn_family_vectors[interrupt] == NULL) return 3;
  printf("tick_hz %u\ninterrupt %u\nwarm %d\n", tick_hz, interrupt, rbnn_family_warm_reset());
  printf("protection %s\nregions %u\n", rbnn_port_protection());
  settle();
  for (uint32_t i = 0; i < used; i++) printf("end %08x %u\n", chip[i].address, chip[i].value);
  return 0;
}
