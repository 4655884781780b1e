// SPDX-License-Identifier: Apache-2.0
#include "coordinator/commands/client.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

#include "common/base/file.h"
#include "common/base/json.h"

#define ANSWER_MS 30000

enum rt_status rt_client_open(const struct rt_state *state, struct rt_client *ret_client,
                              struct rt_error *err)
{
    if (!rt_file_exists(state->socket))
        return rt_error_set(err, RT_NETWORK,
                            "no coordinator is running on %s; start it with `ringtrial-coordinator "
                            "serve --state %s`",
                            state->folder, state->folder);
    struct rt_client client = {.context = zmq_ctx_new()};
    client.socket = client.context ? zmq_socket(client.context, ZMQ_DEALER) : NULL;
    char endpoint[RT_STATE_PATH_BYTES + 8];
    snprintf(endpoint, sizeof endpoint, "ipc://%s", state->socket);
    int linger = 0, wait = ANSWER_MS;
    int64_t most = 1 << 20;
    if (!client.socket || zmq_setsockopt(client.socket, ZMQ_LINGER, &linger, sizeof linger) ||
        zmq_setsockopt(client.socket, ZMQ_RCVTIMEO, &wait, sizeof wait) ||
        zmq_setsockopt(client.socket, ZMQ_SNDTIMEO, &wait, sizeof wait) ||
        zmq_setsockopt(client.socket, ZMQ_MAXMSGSIZE, &most, sizeof most) ||
        zmq_connect(client.socket, endpoint)) {
        int saved = errno;
        rt_arena_init(&client.arena, 0);
        rt_buf_init(&client.payload, 0);
        rt_client_close(&client);
        return rt_error_set(err, RT_NETWORK, "cannot reach %s: %s", endpoint, zmq_strerror(saved));
    }
    rt_arena_init(&client.arena, (size_t)64 << 20);
    rt_buf_init(&client.payload, RT_PAYLOAD_MOST);
    *ret_client = client;
    return RT_OK;
}

void rt_client_close(struct rt_client *client)
{
    if (client->socket)
        zmq_close(client->socket);
    if (client->context)
        zmq_ctx_term(client->context);
    rt_arena_release(&client->arena);
    rt_buf_release(&client->payload);
}

// Send payload and wait for a message of the wanted type; an ERROR becomes an error. The answer's
// bytes live in the arena until the next call.
static enum rt_status ask(struct rt_client *client, enum rt_message_type wanted,
                          struct rt_message *ret_answer, struct rt_error *err)
{
    rt_arena_clear(&client->arena);
    if (zmq_send(client->socket, client->payload.data, client->payload.size, 0) < 0)
        return rt_error_set(err, RT_NETWORK, "the coordinator does not answer; is it running?");
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, client->socket, 0) < 0) {
        zmq_msg_close(&frame);
        return rt_error_set(err, RT_TIMEOUT, "the coordinator did not answer within %d s",
                            ANSWER_MS / 1000);
    }
    struct rt_bytes copy =
        rt_arena_bytes(&client->arena, rt_bytes(zmq_msg_data(&frame), zmq_msg_size(&frame)));
    zmq_msg_close(&frame);
    enum rt_status status =
        copy.data ? rt_message_decode(copy, &client->arena, ret_answer, NULL) : RT_NO_MEMORY;
    if (status)
        return rt_error_set(err, status, "the coordinator's answer does not decode");
    if (ret_answer->type == RT_MESSAGE_ERROR) {
        const struct rt_message_error *error = &ret_answer->body.error;
        return rt_error_set(err, rt_status_of_wire(error->code), "the coordinator refused: %.*s",
                            (int)error->text.size, (const char *)error->text.data);
    }
    if (ret_answer->type != wanted)
        return rt_error_set(err, RT_MALFORMED, "the coordinator answered with %s",
                            rt_message_type_word(ret_answer->type));
    return RT_OK;
}

enum rt_status rt_client_admin(struct rt_client *client, const char *request, json_t **ret_json,
                               struct rt_error *err)
{
    struct rt_message_admin message = {.request = rt_bytes_str(request)};
    struct rt_message answer;
    rt_buf_clear(&client->payload);
    enum rt_status status = rt_message_admin_encode(&message, &client->payload, NULL);
    if (!status)
        status = ask(client, RT_MESSAGE_REPLY, &answer, err);
    if (status)
        return status;
    json_t *json = NULL;
    status = rt_json_parse(answer.body.reply.body, &json, err);
    if (!status && answer.body.reply.status) {
        const char *text = json_string_value(json_object_get(json, "error"));
        status = rt_error_set(err, rt_status_of_wire(answer.body.reply.status), "%s",
                              text ? text : "refused");
        json_decref(json);
    }
    if (!status)
        *ret_json = json;
    return status;
}

