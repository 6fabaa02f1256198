/* SPDX-License-Identifier: Apache-2.0 */
/* A bare Cortex-M of QEMU's mps2 machines, talking by semihosting. SysTick counts 25 MHz; under
 * `-icount shift=10` an instruction takes 1024 ns, that is 25.6 ticks, so counts are exact. */
#include <string.h>

#include "computer.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018u)
#define TICKS 0x1000000u
#define SYS_WRITE0 4u
#define SYS_EXIT 0x18u
#define STOPPED 0x20026u
#define FAILED 0x20023u

extern uint32_t stack_top[];
extern uint32_t data_from[];
extern uint32_t data_start[];
extern uint32_t data_end[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];

int main(void);

static void call_host(uint32_t operation, uint32_t argument)
{
  register uint32_t r0 __asm("r0") = operation;
  register uint32_t r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void computer_print(const char *line)
{
  call_host(SYS_WRITE0, (uint32_t)line);
}

uint32_t computer_count(void)
{
  static uint64_t total;
  static uint32_t last;
  const uint32_t now = TICKS - 1u - SYST_CVR;
  total += (now - last) % TICKS;
  last = now;
  return (uint32_t)((total * 10u + 128u) / 256u);
}

static void start(void)
{
  memcpy(data_start, data_from, (uint32_t)((uint8_t *)data_end - (uint8_t *)data_start));
  memset(bss_start, 0, (uint32_t)((uint8_t *)bss_end - (uint8_t *)bss_start));
  SYST_RVR = TICKS - 1u;
  SYST_CVR = 0;
  SYST_CSR = 5u;
  call_host(SYS_EXIT, main() == 0 ? STOPPED : FAILED);
  for (;;) {}
}

static void fault(void)
{
  computer_print("FAULT\n");
  call_host(SYS_EXIT, FAILED);
  for (;;) {}
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, start, fault, fault, fault, fault, fault};
