// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "engine/transcript.h"

static void put_text(struct rt_buf *out, struct rt_bytes text, size_t width)
{
    size_t shown = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        // Cut between characters: continuation bytes belong to the one before.
        if ((byte & 0xc0) != 0x80 && width && shown++ == width) {
            rt_buf_add_str(out, "…");
            return;
        }
        if (byte == '\n')
            rt_buf_add_str(out, "\\n");
        else if (byte < 0x20 || byte == 0x7f)
            rt_buf_printf(out, "\\x%02x", byte);
        else
            rt_buf_add_u8(out, byte);
    }
}

static void print_reply(const struct rt_entry *entry, size_t width, struct rt_buf *out)
{
    put_text(out, entry->text, width);
    if (entry->refusal.size) {
        rt_buf_add_str(out, " [refusal] ");
        put_text(out, entry->refusal, width);
    }
    for (size_t i = 0; i < entry->call_count; i++) {
        rt_buf_add_str(out, entry->text.size || i ? " → " : "→ ");
        put_text(out, entry->calls[i].name, width);
        put_text(out, entry->calls[i].arguments, width);
    }
    if (entry->finish == RT_CHAT_FINISH_LENGTH)
        rt_buf_add_str(out, " [cut]");
}

static void print_entry(const struct rt_entry *entry, size_t width, struct rt_buf *out)
{
    rt_buf_printf(out, "%6" PRIu64 ".%03u s  ", entry->at_ms / 1000,
                  (unsigned)(entry->at_ms % 1000));
    const char *word = entry->kind == RT_ENTRY_MESSAGE ? rt_chat_role_word(entry->role)
                       : entry->kind == RT_ENTRY_REPLY ? "subject"
                       : entry->kind == RT_ENTRY_CALL  ? "tool"
                                                       : rt_entry_kind_word(entry->kind);
    rt_buf_printf(out, "%-9s ", word);
    if (entry->kind == RT_ENTRY_REPLY) {
        print_reply(entry, width, out);
    } else {
        put_text(out, entry->name, width);
        if (entry->kind == RT_ENTRY_ROLE && entry->arguments.size) {
            rt_buf_add_str(out, " was told ");
            put_text(out, entry->arguments, width);
        }
        if (entry->kind == RT_ENTRY_CALL) {
            put_text(out, entry->arguments, width);
            if (entry->verdict != RT_VERDICT_RAN)
                rt_buf_printf(out, " [%s]", rt_verdict_word(entry->verdict));
        }
        if (entry->text.size && entry->name.size)
            rt_buf_add_str(out, ": ");
        put_text(out, entry->text, width);
    }
    rt_buf_add_u8(out, '\n');
}

void rt_transcript_print(const struct rt_transcript *transcript, size_t width, struct rt_buf *out)
{
    put_text(out, transcript->scenario, 0);
    rt_buf_add_u8(out, '.');
    put_text(out, transcript->arm, 0);
    rt_buf_add_u8(out, '.');
    put_text(out, transcript->phrasing, 0);
    rt_buf_printf(out, "  temperature %g  seed %" PRIu32 "\n",
                  (double)transcript->temperature_micro / 1e6, transcript->seed);
    for (size_t i = 0; i < transcript->entry_count; i++)
        print_entry(&transcript->entries[i], width, out);
}
