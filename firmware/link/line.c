/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to lines. Whatever arrives, the next COMMAND_END brings the line back in step. */
#include "crypto/wipe.h"
#include "link/commands.h"
#include "link/print.h"
#include "port/port.h"

#define BACKSPACE 0x08u
#define DELETE 0x7Fu

static void print_ready(void)
{
  rbnn_print(RBNN_MSG_READY);
  rbnn_print_end();
}

void rbnn_link_start(rbnn_link *link)
{
  (void)link;
  rbnn_print(RBNN_MSG_INIT_DONE);
  rbnn_print_end();
  print_ready();
}

static void end_line(rbnn_link *link)
{
  link->line[link->line_bytes] = 0;
  const bool overrun = rbnn_port_take_overrun();
  /* What cannot be read may have been data for the buffer. */
  if (overrun || link->line_too_long || link->line_garbled) rbnn_link_drop_input(link);
  if (overrun) {
    rbnn_link_print_error(link, RBNN_OVERRUN);
  } else if (link->line_too_long) {
    rbnn_link_print_error(link, RBNN_LINE_TOO_LONG);
  } else if (link->line_garbled) {
    rbnn_link_print_error(link, RBNN_UNKNOWN_COMMAND);
  } else if (link->line_bytes != 0) {
    rbnn_link_dispatch(link, link->line);
  }
  rbnn_wipe(link->line, sizeof link->line);
  rbnn_wipe_stack(); /* of what the command has computed and printed */
  link->line_bytes = 0;
  link->line_too_long = false;
  link->line_garbled = false;
  print_ready();
}

void rbnn_link_feed(rbnn_link *link, uint8_t byte)
{
  if (byte == RBNN_COMMAND_END) {
    end_line(link);
  } else if (byte == '\r' || byte == '\n') {
    /* A terminal may send them anywhere; they are no part of a command. */
  } else if (byte == BACKSPACE || byte == DELETE) {
    if (link->line_bytes > 0) link->line[--link->line_bytes] = 0;
  } else if (byte < ' ') {
    link->line_garbled = true;
  } else if (link->line_bytes == RBNN_MAX_COMMAND_BYTES) {
    link->line_too_long = true;
  } else {
    link->line[link->line_bytes++] = (char)byte;
  }
}
