/* SPDX-License-Identifier: Apache-2.0 */
/* The core's vectors and reset. The fingerprint region is in no section that is cleared, copied or
 * painted here, so it still holds its power-up pattern when the application asks for it. */
#include <stddef.h>

#include "port/armv7m/armv7m.h"
#include "port/armv7m/tick.h"
#include "port/port.h"

#define STACK_PAINT 0xA5A5A5A5u
#define PAINT_MARGIN_WORDS 16u

extern uint32_t rbnn_data_load[], rbnn_data_start[], rbnn_data_end[];
extern uint32_t rbnn_bss_start[], rbnn_bss_end[];

/* A fault is a defect: restart, which clears every secret in .bss and on the stack. The host sees
 * the boot lines in the middle of an answer. After a stack overflow there is none to push on,
 * so the handler begins a new one. */
__attribute__((naked, used)) static void fault(void)
{
  __asm volatile("ldr r0, =rbnn_stack_top\n"
                 "mov sp, r0\n"
                 "b rbnn_port_reset\n");
}

/* Unless the chip family has its own. */
void rbnn_family_nmi(void) __attribute__((weak, alias("fault")));

/* Stack words that are not in use yet, so that the mark can be read later. */
static void paint_stack(void)
{
  volatile uint32_t *top = (volatile uint32_t *)__builtin_frame_address(0) - PAINT_MARGIN_WORDS;
  for (volatile uint32_t *word = rbnn_stack_bottom; word < top; word++) *word = STACK_PAINT;
}

_Noreturn void rbnn_reset_handler(void)
{
  paint_stack();
  const uint32_t *from = rbnn_data_load;
  for (uint32_t *to = rbnn_data_start; to < rbnn_data_end; to++) *to = *from++;
  for (uint32_t *word = rbnn_bss_start; word < rbnn_bss_end; word++) *word = 0;
  rbnn_app_run();
}

void rbnn_port_stack(uint32_t *used, uint32_t *reserved)
{
  const uint32_t *word = rbnn_stack_bottom;
  while (word < rbnn_stack_top && *word == STACK_PAINT) word++;
  *used = (uint32_t)(rbnn_stack_top - word) * 4u;
  *reserved = (uint32_t)(rbnn_stack_top - rbnn_stack_bottom) * 4u;
}

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  rbnn_vector vectors[15];
} vector_table = {
    rbnn_stack_top,
    {
        (rbnn_vector)rbnn_reset_handler,
        rbnn_family_nmi,
        fault,
        fault,
        fault,
        fault,
        NULL,
        NULL,
        NULL,
        NULL,
        fault,
        fault,
        NULL,
        fault,
        rbnn_tick_interrupt,
    },
};
