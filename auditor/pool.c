// SPDX-License-Identifier: Apache-2.0
#include "auditor/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MOST 8

struct rt_pool {
    pthread_mutex_t mutex;
    pthread_cond_t begin, end;
    pthread_t threads[THREADS_MOST];
    size_t thread_count;
    uint64_t run; // how many runs have begun
    size_t busy;  // threads that have not finished this one
    bool leave;

    // The run at hand.
    rt_pool_fn *fn;
    void *ctx;
    size_t count;
    atomic_size_t next;
};

static void work(struct rt_pool *pool)
{
    for (;;) {
        size_t item = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (item >= pool->count)
            return;
        pool->fn(pool->ctx, item);
    }
}

static void *thread_main(void *ctx)
{
    struct rt_pool *pool = ctx;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->run == seen && !pool->leave)
            pthread_cond_wait(&pool->begin, &pool->mutex);
        if (pool->leave)
            break;
        seen = pool->run;
        pthread_mutex_unlock(&pool->mutex);
        work(pool);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->end);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

struct rt_pool *rt_pool_new(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t others = processors < 2              ? 0
                    : processors > THREADS_MOST ? THREADS_MOST - 1
                                                : (size_t)processors - 1;
    struct rt_pool *pool = others ? calloc(1, sizeof *pool) : NULL;
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    while (pool->thread_count < others &&
           !pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool))
        pool->thread_count++;
    return pool;
}

void rt_pool_free(struct rt_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->leave = true;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->begin);
    pthread_cond_destroy(&pool->end);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

void rt_pool_run(struct rt_pool *pool, size_t count, rt_pool_fn *fn, void *ctx)
{
    for (size_t i = 0; i < count && (!pool || count == 1); i++)
        fn(ctx, i);
    if (!pool || count <= 1)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->busy = pool->thread_count;
    pool->run++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->mutex);
    work(pool);
    pthread_mutex_lock(&pool->mutex);
    while (pool->busy)
        pthread_cond_wait(&pool->end, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}
