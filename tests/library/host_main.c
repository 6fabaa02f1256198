/* SPDX-License-Identifier: Apache-2.0 */
/* One library on this machine: its life. */
int rbnn_life(void);

int main(void)
{
  return rbnn_life();
}
