// SPDX-License-Identifier: Apache-2.0
// The annotation flow on a terminal: one transcript after another, one key for a label. Transcripts
// are hostile: nothing of them reaches the terminal but printable text. One thread.
#ifndef RT_WORKER_RATING_ANNOTATE_H
#define RT_WORKER_RATING_ANNOTATE_H

#include "worker/rating/panel.h"

// Ask a person for labels until the queue is empty or they quit; every label is kept as it is
// given. *ret_rated: how many.
enum rt_status rt_annotate(struct rt_panel *panel, const char *person, size_t *ret_rated,
                           struct rt_error *err) RT_WARN_UNUSED;

// Append text as a terminal may show it: lines stay lines, every other control character, what
// moves or hides text (C1, bidirectional and zero-width characters) and what is not UTF-8 becomes
// an escape.
void rt_annotate_text(struct rt_bytes text, const char *indent, struct rt_buf *out);

#endif
