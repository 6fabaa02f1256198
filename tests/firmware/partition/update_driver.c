/* SPDX-License-Identifier: Apache-2.0 */
/* A model is loaded over a fake flash that loses power at every operation.
 *
 *   update_driver KEY OLD NEW SECTORS [OLDER]
 *
 * OLD and NEW are files of signed models; OLD is in the partition at first, and at its end what is
 * left of OLDER, which must not come back. At each operation of the load of NEW, what power may
 * leave behind is opened by another device; at every 16th, that device loads NEW as well. Prints
 * counts: how often the old model was found, the new one, and none. Units that power cut short may
 * not be readable: reading one that was not asked for ends the program. */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "partition/update.h"

#define SECTOR 1024u
#define UNIT RBNN_MODEL_UNIT_BYTES
#define MOST (256u * SECTOR)
#define CHECK(condition) check((condition) != 0, __LINE__, #condition)

typedef struct {
  uint8_t bytes[MOST];
  bool is_refused[MOST / UNIT];
} contents;

static _Alignas(32) contents now, before;
static uint8_t old[MOST], new[MOST], key[RBNN_KEY_BYTES], pattern[RBNN_PUF_PATTERN_BYTES];
static uint32_t old_bytes, new_bytes, arena[1u << 16], work[1u << 15], params[1u << 14];
static uint32_t found_old, found_new, found_none, operations, loads;
static bool watched;
static uint64_t random_state = 88172645463325252u;
static rbnn_model_flash flash;

static void check(int holds, int line, const char *text)
{
  if (holds) return;
  fprintf(stderr, "line %d: %s (operation %u)\n", line, text, operations);
  exit(1);
}

static uint32_t draw(void)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 32);
}

static void open_flash(void)
{
  __asan_unpoison_memory_region(&now, sizeof now);
}

static void close_flash(void)
{
  for (uint32_t i = 0; i < flash.bytes / UNIT; i++) {
    if (now.is_refused[i]) __asan_poison_memory_region(now.bytes + i * UNIT, UNIT);
  }
}

static bool can_read(uint32_t offset, uint32_t bytes)
{
  for (uint32_t i = offset / UNIT; i * UNIT < offset + bytes; i++) {
    if (now.is_refused[i]) return false;
  }
  return true;
}

static void look_at(uint32_t offset, const uint8_t *data);

/* Erase as far as a unit, which is left partly erased. */
static void erase_until(uint32_t offset, uint32_t bytes)
{
  memset(now.bytes + offset, 0xFF, bytes);
  for (uint32_t i = 0; i < bytes / UNIT; i++) now.is_refused[offset / UNIT + i] = false;
  if (bytes < SECTOR) {
    for (uint32_t i = 0; i < UNIT; i++) now.bytes[offset + bytes + i] |= (uint8_t)draw();
    now.is_refused[(offset + bytes) / UNIT] = draw() % 2u;
  }
}

static void erase(uint32_t offset)
{
  CHECK(offset % SECTOR == 0u && offset < flash.bytes);
  look_at(offset, NULL);
  open_flash();
  erase_until(offset, SECTOR);
  close_flash();
}

static void program(uint32_t offset, const uint32_t *data)
{
  CHECK(offset % UNIT == 0u && offset < flash.bytes);
  look_at(offset, (const uint8_t *)data);
  open_flash();
  for (uint32_t i = 0; i < UNIT; i++) CHECK(now.bytes[offset + i] == 0xFFu);
  memcpy(now.bytes + offset, data, UNIT);
  close_flash();
}

static void start(rbnn_update *update, rbnn_device *device, rbnn_device_memory *memory)
{
  *memory = (rbnn_device_memory){.arena = arena,
                                 .arena_bytes = sizeof arena,
                                 .work = work,
                                 .work_bytes = sizeof work,
                                 .params = params,
                                 .params_bytes = sizeof params};
  *update = (rbnn_update){.device = device, .memory = memory, .flash = &flash, .key = key};
  (void)rbnn_update_start(update, memory, NULL, 0, pattern, NULL);
}

