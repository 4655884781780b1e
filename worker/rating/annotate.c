// SPDX-License-Identifier: Apache-2.0
#include "worker/rating/annotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/text.h"

#define TEXT_MOST ((size_t)64 << 20)

// ---- text that cannot act

static size_t point_at(struct rt_bytes text, size_t at, uint32_t *ret_point)
{
    size_t left = text.size - at;
    for (size_t size = 1; size <= 4 && size <= left; size++) {
        if (!rt_utf8_valid(rt_bytes(text.data + at, size)))
            continue;
        uint8_t lead = text.data[at];
        uint32_t point = size == 1   ? lead
                         : size == 2 ? lead & 0x1fu
                         : size == 3 ? lead & 0x0fu
                                     : lead & 0x07u;
        for (size_t i = 1; i < size; i++)
            point = point << 6 | (text.data[at + i] & 0x3fu);
        *ret_point = point;
        return size;
    }
    return 0;
}

static bool acts(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0xad || point == 0x61c ||
           point == 0x180e || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
           point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
           (point >= 0xe0000 && point <= 0xe0fff);
}

void rt_annotate_text(struct rt_bytes text, const char *indent, struct rt_buf *out)
{
    rt_buf_add_str(out, indent);
    for (size_t at = 0; at < text.size;) {
        uint32_t point = 0;
        size_t size = point_at(text, at, &point);
        if (size == 0) {
            rt_buf_printf(out, "\\x%02x", text.data[at]);
            size = 1;
        } else if (point == '\n') {
            rt_buf_add_str(out, "\n");
            rt_buf_add_str(out, indent);
        } else if (point == '\t') {
            rt_buf_add_str(out, "    ");
        } else if (acts(point)) {
            rt_buf_printf(out, "\\u%04x", point);
        } else {
            rt_buf_add(out, text.data + at, size);
        }
        at += size;
    }
    rt_buf_add_str(out, "\n");
}

// ---- one transcript

static void add_part(struct rt_buf *out, const char *who, struct rt_bytes text)
{
    if (!text.size)
        return;
    rt_buf_printf(out, "%s:\n", who);
    rt_annotate_text(text, "    ", out);
}

static void add_entry(const struct rt_entry *entry, struct rt_buf *out)
{
    switch (entry->kind) {
    case RT_ENTRY_MESSAGE:
        add_part(out, rt_chat_role_word(entry->role), entry->text);
        break;
    case RT_ENTRY_REPLY:
        add_part(out, "the system under test", entry->text);
        add_part(out, "it refuses", entry->refusal);
        break;
    case RT_ENTRY_ROLE:
        rt_buf_add_str(out, "another: ");
        rt_annotate_text(entry->name, "", out);
        rt_annotate_text(entry->text, "    ", out);
        break;
    case RT_ENTRY_CALL:
        rt_buf_add_str(out, "it calls ");
        rt_annotate_text(entry->name, "", out);
        rt_annotate_text(entry->arguments, "    ", out);
        add_part(out, "and is answered", entry->text);
        break;
    default:
        break;
    }
}

static char key_of(size_t label)
{
    static const char keys[] = "123456789abcdefghijklmnopr";
    return label < sizeof keys - 1 ? keys[label] : 0;
}

static void show(const struct rt_panel *panel, const struct rt_panel_trial *trial,
                 const struct rt_transcript *transcript, size_t at, size_t of, struct rt_buf *out)
{
    const struct rt_campaign *campaign = panel->desk.local->campaign;
    rt_buf_printf(out, "\n======== %zu of %zu ========\n", at + 1, of);
    rt_annotate_text(rt_bytes_str(trial->scenario->title), "", out);
    if (trial->scenario->judge && trial->scenario->judge->rubric_text)
        rt_annotate_text(rt_bytes_str(trial->scenario->judge->rubric_text), "| ", out);
    for (size_t i = 0; i < transcript->entry_count; i++)
        add_entry(&transcript->entries[i], out);
    rt_buf_add_str(out, "-------- which label? --------\n");
    for (size_t l = 0; l < campaign->label_count && key_of(l); l++) {
        rt_buf_printf(out, "  [%c] %-14s ", key_of(l), campaign->labels[l].id);
        rt_annotate_text(rt_bytes_str(campaign->labels[l].says ? campaign->labels[l].says : ""), "",
                         out);
    }
    rt_buf_add_str(out, "  [s] later   [q] stop\n> ");
}

// ---- keys

struct keyboard {
    bool raw;
    struct termios before;
};

static void keyboard_begin(struct keyboard *keyboard)
{
    keyboard->raw = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &keyboard->before) == 0;
    if (!keyboard->raw)
        return;
    struct termios now = keyboard->before;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    keyboard->raw = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

static void keyboard_end(const struct keyboard *keyboard)
{
    if (keyboard->raw)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &keyboard->before);
}

// The label's index, -1 for later, -2 to stop.
static int ask(size_t labels)
{
    char key;
    while (read(STDIN_FILENO, &key, 1) == 1) {
        if (key == 's')
            return -1;
        if (key == 'q' || key == 4)
            return -2;
        for (size_t l = 0; l < labels && key_of(l); l++)
            if (key_of(l) == key)
                return (int)l;
    }
    return -2;
}

static enum rt_status rate_one(struct rt_panel *panel, const char *person,
                               const struct rt_panel_trial *trial, size_t at, size_t of,
                               int *ret_answer, struct rt_error *err)
{
    struct rt_transcript transcript;
    struct rt_arena arena;
    struct rt_buf text;
    rt_arena_init(&arena, (size_t)256 << 20);
    rt_buf_init(&text, TEXT_MOST);
    enum rt_status status =
        rt_desk_transcript(&panel->desk, trial->trial, &arena, &transcript, err);
    if (!status) {
        show(panel, trial, &transcript, at, of, &text);
        status = rt_buf_ok(&text);
    }
    if (!status) {
        fwrite(text.data, 1, text.size, stdout);
        fflush(stdout);
        *ret_answer = ask(panel->desk.local->campaign->label_count);
        if (*ret_answer >= 0) {
            printf("%s\n", panel->desk.local->campaign->labels[*ret_answer].id);
            status = rt_panel_rate(panel, person, trial->trial->number, (uint32_t)*ret_answer, err);
        }
    }
    rt_buf_release(&text);
    rt_arena_release(&arena);
    return status;
}

enum rt_status rt_annotate(struct rt_panel *panel, const char *person, size_t *ret_rated,
                           struct rt_error *err)
{
    struct rt_panel_trial **queue = calloc(panel->count + 1, sizeof *queue);
    struct keyboard keyboard;
    *ret_rated = 0;
    if (!queue)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    size_t count = rt_panel_queue(panel, person, queue);
    enum rt_status status = RT_OK;
    int answer = 0;
    keyboard_begin(&keyboard);
    for (size_t i = 0; i < count && !status && answer != -2; i++) {
        status = rate_one(panel, person, queue[i], i, count, &answer, err);
        *ret_rated += !status && answer >= 0;
    }
    keyboard_end(&keyboard);
    free(queue);
    return status;
}
