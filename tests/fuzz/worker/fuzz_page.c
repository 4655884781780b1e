// SPDX-License-Identifier: Apache-2.0
// The labels that a rater's page has saved: whatever the file says, only labels of the taxonomy for
// trials of the sample get into the journal, each once, under the name that was asked for.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker/rating/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rt_desk_trial trials[2] = {{.number = 5}, {.number = 9}};
    static struct rt_panel_trial sample[2] = {{.trial = &trials[0]}, {.trial = &trials[1]}};
    static struct rt_campaign campaign = {.label_count = 3};
    static struct rt_local local = {.campaign = &campaign};
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("journal", MFD_CLOEXEC);
    struct rt_panel panel = {
        .desk.local = &local, .trials = sample, .count = 2, .journal.fd = fd};
    struct rt_error err = {0};
    size_t rated = 0;
    RT_ASSERT(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    enum rt_status status = rt_page_read(&panel, "carol", rt_bytes(data, size), &rated, &err);
    RT_ASSERT(rated <= 2 && rated == panel.journal.count);
    RT_ASSERT(!status || err.text[0]);
    for (size_t i = 0; i < panel.journal.count; i++) {
        const struct rt_journal_line *line = &panel.journal.lines[i];
        RT_ASSERT((line->trial == 5 || line->trial == 9) && line->label < campaign.label_count);
        RT_ASSERT(!strcmp(line->by, "carol") && line->status == RT_TRIAL_OK);
        for (size_t j = 0; j < i; j++)
            RT_ASSERT(panel.journal.lines[j].trial != line->trial);
    }
    free(panel.journal.lines);
    return 0;
}
