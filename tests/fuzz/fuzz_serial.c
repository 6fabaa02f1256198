/* SPDX-License-Identifier: Apache-2.0 */
/* The serial line of a licensed, enrolled device: any bytes. The device answers in its grammar, and
 * is in step after the next end of a command. */
#include <setjmp.h>
#include <string.h>

#include "audio/listener.h"
#include "fuzz.h"
#include "link/link.h"
#include "port/port.h"

#define NAME "fuzz"
#define MOST_INFERENCES 2u

static rbnn_device device, fresh_device;
static rbnn_device_memory memory;
static rbnn_link line, fresh_line;
static jmp_buf restart;
static char tail[64]; /* what was printed last */

void rbnn_port_init(void)
{
}

const char *rbnn_port_protection(void)
{
  return RBNN_PROTECTION_NONE;
}

/* No byte arrives while a command runs. */
int rbnn_port_read(void)
{
  return -1;
}

const char *rbnn_port_board(void)
{
  return NAME;
}

bool rbnn_port_take_overrun(void)
{
  return false;
}

uint64_t rbnn_port_ticks(void)
{
  return 0;
}

uint32_t rbnn_port_ticks_hz(void)
{
  return 1000000u;
}

void rbnn_port_stack(uint32_t *used, uint32_t *reserved)
{
  *used = *reserved = 0;
}

_Noreturn void rbnn_port_reset(void)
{
  longjmp(restart, 1);
}

void rbnn_port_write(const char *data, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    const uint8_t byte = (uint8_t)data[i];
    fuzz_check(byte >= ' ' || byte == '\r' || byte == '\n', "only text is printed");
    memmove(tail, tail + 1, sizeof tail - 1u);
    tail[sizeof tail - 1u] = (char)byte;
  }
}

static void take_memory(uint32_t **words, uint32_t *bytes, uint32_t size)
{
  *bytes = (size + 3u) / 4u * 4u;
  *words = calloc(*bytes, 1);
  if (*words == NULL) exit(2);
}

static void start(void)
{
  uint8_t *const pattern = fuzz_copy(world.pattern.bytes, world.pattern.size);
  take_memory(&memory.arena, &memory.arena_bytes, world.model.header->arena_bytes);
  take_memory(&memory.work, &memory.work_bytes, world.model.header->work_bytes);
  take_memory(&memory.params, &memory.params_bytes, world.model.header->params_bytes);
  memory.listener_bytes = sizeof(rbnn_listener);
  memory.listener = calloc(1, memory.listener_bytes);
  if (memory.listener == NULL) exit(2);
  fuzz_check(rbnn_device_start(&fresh_device, &memory, world.container.bytes, world.container.size,
                               world.partition.bytes, world.partition.size, pattern,
                               NULL) == RBNN_OK,
             "the device starts");
  fuzz_check(fresh_device.vault.puf == RBNN_PUF_ENROLLED, "the device knows itself");
  fresh_line.device = &device;
}

void fuzz_serial(const uint8_t *data, size_t size)
{
  static const char question[] = "%name%";
  static const char answer[] = "m-ready\r\nm-name-dut-[" NAME "]\r\nm-ready\r\n";
  if (fresh_device.memory == NULL) start();
  device = fresh_device;
  device.engine.model = &device.model;
  device.engine.source_context = &device.reconf;
  if (device.vault.model != NULL) device.vault.model = &device.model;
  line = fresh_line;
  fuzz_inferences_left = MOST_INFERENCES;
  if (setjmp(restart) != 0) return; /* it has wiped itself */
  for (size_t i = 0; i < size; i++) rbnn_link_feed(&line, data[i]);
  for (size_t i = 0; i < sizeof question - 1u; i++) rbnn_link_feed(&line, (uint8_t)question[i]);
  fuzz_check(memcmp(tail + sizeof tail - (sizeof answer - 1u), answer, sizeof answer - 1u) == 0,
             "the device is in step");
  rbnn_device_lock(&device);
}
