// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/lines.h"

#include <stdio.h>
#include <stdlib.h>

enum rt_status rt_lines_init(struct rt_lines *lines)
{
    lines->table = calloc(RT_LINES_MOST, sizeof *lines->table);
    return lines->table ? RT_OK : RT_NO_MEMORY;
}

void rt_lines_release(struct rt_lines *lines)
{
    free(lines->table);
    lines->table = NULL;
}

static struct rt_line *place_of(struct rt_lines *lines, uint64_t peer)
{
    return &lines->table[(peer * UINT64_C(0x9e3779b97f4a7c15) >> 32) % RT_LINES_MOST];
}

void rt_lines_note(struct rt_lines *lines, uint64_t peer, zmq_msg_t *payload)
{
    struct rt_line *line = place_of(lines, peer);
    int fd = zmq_msg_get(payload, ZMQ_SRCFD);
    if (line->peer == peer && line->fd == fd)
        return;
    struct rt_line noted = {.peer = peer, .fd = fd, .address_size = sizeof noted.address};
    const char *user_id = zmq_msg_gets(payload, "User-Id");
    if (fd < 0 || !user_id ||
        getpeername(fd, (struct sockaddr *)&noted.address, &noted.address_size))
        return;
    snprintf(noted.user_id, sizeof noted.user_id, "%s", user_id);
    *line = noted;
}

static void shut(struct rt_line *line)
{
    struct sockaddr_storage now;
    socklen_t size = sizeof now;
    memset(&now, 0, sizeof now);
    if (getpeername(line->fd, (struct sockaddr *)&now, &size) == 0 && size == line->address_size &&
        memcmp(&now, &line->address, size) == 0)
        shutdown(line->fd, SHUT_RDWR);
    line->peer = 0;
}

void rt_lines_cut(struct rt_lines *lines, uint64_t peer)
{
    struct rt_line *line = place_of(lines, peer);
    if (line->peer == peer)
        shut(line);
}

size_t rt_lines_sweep(struct rt_lines *lines, struct rt_admission *admission)
{
    size_t count = 0;
    for (size_t i = 0; i < RT_LINES_MOST; i++) {
        char lab[RT_ID_BYTES + 1];
        struct rt_line *line = &lines->table[i];
        if (line->peer && !rt_admission_find_user(admission, line->user_id, lab)) {
            shut(line);
            count++;
        }
    }
    return count;
}
