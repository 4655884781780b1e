// SPDX-License-Identifier: Apache-2.0
#include "coordinator/speed/primitives.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/crypto/curve.h"
#include "common/crypto/hash.h"
#include "common/crypto/key.h"
#include "common/tlog/tree.h"

#define SIGN_ROUNDS  4000
#define HASH_ROUNDS  20000
#define CURVE_ROUNDS 4000
#define CURVE_WINDOW 64
#define PUT_BATCHES  60
#define PUT_BATCH    100

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static enum rt_status measure_signatures(size_t size, struct rt_primitives *ret)
{
    struct rt_secret_key *key = NULL;
    if (rt_secret_key_generate(&key))
        return RT_IO;
    uint8_t body[4096] = {0}, signature[RT_SIGNATURE_BYTES];
    struct rt_bytes bytes = rt_bytes(body, size < sizeof body ? size : sizeof body);
    enum rt_status status = RT_OK;
    double start = cpu_us();
    for (int i = 0; i < SIGN_ROUNDS && !status; i++) {
        body[0] = (uint8_t)i;
        status = rt_sign(key, RT_TYPE("unit"), bytes, signature);
    }
    ret->sign_us = (cpu_us() - start) / SIGN_ROUNDS;
    start = cpu_us();
    for (int i = 0; i < SIGN_ROUNDS && !status; i++)
        status = rt_verify(rt_secret_key_public(key), RT_TYPE("unit"), bytes, signature);
    ret->verify_us = (cpu_us() - start) / SIGN_ROUNDS;
    rt_secret_key_free(key);
    return status;
}

static enum rt_status measure_hash(const struct rt_unit_sizes *sizes, struct rt_primitives *ret)
{
    uint8_t *data = calloc(1, sizes->result_object + sizes->unit_object + sizes->leaf + 64);
    if (!data)
        return RT_NO_MEMORY;
    struct rt_digest digest;
    struct rt_tree tree;
    rt_tree_init(&tree);
    enum rt_status status = RT_OK;
    double start = cpu_us();
    for (int i = 0; i < HASH_ROUNDS && !status; i++) {
        data[0] = (uint8_t)i;
        rt_sha256(rt_bytes(data, sizes->unit_object), &digest); // as issued
        rt_sha256(rt_bytes(data, sizes->unit_object), &digest); // as handed in
        rt_sha256(rt_bytes(data, sizes->result_object), &digest);
        rt_sha256(rt_bytes(data, sizes->statement), &digest);
        rt_leaf_hash(rt_bytes(data, sizes->leaf), &digest);
        status = rt_tree_append(&tree, &digest, NULL, NULL);
    }
    ret->hash_us = (cpu_us() - start) / HASH_ROUNDS;
    free(data);
    return status;
}

// Two ends in one process; the CPU time of all threads together, halved, is one side's.
struct wire {
    void *context, *router, *dealer;
    struct rt_curve_secret *server, *client;
};

static bool wire_open(struct wire *wire)
{
    wire->context = zmq_ctx_new();
    if (!wire->context || rt_curve_generate(&wire->server) || rt_curve_generate(&wire->client))
        return false;
    wire->router = zmq_socket(wire->context, ZMQ_ROUTER);
    wire->dealer = zmq_socket(wire->context, ZMQ_DEALER);
    int one = 1, none = 0;
    char endpoint[256];
    size_t size = sizeof endpoint;
    return wire->router && wire->dealer &&
           !zmq_setsockopt(wire->router, ZMQ_CURVE_SERVER, &one, sizeof one) &&
           !zmq_setsockopt(wire->router, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(wire->server),
                           32) &&
           !zmq_setsockopt(wire->router, ZMQ_LINGER, &none, sizeof none) &&
           !zmq_bind(wire->router, "tcp://127.0.0.1:*") &&
           !zmq_getsockopt(wire->router, ZMQ_LAST_ENDPOINT, endpoint, &size) &&
           !zmq_setsockopt(wire->dealer, ZMQ_LINGER, &none, sizeof none) &&
           !zmq_setsockopt(wire->dealer, ZMQ_CURVE_SERVERKEY,
                           rt_curve_secret_public(wire->server)->bytes, 32) &&
           !zmq_setsockopt(wire->dealer, ZMQ_CURVE_PUBLICKEY,
                           rt_curve_secret_public(wire->client)->bytes, 32) &&
           !zmq_setsockopt(wire->dealer, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(wire->client),
                           32) &&
           !zmq_connect(wire->dealer, endpoint);
}

static void wire_close(struct wire *wire)
{
    if (wire->dealer)
        zmq_close(wire->dealer);
    if (wire->router)
        zmq_close(wire->router);
    if (wire->context)
        zmq_ctx_term(wire->context);
    rt_curve_free(wire->server);
    rt_curve_free(wire->client);
}

