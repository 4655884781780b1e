// SPDX-License-Identifier: Apache-2.0
// The processes below one process, from /proc. Async-signal-safe: for use after fork, so it
// allocates nothing and keeps its list in memory of its own. One thread.
#ifndef RT_WORKER_SANDBOX_KEEPER_TREE_H
#define RT_WORKER_SANDBOX_KEEPER_TREE_H

#include <sys/types.h>

// Send signal to every descendant of root whose generation is above `above` (children are the
// first). Returns how many there were of those.
unsigned rt_keeper_tree_signal(pid_t root, unsigned above, int signal);

#endif
