/* SPDX-License-Identifier: Apache-2.0 */
/* The audio front end: 16-bit samples to log-mel columns, columns to the network's input. Integers
 * only; rbnn/tasks/front_end.py is the same in numpy, bit for bit. How long
 * a frame takes does not depend on the sound; nothing here is kept between calls. */
#ifndef RBNN_AUDIO_FRONT_END_H
#define RBNN_AUDIO_FRONT_END_H

#include <stdint.h>

#include "spec/rbnn_spec.h"

/* The column of one frame: a logarithm for each band, lowest first.
 *   samples  RBNN_AUDIO_FRAME_SAMPLES of them
 *   work     RBNN_AUDIO_FRAME_SAMPLES words; holds traces of the sound afterwards */
void rbnn_audio_column(const int16_t *samples, int32_t *work, uint16_t column[RBNN_AUDIO_BANDS]);

/* The picture of 32 columns: RBNN_AUDIO_PICTURE_BYTES, row by row, lowest band first. False, and
 * nothing is written, when there is nothing louder than silence in it.
 *   columns  a ring
 *   first    place of its earliest column */
int rbnn_audio_picture(const uint16_t columns[RBNN_AUDIO_COLUMNS][RBNN_AUDIO_BANDS], uint32_t first,
                       uint8_t picture[RBNN_AUDIO_PICTURE_BYTES]);

#endif
