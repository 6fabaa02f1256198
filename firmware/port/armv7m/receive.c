/* SPDX-License-Identifier: Apache-2.0 */
#include "receive.h"

#include "armv7m.h"
#include "port.h"

#define RING_BYTES 2048u

static volatile uint8_t ring[RING_BYTES];
static volatile uint32_t head, tail; /* count bytes in and out; differ by RING_BYTES at most */
static volatile bool lost;

void rbnn_receive_byte(uint8_t byte)
{
  if (head - tail == RING_BYTES) {
    lost = true;
    return;
  }
  ring[head % RING_BYTES] = byte;
  head = head + 1u;
}

void rbnn_receive_overrun(void)
{
  lost = true;
}

int rbnn_port_read(void)
{
  if (head == tail) return -1;
  const uint8_t byte = ring[tail % RING_BYTES];
  ring[tail % RING_BYTES] = 0;
  tail = tail + 1u;
  return byte;
}

bool rbnn_port_take_overrun(void)
{
  const bool value = lost;
  if (value) lost = false;
  return value;
}

void rbnn_port_wait(void)
{
  rbnn_sleep_while_equal(&head, &tail);
}
