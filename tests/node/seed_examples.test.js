'use strict';

// The seed's examples, played against the daemon by code that was written for the original.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { CoordinationClient } = require('./client');
const { startDaemon, temporaryFolder } = require('./daemon');

const limit = { timeout: 30_000 };

const post = (daemon, path, body) =>
  fetch(daemon.httpUrl + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body)
  }).then((response) => response.json());

const get = (daemon, path) => fetch(daemon.httpUrl + path).then((response) => response.json());

/** A client that fails the test on any 'error' event, and is disconnected at its end. */
function newClient(t, daemon, options) {
  const client = new CoordinationClient({ wsUrl: daemon.wsUrl, httpUrl: daemon.httpUrl, ...options });
  client.on('error', (error) => { throw error; });
  t.after(() => client.disconnect());
  return client;
}

async function connected(client) {
  const registered = once(client, 'registered');
  await client.connect();
  const [message] = await registered;
  return message;
}

/** Resolves with the changes up to the first one for which `wanted` holds. */
function changesUntil(client, wanted) {
  return new Promise((resolve) => {
    const changes = [];
    const listen = (change) => {
      changes.push(change);
      if (!wanted(change)) return;
      client.off('state_change', listen);
      resolve(changes);
    };
    client.on('state_change', listen);
  });
}

test('example 1: a basic worker receives a task, tells its progress and completes it', limit, async (t) => {
  const daemon = await startDaemon(t);
  const client = newClient(t, daemon, {
    workerId: 'worker-development-001',
    capabilities: ['development', 'testing']
  });

  client.on('task_assigned', async (task) => {
    for (let i = 0; i <= 100; i += 10) {
      await new Promise(setImmediate);
      client.updateProgress(task.id, i);
    }
    client.completeTask(task.id, { status: 'success', message: 'Task completed' });
  });

  const registered = await connected(client);
  assert.equal(registered.workerId, 'worker-development-001');
  assert.equal(typeof registered.timestamp, 'number');

  client.subscribe(['tasks:update']);
  let count = 0;
  const twelve = changesUntil(client, () => ++count === 12); // eleven times progress, and the end
  const assigned = await post(daemon, '/api/tasks/assign', {
    taskId: 'task-123',
    taskData: { title: 'Example task', capabilities: ['development'] }
  });
  assert.equal(assigned.success, true);
  assert.equal(assigned.workerId, 'worker-development-001');
  assert.equal(assigned.task.title, 'Example task');
  assert.equal(assigned.task.assignedTo, 'worker-development-001');

  for (const change of await twelve) {
    assert.equal(change.collection, 'tasks');
    assert.equal(change.key, 'task-123');
    assert.equal(change.operation, 'update');
  }
  const task = await get(daemon, '/api/tasks/task-123');
  assert.equal(task.status, 'completed');
  assert.equal(task.progress, 100);
  assert.deepEqual(task.result, { status: 'success', message: 'Task completed' });
  assert.equal(client.getMetrics().tasksReceived, 1);
});

test('quick start: a task that throws is reported as failed', limit, async (t) => {
  const daemon = await startDaemon(t);
  const client = newClient(t, daemon, { workerId: 'worker-001', capabilities: ['development', 'security'] });
  client.on('task_assigned', async (task) => {
    try {
      throw new Error(`cannot do ${task.title}`);
    } catch (error) {
      client.failTask(task.id, { message: error.message });
    }
  });
  await connected(client);
  client.subscribe(['tasks:update']);
  const failed = once(client, 'state_change');
  await post(daemon, '/api/tasks/assign', { taskId: 't', taskData: { title: 'this' } });
  await failed;
  const task = await get(daemon, '/api/tasks/t');
  assert.equal(task.status, 'failed');
  assert.deepEqual(task.error, { message: 'cannot do this' });
});

