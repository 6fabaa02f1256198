/* SPDX-License-Identifier: Apache-2.0 */
/* Two libraries in one program, with Monocypher a third time as a library of the program's own. */
#include "computer.h"

int door_life(void);
int window_life(void);

int main(void)
{
  computer_print("door\n");
  if (door_life() != 0) return 1;
  computer_print("window\n");
  return window_life();
}
