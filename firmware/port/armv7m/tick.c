/* SPDX-License-Identifier: Apache-2.0 */
#include "port/armv7m/tick.h"

#include "port/armv7m/armv7m.h"
#include "port/port.h"

#define SYST_CSR RBNN_REGISTER(0xE000E010u)
#define SYST_RVR RBNN_REGISTER(0xE000E014u)
#define SYST_CVR RBNN_REGISTER(0xE000E018u)
#define SYST_ENABLE_TICKINT_CORE_CLOCK 7u
#define RELOAD 0xFFFFFFu

static volatile uint32_t wraps;
static uint32_t ticks_hz;

void rbnn_tick_interrupt(void)
{
  wraps++;
}

void rbnn_tick_start(uint32_t hz)
{
  ticks_hz = hz;
  SYST_RVR = RELOAD;
  SYST_CVR = 0;
  SYST_CSR = SYST_ENABLE_TICKINT_CORE_CLOCK;
}

uint64_t rbnn_port_ticks(void)
{
  uint32_t before, count;
  do {
    before = wraps;
    count = RELOAD - SYST_CVR;
  } while (before != wraps);
  return (uint64_t)before * (RELOAD + 1u) + count;
}

uint32_t rbnn_port_ticks_hz(void)
{
  return ticks_hz;
}
