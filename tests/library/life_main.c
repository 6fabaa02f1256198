/* SPDX-License-Identifier: Apache-2.0 */
/* One library on a bare Cortex-M: its life, and how much stack that took. */
#include <stdint.h>

#include "computer.h"
#include "life.h"

#define PAINT 0xA5A5A5A5u
#define MARGIN_WORDS 32u

extern uint32_t stack_top[], bss_end[];

int main(void)
{
  char digits[] = "stack 00000\n";
  uint32_t *const top = (uint32_t *)__builtin_frame_address(0) - MARGIN_WORDS;
  const uint32_t *word = bss_end;
  for (uint32_t *one = bss_end; one < top; one++) *one = PAINT;
  const int failed = rbnn_life();
  while (word < stack_top && *word == PAINT) word++;
  uint32_t used = (uint32_t)(stack_top - word) * 4u;
  for (uint32_t place = 10; place > 5u; place--, used /= 10u)
    digits[place] = (char)('0' + used % 10u);
  computer_print(digits);
  return failed;
}
