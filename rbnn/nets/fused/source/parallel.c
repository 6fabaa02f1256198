/* SPDX-License-Identifier: Apache-2.0 */
#include "fused.h"

#include <pthread.h>
#include <stdatomic.h>

#define MOST_HELPERS 255

typedef struct job {
  void (*run)(void *context, int part);
  void *context;
  int parts;
  atomic_int next;
  int helpers; /* inside run, under the lock */
  struct job *behind;
} job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wanted = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static job *jobs;
static int helpers;
static atomic_int busy; /* callers that are inside an operation */

void rbnn_enter(void)
{
  atomic_fetch_add(&busy, 1);
}

void rbnn_leave(void)
{
  atomic_fetch_sub(&busy, 1);
}

static void take_parts(job *one)
{
  for (int part; (part = atomic_fetch_add(&one->next, 1)) < one->parts;)
    one->run(one->context, part);
}

static job *open_job(void)
{
  for (job *one = jobs; one; one = one->behind)
    if (atomic_load(&one->next) < one->parts) return one;
  return NULL;
}

static void *help(void *unused)
{
  (void)unused;
  pthread_mutex_lock(&lock);
  for (;;) {
    job *one = open_job();
    if (!one) {
      pthread_cond_wait(&wanted, &lock);
      continue;
    }
    one->helpers++;
    pthread_mutex_unlock(&lock);
    take_parts(one);
    pthread_mutex_lock(&lock);
    if (--one->helpers == 0) pthread_cond_broadcast(&finished);
  }
  return NULL;
}

static void have_helpers(int count)
{
  for (; helpers < count && helpers < MOST_HELPERS; helpers++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, help, NULL)) return;
    pthread_detach(thread);
  }
}

void rbnn_parallel(int parts, int threads, void (*run)(void *context, int part), void *context)
{
  const int idle = threads - atomic_load(&busy);
  if (parts < 2 || idle < 1) {
    for (int part = 0; part < parts; part++) run(context, part);
    return;
  }
  job one = {.run = run, .context = context, .parts = parts};
  pthread_mutex_lock(&lock);
  have_helpers(threads - 1);
  one.behind = jobs;
  jobs = &one;
  for (int i = 0; i < idle; i++) pthread_cond_signal(&wanted);
  pthread_mutex_unlock(&lock);
  take_parts(&one);
  pthread_mutex_lock(&lock);
  for (job **place = &jobs; *place; place = &(*place)->behind)
    if (*place == &one) {
      *place = one.behind;
      break;
    }
  while (one.helpers) pthread_cond_wait(&finished, &lock);
  pthread_mutex_unlock(&lock);
}
