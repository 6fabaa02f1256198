/* SPDX-License-Identifier: Apache-2.0 */
/* STM32F4 clock tree and reset cause. */
#ifndef RBNN_PORT_STM32F4_CLOCK_H
#define RBNN_PORT_STM32F4_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Bring the core to 168 MHz from the 8 MHz that the ST-LINK feeds in, or stay on the internal
 * 16 MHz where that clock does not come. Returns the core clock; `*apb1_hz` is USART2's. */
uint32_t rbnn_clock_start(uint32_t *apb1_hz);

/* False on an emulator of the STM32F405, which has neither clock nor option registers. */
bool rbnn_clock_is_real(void);

#endif
