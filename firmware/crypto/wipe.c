/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/wipe.h"

#include "spec/target.h"

#define LINE_BYTES 32u

#if RBNN_TARGET_V7M
/* `memory` is word-aligned; returns the end of the last line. */
static uint8_t *wipe_lines(uint8_t *memory, uint32_t lines)
{
  __asm volatile("mov r2, #0\n\tmov r3, #0\n\tmov r4, #0\n\tmov r5, #0\n\t"
                 "mov r6, #0\n\tmov r8, #0\n\tmov r9, #0\n\tmov r10, #0\n"
                 "1:\tsubs %1, #1\n\tstmia %0!, {r2-r6, r8-r10}\n\tbne 1b"
                 : "+r"(memory), "+r"(lines)
                 :
                 : "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
  return memory;
}
#else
static uint8_t *wipe_lines(uint8_t *memory, uint32_t lines)
{
  volatile uint32_t *word = (volatile void *)memory;
  for (uint32_t i = 0; i < lines * (LINE_BYTES / 4u); i++) {
    word[i] = 0;
  }
  return memory + lines * LINE_BYTES;
}
#endif

void rbnn_wipe(void *memory, uint32_t bytes)
{
  uint8_t *byte = memory;
  if (((uintptr_t)byte & 3u) == 0u && bytes >= LINE_BYTES) {
    byte = wipe_lines(byte, bytes / LINE_BYTES);
    bytes %= LINE_BYTES;
  }
  for (volatile uint8_t *rest = byte; bytes > 0u; bytes--) {
    *rest++ = 0;
  }
}

/* Its own array lies where the frames of the caller's earlier calls were. It calls nothing: a call
 * would push registers, which hold what was computed last, below the array. */
__attribute__((noinline)) void rbnn_wipe_stack(void)
{
  volatile uint32_t dead[RBNN_DEAD_STACK_BYTES / 4u];
#if RBNN_TARGET_V7M
  /* An interrupt meanwhile pushes these below the array, too. */
  __asm volatile("movs r0, #0\n movs r1, #0\n mov r12, r0" ::: "r0", "r1", "r12", "cc");
#endif
  for (uint32_t i = 0; i < sizeof dead / sizeof dead[0]; i++) {
    dead[i] = 0;
  }
}
