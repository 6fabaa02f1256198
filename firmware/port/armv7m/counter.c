/* SPDX-License-Identifier: Apache-2.0 */
/* The core's cycle counter (Arm DDI 0403E, C1.8), unless the chip family has another one. A
 * Cortex-M7 has a lock before it. QEMU has no such counter: it reads as zero there. */
#include "port/counter.h"

#include "port/armv7m/armv7m.h"
#include "port/port.h"

#define DEMCR RBNN_REGISTER(0xE000EDFCu)
#define DWT_CTRL RBNN_REGISTER(0xE0001000u)
#define DWT_CYCCNT RBNN_REGISTER(0xE0001004u)
#define DWT_LAR RBNN_REGISTER(0xE0001FB0u)
#define DEMCR_TRACE 0x01000000u
#define CTRL_CYCLES 1u
#define LAR_KEY 0xC5ACCE55u
#define WEAK __attribute__((weak))

WEAK bool rbnn_port_counter_start(void)
{
  DEMCR |= DEMCR_TRACE;
  DWT_LAR = LAR_KEY;
  DWT_CTRL |= CTRL_CYCLES;
  const uint32_t before = DWT_CYCCNT;
  __asm volatile("nop\n nop" ::: "memory");
  return DWT_CYCCNT != before;
}

WEAK uint32_t rbnn_port_counter_hz(void)
{
  return rbnn_port_ticks_hz();
}

WEAK uint32_t rbnn_port_measure_begin(void)
{
  __asm volatile("cpsid i" ::: "memory");
  return DWT_CYCCNT;
}

WEAK uint32_t rbnn_port_measure_end(void)
{
  const uint32_t count = DWT_CYCCNT;
  __asm volatile("cpsie i" ::: "memory");
  return count;
}
