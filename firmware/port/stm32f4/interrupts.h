/* SPDX-License-Identifier: Apache-2.0 */
/* External interrupts of the STM32F4 port: those up to the last one that it lets through have a
 * vector. */
#ifndef RBNN_PORT_INTERRUPTS_H
#define RBNN_PORT_INTERRUPTS_H

#define RBNN_USART2_INTERRUPT 38u
#define RBNN_EXTERNAL_INTERRUPTS (RBNN_USART2_INTERRUPT + 1u)

#endif
