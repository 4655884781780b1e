// SPDX-License-Identifier: Apache-2.0
// What the running coordinator shows of itself to those who only read (HTTP): the newest signed
// checkpoint and its status. The writer pins, readers take copies. Any thread.
#ifndef RT_COORDINATOR_HUB_BOARD_H
#define RT_COORDINATOR_HUB_BOARD_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/bytes.h"

#define RT_BOARD_NOTE_MOST 16384 // a checkpoint with its cosignatures

struct rt_board {
    pthread_mutex_t mutex;
    struct rt_buf note;   // the newest checkpoint, a signed note
    struct rt_buf status; // JSON, as ADMIN answers `status`
    int64_t status_mono_ms;
};

void rt_board_init(struct rt_board *board);
void rt_board_release(struct rt_board *board);
// Replace what is pinned. Out of memory leaves the old one, which is still true.
void rt_board_pin_note(struct rt_board *board, struct rt_bytes note);
void rt_board_pin_status(struct rt_board *board, struct rt_bytes status, int64_t mono_ms);
// Append a copy: RT_AGAIN before the first, or what the buffer says.
enum rt_status rt_board_note(struct rt_board *board, struct rt_buf *out) RT_WARN_UNUSED;
enum rt_status rt_board_status(struct rt_board *board, struct rt_buf *out) RT_WARN_UNUSED;

#endif
