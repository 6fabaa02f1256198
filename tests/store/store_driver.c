/* SPDX-License-Identifier: Apache-2.0 */
/* The store over a fake flash that loses power at every operation, or at random ones.
 *
 *   cuts       begin, fill two pages and more; at each operation, what power leaves behind is
 * opened random N   one device's life with N power cuts flips      each bit of a used page, flipped
 *   show       a few records, then the flash in hexadecimal
 *
 * Flash bits only go from 1 to 0 but by an erase, and a word is programmed once. Prints counts.
 *
 * Built with UNIT_WORDS above 1, the flash has error correction: it is programmed in units of so
 * many words, and what power cut short may be a unit that cannot be read at all. Reading one that
 * was not asked for ends the program, by AddressSanitizer. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_flash.h"
#include "store/store.h"

#define KEYS 40u
#define CHECK(condition) check((condition) != 0, __LINE__, #condition)

static uint64_t operations, opened, finished;
static int level;     /* how deep what power left behind is being opened */
static bool watched;  /* whether every operation is looked at */
static uint64_t fuse; /* operations until power fails; 0 for never */
static jmp_buf power_off;
static const uint8_t root[RBNN_KEY_BYTES] = "TEST-ONLY root key of the store";
static const uint8_t model_id[16] = "model of the day";
/* Of each task: what was kept last, and what is being kept. */
static rbnn_store_record kept[KEYS], wanted[KEYS];

static void check(int holds, int line, const char *text)
{
  if (holds) return;
  fprintf(stderr, "line %d: %s (operation %" PRIu64 ", level %d)\n", line, text, operations, level);
  exit(1);
}

static void look_at(uint32_t page, uint32_t word, const uint32_t *data, bool erasing);

static void erase(uint32_t page)
{
  operations++;
  open_flash();
  if (fuse != 0u && --fuse == 0u) {
    erase_until(page, draw(PAGE_WORDS + 1u));
    longjmp(power_off, 1);
  }
  look_at(page, 0, NULL, true);
  erase_until(page, PAGE_WORDS);
  close_flash();
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  CHECK(word % UNIT_WORDS == 0u && count % UNIT_WORDS == 0u);
  open_flash();
  for (uint32_t i = word; i < word + count; i += UNIT_WORDS, data += UNIT_WORDS) {
    for (uint32_t k = i; k < i + UNIT_WORDS; k++) {
      CHECK(k < PAGE_WORDS && now.words[page][k] == UINT32_MAX);
    }
    CHECK(!now.is_refused[page][i / UNIT_WORDS]);
    operations++;
    if (fuse != 0u && --fuse == 0u) {
      for (uint32_t k = 0; k < UNIT_WORDS; k++) {
        now.words[page][i + k] &= data[k] | draw(UINT32_MAX);
      }
      now.is_refused[page][i / UNIT_WORDS] = HAS_ECC && draw(2) != 0u;
      longjmp(power_off, 1);
    }
    look_at(page, i, data, false);
    for (uint32_t k = 0; k < UNIT_WORDS; k++) now.words[page][i + k] &= data[k];
  }
  close_flash();
}

static const rbnn_flash flash = {
    .pages = {now.words[0], now.words[1]},
    .page_bytes = PAGE_BYTES,
    .erase = erase,
    .program = program,
    .can_read = HAS_ECC ? can_read : NULL,
};

/* Whether the record of a task is at least what was kept, and at most what was to be kept. */
static void check_task(const rbnn_store *store, uint32_t task)
{
  rbnn_store_record found;
  rbnn_store_find(store, model_id, task, &found);
  const rbnn_store_record *const least = &kept[task], *const most = &wanted[task];
  const bool is_old = found.floor == least->floor && found.used == least->used;
  const bool is_new = found.floor == most->floor && found.used == most->used;
  /* A task whose record had to go accepts no licence that it had accepted. */
  const bool is_gone = found.floor > least->floor && found.used == 0u;
  CHECK(is_old || is_new || is_gone);
}

static void open_and_check(void)
{
  rbnn_store store = {.flash = &flash};
  opened++;
  close_flash();
  rbnn_store_open(&store, root);
  CHECK(store.status == RBNN_OK);
  for (uint32_t task = 0; task < KEYS; task++) check_task(&store, task);
  open_flash();
}

/* Power fails in this operation: open what it may leave, then go on as if nothing had happened. */
static void look_at(uint32_t page, uint32_t word, const uint32_t *data, bool erasing)
{
  static const uint32_t deepest = 2;
  if (!watched || (uint32_t)level >= deepest) return;
  /* Cuts while an earlier one is put right: every 16th of them. */
  if (level == 1 && operations % 16u != 0u) return;
  const contents before = now;
  const uint64_t count = operations;
  level++;
  for (uint32_t variant = 0; variant < (level == 1 ? 4u : 1u); variant++) {
    now = before;
    if (erasing) {
      const uint32_t until[] = {PAGE_WORDS / 2u, 0, 1, PAGE_WORDS};
      erase_until(page, until[variant]);
    } else {
      const uint32_t more[] = {0xFFFFu, UINT32_MAX, draw(UINT32_MAX), 0};
      for (uint32_t k = 0; k < UNIT_WORDS; k++)
        now.words[page][word + k] &= data[k] | more[variant];
      now.is_refused[page][word / UNIT_WORDS] = HAS_ECC && variant % 2u == 0u;
    }
    open_and_check();
    if (level == 1) open_and_check(); /* what the first start put right stays so */
  }
  level--;
  operations = count;
  now = before;
}

