// SPDX-License-Identifier: Apache-2.0
// A command and everything it starts, under a keeper: a small process of ours between the worker
// and the command that adopts whatever the command leaves behind, and does not go before the last
// of it has gone. It ends them all when it is told to, and when the worker is gone, however that
// went. The three pipes are non-blocking on our side. Nothing here blocks unless it says so. One
// thread.
#ifndef RT_WORKER_SANDBOX_KEEPER_H
#define RT_WORKER_SANDBOX_KEEPER_H

#include <sys/types.h>

#include "worker/sandbox/sandbox.h"

// From the moment the command's input closed to the signal that asks it to end, and from there to
// the one that cannot be ignored.
#define RT_KEEPER_GRACE_MS 2000
#define RT_KEEPER_TERM_MS  1000

enum rt_keeper_order {
    RT_KEEPER_END = 'E',  // its input is closed: let it end by itself, then insist
    RT_KEEPER_TERM = 'T', // SIGTERM now, SIGKILL RT_KEEPER_TERM_MS later
    RT_KEEPER_KILL = 'K', // SIGKILL now
};

// How the command itself ended; what it had started may live a little longer.
enum rt_keeper_end {
    RT_KEEPER_RUNNING,
    RT_KEEPER_EXIT,    // value: its exit code
    RT_KEEPER_SIGNAL,  // value: the signal
    RT_KEEPER_UNABLE,  // value: errno; it was never started
};

struct rt_keeper {
    pid_t pid;   // of the keeper
    int control; // poll for input: readable when there is something to notice
    int in, out, err;
    enum rt_keeper_end end;
    int value;
    bool gone; // the keeper has gone, and with it everything
};

// RT_IO with the system's word when there is no pipe or process to be had.
enum rt_status rt_keeper_start(const struct rt_sandbox_plan *plan, struct rt_keeper *ret_keeper,
                               struct rt_error *err) RT_WARN_UNUSED;
void rt_keeper_order(struct rt_keeper *keeper, enum rt_keeper_order order);
void rt_keeper_close_in(struct rt_keeper *keeper);
// Take what the keeper has said; true when something changed.
bool rt_keeper_notice(struct rt_keeper *keeper);
// Everything to its end, and the pipes closed; blocks, for RT_KEEPER_TERM_MS and some moments at
// most once SIGTERM was ordered.
void rt_keeper_finish(struct rt_keeper *keeper);
void rt_keeper_release(struct rt_keeper *keeper); // RT_ASSERTs that it is gone

#endif
