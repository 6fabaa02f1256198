/* SPDX-License-Identifier: Apache-2.0 */
/* Listening to a stream of samples: which second is looked at, and what is a detection
 * (rbnn/tasks/listener.py). The network is the caller's. One round, with a device whose active task
 * takes sound (its front_end is RBNN_FRONT_END_LOG_MEL):
 *
 *   const uint32_t taken = rbnn_listener_take(&listener, pcm, samples);
 *   pcm += 2u * taken;
 *   samples -= taken;
 *   if (listener.due) {
 *     status = rbnn_device_infer(&device, rbnn_listener_input(&listener),
 *                                RBNN_AUDIO_PICTURE_BYTES, logits);
 *     if (status == RBNN_OK) status = rbnn_device_score(&device, logits);
 *     found = rbnn_listener_judge(&listener, device.scores, device.score_count, ignored, &score);
 *   }
 *
 * Named in rbnn_device_memory, a listener is wiped whenever the task is left. */
#ifndef RBNN_AUDIO_LISTENER_H
#define RBNN_AUDIO_LISTENER_H

#include <stdbool.h>

#include "audio/front_end.h"

/* Caller-owned; all zero is a stream that has not begun. It holds the sound of the last second. */
typedef struct {
  int32_t work[RBNN_AUDIO_FRAME_SAMPLES]; /* of the front end; then the picture that is due */
  int16_t samples[RBNN_AUDIO_FRAME_SAMPLES];
  uint16_t columns[RBNN_AUDIO_COLUMNS][RBNN_AUDIO_BANDS]; /* a ring */
  uint32_t scores[RBNN_AUDIO_SMOOTHED][RBNN_MAX_CLASSES]; /* a ring, ppm */
  uint32_t threshold;                                     /* ppm; 0 before the stream has begun */
  uint32_t filled;                                        /* of `samples` */
  uint32_t column_count;                                  /* since the stream began */
  uint32_t looks;                                         /* pictures, silent ones included */
  uint32_t quiet;                                         /* pictures until the next detection */
  bool due;                                               /* a picture waits for its scores */
} rbnn_listener;
_Static_assert(sizeof(rbnn_listener) <= RBNN_AUDIO_LISTENER_BYTES, "what the RAM plan counts on");

/* Begin a stream: nothing of an earlier one stays. `threshold` in ppm, at least 1. */
void rbnn_listener_start(rbnn_listener *listener, uint32_t threshold);

/* Take samples, 16 bits each, little-endian, until a picture is due or none is left; returns how
 * many. A picture that was due and has no scores is forgotten. */
uint32_t rbnn_listener_take(rbnn_listener *listener, const uint8_t *pcm, uint32_t samples);

/* The picture that is due. */
const uint8_t *rbnn_listener_input(const rbnn_listener *listener);

/* Take the scores of the picture that was due. The number of the class that is detected, or -1.
 *   scores   ppm, of `classes` classes
 *   ignored  a bit for each class that is never detected
 *   score    of the detection: the average, ppm */
int32_t rbnn_listener_judge(rbnn_listener *listener, const uint32_t *scores, uint32_t classes,
                            uint64_t ignored, uint32_t *score);

/* Samples since the stream began. */
uint64_t rbnn_listener_position(const rbnn_listener *listener);

/* First sample of the second that was looked at last. */
uint64_t rbnn_listener_first(const rbnn_listener *listener);

#endif
