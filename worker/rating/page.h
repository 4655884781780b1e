// SPDX-License-Identifier: Apache-2.0
// The annotation flow in a browser: one HTML file that opens offline, shows a person their queue
// and exports their labels as JSON, which is loaded here. No server, no network: the page's own
// policy (CSP) forbids every connection, and its one script is allowed by its hash. Transcripts are
// hostile: they stand in the page as JSON with every `<` escaped and are shown as text alone. One
// thread.
#ifndef RT_WORKER_RATING_PAGE_H
#define RT_WORKER_RATING_PAGE_H

#include "worker/rating/panel.h"

// Write the page for a person's queue; *ret_trials in it. The file is private (0600).
enum rt_status rt_page_write(struct rt_panel *panel, const char *person, const char *path,
                             size_t *ret_trials, struct rt_error *err) RT_WARN_UNUSED;
// Take the labels of a file the page exported. It must be this campaign's and this person's; labels
// given before are left as they are. *ret_rated: new ones.
enum rt_status rt_page_load(struct rt_panel *panel, const char *person, const char *path,
                            size_t *ret_rated, struct rt_error *err) RT_WARN_UNUSED;
// The same from bytes.
enum rt_status rt_page_read(struct rt_panel *panel, const char *person, struct rt_bytes text,
                            size_t *ret_rated, struct rt_error *err) RT_WARN_UNUSED;

#endif
