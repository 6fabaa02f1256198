/* SPDX-License-Identifier: Apache-2.0 */
/* External interrupts of the MPS2 port: those up to the last one that it lets through have a
 * vector. */
#ifndef RBNN_PORT_INTERRUPTS_H
#define RBNN_PORT_INTERRUPTS_H

#define RBNN_UART0_RX_INTERRUPT 0u
#define RBNN_EXTERNAL_INTERRUPTS (RBNN_UART0_RX_INTERRUPT + 1u)

#endif
