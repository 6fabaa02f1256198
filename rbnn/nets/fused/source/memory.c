/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ALIGNMENT 4096
#define HUGE_PAGE ((size_t)1 << 21)
#define MOST_KEPT 64

typedef struct {
  size_t bytes;
  void *buffer;
} spare;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static spare kept[MOST_KEPT];

/* The size stands in front of a buffer. */
static size_t *size_of(void *buffer)
{
  return (size_t *)((uint8_t *)buffer - ALIGNMENT);
}

void *rbnn_borrow(size_t bytes)
{
  spare *best = NULL;
  void *found = NULL;
  pthread_mutex_lock(&lock);
  for (spare *one = kept; one < kept + MOST_KEPT; one++)
    if (one->buffer && one->bytes >= bytes && one->bytes <= 2 * bytes + ALIGNMENT &&
        (!best || one->bytes < best->bytes))
      best = one;
  if (best) {
    found = best->buffer;
    best->buffer = NULL;
  }
  pthread_mutex_unlock(&lock);
  if (found) return found;
  const size_t whole = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  const size_t page = whole < HUGE_PAGE ? ALIGNMENT : HUGE_PAGE;
  const size_t taken = (whole + ALIGNMENT + page - 1) / page * page;
  uint8_t *fresh = aligned_alloc(page, taken);
  if (!fresh) {
    fprintf(stderr, "rbnn: out of memory, %zu bytes\n", taken);
    abort();
  }
#ifdef MADV_HUGEPAGE
  if (page == HUGE_PAGE) madvise(fresh, taken, MADV_HUGEPAGE);
#endif
  *(size_t *)fresh = whole;
  return fresh + ALIGNMENT;
}

void rbnn_give_back(void *buffer)
{
  if (!buffer) return;
  pthread_mutex_lock(&lock);
  for (spare *one = kept; one < kept + MOST_KEPT && buffer; one++)
    if (!one->buffer) {
      *one = (spare){*size_of(buffer), buffer};
      buffer = NULL;
    }
  pthread_mutex_unlock(&lock);
  if (buffer) free((uint8_t *)buffer - ALIGNMENT);
}
