// SPDX-License-Identifier: Apache-2.0
// What all documents share: the notes a reader collects beside its struct, and the bounds every
// text a person writes is held to. Plain data.
#ifndef RT_PROTO_DOC_DOC_H
#define RT_PROTO_DOC_DOC_H

#include <stddef.h>

#include "common/base/bytes.h"

#define RT_DOC_FILE_MOST  ((size_t)4 << 20) // bytes of one YAML file
#define RT_DOC_DEPTH_MOST 16
#define RT_DOC_NODES_MOST 200000

// "file:line: KEY is not played yet" and the like: the first place of each, one line each; count
// has every place. Init with rt_notes_init, release with rt_notes_release; a NULL pointer where one
// is taken means that nobody wants them.
struct rt_notes {
    struct rt_buf text; // lines, each ending in LF
    size_t count;
};
void rt_notes_init(struct rt_notes *notes);
void rt_notes_release(struct rt_notes *notes);
void rt_notes_add(struct rt_notes *notes, const char *format, ...) RT_PRINTF(2, 3);

#endif