test('example 2: an orchestrator hears of workers, hands out tasks and hears of their end', limit, async (t) => {
  const daemon = await startDaemon(t);

  // The original's runs inside the daemon; beside it, the same events come as state changes.
  const orchestrator = newClient(t, daemon, { workerId: 'orchestrator', capabilities: ['orchestration'] });
  await connected(orchestrator);
  orchestrator.subscribe(['workers:set', 'tasks:*']);

  const joined = changesUntil(orchestrator, (change) => change.key === 'worker-3');
  const workers = ['worker-1', 'worker-2', 'worker-3'].map((workerId) => {
    const client = newClient(t, daemon, { workerId, capabilities: ['development'] });
    client.on('task_assigned', (task) => client.completeTask(task.id, { by: workerId }));
    return client;
  });
  for (const worker of workers) await connected(worker);
  assert.deepEqual((await joined).map((change) => change.key), ['worker-1', 'worker-2', 'worker-3']);

  const ids = Array.from({ length: 30 }, (_, i) => `task-${i}`);
  const ended = new Set();
  const all = changesUntil(orchestrator, (change) => {
    if (change.collection === 'tasks' && change.operation === 'update') ended.add(change.key);
    return ended.size === ids.length;
  });
  for (const taskId of ids) {
    const result = await post(daemon, '/api/tasks/assign', {
      taskId,
      taskData: { title: 'Automated task', type: 'development', capabilities: ['development'] }
    });
    assert.equal(result.success, true, JSON.stringify(result));
    assert.match(result.workerId, /^worker-[123]$/);
  }
  await all;
  const state = await orchestrator.getState();
  assert.equal(state.tasks.filter((task) => task.status === 'completed').length, ids.length);
  assert.deepEqual(state.assignments, []);
  const by = new Set(state.tasks.map((task) => task.result.by));
  assert.deepEqual([...by].sort(), ['worker-1', 'worker-2', 'worker-3']); // the load was shared
});

test('example 3: a monitor prints its dashboard', limit, async (t) => {
  const daemon = await startDaemon(t);
  const worker = newClient(t, daemon, { workerId: 'worker-001', capabilities: ['development'] });
  await connected(worker);
  await post(daemon, '/api/tasks/assign', { taskId: 'running' });

  const metrics = await get(daemon, '/api/metrics');
  const state = await get(daemon, '/api/state');
  const lines = [
    '=== Coordination Daemon Status ===\n',
    `Operations/sec: ${metrics.daemon.operationsPerSecond}`,
    `Average latency: ${metrics.daemon.averageLatency.toFixed(2)}ms`,
    `Active workers: ${state.metadata.totalWorkers}`,
    `Active tasks: ${metrics.daemon.activeTasks}`,
    `Queue depth: ${metrics.messageBus.queueDepth}`,
    `Uptime: ${Math.round(metrics.daemon.uptime / 1000)}s`
  ];
  assert.match(lines[1], /^Operations\/sec: [\d.]+$/);
  assert.match(lines[2], /^Average latency: \d+\.\d\dms$/);
  assert.equal(lines[3], 'Active workers: 1');
  assert.equal(lines[4], 'Active tasks: 1');
  assert.equal(lines[5], 'Queue depth: 0');
  assert.match(lines[6], /^Uptime: \d+s$/);

  const health = await get(daemon, '/health');
  assert.equal(health.status, 'healthy');
  assert.match(health.version, /^\d+\.\d+\.\d+/);
});

test('the HTTP methods of the client do without a socket', limit, async (t) => {
  const daemon = await startDaemon(t);
  const client = newClient(t, daemon, { workerId: 'worker-http', capabilities: ['development'] });

  const registered = await client.registerHttp();
  assert.equal(registered.success, true);
  assert.equal(registered.worker.id, 'worker-http');
  await post(daemon, '/api/tasks/assign', { taskId: 'a', workerId: 'worker-http' });
  await post(daemon, '/api/tasks/assign', { taskId: 'b', workerId: 'worker-http' });
  assert.equal((await client.completeTaskHttp('a', { ok: true })).task.status, 'completed');
  assert.equal((await client.failTaskHttp('b', { message: 'no' })).task.status, 'failed');
  assert.equal((await client.getState()).metadata.totalTasks, 2);
  assert.equal((await client.getDaemonMetrics()).daemon.totalTasksFailed, 1);
  assert.equal((await client.unregisterHttp()).success, true);
  await assert.rejects(client.unregisterHttp(), /Worker not found/);
  await assert.rejects(client.completeTaskHttp('none', {}), /Task not found/);
});

