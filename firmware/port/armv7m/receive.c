/* SPDX-License-Identifier: Apache-2.0 */
#include "port/armv7m/receive.h"

#include "port/armv7m/armv7m.h"
#include "port/port.h"

#define RING_BYTES 2048u

static volatile uint8_t ring[RING_BYTES];
static volatile uint32_t head, tail; /* count bytes in and out; differ by RING_BYTES at most */
/* Bytes were lost before byte number first_gap, and for the last time before last_gap. */
static volatile bool lost;
static volatile uint32_t first_gap, last_gap;

void rbnn_receive_byte(uint8_t byte)
{
  if (head - tail == RING_BYTES) {
    rbnn_receive_overrun();
    return;
  }
  ring[head % RING_BYTES] = byte;
  head = head + 1u;
}

void rbnn_receive_overrun(void)
{
  if (!lost) first_gap = head;
  last_gap = head;
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

/* Lines that were whole before the gap are not to blame for it. */
bool rbnn_port_take_overrun(void)
{
  bool passed = false;
  __asm volatile("cpsid i" ::: "memory");
  if (lost && (int32_t)(tail - first_gap) > 0) {
    passed = true;
    lost = (int32_t)(tail - last_gap) <= 0;
    first_gap = last_gap;
  }
  __asm volatile("cpsie i" ::: "memory");
  return passed;
}

void rbnn_port_wait(void)
{
  rbnn_sleep_while_equal(&head, &tail);
}
