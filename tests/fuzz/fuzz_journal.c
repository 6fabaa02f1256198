/* SPDX-License-Identifier: Apache-2.0 */
/* The store's journal (firmware/store): commands of the device, power cuts, and a flash that an
 * attacker changes while power is off. Commands take 4 bytes each.
 *
 * Whatever the flash holds, a record that is found was written by this device. Until an attacker
 * changes something, the store always opens, and no record goes back. */
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "store/store.h"

#define PAGE_WORDS (RBNN_STORE_LEAST_PAGE_BYTES / 4u)
#define SLOTS (RBNN_STORE_LEAST_PAGE_BYTES / RBNN_STORE_SLOT_BYTES)
#define RECORD_BYTES offsetof(rbnn_store_record, tag)
#define TASKS 40u /* more than the store keeps */
#define COMMANDS 96u
#define WRITTEN (COMMANDS * SLOTS)

enum command { PUT, PUT_MANY, START, CUT_POWER, CHANGE_BYTE, COPY_SLOT, COPY_FLASH, FORMAT, ALL };

static uint32_t pages[2][PAGE_WORDS], copy[2][PAGE_WORDS];
static rbnn_store store;
static uint8_t root[RBNN_KEY_BYTES];
static rbnn_store_record written[WRITTEN]; /* all that the device wrote since it was enrolled */
static uint32_t written_count;
static rbnn_store_record kept[TASKS]; /* of each task: what is in the store for certain */
static bool is_changed;               /* by an attacker */
static bool is_off;
static uint32_t fuse; /* operations until power fails; 0 for never */
static jmp_buf power_off;

static void burn(void)
{
  if (fuse != 0u && --fuse == 0u) longjmp(power_off, 1);
}

static void erase(uint32_t page)
{
  for (uint32_t i = 0; i < PAGE_WORDS; i++) {
    if (i % (PAGE_WORDS / 4u) == 0u) burn();
    pages[page][i] = UINT32_MAX;
  }
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  fuzz_check(page < 2u && word + count <= PAGE_WORDS, "the store writes its own pages only");
  for (uint32_t i = 0; i < count; i++) {
    if (!is_changed) {
      fuzz_check(pages[page][word + i] == UINT32_MAX, "a word is erased before it is written");
    }
    if (fuse == 1u) pages[page][word + i] &= data[i] | 0x00FF00FFu;
    burn();
    pages[page][word + i] &= data[i];
  }
}

static const rbnn_flash flash = {
    .pages = {pages[0], pages[1]},
    .page_bytes = RBNN_STORE_LEAST_PAGE_BYTES,
    .erase = erase,
    .program = program,
};

static bool is_same(const rbnn_store_record *one, const rbnn_store_record *other)
{
  return memcmp(one, other, RECORD_BYTES) == 0;
}

static bool was_written(const rbnn_store_record *record)
{
  uint32_t i = 0;
  while (i < written_count && !is_same(&written[i], record)) i++;
  return i < written_count;
}

static void find(uint32_t task, rbnn_store_record *record)
{
  rbnn_store_find(&store, (const uint8_t *)"model of the day", task, record);
}

/* Whether `found` is as new as `last`; without a record, only licences above its floor count. */
static bool is_as_new(const rbnn_store_record *found, const rbnn_store_record *last)
{
  if (found->floor != last->floor) return found->floor > last->floor;
  return found->used >= last->used && found->activations >= last->activations;
}

/* All records, after a start. */
static void look(void)
{
  for (uint32_t task = 0; task < TASKS; task++) {
    rbnn_store_record found;
    find(task, &found);
    const bool is_new = found.used == 0u && found.activations == 0u;
    fuzz_check(was_written(&found) || is_new, "a record was written by this device");
    if (!is_changed) fuzz_check(is_as_new(&found, &kept[task]), "no record goes back");
    kept[task] = found;
  }
}

static void start_device(void)
{
  is_off = false;
  rbnn_store_open(&store, root);
  if (!is_changed) fuzz_check(store.status == RBNN_OK, "power cuts leave a store that opens");
  if (store.status == RBNN_OK) look();
}

/* Enrol: the device has another root key, and what the flash holds is void. */
static void enroll(void)
{
  fuse = 0;
  root[0]++;
  written_count = 0;
  is_changed = is_off = false;
  rbnn_store_format(&store, root);
  fuzz_check(store.status == RBNN_OK, "every flash can be formatted");
  for (uint32_t task = 0; task < TASKS; task++) find(task, &kept[task]);
}

static void put(uint32_t task, uint32_t number, uint32_t more)
{
  rbnn_store_record record;
  if (store.status != RBNN_OK || written_count == WRITTEN) return;
  find(task, &record);
  if ((number & 1u) != 0u) {
    record.floor += more % 16u;
    record.used = 0;
    record.activations = 0;
  } else {
    record.used += more;
    record.activations = (uint16_t)(record.activations + more % 2u);
  }
  const rbnn_store_record asked = record;
  written[written_count++] = record; /* power may fail behind its last word */
  const rbnn_status status = rbnn_store_put(&store, &record);
  if (status == RBNN_OK) {
    kept[task] = asked;
    find(task, &record);
    fuzz_check(is_same(&record, &asked), "what is kept is found");
  } else {
    fuzz_check(is_changed || status == RBNN_LICENCE_OLD, "a record is refused by name");
  }
}

static void change(enum command command, const uint8_t *words)
{
  is_changed = is_off = true;
  uint8_t *const all = (uint8_t *)pages;
  const uint32_t from = words[0] % (2u * SLOTS), to = words[1] % (2u * SLOTS);
  if (command == CHANGE_BYTE) {
    all[(words[0] | (uint32_t)words[1] << 8) % sizeof pages] ^= words[2];
  } else {
    memmove(all + to * RBNN_STORE_SLOT_BYTES, all + from * RBNN_STORE_SLOT_BYTES,
            RBNN_STORE_SLOT_BYTES);
  }
}

/* Keep the flash, or bring back what was kept. */
static void copy_flash(bool back)
{
  if (back) {
    memcpy(pages, copy, sizeof pages);
    is_changed = is_off = true;
  } else {
    memcpy(copy, pages, sizeof copy);
  }
}

static void run(const uint8_t *words)
{
  const enum command command = (enum command)(words[0] % ALL);
  words++;
  if (is_off && command <= PUT_MANY) start_device();
  switch (command) {
    case PUT: put(words[0] % TASKS, words[1], words[2]); break;
    case PUT_MANY:
      for (uint32_t i = 0; i < words[1] % SLOTS; i++) put((words[0] + i) % TASKS, words[2], i);
      break;
    case START: start_device(); break;
    case CUT_POWER: fuse = words[0] + 1u; break;
    case CHANGE_BYTE:
    case COPY_SLOT: change(command, words); break;
    case COPY_FLASH: copy_flash((words[0] & 1u) != 0u); break;
    default: enroll();
  }
}

void fuzz_journal(const uint8_t *data, size_t size)
{
  const uint32_t commands = size / 4u < COMMANDS ? (uint32_t)(size / 4u) : COMMANDS;
  static volatile uint32_t at; /* kept over a power cut */
  store.flash = &flash;
  memset(root, 0, sizeof root);
  enroll();
  memcpy(copy, pages, sizeof copy);
  at = 0;
  if (setjmp(power_off) != 0) is_off = true;
  while (at < commands) run(data + 4u * at++);
}
