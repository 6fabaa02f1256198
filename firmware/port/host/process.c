/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware as a process: `firmware [--provisioning FILE] [--pattern FILE] [--store FILE]
 * [--model FILE] [--warm]`, its serial line on standard input and output. Ends with its input. */
#include "port/host/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/port.h"

#define MAX_ARGUMENTS 16

uint8_t rbnn_host_provisioning[RBNN_HOST_PROVISIONING_BYTES];
uint8_t rbnn_host_pattern[RBNN_PUF_PATTERN_BYTES];
bool rbnn_host_warm;
uint32_t *rbnn_host_store;
uint32_t *rbnn_host_model;
uint32_t rbnn_host_model_bytes;

static char *program_arguments[MAX_ARGUMENTS + 1];

static _Noreturn void stop(const char *what, const char *name)
{
  fprintf(stderr, "%s %s\n", what, name);
  exit(2);
}

/* Read at most `capacity` bytes; the rest of `data` stays as it is. */
static void read_file(const char *name, uint8_t *data, size_t capacity)
{
  FILE *const file = fopen(name, "rb");
  if (file == NULL) stop("cannot read", name);
  (void)!fread(data, 1, capacity, file);
  fclose(file);
}

/* What is written to it is in the file at once, however this process ends. */
static uint32_t *map_flash(const char *name, size_t bytes)
{
  const int file = open(name, O_RDWR);
  if (file < 0) stop("cannot open", name);
  void *const pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (pages == MAP_FAILED) stop("cannot map", name);
  close(file);
  return pages;
}

/* All sectors that the file has. */
static void map_model(const char *name)
{
  struct stat found;
  if (stat(name, &found) != 0) stop("cannot read", name);
  rbnn_host_model_bytes = (uint32_t)found.st_size / RBNN_HOST_SECTOR_BYTES * RBNN_HOST_SECTOR_BYTES;
  rbnn_host_model = map_flash(name, rbnn_host_model_bytes);
}

_Noreturn void rbnn_host_restart(void)
{
  execv("/proc/self/exe", program_arguments);
  stop("cannot restart", program_arguments[0]);
}

int main(int count, char **arguments)
{
  if (count >= MAX_ARGUMENTS) stop("too many arguments for", arguments[0]);
  memcpy(program_arguments, arguments, (size_t)count * sizeof arguments[0]);
  memset(rbnn_host_provisioning, 0xFF, sizeof rbnn_host_provisioning);
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "--warm") == 0) {
      rbnn_host_warm = true;
    } else if (i + 1 < count && strcmp(arguments[i], "--provisioning") == 0) {
      read_file(arguments[++i], rbnn_host_provisioning, sizeof rbnn_host_provisioning);
    } else if (i + 1 < count && strcmp(arguments[i], "--pattern") == 0) {
      read_file(arguments[++i], rbnn_host_pattern, sizeof rbnn_host_pattern);
    } else if (i + 1 < count && strcmp(arguments[i], "--store") == 0) {
      rbnn_host_store = map_flash(arguments[++i], 2u * RBNN_HOST_STORE_PAGE_BYTES);
    } else if (i + 1 < count && strcmp(arguments[i], "--model") == 0) {
      map_model(arguments[++i]);
    } else {
      stop("unknown argument", arguments[i]);
    }
  }
  if (!rbnn_host_warm) {
    static char warm[] = "--warm";
    program_arguments[count] = warm;
  }
  rbnn_app_run();
}
