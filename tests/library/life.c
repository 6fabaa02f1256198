/* SPDX-License-Identifier: Apache-2.0 */
/* A device's life with the library: enrolled, licensed, unlocked, used, locked. life.py gives its
 * inputs, and says what it must print. */
#include "life.h"

#include <stddef.h>
#include <string.h>

#include "computer.h"
#include "rbnn.h"
#include "rbnn_inputs.h"

#define PAGE_WORDS ((RBNN_LEAST_PAGE_BYTES + 3u) / 4u)

static rbnn_context context;
static uint32_t memory[RBNN_MEMORY_BYTES / 4u], resident[RBNN_RESIDENT_BYTES / 4u];
static uint8_t sram[RBNN_FINGERPRINT_BYTES], partition[RBNN_PARTITION_BYTES];
static uint32_t pages[2][PAGE_WORDS];

static void erase(uint32_t page)
{
  memset(pages[page], 0xFF, sizeof pages[page]);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) pages[page][word + i] &= data[i];
}

static const rbnn_flash flash = {.pages = {pages[0], pages[1]},
                                 .page_bytes = sizeof pages[0],
                                 .erase = erase,
                                 .program = program};

static void say_number(int32_t number)
{
  char digits[13] = " ";
  char *end = digits + 12;
  uint32_t left = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
  *end = 0;
  do {
    *--end = (char)('0' + left % 10u);
    left /= 10u;
  } while (left > 0u);
  if (number < 0) *--end = '-';
  *--end = ' ';
  computer_print(end);
}

static void say_status(const char *what, int32_t status)
{
  computer_print(what);
  say_number(status);
  computer_print("\n");
}

static void power_up(const uint8_t *pattern, const uint8_t *provisioned, bool keeps)
{
  const rbnn_setup setup = {
      .memory = memory,
      .memory_bytes = sizeof memory,
      .resident = keeps ? resident : NULL,
      .resident_bytes = keeps ? (uint32_t)sizeof resident : 0u,
      .fingerprint = sram,
      .partition = provisioned,
      .partition_bytes = sizeof partition,
      .flash = &flash,
  };
  memcpy(sram, pattern, sizeof sram);
  say_status("start", rbnn_start(&context, &setup));
  say_status("device", rbnn_check_device(&context));
}

static void enroll(void)
{
  uint8_t public_key[RBNN_KEY_BYTES], sign_public_key[RBNN_KEY_BYTES];
  say_status("enroll", rbnn_enroll(&context, partition));
  say_status("keys", rbnn_public_keys(&context, public_key, sign_public_key));
  say_status("other partition", memcmp(partition, rbnn_wanted_partition, sizeof partition) != 0);
  say_status("other key", memcmp(public_key, rbnn_wanted_key, sizeof public_key) != 0);
}

static void infer(uint32_t task, uint32_t image)
{
  int32_t logits[RBNN_CLASSES] = {0};
  uint32_t scores[RBNN_CLASSES] = {0}, sum = 0;
  say_status("infer", rbnn_infer(&context, rbnn_images[task] + image * rbnn_input_bytes(&context),
                                 rbnn_input_bytes(&context), logits));
  say_status("scores", rbnn_scores(&context, logits, scores));
  computer_print("logits");
  for (uint32_t i = 0; i < rbnn_classes(&context); i++) {
    say_number(logits[i]);
    sum += scores[i];
  }
  computer_print("\n");
  say_status("sum", (int32_t)sum);
  computer_print(rbnn_label(&context, rbnn_best(&context, logits)));
  computer_print("\n");
}

static void use(uint32_t task)
{
  uint8_t key[RBNN_KEY_BYTES];
  int32_t logits[RBNN_CLASSES];
  computer_print(rbnn_task_name(&context, task));
  say_status(" is", rbnn_find_task(&context, rbnn_task_name(&context, task)));
  say_status("add", rbnn_add_licence(&context, rbnn_licences[task]));
  rbnn_licence_key(key, rbnn_user_key, rbnn_licences[task]);
  key[0] ^= 1u;
  say_status("wrong key", rbnn_unlock(&context, task, key));
  key[0] ^= 1u;
  say_status("unlock", rbnn_unlock(&context, task, key));
  rbnn_wipe(key, sizeof key);
  say_status("switch", rbnn_switch(&context, task));
  say_status("state", (int32_t)rbnn_state(&context, task));
  for (uint32_t i = 0; i < RBNN_IMAGES; i++) infer(task, i);
  say_status("one more",
             rbnn_infer(&context, rbnn_images[task], rbnn_input_bytes(&context), logits));
}

static uint32_t count_left(const void *data, uint32_t bytes)
{
  uint32_t left = 0;
  for (uint32_t i = 0; i < bytes; i++) left += ((const uint8_t *)data)[i] != 0u;
  return left;
}

/* A start without enough memory leaves a context that refuses, and that may be locked. */
static void start_small(void)
{
  const rbnn_setup setup = {.memory = memory, .memory_bytes = sizeof memory - 4u};
  say_status("small", rbnn_start(&context, &setup));
  say_status("unlock", rbnn_unlock(&context, 0, rbnn_user_key));
  say_status("device", rbnn_check_device(&context));
  rbnn_lock(&context);
}

int rbnn_life(void)
{
  start_small();
  power_up(rbnn_first_pattern, NULL, false);
  enroll();
  for (uint32_t task = 0; task < RBNN_TASKS; task++) use(task);
  rbnn_stop(&context);
  say_status("left", (int32_t)(count_left(memory, sizeof memory) + count_left(sram, sizeof sram)));
  say_status("stopped", rbnn_switch(&context, 0));

  power_up(rbnn_later_pattern, partition, true);
  for (uint32_t task = 0; task < RBNN_TASKS; task++) use(task);
  say_status("foreign", rbnn_add_licence(&context, rbnn_foreign_licence));
  rbnn_lock(&context);
  say_status("locked", rbnn_switch(&context, 0));
  say_status("left",
             (int32_t)(count_left(memory, sizeof memory) + count_left(resident, sizeof resident) +
                       count_left(sram, sizeof sram)));
  return 0;
}
