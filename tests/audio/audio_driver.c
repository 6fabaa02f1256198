/* SPDX-License-Identifier: Apache-2.0 */
/* The front end and the listener, driven by a test: sound on standard input,
 * results on standard output.
 *
 *   clips          every 16,000 samples are a clip: its columns, then 1 and its
 * picture, or 0 stream BLOCK   one recording, BLOCK samples at a time: of every
 * picture that is due, the first sample (8 bytes) and the picture judge T
 * IGNORED CLASSES   looks: a byte, 0 for silence, and CLASSES scores of 4
 * bytes; of each a class or -1, and the score (4 bytes each) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/listener.h"

static void put(const void *data, size_t bytes)
{
  if (fwrite(data, 1, bytes, stdout) != bytes) exit(1);
}

static size_t get(void *data, size_t bytes)
{
  return fread(data, 1, bytes, stdin);
}

static void clips(void)
{
  static int16_t padded[16000 + 2 * RBNN_AUDIO_PAD_SAMPLES];
  static int32_t work[RBNN_AUDIO_FRAME_SAMPLES];
  static uint16_t columns[RBNN_AUDIO_COLUMNS][RBNN_AUDIO_BANDS];
  static uint8_t picture[RBNN_AUDIO_PICTURE_BYTES];
  while (get(padded + RBNN_AUDIO_PAD_SAMPLES, 32000) == 32000) {
    for (uint32_t i = 0; i < RBNN_AUDIO_COLUMNS; i++) {
      /* As a ring that begins in the middle. */
      rbnn_audio_column(padded + i * RBNN_AUDIO_HOP_SAMPLES, work,
                        columns[(i + 7u) % RBNN_AUDIO_COLUMNS]);
    }
    for (uint32_t i = 0; i < RBNN_AUDIO_COLUMNS; i++) {
      put(columns[(i + 7u) % RBNN_AUDIO_COLUMNS], sizeof columns[0]);
    }
    const uint8_t loud =
        (uint8_t)rbnn_audio_picture((const uint16_t (*)[RBNN_AUDIO_BANDS])columns, 7, picture);
    put(&loud, 1);
    if (loud) put(picture, sizeof picture);
  }
}

static void stream(uint32_t block)
{
  static rbnn_listener listener;
  uint8_t *const pcm = malloc(2u * block);
  const uint32_t scores[2] = {0, 0};
  uint32_t score;
  size_t bytes;
  rbnn_listener_start(&listener, 1000000);
  while ((bytes = get(pcm, 2u * block)) != 0) {
    const uint32_t samples = (uint32_t)(bytes / 2u);
    uint32_t at = 0;
    while (at < samples) {
      at += rbnn_listener_take(&listener, pcm + 2u * at, samples - at);
      if (!listener.due) continue;
      const uint64_t first = rbnn_listener_first(&listener);
      put(&first, sizeof first);
      put(rbnn_listener_input(&listener), RBNN_AUDIO_PICTURE_BYTES);
      (void)rbnn_listener_judge(&listener, scores, 2, 0, &score);
    }
  }
  const uint64_t end = rbnn_listener_position(&listener);
  put(&end, sizeof end);
  free(pcm);
}

static void judge(uint32_t threshold, uint64_t ignored, uint32_t classes)
{
  static rbnn_listener listener;
  static uint8_t quiet[2 * RBNN_AUDIO_HOP_SAMPLES];
  uint32_t scores[RBNN_MAX_CLASSES];
  uint8_t loud;
  rbnn_listener_start(&listener, threshold);
  while (get(&loud, 1) == 1 && get(scores, 4u * classes) == 4u * classes) {
    int32_t answer[2] = {-1, 0};
    if (loud) {
      answer[0] = rbnn_listener_judge(&listener, scores, classes, ignored, (uint32_t *)&answer[1]);
    } else {
      const uint32_t looks = listener.looks;
      while (listener.looks == looks) {
        (void)rbnn_listener_take(&listener, quiet, RBNN_AUDIO_HOP_SAMPLES);
      }
    }
    if (answer[0] < 0) answer[1] = 0;
    put(answer, sizeof answer);
  }
}

int main(int count, char **words)
{
  if (count == 2 && strcmp(words[1], "clips") == 0) {
    clips();
  } else if (count == 3 && strcmp(words[1], "stream") == 0) {
    stream((uint32_t)atol(words[2]));
  } else if (count == 5 && strcmp(words[1], "judge") == 0) {
    judge((uint32_t)atol(words[2]), strtoull(words[3], NULL, 10), (uint32_t)atol(words[4]));
  } else {
    return 2;
  }
  return 0;
}
