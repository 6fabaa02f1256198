/* SPDX-License-Identifier: Apache-2.0 */
/* STM32L4+ clock tree. */
#ifndef RBNN_PORT_CLOCK_L4_H
#define RBNN_PORT_CLOCK_L4_H

#include <stdint.h>

/* Bring the core to 120 MHz from the internal 16 MHz, or stay below where the PLL does not start.
 * Returns the core clock, which is also that of the serial line. */
uint32_t rbnn_clock_start(void);

#endif
