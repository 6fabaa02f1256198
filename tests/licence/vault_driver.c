/* SPDX-License-Identifier: Apache-2.0 */
/* The vault as a process: `vault_driver CONTAINER|- PARTITION|- PATTERN|- STORE|-`, one command a
 * line on standard input, the status and what belongs to it on standard output. Runs under
 * sanitizers. STORE is a file of two pages, changed as flash is.
 *
 *   puf | keys | pattern | enroll | lock | store
 *   count           both checks of an inference; `confirm` is the second one by itself
 *   add HEX | state TASK | unlock TASK PSK | switch TASK | revoke HEX
 *   flip OFFSET     change a byte of the container, as flash damage would
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "licence/vault.h"

#define LINE_BYTES 4096

#define PAGE_BYTES RBNN_STORE_LEAST_PAGE_BYTES

static rbnn_vault vault;
static uint32_t *store;
static uint32_t written_words;
static rbnn_model model;

static uint8_t *read_file(const char *path, uint32_t *size)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  *size = (uint32_t)ftell(file);
  rewind(file);
  uint8_t *bytes = aligned_alloc(16, (*size + 15u) / 16u * 16u);
  if (bytes == NULL || fread(bytes, 1, *size, file) != *size) {
    exit(2);
  }
  fclose(file);
  return bytes;
}

static void erase(uint32_t page)
{
  memset(store + page * PAGE_BYTES / 4u, 0xFF, PAGE_BYTES);
}

static void program(uint32_t page, uint32_t word, const uint32_t *data, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    store[page * PAGE_BYTES / 4u + word + i] &= data[i];
  }
  written_words += count;
}

static const rbnn_flash *open_store(const char *path)
{
  static rbnn_flash flash = {.page_bytes = PAGE_BYTES, .erase = erase, .program = program};
  if (strcmp(path, "-") == 0) {
    return NULL;
  }
  const int file = open(path, O_RDWR);
  store = mmap(NULL, 2u * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || store == MAP_FAILED) {
    exit(2);
  }
  close(file);
  flash.pages[0] = store;
  flash.pages[1] = store + PAGE_BYTES / 4u;
  return &flash;
}

static void print_hex(const uint8_t *bytes, uint32_t size)
{
  putchar(' ');
  for (uint32_t i = 0; i < size; i++) {
    printf("%02x", (unsigned)bytes[i]);
  }
}

static void parse_hex(const char *text, uint8_t *bytes, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    unsigned value = 0;
    if (sscanf(text + 2u * i, "%2x", &value) != 1) {
      exit(2);
    }
    bytes[i] = (uint8_t)value;
  }
}

static void print_status(rbnn_status status)
{
  const char *text = "ok";
#define CASE(code, name, explanation) \
  if (status == (code)) { \
    text = name; \
  }
  RBNN_STATUS_LIST(CASE)
#undef CASE
  printf("%s", text);
}

static void do_switch(uint32_t task)
{
  const uint32_t capacity = model.header->params_bytes;
  uint8_t *params = malloc(capacity);
  uint8_t stream_key[RBNN_KEY_BYTES];
  uint32_t bytes = 0;
  if (params == NULL) {
    exit(2);
  }
  memset(params, 0xAA, capacity);
  memset(stream_key, 0xAA, sizeof stream_key);
  const rbnn_status status = rbnn_vault_switch(&vault, task, stream_key, params, capacity, &bytes);
  print_status(status);
  print_hex(stream_key, sizeof stream_key);
  print_hex(params, status == RBNN_OK ? bytes : capacity);
  printf(" %" PRId32, vault.active);
  free(params);
}

static void run(char *line, uint8_t *pattern, uint8_t *container)
{
  static const char *const puf[] = {"fresh", "enrolled", "power-cycle", "damaged"};
  static const char *const states[] = {"unlicensed", "locked", "unlocked", "active"};
  uint8_t bytes[RBNN_HELPER_RECORD_BYTES];
  char *const word = strtok(line, " \n");
  char *const first = strtok(NULL, " \n");
  char *const second = strtok(NULL, " \n");
  const uint32_t number = first != NULL ? (uint32_t)strtoul(first, NULL, 10) : 0u;
  uint32_t slot = 0;

  if (strcmp(word, "puf") == 0) {
    printf("%s ", puf[vault.puf]);
    print_status(vault.provisioning);
  } else if (strcmp(word, "keys") == 0) {
    printf("ok");
    print_hex(vault.public_key, sizeof vault.public_key);
    print_hex(vault.sign.public_key, sizeof vault.sign.public_key);
  } else if (strcmp(word, "pattern") == 0) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < RBNN_PUF_PATTERN_BYTES; i++) {
      left |= pattern[i];
    }
    printf("%s", left == 0u ? "wiped" : "kept");
  } else if (strcmp(word, "enroll") == 0) {
    const rbnn_status status = rbnn_vault_enroll(&vault, pattern, bytes);
    print_status(status);
    print_hex(bytes, RBNN_HELPER_RECORD_BYTES);
  } else if (strcmp(word, "add") == 0) {
    parse_hex(first, bytes, RBNN_LICENCE_BYTES);
    print_status(rbnn_vault_add_licence(&vault, bytes, &slot));
    printf(" %" PRIu32, slot);
  } else if (strcmp(word, "state") == 0) {
    printf("%s", states[rbnn_vault_task_state(&vault, number, &slot)]);
  } else if (strcmp(word, "unlock") == 0) {
    parse_hex(second, bytes, RBNN_KEY_BYTES);
    print_status(rbnn_vault_unlock(&vault, number, bytes));
  } else if (strcmp(word, "switch") == 0) {
    do_switch(number);
  } else if (strcmp(word, "count") == 0) {
    const rbnn_status status = rbnn_vault_count(&vault);
    print_status(status == RBNN_OK ? rbnn_vault_confirm(&vault) : status);
  } else if (strcmp(word, "confirm") == 0) {
    print_status(rbnn_vault_confirm(&vault));
  } else if (strcmp(word, "store") == 0) {
    print_status(vault.store.status);
    printf(" %" PRIu32, written_words / (RBNN_STORE_SLOT_BYTES / 4u));
  } else if (strcmp(word, "revoke") == 0) {
    rbnn_licence_prologue notice;
    parse_hex(first, bytes, RBNN_LICENCE_BYTES);
    print_status(rbnn_vault_revoke(&vault, bytes, &notice));
  } else if (strcmp(word, "lock") == 0) {
    rbnn_vault_lock(&vault);
    printf("ok %" PRId32, vault.active);
  } else if (strcmp(word, "flip") == 0) {
    container[number] ^= 1u;
    printf("ok");
  } else {
    exit(2);
  }
  putchar('\n');
  fflush(stdout);
}

int main(int count, char **arguments)
{
  uint32_t container_bytes = 0;
  uint32_t partition_bytes = 0;
  uint32_t pattern_bytes = 0;
  uint32_t bad_layer = 0;
  char line[LINE_BYTES];

  if (count != 5) {
    return 2;
  }
  const int has_model = strcmp(arguments[1], "-") != 0;
  uint8_t *container = has_model ? read_file(arguments[1], &container_bytes) : NULL;
  uint8_t *partition =
      strcmp(arguments[2], "-") != 0 ? read_file(arguments[2], &partition_bytes) : NULL;
  uint8_t *pattern =
      strcmp(arguments[3], "-") != 0 ? read_file(arguments[3], &pattern_bytes) : NULL;
  if (has_model && rbnn_model_open(&model, container, container_bytes, &bad_layer) != RBNN_OK) {
    return 3;
  }
  rbnn_vault_start(&vault, has_model ? &model : NULL, partition, partition_bytes, pattern,
                   open_store(arguments[4]));
  while (fgets(line, sizeof line, stdin) != NULL) {
    run(line, pattern, container);
  }
  free(container);
  free(partition);
  free(pattern);
  return 0;
}
