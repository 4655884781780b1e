// SPDX-License-Identifier: Apache-2.0
// Which TCP connection each peer last spoke over, so that a peer can be cut off without waiting for
// its next frame: when the roster changes, every line whose key is no longer in it is shut within a
// second. libzmq closes and reuses descriptors by itself, so a line is shut only while its
// descriptor still leads to the address it was noted with. Network thread.
#ifndef RT_COORDINATOR_HUB_LINES_H
#define RT_COORDINATOR_HUB_LINES_H

#include <sys/socket.h>
#include <zmq.h>

#include "coordinator/hub/admission.h"

#define RT_LINES_MOST 8192

struct rt_line {
    uint64_t peer; // 0: free
    int fd;
    struct sockaddr_storage address;
    socklen_t address_size;
    char user_id[RT_USER_ID_BYTES];
};

struct rt_lines {
    struct rt_line *table; // by hash of the peer; a newcomer takes the place of whoever has it
};

enum rt_status rt_lines_init(struct rt_lines *lines) RT_WARN_UNUSED;
void rt_lines_release(struct rt_lines *lines);
// Note the connection that a payload frame came over.
void rt_lines_note(struct rt_lines *lines, uint64_t peer, zmq_msg_t *payload);
// Shut the peer's connection, if it is still the one that was noted.
void rt_lines_cut(struct rt_lines *lines, uint64_t peer);
// Shut every line whose key is not admitted any more; returns how many.
size_t rt_lines_sweep(struct rt_lines *lines, struct rt_admission *admission);

#endif
