/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/listener.h"

#include <string.h>

#include "crypto/wipe.h"

#define FRAME RBNN_AUDIO_FRAME_SAMPLES
#define HOP RBNN_AUDIO_HOP_SAMPLES
#define COLUMNS RBNN_AUDIO_COLUMNS

void rbnn_listener_start(rbnn_listener *listener, uint32_t threshold)
{
  rbnn_wipe(listener, sizeof *listener);
  listener->threshold = threshold;
  listener->filled = RBNN_AUDIO_PAD_SAMPLES; /* silence before the first sample */
}

/* Keep the scores of a look; with `scores` NULL, of silence. */
static void keep(rbnn_listener *listener, const uint32_t *scores, uint32_t classes)
{
  uint32_t *const kept = listener->scores[listener->looks++ % RBNN_AUDIO_SMOOTHED];
  memset(kept, 0, sizeof listener->scores[0]);
  if (scores != NULL) memcpy(kept, scores, classes * sizeof *scores);
  if (listener->quiet > 0u) listener->quiet--;
}

/* A frame is full: its column, and whether a picture is due. */
static void end_frame(rbnn_listener *listener)
{
  rbnn_audio_column(listener->samples, listener->work,
                    listener->columns[listener->column_count++ % COLUMNS]);
  listener->filled = FRAME - HOP;
  /* In two parts, neither of which overlaps where it goes. */
  memcpy(listener->samples, listener->samples + HOP, HOP * sizeof(int16_t));
  memcpy(listener->samples + HOP, listener->samples + 2u * HOP,
         (FRAME - 2u * HOP) * sizeof(int16_t));
  if (listener->column_count < COLUMNS) return;
  if ((listener->column_count - COLUMNS) % RBNN_AUDIO_HOPS_PER_INFERENCE != 0u) return;
  listener->due = rbnn_audio_picture((const uint16_t (*)[RBNN_AUDIO_BANDS])listener->columns,
                                     listener->column_count, (uint8_t *)listener->work) != 0;
  if (!listener->due) keep(listener, NULL, 0);
}

uint32_t rbnn_listener_take(rbnn_listener *listener, const uint8_t *pcm, uint32_t samples)
{
  uint32_t taken = 0;
  listener->due = false;
  while (taken < samples && !listener->due) {
    uint32_t count = FRAME - listener->filled;
    if (count > samples - taken) count = samples - taken;
    memcpy(listener->samples + listener->filled, pcm + 2u * taken, 2u * count);
    listener->filled += count;
    taken += count;
    if (listener->filled == FRAME) end_frame(listener);
  }
  return taken;
}

const uint8_t *rbnn_listener_input(const rbnn_listener *listener)
{
  return (const uint8_t *)listener->work;
}

int32_t rbnn_listener_judge(rbnn_listener *listener, const uint32_t *scores, uint32_t classes,
                            uint64_t ignored, uint32_t *score)
{
  uint32_t best = 0;
  uint32_t most = 0;
  listener->due = false;
  keep(listener, scores, classes);
  for (uint32_t i = 0; i < classes; i++) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < RBNN_AUDIO_SMOOTHED; k++) sum += listener->scores[k][i];
    if (sum > most) {
      most = sum;
      best = i;
    }
  }
  *score = most / RBNN_AUDIO_SMOOTHED;
  if (listener->quiet > 0u || *score < listener->threshold || (ignored >> best & 1u)) return -1;
  listener->quiet = RBNN_AUDIO_REFRACTORY_HOPS / RBNN_AUDIO_HOPS_PER_INFERENCE;
  return (int32_t)best;
}

uint64_t rbnn_listener_position(const rbnn_listener *listener)
{
  /* What is kept of the frame before is part of it. */
  return (uint64_t)listener->column_count * HOP + listener->filled - RBNN_AUDIO_PAD_SAMPLES;
}

uint64_t rbnn_listener_first(const rbnn_listener *listener)
{
  return (uint64_t)(listener->column_count - COLUMNS) * HOP;
}
