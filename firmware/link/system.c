/* SPDX-License-Identifier: Apache-2.0 */
/* The chip itself: stack, reset. */
#include "link/commands.h"
#include "link/print.h"
#include "port/port.h"

rbnn_status rbnn_link_stack(rbnn_link *link, const char *words)
{
  uint32_t used, reserved;
  (void)link;
  (void)words;
  rbnn_port_stack(&used, &reserved);
  rbnn_print("m-stack-[");
  rbnn_print_number(used);
  rbnn_print(",");
  rbnn_print_number(reserved);
  rbnn_print_close();
  return RBNN_OK;
}

rbnn_status rbnn_link_reset(rbnn_link *link, const char *words)
{
  (void)words;
  rbnn_print("m-resetting");
  rbnn_print_end();
  rbnn_device_stop(link->device);
  rbnn_port_reset();
}