/* Use a task's licence, or begin a newer one. */
static void change(uint32_t task, uint32_t sequence)
{
  if (draw(4) == 0u) {
    wanted[task].floor = sequence;
    wanted[task].used = 0;
  } else {
    wanted[task].used++;
  }
}

static void begin(rbnn_store *store)
{
  open_flash();
  memset(&now.words, 0x5A, sizeof now.words);
  memset(&now.is_refused, HAS_ECC, sizeof now.is_refused);
  close_flash();
  *store = (rbnn_store){.flash = &flash};
  rbnn_store_format(store, root);
  CHECK(store->status == RBNN_OK);
  for (uint32_t task = 0; task < KEYS; task++) {
    rbnn_store_find(store, model_id, task, &kept[task]);
    CHECK(kept[task].floor == 1u && kept[task].used == 0u);
    wanted[task] = kept[task];
  }
}

static void put(rbnn_store *store, uint32_t task)
{
  CHECK(rbnn_store_put(store, &wanted[task]) == RBNN_OK);
  kept[task] = wanted[task];
  check_task(store, task);
}

static void run_cuts(void)
{
  rbnn_store store;
  uint32_t sequence = 1;
  begin(&store);
  watched = true;
  for (uint32_t i = 0; i < 150u; i++) {
    const uint32_t task = draw(6);
    change(task, ++sequence);
    put(&store, task);
  }
  open_flash();
  CHECK(store.page == 0u && memcmp(now.words[1], now.words[1] + 1, PAGE_BYTES - 4u) == 0);
}

static void run_random(uint32_t cuts)
{
  rbnn_store store;
  static uint32_t sequence = 1;
  static volatile uint32_t done;
  begin(&store);
  for (done = 0; done < cuts; done++) {
    fuse = 1u + draw(400);
    if (setjmp(power_off) == 0) {
      close_flash();
      store = (rbnn_store){.flash = &flash};
      rbnn_store_open(&store, root);
      CHECK(store.status == RBNN_OK);
      for (uint32_t task = 0; task < KEYS; task++) {
        check_task(&store, task);
        rbnn_store_find(&store, model_id, task, &kept[task]);
        wanted[task] = kept[task];
      }
      for (;;) {
        const uint32_t task = draw(KEYS);
        change(task, ++sequence);
        put(&store, task);
        finished++;
      }
    }
  }
}

static void run_flips(void)
{
  rbnn_store store;
  begin(&store);
  for (uint32_t i = 0; i < 5u; i++) {
    wanted[i % 2u].used++;
    put(&store, i % 2u);
  }
  const contents good = now;
  uint32_t refused = 0, cut = 0, put_right = 0;
  for (uint32_t bit = 0; bit < 2u * 8u * PAGE_BYTES; bit++) {
    uint32_t *const word = &now.words[0][0] + bit / 32u;
    now = good;
    *word ^= 1u << bit % 32u;
    store = (rbnn_store){.flash = &flash};
    rbnn_store_open(&store, root);
    rbnn_store_record found;
    if (store.status == RBNN_STORE_DAMAGED) {
      refused++;
      continue;
    }
    CHECK(store.status == RBNN_OK);
    rbnn_store_find(&store, model_id, 0, &found);
    /* Only the last slot may be lost, which looks as if power had cut it short. */
    CHECK(found.used == 3u || found.used == 2u);
    found.used == 3u ? put_right++ : cut++;
  }
  printf("flips-refused %u\nflips-cut %u\nflips-put-right %u\n", refused, cut, put_right);
}

static void run_show(void)
{
  rbnn_store store;
  begin(&store);
  for (uint32_t i = 0; i < 3u; i++) {
    wanted[i].floor = 7u + i;
    wanted[i].used = 11u * i;
    put(&store, i);
  }
  for (uint32_t i = 0; i < 2u * PAGE_WORDS; i++) printf("%08" PRIx32 "\n", (&now.words[0][0])[i]);
}

int main(int count, char **arguments)
{
  if (count < 2) return 2;
  if (strcmp(arguments[1], "show") == 0) {
    run_show();
    return 0;
  }
  if (strcmp(arguments[1], "cuts") == 0) run_cuts();
  if (strcmp(arguments[1], "random") == 0) run_random((uint32_t)atoi(arguments[2]));
  if (strcmp(arguments[1], "flips") == 0) run_flips();
  printf("operations %" PRIu64 "\nopened %" PRIu64 "\nfinished %" PRIu64 "\n", operations, opened,
         finished);
  return 0;
}
