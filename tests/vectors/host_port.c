/* SPDX-License-Identifier: Apache-2.0 */
/* What the vectors application needs of a port, over standard input and output. */
#include <stdio.h>
#include <stdlib.h>

#include "port/port.h"

void rbnn_port_init(void)
{
}

int rbnn_port_read(void)
{
  const int byte = getchar();
  if (byte == EOF) {
    exit(EXIT_SUCCESS);
  }
  return byte;
}

bool rbnn_port_take_overrun(void)
{
  return false;
}

void rbnn_port_wait(void)
{
}

uint32_t rbnn_port_ticks_hz(void)
{
  return 1;
}

void rbnn_port_write(const char *data, uint32_t size)
{
  fwrite(data, 1, size, stdout);
  fflush(stdout);
}

int main(void)
{
  rbnn_app_run();
}
