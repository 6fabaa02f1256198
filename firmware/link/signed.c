/* SPDX-License-Identifier: Apache-2.0 */
/* What the device signs: attest, release. */
#include <string.h>

#include "link/commands.h"
#include "link/print.h"
#include "link/words.h"
#include "port/port.h"

#define ATTEST UINT32_MAX /* in place of a task */

static rbnn_status answer(rbnn_link *link, uint32_t task, rbnn_statement *statement)
{
  uint8_t signature[RBNN_SIGNATURE_BYTES];
  const char *const protection = rbnn_port_protection();
  memcpy(statement->protection, protection, strlen(protection));
  const rbnn_status status = task == ATTEST
                                 ? rbnn_device_attest(link->device, statement, signature)
                                 : rbnn_device_release(link->device, task, statement, signature);
  if (status != RBNN_OK) return status;
  rbnn_print_hex_line("m-statement-[", (const uint8_t *)statement, sizeof *statement);
  rbnn_print_hex_line("m-attest-[", signature, sizeof signature);
  return RBNN_OK;
}

rbnn_status rbnn_link_attest(rbnn_link *link, const char *words)
{
  rbnn_statement statement = {0};
  if (strlen(words) != 2u * RBNN_KEY_BYTES ||
      !rbnn_words_hex(words, statement.challenge, RBNN_KEY_BYTES)) {
    return RBNN_ARGUMENT;
  }
  return answer(link, ATTEST, &statement);
}

rbnn_status rbnn_link_release(rbnn_link *link, const char *words)
{
  rbnn_statement statement = {0};
  uint32_t task;
  const rbnn_status status = rbnn_link_take_task(link, words, &task, statement.challenge);
  return status == RBNN_OK ? answer(link, task, &statement) : status;
}
