/* SPDX-License-Identifier: Apache-2.0 */
/* A model in a partition of its own: model show, load, replace, OFFSET, end, stop. */
#include "spec/target.h"

#if RBNN_PARTITION
#include <stddef.h>

#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"

static void print_numbers(const char *prefix, const uint32_t *numbers, uint32_t count)
{
  rbnn_print(prefix);
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0u) rbnn_print(",");
    rbnn_print_number(numbers[i]);
  }
}

static void show(const rbnn_update *update)
{
  const rbnn_model_flash *const flash = update->flash;
  const rbnn_device_memory *const memory = update->memory;
  if (flash != NULL) {
    const uint32_t sizes[] = {flash->bytes, flash->sector_bytes};
    rbnn_print("m-partition-[");
    rbnn_print_hex32((uint32_t)(uintptr_t)flash->start);
    print_numbers(",", sizes, 2);
    rbnn_print(flash->erase != NULL ? ",writable]" : ",read-only]");
    rbnn_print_end();
  }
  rbnn_print_hex_line("m-model-key-[", update->key, RBNN_KEY_BYTES);
  const uint32_t most[] = {memory->arena_bytes, memory->work_bytes, memory->params_bytes,
                           RBNN_WITH_TASKS};
  print_numbers("m-model-most-[", most, 4);
  rbnn_print_close();
  if (update->version != 0u) {
    print_numbers("m-model-version-[", &update->version, 1);
    rbnn_print_close();
  }
}

static void print_progress(const rbnn_update *update)
{
  const uint32_t numbers[] = {update->written, update->header.container_bytes};
  print_numbers("m-model-load-[", numbers, 2);
  rbnn_print(update->keeps ? ",keeps]" : ",replaces]");
  rbnn_print_end();
}

static rbnn_status begin(rbnn_link *link, bool replaces)
{
  const rbnn_status status = rbnn_link_check_input(link, RBNN_SIGNED_MODEL_HEADER_BYTES);
  return status == RBNN_OK ? rbnn_update_begin(link->update, link->input, replaces) : status;
}

/* The buffer as the next bytes of the container. */
static rbnn_status write(rbnn_link *link, const char *words)
{
  uint32_t offset;
  if (!rbnn_words_number(&words, &offset) || *words != 0) return RBNN_ARGUMENT;
  const rbnn_status status = rbnn_link_check_input(link, link->input_bytes);
  if (status != RBNN_OK) return status;
  return rbnn_update_write(link->update, offset, link->input, link->input_bytes);
}

rbnn_status rbnn_link_model(rbnn_link *link, const char *words)
{
  rbnn_update *const update = link->update;
  rbnn_status status;
  if (rbnn_words_take(&words, "show")) {
    if (*words != 0) return RBNN_ARGUMENT;
    show(update);
    return RBNN_OK;
  }
  if (rbnn_words_take(&words, "stop")) {
    if (*words != 0) return RBNN_ARGUMENT;
    rbnn_update_stop(update);
    return RBNN_OK;
  }
  if (rbnn_words_take(&words, "end")) {
    if (*words != 0) return RBNN_ARGUMENT;
    status = rbnn_update_end(update);
    if (status != RBNN_OK) return status;
    print_numbers("m-model-loaded-[", &update->version, 1);
    rbnn_print_close();
    return RBNN_OK;
  }
  const bool replaces = rbnn_words_take(&words, "replace");
  if (replaces || rbnn_words_take(&words, "load")) {
    status = *words != 0 ? RBNN_ARGUMENT : begin(link, replaces);
  } else {
    status = write(link, words);
  }
  rbnn_link_drop_input(link); /* what was taken is not taken twice */
  if (status == RBNN_OK) print_progress(update);
  return status;
}
#endif
