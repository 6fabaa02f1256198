/* SPDX-License-Identifier: Apache-2.0 */
#include "core/divide.h"

#include <stddef.h>

uint64_t rbnn_divide(uint64_t number, uint32_t divisor, uint32_t *rest)
{
  uint32_t left = 0;
  for (uint32_t bit = 0; bit < 64u; bit++) {
    /* left < divisor <= 2^31, so doubling it does not overflow. */
    left = left << 1 | (uint32_t)(number >> 63);
    const uint32_t fits = ((left - divisor) >> 31) - 1u; /* all ones where it does */
    left -= divisor & fits;
    number = number << 1 | (fits & 1u);
  }
  if (rest != NULL) *rest = left;
  return number;
}
