/* SPDX-License-Identifier: Apache-2.0 */
/* Ring buffer between the serial interrupt and rbnn_port_read. Bytes are wiped once read, because
 * keys pass through it. */
#ifndef RBNN_PORT_RECEIVE_H
#define RBNN_PORT_RECEIVE_H

#include <stdint.h>

/* From the interrupt: keep one byte; when the ring is full it is lost and the overrun noted. */
void rbnn_receive_byte(uint8_t byte);

/* From the interrupt: the line itself lost bytes after those handed over so far. */
void rbnn_receive_overrun(void);

#endif