test('heartbeats keep a worker alive, and are acknowledged', limit, async (t) => {
  const daemon = await startDaemon(t, ['--heartbeat-interval', '50', '--heartbeat-timeout', '1000']);
  const client = newClient(t, daemon, { workerId: 'w', heartbeatInterval: 50 });
  await connected(client);
  const begin = Date.now();
  while (Date.now() - begin < 1500) { // longer than the timeout
    const [ack] = await once(client, 'heartbeat_ack');
    assert.equal(typeof ack.timestamp, 'number');
  }
  assert.equal((await get(daemon, '/api/workers/w')).status, 'idle');
});

test('a worker reconnects to a daemon that was restarted, and keeps its task', limit, async (t) => {
  const folder = temporaryFolder();
  const flags = ['--persistence', 'periodic-snapshot', '--snapshot-path', 'state-snapshot.json'];
  const first = await startDaemon(t, flags, folder);
  const client = newClient(t, first, { workerId: 'w', reconnectInterval: 20 });
  await connected(client);
  const received = once(client, 'task_assigned');
  await post(first, '/api/tasks/assign', { taskId: 'long', taskData: { title: 'Long one' } });
  await received;

  const disconnected = once(client, 'disconnected');
  const reconnecting = once(client, 'reconnecting');
  await first.stop();
  assert.deepEqual(await disconnected, [1001]);
  await reconnecting;

  const reconnected = once(client, 'reconnected');
  const again = once(client, 'task_assigned'); // it may not have received it before
  // The original's address is fixed; here the second daemon has ports of its own, as the first may be reused.
  const second = await startDaemon(t, flags, folder);
  client.wsUrl = second.wsUrl;
  client.httpUrl = second.httpUrl;
  await reconnected;
  const [task] = await again;
  assert.equal(task.id, 'long');
  assert.equal(task.title, 'Long one');
  client.subscribe('tasks:update');
  const ended = once(client, 'state_change');
  client.completeTask('long', 'done');
  await ended;
  assert.equal((await get(second, '/api/tasks/long')).result, 'done');
});

test('integration with Cortex: a pool of workers that wrap the client', limit, async (t) => {
  const daemon = await startDaemon(t);

  class Worker {
    constructor(workerId, capabilities) {
      this.client = newClient(t, daemon, { workerId, capabilities });
      this.client.on('task_assigned', (task) => this.handleTask(task));
    }

    start() {
      return connected(this.client);
    }

    handleTask(task) {
      this.client.completeTask(task.id, task.type);
    }
  }

  for (const type of ['development', 'security', 'testing']) await new Worker(`worker-${type}`, [type]).start();
  const watcher = newClient(t, daemon, { workerId: 'watcher', capabilities: ['watching'] });
  await connected(watcher);
  watcher.subscribe(['tasks:update']);
  for (const type of ['testing', 'development', 'security']) {
    const ended = once(watcher, 'state_change');
    const assigned = await post(daemon, '/api/tasks/assign', { taskId: `t-${type}`, taskData: { type, capabilities: [type] } });
    assert.equal(assigned.workerId, `worker-${type}`);
    await ended;
    assert.equal((await get(daemon, `/api/tasks/t-${type}`)).result, type);
  }
});

test('errors come as error events, and the connection stays', limit, async (t) => {
  const daemon = await startDaemon(t);
  const client = newClient(t, daemon, { workerId: 'w' });
  await connected(client);
  client.removeAllListeners('error');
  const error = once(client, 'task_never'); // once() rejects when 'error' is emitted
  client.completeTask('none', {});
  await assert.rejects(error, /Task not found/);
  client.on('error', (e) => { throw e; });
  client._send({ type: 'heartbeat', workerId: 'w' });
  await once(client, 'heartbeat_ack');
});