static void load(rbnn_update *update)
{
  const uint8_t *const container = new + RBNN_SIGNED_MODEL_HEADER_BYTES;
  const uint32_t bytes = new_bytes - RBNN_SIGNED_MODEL_HEADER_BYTES;
  CHECK(rbnn_update_begin(update, new, true) == RBNN_OK);
  for (uint32_t at = 0; at < bytes; at += 4096u) {
    const uint32_t left = bytes - at;
    CHECK(rbnn_update_write(update, at, container + at, left < 4096u ? left : 4096u) == RBNN_OK);
  }
  CHECK(rbnn_update_end(update) == RBNN_OK);
}

static uint32_t version_of(const uint8_t *model)
{
  rbnn_signed_model_header header;
  memcpy(&header, model, sizeof header);
  return header.model_version;
}

/* What the next start finds. */
static void open_and_check(bool again)
{
  static rbnn_update update;
  static rbnn_device device;
  static rbnn_device_memory memory;
  close_flash();
  start(&update, &device, &memory);
  if (device.model_status == RBNN_OK) {
    const bool is_new = update.version == version_of(new);
    CHECK(is_new || update.version == version_of(old));
    is_new ? found_new++ : found_old++;
    again = again && !is_new;
  } else {
    found_none++;
  }
  if (again) {
    load(&update);
    start(&update, &device, &memory);
    CHECK(device.model_status == RBNN_OK && update.version == version_of(new));
    loads++;
  }
  open_flash();
}

/* Power fails in this operation: open what it may leave, then go on as if nothing had happened. */
static void look_at(uint32_t offset, const uint8_t *data)
{
  if (!watched) return;
  watched = false;
  operations++;
  open_flash();
  before = now;
  for (uint32_t variant = 0; variant < 4u; variant++) {
    now = before;
    if (data == NULL) {
      const uint32_t until[] = {SECTOR / 2u, 0, UNIT, SECTOR};
      erase_until(offset, until[variant]);
    } else {
      for (uint32_t i = 0; i < UNIT; i++) {
        const uint8_t more[] = {i < UNIT / 2u ? 0 : 0xFF, 0xFF, (uint8_t)draw(), 0};
        now.bytes[offset + i] &= (uint8_t)(data[i] | more[variant]);
      }
      now.is_refused[offset / UNIT] = variant == 2u;
    }
    open_and_check(operations % 16u == 0u && variant == operations / 16u % 4u);
  }
  now = before;
  close_flash();
  watched = true;
}

static uint32_t read_file(const char *name, uint8_t *data)
{
  FILE *const file = fopen(name, "rb");
  if (file == NULL) exit(2);
  const size_t bytes = fread(data, 1, MOST, file);
  fclose(file);
  return (uint32_t)bytes;
}

int main(int count, char **arguments)
{
  static rbnn_update update;
  static rbnn_device device;
  static rbnn_device_memory memory;
  if (count < 5) return 2;
  for (uint32_t i = 0; i < sizeof key; i++) {
    const char digits[3] = {arguments[1][2u * i], arguments[1][2u * i + 1u], 0};
    key[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  old_bytes = read_file(arguments[2], old);
  new_bytes = read_file(arguments[3], new);
  flash = (rbnn_model_flash){.start = now.bytes,
                             .bytes = (uint32_t)atoi(arguments[4]) * SECTOR,
                             .sector_bytes = SECTOR,
                             .erase = erase,
                             .program = program,
                             .can_read = can_read};
  memset(now.bytes, 0xFF, sizeof now.bytes);
  memcpy(now.bytes, old, old_bytes);
  if (count > 5) {
    static uint8_t older[MOST];
    const uint32_t bytes = read_file(arguments[5], older);
    memcpy(now.bytes + flash.bytes - (bytes + SECTOR - 1u) / SECTOR * SECTOR, older, bytes);
  }
  for (uint32_t i = 0; i < sizeof pattern; i++) pattern[i] = (uint8_t)draw();
  start(&update, &device, &memory);
  CHECK(device.model_status == RBNN_OK && update.version == version_of(old));
  watched = true;
  load(&update);
  watched = false;
  start(&update, &device, &memory);
  CHECK(device.model_status == RBNN_OK && update.version == version_of(new));
  printf("operations %u\nold %u\nnew %u\nnone %u\nloads %u\n", operations, found_old, found_new,
         found_none, loads);
  return 0;
}
