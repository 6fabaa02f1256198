/* SPDX-License-Identifier: Apache-2.0 */
/* CMSDK timer 0 on the core clock, counting down from 2^32 - 1 without an interrupt. */
#include "port/counter.h"

#include "port/armv7m/armv7m.h"

#define TIMER_CTRL RBNN_REGISTER(0x40000000u)
#define TIMER_VALUE RBNN_REGISTER(0x40000004u)
#define TIMER_RELOAD RBNN_REGISTER(0x40000008u)
#define CTRL_ENABLE 1u
#define CORE_HZ 25000000u

bool rbnn_port_counter_start(void)
{
  TIMER_RELOAD = UINT32_MAX;
  TIMER_VALUE = UINT32_MAX;
  TIMER_CTRL = CTRL_ENABLE;
  return true;
}

uint32_t rbnn_port_counter_hz(void)
{
  return CORE_HZ;
}

uint32_t rbnn_port_measure_begin(void)
{
  __asm volatile("cpsid i" ::: "memory");
  return ~TIMER_VALUE;
}

uint32_t rbnn_port_measure_end(void)
{
  const uint32_t count = ~TIMER_VALUE;
  __asm volatile("cpsie i" ::: "memory");
  return count;
}
