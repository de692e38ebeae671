'use strict';

// What the README shows is what happens: its console sessions and its JavaScript, as they stand there.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { startDaemon, temporaryFolder } = require('./daemon');
const { root, fences, session, play, comesAsTold } = require('./readme');

const limit = { timeout: 120_000 };

/** What the README's commands and programs heed, so that they need not find the default ports free. */
function environment(daemon) {
  return {
    ...process.env,
    COORDINATION_HTTP_URL: `http://127.0.0.1:${daemon.port}`,
    COORDINATION_WS_URL: `ws://127.0.0.1:${daemon.wsPort}`,
    NODE_PATH: path.join(__dirname, 'node_modules')
  };
}

/** A folder that looks like the checkout, where a session may leave its files. */
function likeTheCheckout() {
  const folder = temporaryFolder();
  for (const name of ['tests', 'tools']) fs.symlinkSync(path.join(root, name), path.join(folder, name));
  fs.mkdirSync(path.join(folder, 'build', 'release'), { recursive: true });
  fs.symlinkSync(path.dirname(process.env.COORDINATION_DAEMON), path.join(folder, 'build', 'release', 'bin'));
  return folder;
}

test('each command of the README is answered as it says', limit, async (t) => {
  const folder = likeTheCheckout();
  const daemon = await startDaemon(t, ['--preset', 'production'], folder); // as tools/start does
  const steps = session();
  assert.ok(steps.length > 40, `only ${steps.length} commands were found`);
  const answers = await play(steps.map((step) => step.command), folder, environment(daemon), t.signal);
  steps.forEach(({ command, answer }, i) => {
    const came = answers[i] ?? ['nothing: the session had ended'];
    assert.ok(comesAsTold(came, answer), `$ ${command}\n${came.join('\n')}\nbut the README says:\n${answer.join('\n')}`);
  });
});

/** Starts a program of tools/examples from the text in the README; `said(words)` resolves once it has said them. */
function start(t, daemon, folder, name, args = []) {
  const shown = fences('js').find((code) => code === fs.readFileSync(path.join(root, 'tools', 'examples', name), 'utf8'));
  assert.ok(shown, `the README does not show tools/examples/${name} as it is`);
  assert.ok(shown.split('\n').length <= 60, `${name} is longer than an example should be`);
  fs.writeFileSync(path.join(folder, name), shown);
  const child = spawn(process.execPath, [name, ...args], { cwd: folder, env: environment(daemon) });
  t.after(() => child.kill());
  const program = { output: '', ended: once(child, 'exit') };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { program.output += data; });
  program.said = async (words) => {
    while (!program.output.includes(words)) {
      const [status] = await Promise.race([once(child.stdout, 'data'), program.ended]);
      assert.ok(typeof status !== 'number', `${name} ended with ${status}: ${program.output}`);
    }
  };
  return program;
}

test('the worker, the orchestrator and the monitor of the README work together', limit, async (t) => {
  const folder = temporaryFolder();
  const daemon = await startDaemon(t, ['--preset', 'production'], folder);
  const worker = start(t, daemon, folder, 'worker.js', ['w1', 'development', 'testing']);
  await worker.said('w1 is registered');
  const orchestrator = start(t, daemon, folder, 'orchestrator.js', ['3', 'development']);
  await worker.said('received');
  const monitor = start(t, daemon, folder, 'monitor.js');
  await monitor.said('Uptime');
  const [status] = await orchestrator.ended;
  assert.equal(status, 0, orchestrator.output);
  assert.equal(orchestrator.output.match(/^Assigned task-\d+-[123] to w1$/gm)?.length, 3, orchestrator.output);
  assert.equal(orchestrator.output.match(/^Task completed: task-\d+-[123]$/gm)?.length, 3, orchestrator.output);
  assert.match(monitor.output, /Active workers: 1 of 1\nActive tasks: \d+, \d+ waiting\nQueue depth: 0\n/);
});

test('a worker of the README stops what is cancelled, and fails nothing', limit, async (t) => {
  const folder = temporaryFolder();
  const daemon = await startDaemon(t, ['--preset', 'production'], folder);
  const worker = start(t, daemon, folder, 'worker.js', ['w1']);
  await worker.said('w1 is registered');
  const call = async (name, body) => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${daemon.httpUrl}/api/tasks/${name}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.json();
  };
  await call('submit', { taskId: 't1' });
  await worker.said('received t1');
  await call('cancel', { taskId: 't1', graceMs: 60_000 });
  let task;
  do task = await (await fetch(`${daemon.httpUrl}/api/tasks/t1`)).json(); while (task.status === 'in_progress' || task.status === 'assigned');
  assert.equal(task.status, 'cancelled');
  assert.ok(task.cancelledAt < task.cancelBy); // it said so itself
});
