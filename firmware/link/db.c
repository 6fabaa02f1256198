/* SPDX-License-Identifier: Apache-2.0 */
/* The input buffer: db load, db HEX, db print, crc. */
#include <string.h>

#include "core/crc32.h"
#include "crypto/wipe.h"
#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"

#define PRINT_BYTES_PER_LINE 8u

void rbnn_link_drop_input(rbnn_link *link)
{
  link->input_expected = 0;
  link->input_bytes = 0;
}

void rbnn_link_forget_input(rbnn_link *link)
{
  rbnn_link_drop_input(link);
  rbnn_wipe(link->input, sizeof link->input);
}

rbnn_status rbnn_link_check_input(rbnn_link *link, uint32_t bytes)
{
  if (link->input_bytes != bytes) {
    link->input_wanted = bytes;
  } else if (link->input_bytes != link->input_expected) {
    link->input_wanted = link->input_expected;
  } else {
    return RBNN_OK;
  }
  return RBNN_BUFFER_INCOMPLETE;
}

static rbnn_status load(rbnn_link *link, const char *words)
{
  uint32_t bytes;
  if (!rbnn_words_number(&words, &bytes) || *words != 0) return RBNN_ARGUMENT;
  if (bytes == 0 || bytes > RBNN_LINK_INPUT_BYTES) return RBNN_BUFFER_SIZE;
  link->input_expected = bytes;
  link->input_bytes = 0;
  rbnn_print("m-[Expecting ");
  rbnn_print_number(bytes);
  rbnn_print(" bytes]");
  rbnn_print_end();
  return RBNN_OK;
}

static rbnn_status append(rbnn_link *link, const char *words)
{
  size_t size = strlen(words);
  while (size > 0 && words[size - 1] == ' ') size--;
  if (size == 0 || size % 2u != 0) return RBNN_ARGUMENT;
  const uint32_t bytes = (uint32_t)size / 2u;
  if (bytes > link->input_expected - link->input_bytes) return RBNN_BUFFER_SIZE;
  if (!rbnn_words_hex(words, link->input + link->input_bytes, bytes)) return RBNN_ARGUMENT;
  link->input_bytes += bytes;
  if (link->input_bytes == link->input_expected) {
    rbnn_print("m-load-done");
    rbnn_print_end();
  }
  return RBNN_OK;
}

static void print_buffer(const rbnn_link *link)
{
  for (uint32_t i = 0; i < link->input_bytes; i++) {
    rbnn_print(i % PRINT_BYTES_PER_LINE == 0 ? "m-buffer-" : "-");
    rbnn_print_hex(&link->input[i], 1);
    const bool last = i + 1u == link->input_bytes;
    if (last || (i + 1u) % PRINT_BYTES_PER_LINE == 0) rbnn_print_end();
  }
}

rbnn_status rbnn_link_db(rbnn_link *link, const char *words)
{
  if (rbnn_words_take(&words, "print")) {
    if (*words != 0) return RBNN_ARGUMENT;
    print_buffer(link);
    return RBNN_OK;
  }
  const rbnn_status status =
      rbnn_words_take(&words, "load") ? load(link, words) : append(link, words);
  if (status != RBNN_OK) rbnn_link_drop_input(link);
  return status;
}

rbnn_status rbnn_link_crc(rbnn_link *link, const char *words)
{
  (void)words;
  if (link->input_expected == 0) return RBNN_BUFFER_INCOMPLETE;
  const rbnn_status status = rbnn_link_check_input(link, link->input_expected);
  if (status != RBNN_OK) return status;
  rbnn_print("m-crc-[");
  rbnn_print_hex32(rbnn_crc32_update(0, link->input, link->input_bytes));
  rbnn_print_close();
  return RBNN_OK;
}
