// SPDX-License-Identifier: Apache-2.0
// `rate`: people label a sample of this lab's transcripts, on the terminal or in a browser.
#include <limits.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "worker/commands/commands.h"
#include "worker/rating/annotate.h"
#include "worker/rating/page.h"

struct settings {
    const char *state, *person, *html, *load, *out;
    bool outside;
};

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_panel panel;
    char path[PATH_MAX];
    size_t rated = 0, page = 0, settled = 0;
    if (!rt_id_valid(settings->person))
        return rt_error_set(err, RT_USAGE, "--as takes an id ([a-z0-9][a-z0-9._-]*)");
    if (settings->outside &&
        (!settings->html == !settings->load || !settings->load != !settings->out))
        return rt_error_set(err, RT_USAGE,
                            "--outside takes --html FILE, or --load FILE --out FILE");
    if (settings->out && !settings->outside)
        return rt_error_set(err, RT_USAGE, "--out is for --outside raters, who sign it themselves");
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_panel_open(path, operands->count ? operands->items[0] : NULL,
                               settings->outside ? settings->person : NULL, &panel, err);
    if (status)
        return status;
    if (settings->html)
        status = rt_page_write(&panel, settings->person, settings->html, &page, err);
    else if (settings->load)
        status = rt_page_load(&panel, settings->person, settings->load, &rated, err);
    else
        status = rt_annotate(&panel, settings->person, &rated, err);
    if (!status && settings->out)
        status = rt_panel_hand_out(&panel, settings->person, settings->out, &settled, err);
    else if (!status && !settings->html)
        status = rt_panel_hand_in(&panel, &settled, err);
    if (!status && settings->html)
        printf("%s: %zu transcripts for %s; open it in a browser, then load what it saves with "
               "--load\n",
               settings->html, page, settings->person);
    else if (!status && settings->out)
        printf("%s: %zu labels of %s; it signs them with `ringtrial-coordinator rating sign`, and "
               "an operator submits them\n",
               settings->out, settled, settings->person);
    else if (!status)
        printf("%s: %s has rated %zu more; %zu of %zu sampled trials are settled\n",
               panel.desk.local->name, settings->person, rated, settled, panel.count);
    rt_panel_release(&panel);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "as",
     .letter = 'a',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, person),
     .value_name = "PERSON",
     .help = "Who rates; a name of this lab's choosing, which stays here.",
     .required = true},
    {.name = "html",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, html),
     .value_name = "FILE",
     .help = "Write a page for a browser instead of asking here."},
    {.name = "load",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, load),
     .value_name = "FILE",
     .help = "Take the labels such a page has saved."},
    {.name = "outside",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, outside),
     .help = "PERSON is an organisation of the roster that signs its labels itself."},
    {.name = "out",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FILE",
     .help = "With --outside --load: where the rating goes for its rater to sign."},
    {.name = NULL},
};

const struct rt_command rt_command_rate = {
    .name = "rate",
    .summary = "let people label a sample of stored transcripts",
    .operands = "[CAMPAIGN]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker rate demo-shutdown --as alice\n"
               "ringtrial-worker rate --as bob --html bob.html\n"
               "ringtrial-worker rate --as bob --load labels-bob.json",
    .about = "The sample follows from the campaign's draw, by `raters.human` of the scenarios. "
             "Lab, subject and arm are hidden and everybody has an order of their own. Two people "
             "see each trial, a third where they differ. Keys give labels; one can stop at any "
             "time. The worker signs and sends what is settled.",
};
