// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/board.h"

#include "proto/message.h"

void rt_board_init(struct rt_board *board)
{
    *board = (struct rt_board){.status_mono_ms = 0};
    pthread_mutex_init(&board->mutex, NULL);
    rt_buf_init(&board->note, RT_BOARD_NOTE_MOST);
    rt_buf_init(&board->status, RT_BODY_MOST);
}

void rt_board_release(struct rt_board *board)
{
    rt_buf_release(&board->note);
    rt_buf_release(&board->status);
    pthread_mutex_destroy(&board->mutex);
}

static void replace(struct rt_buf *old, struct rt_bytes bytes)
{
    struct rt_buf fresh;
    rt_buf_init(&fresh, old->limit);
    rt_buf_add_bytes(&fresh, bytes);
    if (rt_buf_ok(&fresh)) {
        rt_buf_release(&fresh);
        return;
    }
    rt_buf_release(old);
    *old = fresh;
}

void rt_board_pin_note(struct rt_board *board, struct rt_bytes note)
{
    pthread_mutex_lock(&board->mutex);
    replace(&board->note, note);
    pthread_mutex_unlock(&board->mutex);
}

void rt_board_pin_status(struct rt_board *board, struct rt_bytes status, int64_t mono_ms)
{
    pthread_mutex_lock(&board->mutex);
    replace(&board->status, status);
    board->status_mono_ms = mono_ms;
    pthread_mutex_unlock(&board->mutex);
}

static enum rt_status copy(struct rt_board *board, const struct rt_buf *from, struct rt_buf *out)
{
    pthread_mutex_lock(&board->mutex);
    bool any = from->size > 0;
    rt_buf_add_bytes(out, rt_buf_bytes(from));
    pthread_mutex_unlock(&board->mutex);
    return any ? rt_buf_ok(out) : RT_AGAIN;
}

enum rt_status rt_board_note(struct rt_board *board, struct rt_buf *out)
{
    return copy(board, &board->note, out);
}

enum rt_status rt_board_status(struct rt_board *board, struct rt_buf *out)
{
    return copy(board, &board->status, out);
}