enum rt_status rt_client_submit(struct rt_client *client, struct rt_bytes statement,
                                const struct rt_bytes *objects, size_t object_count,
                                uint64_t *ret_index, struct rt_error *err)
{
    struct rt_message_submit message = {
        .statement = statement, .objects = objects, .objects_count = object_count};
    struct rt_message answer;
    const char *field = "";
    rt_buf_clear(&client->payload);
    enum rt_status status = rt_message_submit_encode(&message, &client->payload, &field);
    if (status)
        return rt_error_set(err, status, "too much for one message (%s): %s", field,
                            rt_status_text(status));
    status = ask(client, RT_MESSAGE_RECEIPT, &answer, err);
    if (!status && ret_index)
        *ret_index = answer.body.receipt.index;
    return status;
}

enum rt_status rt_client_fetch(struct rt_client *client, const struct rt_digest *digest,
                               struct rt_buf *out, struct rt_error *err)
{
    size_t start = out->size;
    for (;;) {
        struct rt_message_fetch message = {.digest = *digest, .offset = out->size - start};
        struct rt_message answer;
        rt_buf_clear(&client->payload);
        enum rt_status status = rt_message_fetch_encode(&message, &client->payload, NULL);
        if (!status)
            status = ask(client, RT_MESSAGE_PART, &answer, err);
        if (status)
            return status;
        const struct rt_message_part *part = &answer.body.part;
        if (!rt_digest_equal(&part->digest, digest) || part->offset != message.offset ||
            (part->data.size == 0 && part->total != message.offset))
            return rt_error_set(err, RT_MALFORMED,
                                "the coordinator sent another part than was asked for");
        rt_buf_add_bytes(out, part->data);
        if (rt_buf_ok(out))
            return rt_error_set(err, RT_TOO_LARGE, "an object is larger than %zu bytes",
                                out->limit);
        if (out->size - start < part->total)
            continue;
        struct rt_digest got;
        rt_sha256(rt_bytes(out->data + start, out->size - start), &got);
        return rt_digest_equal(&got, digest)
                   ? RT_OK
                   : rt_error_set(err, RT_CORRUPT,
                                  "an object does not have the digest it was asked for by");
    }
}

enum rt_status rt_client_roster(struct rt_client *client, struct rt_arena *arena,
                                struct rt_roster **ret_roster, struct rt_error *err)
{
    json_t *json = NULL;
    enum rt_status status = rt_client_admin(client, "{\"command\":\"status\"}", &json, err);
    if (status)
        return status;
    const char *text =
        json_string_value(json_object_get(json_object_get(json, "roster"), "digest"));
    struct rt_digest digest;
    status = text ? rt_digest_parse(rt_bytes_str(text), &digest) : RT_MALFORMED;
    json_decref(json);
    struct rt_buf object;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    if (!status)
        status = rt_client_fetch(client, &digest, &object, err);
    if (!status && (status = rt_roster_decode(rt_buf_bytes(&object), arena, ret_roster)))
        rt_error_set(err, status, "the roster in force does not decode");
    rt_buf_release(&object);
    return status;
}

enum rt_status rt_client_campaign(struct rt_client *client, const char *name, json_t **ret_status,
                                  json_t **ret_campaign, struct rt_error *err)
{
    json_t *json = NULL;
    enum rt_status status = rt_client_admin(client, "{\"command\":\"status\"}", &json, err);
    if (status)
        return status;
    const char *hex = strncmp(name, "sha256:", 7) == 0 ? name : NULL;
    json_t *found = NULL;
    size_t i, matches = 0;
    json_t *campaign;
    json_array_foreach(json_object_get(json, "campaigns"), i, campaign)
    {
        const char *id = json_string_value(json_object_get(campaign, "campaign"));
        const char *digest = json_string_value(json_object_get(campaign, "digest"));
        if (hex ? strncmp(digest, hex, strlen(hex)) == 0 : strcmp(id, name) == 0) {
            found = campaign;
            matches++;
        }
    }
    if (matches != 1) {
        json_decref(json);
        return rt_error_set(
            err, RT_NOT_FOUND,
            matches ? "%s names several campaigns; give the digest (sha256:…) that `status` shows"
                    : "no campaign %s is registered; `status` lists them",
            name);
    }
    *ret_status = json;
    *ret_campaign = found;
    return RT_OK;
}
