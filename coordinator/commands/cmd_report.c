// SPDX-License-Identifier: Apache-2.0
// `report`: a campaign's report from the cells, beside the running coordinator or without it.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "common/report/render.h"
#include "coordinator/bundle_facts.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/may_see.h"
#include "coordinator/commands/state.h"
#include "coordinator/publish.h"

#define RENDERED_MOST ((size_t)1 << 30)

struct settings {
    const char *state, *out, *html, *csv, *card;
    uint64_t width;
    bool is_public;
};

enum rendering { RENDER_JSON, RENDER_HTML, RENDER_CSV, RENDER_CARD };

static enum rt_status render(enum rendering rendering, struct rt_report *report, struct rt_buf *out)
{
    rt_buf_clear(out);
    switch (rendering) {
    case RENDER_JSON:
        return rt_report_json(report, out);
    case RENDER_HTML:
        return rt_report_html(report, out);
    case RENDER_CSV:
        return rt_report_tidy(report->study, out);
    case RENDER_CARD:
        return rt_report_card(report, out);
    }
    return RT_UNSUPPORTED;
}

static enum rt_status write_one(enum rendering rendering, const char *path,
                                struct rt_report *report, struct rt_buf *out, struct rt_error *err)
{
    enum rt_status status = render(rendering, report, out);
    if (status)
        return rt_error_set(err, status, "%s: %s", path, rt_status_text(status));
    return rt_file_write(path, rt_buf_bytes(out), 0644, err);
}

static enum rt_status write_files(const struct settings *settings, struct rt_report *report,
                                  struct rt_buf *out, struct rt_error *err)
{
    static const struct {
        enum rendering rendering;
        const char *name;
    } files[] = {
        {RENDER_JSON, "report.json"}, {RENDER_HTML, "report.html"}, {RENDER_CSV, "cells.csv"}};
    char path[RT_STATE_PATH_BYTES];
    enum rt_status status = settings->out ? rt_file_mkdir(settings->out, 0755, err) : RT_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && settings->out && !status; i++) {
        if (rt_path_join(path, sizeof path, settings->out, files[i].name))
            return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", settings->out);
        status = write_one(files[i].rendering, path, report, out, err);
    }
    if (!status && settings->html)
        status = write_one(RENDER_HTML, settings->html, report, out, err);
    if (!status && settings->csv)
        status = write_one(RENDER_CSV, settings->csv, report, out, err);
    if (!status && settings->card)
        status = write_one(RENDER_CARD, settings->card, report, out, err);
    return status;
}

static unsigned terminal_width(const struct settings *settings)
{
    struct winsize size;
    if (settings->width)
        return (unsigned)settings->width;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 100;
}

static enum rt_status print(const struct settings *settings, struct rt_report *report,
                            struct rt_buf *out, struct rt_error *err)
{
    struct rt_report_style style = {terminal_width(settings),
                                    isatty(STDOUT_FILENO) == 1 && !getenv("NO_COLOR")};
    rt_buf_clear(out);
    enum rt_status status =
        rt_globals.json ? rt_report_json(report, out) : rt_report_terminal(report, &style, out);
    if (rt_globals.json)
        rt_buf_add_u8(out, '\n');
    if (!status)
        status = rt_buf_ok(out);
    if (status)
        return rt_error_set(err, status, "the report: %s", rt_status_text(status));
    if (fwrite(out->data, 1, out->size, stdout) != out->size || fflush(stdout))
        return rt_error_set(err, RT_IO, "cannot write to standard output");
    return RT_OK;
}

// What the coordinator refused is not in the log, so no auditor could recompute it and it has no
// place in the report; the operator sees it here.
static void print_refused(const struct rt_campaign_report *report)
{
    for (size_t l = 0; l < report->campaign->lab_count; l++)
        if (report->refused[l] > 0)
            printf("refused at the door, not in the log: %" PRId64 " results of %s\n",
                   report->refused[l], report->campaign->labs[l].id);
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_state state;
    struct rt_store *store = NULL;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_store_open(state.store, RT_STORE_READ, NULL, &store, err);
    if (status)
        return status;
    struct rt_campaign_report report;
    struct rt_buf out;
    rt_buf_init(&out, RENDERED_MOST);
    report = (struct rt_campaign_report){.campaign = NULL};
    status = settings->is_public ? RT_OK
                                 : rt_may_see(&state, store, operands->items[0], false, err);
    if (!status)
        status = rt_campaign_report_make(store, operands->items[0], &report, err);
    rt_store_close(store);
    if (!status && settings->is_public)
        status = rt_publish_report(&report, rt_time_wall_ms(), err);
    if (!status)
        status = write_files(settings, &report.report, &out, err);
    if (!status && !rt_globals.quiet)
        status = print(settings, &report.report, &out, err);
    if (!status && !rt_globals.json && !rt_globals.quiet)
        print_refused(&report);
    rt_campaign_report_release(&report);
    rt_buf_release(&out);
    return status;
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "DIR",
     .help = "Write report.json, report.html and cells.csv there."},
    {.name = "html",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, html),
     .value_name = "FILE",
     .help = "Write the HTML report there."},
    {.name = "csv",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, csv),
     .value_name = "FILE",
     .help = "Write the counted cells there, one row a cell."},
    {.name = "card",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, card),
     .value_name = "FILE",
     .help = "Write the bench card with the campaign's figures there, as Markdown."},
    {.name = "public",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, is_public),
     .help = "For everybody: waits for the close and the embargo, leaves embargoed incidents out."},
    {.name = "width",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, width),
     .value_name = "N",
     .help = "Columns of the text report (default the terminal's).",
     .least = 40,
     .most = 400},
    {0}};

const struct rt_command rt_command_report = {
    .name = "report",
    .summary = "Compute a campaign's report from its cells.",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-coordinator report shutdown-2026q4 --html report.html",
    .about = "Reads the store in one snapshot, beside the running coordinator or without it, and "
             "prints the report; with --json as canonical JSON. The cost follows the size of the "
             "design and not the number of trials. The same log gives the same bytes.",
};