// One unit's three frames, a window of them at a time so that the sockets batch as they do under
// load.
static bool exchange(const struct wire *wire, const struct rt_unit_sizes *sizes, uint8_t *frame,
                     int count)
{
    uint8_t id[8];
    int id_size = 0, ignored = 0;
    for (int i = 0; i < count; i++)
        if (zmq_send(wire->dealer, frame, sizes->result_frame, 0) < 0)
            return false;
    for (int i = 0; i < count; i++) {
        id_size = zmq_recv(wire->router, id, sizeof id, 0);
        ignored = zmq_recv(wire->router, frame, sizes->result_frame, 0);
        if (id_size < 0 || ignored < 0 ||
            zmq_send(wire->router, id, (size_t)id_size, ZMQ_SNDMORE) < 0 ||
            zmq_send(wire->router, frame, sizes->receipt_frame, 0) < 0 ||
            zmq_send(wire->router, id, (size_t)id_size, ZMQ_SNDMORE) < 0 ||
            zmq_send(wire->router, frame, sizes->unit_frame, 0) < 0)
            return false;
    }
    for (int i = 0; i < 2 * count; i++)
        if (zmq_recv(wire->dealer, frame, sizes->result_frame, 0) < 0)
            return false;
    return true;
}

static enum rt_status measure_curve(const struct rt_unit_sizes *sizes, struct rt_primitives *ret)
{
    struct wire wire = {0};
    uint8_t *frame = calloc(1, sizes->result_frame + sizes->receipt_frame + sizes->unit_frame);
    bool ok = frame && wire_open(&wire) && exchange(&wire, sizes, frame, 1);
    double start = cpu_us();
    for (int done = 0; ok && done < CURVE_ROUNDS; done += CURVE_WINDOW)
        ok = exchange(&wire, sizes, frame, CURVE_WINDOW);
    int rounds = (CURVE_ROUNDS + CURVE_WINDOW - 1) / CURVE_WINDOW * CURVE_WINDOW;
    ret->curve_us = (cpu_us() - start) / rounds / 2;
    wire_close(&wire);
    free(frame);
    return ok ? RT_OK : RT_NETWORK;
}

static bool put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_size, const uint8_t *data,
                size_t size)
{
    MDB_val k = {key_size, (void *)(uintptr_t)key}, v = {size, (void *)(uintptr_t)data};
    return mdb_put(txn, dbi, &k, &v, 0) == 0;
}

static bool put_batch(MDB_env *env, MDB_dbi dbi, const struct rt_unit_sizes *sizes,
                      const uint8_t *data, uint64_t first)
{
    MDB_txn *txn;
    if (mdb_txn_begin(env, NULL, 0, &txn))
        return false;
    bool ok = true;
    for (uint64_t i = first; ok && i < first + PUT_BATCH; i++) {
        struct rt_digest digest;
        uint8_t key[RT_DIGEST_BYTES + 1] = {0};
        rt_sha256(rt_bytes(&i, sizeof i), &digest);
        memcpy(key + 1, digest.bytes, RT_DIGEST_BYTES);
        ok = put(txn, dbi, key, sizeof key, data, sizes->result_object);
        key[0] = 1;
        ok = ok && put(txn, dbi, key, sizeof key, data, sizes->unit_object + sizes->statement);
        key[0] = 2;
        ok = ok && put(txn, dbi, key, sizeof key, data, 8);
        rt_put_u64be(key + 1, i);
        key[0] = 3;
        ok = ok && put(txn, dbi, key, 9, data, sizes->leaf);
        key[0] = 4;
        ok = ok && put(txn, dbi, key, 9, data, 64);
    }
    if (!ok) {
        mdb_txn_abort(txn);
        return false;
    }
    return mdb_txn_commit(txn) == 0;
}

static enum rt_status measure_put(const char *folder, const struct rt_unit_sizes *sizes,
                                  struct rt_primitives *ret)
{
    char path[4096], lock[4200];
    snprintf(path, sizeof path, "%s/primitives.mdb", folder);
    snprintf(lock, sizeof lock, "%s-lock", path);
    MDB_env *env = NULL;
    MDB_dbi dbi = 0;
    MDB_txn *txn = NULL;
    uint8_t *data =
        calloc(1, sizes->result_object + sizes->unit_object + sizes->statement + sizes->leaf + 64);
    bool ok = data && !mdb_env_create(&env) && !mdb_env_set_mapsize(env, (size_t)4 << 30) &&
              !mdb_env_open(env, path, MDB_NOSUBDIR, 0600) && !mdb_txn_begin(env, NULL, 0, &txn) &&
              !mdb_dbi_open(txn, NULL, 0, &dbi) && !mdb_txn_commit(txn);
    int64_t start = rt_time_mono_us();
    for (uint64_t batch = 0; ok && batch < PUT_BATCHES; batch++)
        ok = put_batch(env, dbi, sizes, data, batch * PUT_BATCH);
    ret->put_us = (double)(rt_time_mono_us() - start) / (PUT_BATCHES * PUT_BATCH);
    if (env)
        mdb_env_close(env);
    free(data);
    unlink(path);
    unlink(lock);
    return ok ? RT_OK : RT_IO;
}

enum rt_status rt_primitives_measure(const char *folder, const struct rt_unit_sizes *sizes,
                                     struct rt_primitives *ret, struct rt_error *err)
{
    enum rt_status status = measure_signatures(sizes->statement, ret);
    if (!status)
        status = measure_hash(sizes, ret);
    if (!status)
        status = measure_curve(sizes, ret);
    if (!status)
        status = measure_put(folder, sizes, ret);
    return status ? rt_error_set(err, status, "measuring this machine's primitives") : RT_OK;
}

double rt_primitives_total_us(const struct rt_primitives *primitives)
{
    return primitives->sign_us + primitives->verify_us + primitives->curve_us +
           primitives->hash_us + primitives->put_us;
}
