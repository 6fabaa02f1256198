/* SPDX-License-Identifier: Apache-2.0 */
/* Sleep, interrupts, restart, and what the linker script reserves. */
#include <stddef.h>

#include "crypto/wipe.h"
#include "port/armv7m/armv7m.h"
#include "port/port.h"
#include "spec/rbnn_spec.h"
#include "spec/target.h"

#define NVIC_ISER ((volatile uint32_t *)0xE000E100u)
#define SCB_AIRCR RBNN_REGISTER(0xE000ED0Cu)
#define AIRCR_RESET_REQUEST 0x05FA0004u
#define MARKER_0 0x6e624e52u
#define MARKER_1 0x91c3a75bu

/* Holds the fingerprint at power-on; first in its memory, where the board's manifest expects it. */
__attribute__((section(".noinit.puf"))) static uint8_t puf_region[RBNN_PUF_PATTERN_BYTES];
/* Survives a warm reset and is random after power-on. */
__attribute__((section(".noinit.marker"))) static volatile uint32_t marker[2];

void rbnn_interrupt_enable(uint32_t number)
{
  NVIC_ISER[number / 32u] = 1u << (number % 32u);
}

void rbnn_sleep_while_equal(const volatile uint32_t *head, const volatile uint32_t *tail)
{
  /* A masked interrupt still ends WFI. */
  __asm volatile("cpsid i" ::: "memory");
  if (*head == *tail) __asm volatile("dsb\n wfi" ::: "memory");
  __asm volatile("cpsie i" ::: "memory");
}

uint8_t *rbnn_port_power_up_pattern(void)
{
  const bool marked = marker[0] == MARKER_0 && marker[1] == MARKER_1;
  const bool warm = rbnn_family_warm_reset();
  marker[0] = MARKER_0;
  marker[1] = MARKER_1;
  if (!marked && !warm) return puf_region;
  /* A device that was never enrolled still holds its pattern. */
  rbnn_wipe(puf_region, sizeof puf_region);
  return NULL;
}

/* Unless the chip family has its own, because its flash may have what cannot be read. */
__attribute__((weak)) const uint8_t *rbnn_port_provisioning(uint32_t *bytes)
{
  *bytes = (uint32_t)(rbnn_provisioning_end - rbnn_provisioning_start);
  return rbnn_provisioning_start;
}

#if RBNN_PARTITION
/* Unless the chip family can write it. A debug probe writes a model to the start of the partition.
 */
__attribute__((weak)) const rbnn_model_flash *rbnn_port_model(void)
{
  static rbnn_model_flash flash;
  flash.start = (const uint8_t *)rbnn_model_start;
  flash.bytes = (uint32_t)(rbnn_model_end - rbnn_model_start) * 4u;
  flash.sector_bytes = flash.bytes;
  return &flash;
}
#endif

const char *rbnn_port_board(void)
{
  return RBNN_BOARD;
}

_Noreturn void rbnn_port_reset(void)
{
  rbnn_family_flush();
  __asm volatile("cpsid i\n dsb" ::: "memory");
  SCB_AIRCR = AIRCR_RESET_REQUEST;
  for (;;) __asm volatile("dsb" ::: "memory");
}
