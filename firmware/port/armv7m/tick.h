/* SPDX-License-Identifier: Apache-2.0 */
/* SysTick as a 64-bit counter of core clocks. */
#ifndef RBNN_PORT_TICK_H
#define RBNN_PORT_TICK_H

/* SysTick's exception handler: counts a wrap. */
void rbnn_tick_interrupt(void);

#endif
